"""The operators' page over HTTP: who may see it, that it says what the API says, and when it says nothing."""

from collections.abc import Iterator

import httpx
import msgspec
import pytest

from cloud_api.town_status import TownStatus
from cloud_api.web.operations.words import ENGLISH, FRENCH
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import NOW
from tests.watched_town import WatchedTown, watched_town


@pytest.fixture(scope="module")
def town(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedTown]:
    with watched_town(mosquitto, tmp_path_factory.mktemp("operations")) as it:
        yield it


@pytest.fixture
def client(town: WatchedTown) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=town.address, headers={"Authorization": f"Bearer {town.key}"}) as opened:
        yield opened


@pytest.mark.parametrize(("signed_in", "status"), [(False, 401), (True, 403)])
def test_nobody_who_may_not_run_the_town_sees_how_it_does(town: WatchedTown, status: int, *, signed_in: bool) -> None:
    headers = {"Authorization": f"Bearer {town.reporter}"} if signed_in else {}
    for query in ("", "?part=now", "?lang=en"):
        answer = HTTP.get(f"{town.address}/operations{query}", headers=headers)

        assert answer.status_code == status
        assert "gw-halles" not in answer.text
        assert 'name="to" value="operations"' in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_the_page_says_all_that_the_api_finds_wrong_in_both_languages(client: httpx.Client) -> None:
    told = msgspec.json.decode(client.get("/v1/status").content, type=TownStatus)
    french, english = client.get("/operations").text, client.get("/operations?lang=en").text

    assert len(told.attention) == 3
    for each in told.attention:
        assert f"<b>{each.about.fr}</b><br>{each.text.fr}" in french
        assert f"<b>{each.about.en}</b><br>{each.text.en}" in english
        assert each.what in french
    assert "script-src 'self';" in client.get("/operations").headers["content-security-policy"]


def test_who_has_it_already_is_told_so_and_sent_nothing(client: httpx.Client) -> None:
    first = client.get("/operations?part=now")
    again = client.get("/operations?part=now", headers={"If-None-Match": first.headers["etag"]})

    assert first.status_code == 200
    assert (again.status_code, again.content) == (304, b"")
    assert "<html" not in first.text


def test_who_signs_in_at_its_door_comes_back_to_it(town: WatchedTown) -> None:
    town.registry.people.add("Marie Dupont", by="test", at=NOW)
    _, secret = town.registry.people.invite(
        "Marie Dupont", code=False, by="test", at=NOW, expires_at=NOW.replace(year=2027)
    )
    signed_in = HTTP.post(
        f"{town.address}/technician/sign-in",
        data={"secret": secret, "to": "operations"},
        headers={"Origin": town.address},
    )

    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "../operations")


def test_every_kind_of_trouble_has_a_step_in_both_languages() -> None:
    assert FRENCH.steps.keys() == ENGLISH.steps.keys()
    assert FRENCH.verdicts.keys() == ENGLISH.verdicts.keys()
    assert FRENCH.trusts.keys() == ENGLISH.trusts.keys()
