"""Names that are meant to do something: a script in a page, a formula in a spreadsheet."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from html import escape
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from cloud_api.app import create_app
from cloud_api.registry import Registry, Zone
from cloud_api.registry.soundness import faults
from cloud_api.registry.store import RegistryStore
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.town import HERE, NOW, REGISTRY, Clock, kept, serving

SCRIPT = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"
MARKET = Zone(id="marche", name=SCRIPT, position=HERE, address=SCRIPT, info=SCRIPT)
COUNTER = replace(REGISTRY.counters["rue-haute"], name=SCRIPT, in_=SCRIPT)
TOWN = Registry(
    zones=[MARKET, REGISTRY.zones["gare"]],
    spaces=REGISTRY.spaces,
    counters=[COUNTER],
    installations=REGISTRY.installations,
)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def visitor(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A technician's browser in a town whose names were written by somebody with bad intentions."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    broker = Broker(host=mosquitto.host, port=mosquitto.port)
    settings = Settings(broker=broker, ledger=folder / "ledger.db", worker="hostile", title=SCRIPT)
    with (
        closing(open_store(f"sqlite:///{folder}/history.db")) as store,
        closing(kept(TOWN, folder)) as registry,
        serving(create_app(settings, store=store, registry=registry, clock=Clock())) as address,
        httpx.Client(base_url=address, headers={"Origin": address}, follow_redirects=True) as client,
    ):
        client.post("/technician/sign-in", data={"secret": invitation(registry)})
        yield client


def invitation(registry: RegistryStore) -> str:
    registry.people.add("Marie Dupont", by="test", at=NOW)
    return registry.people.invite("Marie Dupont", code=False, by="test", at=NOW, expires_at=NOW + DAY)[1]


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/technician/closures/marche"])
def test_a_script_in_a_places_name_is_text_on_the_page(visitor: httpx.Client, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 200
    assert escape("<img src=x onerror=alert(1)>") in answer.text
    assert "<img src=x" not in answer.text
    assert "<script>alert" not in answer.text
    assert "script-src 'self';" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "+33 2 40+cmd|A0", "-1+1", "\t=1+1", "\r=1+1"]
)
def test_a_formula_comes_into_no_field_that_a_spreadsheet_may_open(name: str) -> None:
    told = dict(faults(replace(MARKET, name=name, address=name)))

    assert set(told) == {"name", "address"}
    assert "formula" in told["name"]
    assert "in" in dict(faults(replace(COUNTER, in_=name)))


@pytest.mark.parametrize("number", ["+33 2 40 41 90 00", "+33(0)2.40.41.90.00", "+44 20-7946-0958"])
def test_a_telephone_number_is_no_formula(number: str) -> None:
    assert list(faults(replace(MARKET, info=number))) == []


def test_a_name_with_such_a_sign_further_on_is_a_name() -> None:
    assert list(faults(replace(MARKET, name="Bouffay = Commerce - @ +"))) == []
