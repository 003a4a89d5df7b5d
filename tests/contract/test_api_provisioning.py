"""Provisioning over HTTP: heard, adopted, installed, changed, each with the version seen; mistakes say what to do."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud_api.app import create_app
from cloud_api.ledger import Ledger
from cloud_api.provisioning.gateways import By
from cloud_api.registry import Gateway
from cloud_api.registry.store import RegistryStore
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from edge.messages import Heard, HeardDevice, LinkHealth, Models, Status
from edge.recognition import known_models
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import EPOCH, NOW, REGISTRY, Clock, PublishingGateway, gateway, kept, serving, until

PUCK, SPARE, LINE = "0004a30b00ff0001", "0004a30b00ff0002", "0004a30b00ff0003"
NEW = {"If-None-Match": "*"}
ADOPTED = {"model": "bosch-tps110", "gateway": "gw-halles"}
Json = dict[str, Any]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryStore]:
    with closing(kept(REGISTRY, tmp_path)) as store:
        store.merge([Gateway(name="gw-halles", label="Les halles", managed=True)], by="test", at=NOW)
        yield store


@pytest.fixture
def client(own_mosquitto: Mosquitto, registry: RegistryStore, tmp_path: Path) -> Iterator[httpx.Client]:
    """A technician's, with a key."""
    _, secret = registry.keys.create("Anne's phone", [Scope.PROVISION], by="test", at=NOW)
    broker = Broker(host=own_mosquitto.host, port=own_mosquitto.port)
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        api = create_app(
            Settings(broker=broker, ledger=tmp_path / "ledger.db"), store=store, registry=registry, clock=Clock()
        )
        with (
            serving(api) as address,
            httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}) as opened,
        ):
            yield opened


@pytest.fixture
def halles(client: httpx.Client, own_mosquitto: Mosquitto) -> Iterator[PublishingGateway]:
    """A gateway that said what it can read, and hears two devices."""
    with gateway(own_mosquitto) as it:
        heard = tuple(
            HeardDevice(device=each, link="lora", at=NOW, rssi_dbm=-97.0, models=("bosch-tps110",))
            for each in (PUCK, SPARE)
        )
        links = (LinkHealth(name="lora", kind="chirpstack", state="up"),)
        it.publish(
            Models(gateway=it.name, epoch=EPOCH, version="1.4.0", models=known_models()),
            Status(gateway=it.name, epoch=EPOCH, online=True, version="1.4.0", links=links),
            Heard(gateway=it.name, epoch=EPOCH, devices=heard),
        )
        until(lambda: len(client.get("/v1/heard").json()["devices"]) == 2)
        until(lambda: client.get("/v1/gateways/gw-halles/models").status_code == 200)
        yield it


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("urn:passerelle:problem:")


def seen(client: httpx.Client, path: str) -> dict[str, str]:
    return {"If-Match": client.get(path).headers["etag"]}


def adopted(client: httpx.Client, address: str = PUCK, **settings: Any) -> None:
    answer = client.put(f"/v1/devices/{address}", json={**ADOPTED, **settings}, headers=NEW)
    assert answer.status_code == 200, answer.text


def test_who_has_no_key_for_it_neither_reads_nor_changes(client: httpx.Client) -> None:
    for path in ("/v1/gateways", "/v1/devices", "/v1/installations", "/v1/closures", "/v1/heard"):
        assert problem(HTTP.get(f"{client.base_url}{path}")) == (401, "key-needed")
    answer = HTTP.put(f"{client.base_url}/v1/devices/{PUCK}", json=ADOPTED, headers=NEW)
    assert problem(answer) == (401, "key-needed")


@pytest.mark.usefixtures("halles")
def test_a_device_goes_from_heard_to_adopted_and_installed(client: httpx.Client, registry: RegistryStore) -> None:
    first = client.get("/v1/heard").json()["devices"][0]
    assert (first["belongs"], first["models"], first["by"][0]["rssi_dbm"]) == ("nobody", ["bosch-tps110"], -97.0)

    adopted(client, link="lora", keys={"nwk_skey": "a" * 32, "app_skey": "b" * 32})
    until(lambda: PUCK not in [each["address"] for each in client.get("/v1/heard").json()["devices"]])
    shown = client.get(f"/v1/devices/{PUCK}")
    assert shown.json()["keys"] == ["nwk_skey", "app_skey"]
    assert "aaaa" not in shown.text

    registry.merge(
        [each for each in REGISTRY.spaces if each.id == "m1"], gone=REGISTRY.installations[:1], by="test", at=NOW
    )
    done = client.post("/v1/installations", json={"device": PUCK, "channel": "1", "place": "m1"})
    assert done.json()["words"] == [f"{PUCK} 1 serves m1 from 2026-11-22 10:30 UTC on"]
    (served,) = client.get(f"/v1/devices/{PUCK}").json()["serves"]
    assert served["installation"]["place"] == "m1"
    assert {(each.kind, each.who.partition(" (")[2]) for each in registry.trail(key=PUCK)} == {
        ("device", "Anne's phone)"),
        ("radio_keys", "Anne's phone)"),
    }


