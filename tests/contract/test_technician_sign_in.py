"""How technicians sign in: by a link or a code that is good once, into a cookie that only our own pages can use."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from cloud_api.bodies import LARGEST
from cloud_api.registry.people import PeopleStore, grouped
from cloud_api.registry.store import RegistryStore
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.registries import registry_at
from tests.town import NOW, Clock, serving, town_api, until

DAY = timedelta(days=1)
PAGE, DOOR = "/technician", "/technician/sign-in"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryStore]:
    with closing(registry_at(tmp_path / "registry.db")) as store:
        store.people.add("Marie Dupont", by="test", at=NOW)
        yield store


@pytest.fixture
def people(registry: RegistryStore) -> PeopleStore:
    return registry.people


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def address(mosquitto: Mosquitto, tmp_path: Path, clock: Clock) -> Iterator[str]:
    with (
        closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store,
        serving(town_api(mosquitto, store, tmp_path, clock=clock, worker="sign-in")) as address,
    ):
        yield address


@pytest.fixture
def phone(address: str) -> Iterator[httpx.Client]:
    """A telephone's browser: keeps cookies, says where its forms come from, follows redirects."""
    with httpx.Client(base_url=address, headers={"Origin": address}, follow_redirects=True) as client:
        yield client


def invited(people: PeopleStore, *, code: bool = False) -> str:
    return people.invite("Marie Dupont", code=code, by="test", at=NOW, expires_at=NOW + DAY)[1]


def test_a_link_signs_in_once_after_a_tap_and_looking_at_it_uses_nothing_up(
    phone: httpx.Client, people: PeopleStore
) -> None:
    secret = invited(people)
    for _ in range(3):
        looked = phone.get(f"{DOOR}/{secret}")
        assert "Bonjour Marie Dupont" in looked.text
        assert not phone.cookies
    assert phone.get(PAGE).status_code == 401

    inside = phone.post(DOOR, data={"secret": secret})

    assert (inside.status_code, inside.url.path) == (200, PAGE)
    assert "Connecté : Marie Dupont" in inside.text
    again = phone.post(DOOR, data={"secret": secret})
    assert again.status_code == 403
    assert "a déjà servi" in again.text


def test_a_code_is_taken_as_people_type_it(phone: httpx.Client, people: PeopleStore) -> None:
    code = grouped(invited(people, code=True))

    inside = phone.post(DOOR, data={"secret": f" {code.lower()} "})

    assert inside.url.path == PAGE


def test_what_opens_nothing_says_what_to_do(phone: httpx.Client, people: PeopleStore, clock: Clock) -> None:
    replaced, late = invited(people), invited(people)
    assert "remplacé par un plus récent" in phone.get(f"{DOOR}/{replaced}").text
    clock.now = NOW + DAY
    assert "a expiré" in phone.get(f"{DOOR}/{late}").text
    assert "n’existe pas" in phone.post(DOOR, data={"secret": "ABCDEFGH"}).text
    assert not phone.cookies


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    phone: httpx.Client, people: PeopleStore, address: str
) -> None:
    answer = phone.post(DOOR, data={"secret": invited(people)}, follow_redirects=False)

    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert "secure" not in flags
    behind_tls = {"X-Forwarded-Proto": "https", "Origin": address}
    secure = phone.post(DOOR, data={"secret": invited(people)}, headers=behind_tls, follow_redirects=False)
    assert "secure" in secure.headers["set-cookie"].lower()


def test_another_site_cannot_sign_anybody_in_or_out(phone: httpx.Client, people: PeopleStore) -> None:
    secret = invited(people)
    foreign = {"Origin": "https://elsewhere.example"}
    assert phone.post(DOOR, data={"secret": secret}, headers=foreign).status_code == 403
    phone.post(DOOR, data={"secret": secret})

    refused = phone.post(f"{PAGE}/sign-out", headers=foreign)

    assert (refused.status_code, refused.json()["type"]) == (403, "urn:passerelle:problem:other-site")
    assert phone.get(PAGE).status_code == 200


def test_who_signs_out_or_loses_a_telephone_is_out(
    phone: httpx.Client, people: PeopleStore, registry: RegistryStore
) -> None:
    phone.post(DOOR, data={"secret": invited(people)})
    kept = dict(phone.cookies)
    assert phone.post(f"{PAGE}/sign-out").url.path == DOOR
    assert phone.get(PAGE, headers={"Cookie": f"passerelle-key={kept['passerelle-key']}"}).status_code == 401

    phone.post(DOOR, data={"secret": invited(people)})
    assert phone.get(PAGE).status_code == 200
    people.sign_out("Marie Dupont", by="test", at=NOW)

    until(lambda: phone.get(PAGE).status_code == 401)
    assert "Continuer" in phone.get(PAGE).text
    assert {trace.who for trace in registry.trail() if trace.kind == "access_key"} == {"Marie Dupont", "test"}


def test_nobody_fills_the_memory_with_a_form(phone: httpx.Client) -> None:
    assert phone.post(DOOR, data={"secret": "x" * LARGEST}).status_code == 413


def test_an_old_cookie_does_not_spoil_the_page_of_the_town(phone: httpx.Client) -> None:
    assert phone.get("/v1/parking/zones", headers={"Cookie": "passerelle-key=psl_gone"}).status_code == 200


def test_a_code_is_not_found_by_trying(phone: httpx.Client) -> None:
    answers = {phone.post(DOOR, data={"secret": f"ABCDEF{tries:02}"}).status_code for tries in range(12)}

    assert answers == {403, 429}
    assert phone.get(f"{DOOR}/ABCDEF22").status_code == 429


def test_somebody_may_read_english(phone: httpx.Client) -> None:
    assert "Se connecter" in phone.get(DOOR).text
    phone.post(f"{PAGE}/language", data={"lang": "en"})
    assert "Upper or lower case" in phone.get(DOOR).text
    assert phone.post(f"{PAGE}/language", data={"lang": "日本"}).status_code == 401
    assert "Se connecter" in phone.get(DOOR).text