def test_a_dry_run_says_the_same_and_does_nothing(client: httpx.Client) -> None:
    answer = client.put(f"/v1/devices/{PUCK}?dry_run=true", json=ADOPTED, headers=NEW)

    assert answer.json()["merged"]["added"] == [f"device {PUCK}"]
    assert problem(client.get(f"/v1/devices/{PUCK}")) == (404, "unknown-device")


def test_a_change_names_the_version_that_was_seen(client: httpx.Client) -> None:
    adopted(client)
    path = f"/v1/devices/{PUCK}"
    both = seen(client, path)

    assert problem(client.put(path, json=ADOPTED)) == (428, "if-match-needed")
    assert client.put(path, json={**ADOPTED, "label": "bay 7"}, headers=both).status_code == 200
    late = client.put(path, json={**ADOPTED, "label": "bay 8"}, headers=both)
    assert problem(late) == (412, "changed-meanwhile")
    assert "look again" in late.json()["detail"]
    assert problem(client.put(path, json=ADOPTED, headers=NEW)) == (412, "changed-meanwhile")
    assert client.get(path).json()["device"]["label"] == "bay 7"


def test_of_two_who_exchange_the_same_devices_at_once_one_is_told_to_look_again(
    client: httpx.Client, registry: RegistryStore
) -> None:
    """Both mend the same mistake: done twice, it would be there again."""
    registry.merge([], gone=REGISTRY.installations, by="test", at=NOW)
    for address, place in ((PUCK, "m1"), (SPARE, "m2")):
        adopted(client, address)
        body = {"device": address, "channel": "1", "place": place}
        assert client.post("/v1/installations", json=body).status_code == 200
    path = f"/v1/devices/{PUCK}"
    both = seen(client, path)

    assert client.post(f"{path}/exchange", json={"other": SPARE}, headers=both).status_code == 200
    again = client.post(f"{path}/exchange", json={"other": SPARE}, headers=both)
    assert problem(again) == (412, "changed-meanwhile")
    (served,) = client.get(path).json()["serves"]
    assert served["installation"]["place"] == "m2"


@pytest.mark.usefixtures("halles")
def test_a_typo_is_refused_with_the_address_that_is_heard(client: httpx.Client) -> None:
    answer = client.put("/v1/devices/0004a30b0off0001", json=ADOPTED, headers=NEW)

    assert problem(answer) == (422, "wrong-address")
    assert "hexadecimal digits without o" in answer.json()["detail"]
    assert f"{PUCK} may be meant" in answer.json()["detail"]


@pytest.mark.usefixtures("halles")
def test_an_address_that_nobody_hears_is_adopted_with_a_warning(client: httpx.Client) -> None:
    words = client.put("/v1/devices/0004a30b00ff0011", json=ADOPTED, headers=NEW).json()["words"]

    assert words[1].startswith("0004a30b00ff0011 was not heard by any gateway yet; 0004a30b00ff0001 was")


@pytest.mark.usefixtures("halles")
@pytest.mark.parametrize(
    ("settings", "name", "said"),
    [
        ({"model": "bosch-tps111"}, "unknown-model", "gateway gw-halles (1.4.0) knows no model bosch-tps111"),
        ({"options": {"speed": 3}}, "unknown-option", "bosch-tps110 has no option speed"),
        ({"link": "lorra"}, "unknown-link", "gateway gw-halles has no link lorra; it has lora"),
        ({"gateway": "gw-hales"}, "unknown-gateway", "gw-halles may be meant"),
        ({"period_s": "x"}, "invalid-parameter", "period_s: Expected `int | null`, got `str`"),
    ],
)
def test_what_the_gateway_cannot_do_is_said_before_anything_is_written(
    client: httpx.Client, settings: Json, name: str, said: str
) -> None:
    answer = client.put(f"/v1/devices/{PUCK}", json={**ADOPTED, **settings}, headers=NEW)

    assert problem(answer) == (422, name)
    assert said in answer.json()["detail"]
    assert problem(client.get(f"/v1/devices/{PUCK}")) == (404, "unknown-device")


@pytest.mark.usefixtures("halles")
def test_a_sensor_at_a_place_it_cannot_serve_is_refused(client: httpx.Client) -> None:
    adopted(client)
    adopted(client, LINE, model="parametric-pcr2")

    def install(device: str, channel: str, place: str, mode: str = "") -> httpx.Response:
        return client.post(
            "/v1/installations", json={"device": device, "channel": channel, "place": place, "mode": mode}
        )

    assert problem(install(PUCK, "1", "rue-haute")) == (409, "counts-nothing")
    assert problem(install(LINE, "line1", "m1", "pedestrian")) == (409, "served-already")
    assert problem(install(LINE, "line2", "rue-haute", "pedestrian")) == (422, "unknown-line")
    assert problem(install(LINE, "line1", "rue-hote", "pedestrian")) == (422, "unknown-place")
    assert install(LINE, "line1", "rue-haute", "pedestrian").status_code == 200
    elsewhere = install(LINE, "line1", "m1", "pedestrian")
    assert problem(elsewhere) == (409, "installed-elsewhere")
    assert "serves rue-haute since 2026-11-22 10:00 UTC; move it" in elsewhere.json()["detail"]


def test_an_installation_is_turned_round_and_ended_by_its_version(client: httpx.Client) -> None:
    adopted(client, LINE, model="parametric-pcr2")
    body = {"device": LINE, "channel": "line1", "mode": "pedestrian", "place": "rue-haute"}
    client.post("/v1/installations", json=body)
    (found,) = client.get(f"/v1/installations?device={LINE}").json()["installations"]
    path = f"/v1/installations/{found['id']}"
    version = seen(client, path)

    assert problem(client.patch(path, json={"reversed": True})) == (428, "if-match-needed")
    assert client.patch(path, json={"reversed": True}, headers=version).status_code == 200
    assert client.get(path).json()["installation"]["reversed"] is True
    assert problem(client.patch(path, json={"reversed": False}, headers=version)) == (412, "changed-meanwhile")
    wrong = client.patch(path, json={"to": "2026-11-22T10:15:00Z"}, headers=seen(client, path))
    assert problem(wrong) == (409, "contradiction")
    assert "a full hour expected" in wrong.json()["detail"]


def test_a_device_is_swapped_moved_stored_and_retired(client: httpx.Client) -> None:
    adopted(client, LINE, model="parametric-pcr2")
    body = {"device": LINE, "channel": "line1", "mode": "pedestrian", "place": "rue-haute"}
    client.post("/v1/installations", json=body)

    def deed(address: str, name: str, body: Json) -> httpx.Response:
        path = f"/v1/devices/{address}"
        return client.post(f"{path}/{name}", json=body, headers=seen(client, path))

    assert deed(LINE, "swap", {"address": SPARE}).json()["words"][0] == f"{SPARE} takes the place of {LINE}"
    assert client.get(f"/v1/devices/{LINE}").json()["device"].get("gateway") is None
    assert problem(deed(SPARE, "move", {"place": "rue-haute"})) == (409, "installed-already")
    assert deed(SPARE, "retire", {}).status_code == 200
    retired = client.get(f"/v1/devices/{SPARE}").json()
    assert retired["device"]["retired"] == "2026-11-22T10:30:00Z"
    assert deed(LINE, "store-room", {}).status_code == 200


def test_gateways_are_added_and_changed(client: httpx.Client) -> None:
    path = "/v1/gateways/gw-gare"
    assert client.put(path, json={"label": "Gare"}, headers=NEW).status_code == 200
    assert client.get(path).json()["standing"]["online"] is None
    assert client.put(path, json={"label": "La gare"}, headers=seen(client, path)).status_code == 200
    assert [each["label"] for each in client.get("/v1/gateways").json()["gateways"]] == ["La gare", "Les halles"]
    assert problem(client.get("/v1/gateways/gw-nowhere")) == (404, "unknown-gateway")


def test_places_are_closed_all_or_none_and_opened_again(client: httpx.Client) -> None:
    wrong = client.post("/v1/closures", json={"places": ["m1", "m22"], "reason": "travaux"})
    assert problem(wrong) == (422, "unknown-place")
    assert client.get("/v1/closures").json()["closures"] == []

    client.post("/v1/closures", json={"places": ["m1", "m2"], "reason": "travaux"})
    first, _ = client.get("/v1/closures").json()["closures"]
    assert first["in_force"]
    path = f"/v1/closures/{first['closure']['id']}"
    assert client.patch(path, json={"to": "2026-11-22T10:00:00Z"}, headers=seen(client, path)).status_code == 200
    assert [each["closure"]["place"] for each in client.get("/v1/closures").json()["closures"]] == ["m2"]
    assert len(client.get("/v1/closures?past=true").json()["closures"]) == 2


def test_who_was_heard_before_a_restart_is_still_to_be_adopted(
    own_mosquitto: Mosquitto, registry: RegistryStore, tmp_path: Path
) -> None:
    device = HeardDevice(device=PUCK, link="lora", at=NOW, models=("bosch-tps110",))
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        ledger.keep([], [Heard(gateway="gw-halles", epoch=EPOCH, seq=1, devices=(device,))])
    settings = Settings(broker=Broker(host=own_mosquitto.host, port=own_mosquitto.port), ledger=tmp_path / "ledger.db")
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        api = create_app(settings, store=store, registry=registry, clock=Clock())
        with serving(api):
            assert api.services.gateways.heard[By(PUCK, "gw-halles")].device == device


def test_a_body_that_is_none_is_refused_by_name(client: httpx.Client) -> None:
    assert problem(client.post("/v1/closures", content=b"{")) == (422, "invalid-parameter")
    assert problem(client.post("/v1/closures", content=b" " * 100_000)) == (422, "invalid-parameter")
