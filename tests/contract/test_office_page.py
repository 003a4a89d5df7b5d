"""The office's page over HTTP: who may see it, what it says, and an address that gives the same report again."""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from tests.broker import Mosquitto
from tests.offices import Office, office_at, write_history

OCTOBER = {"kind": "flows", "from": "2026-10-01", "to": "2026-11-01"}
TOTAL = re.compile(r"<dt>Passages comptés</dt><dd><b>([\d\s]+)")


@pytest.fixture(scope="module")
def office(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    write_history(folder)
    with office_at(mosquitto, folder, tmp_path_factory.mktemp("scratch"), "office-page") as it:
        yield it


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {office.secret}"}
    with httpx.Client(base_url=office.address, timeout=120, headers=headers) as opened:
        yield opened


@pytest.fixture(scope="module")
def october(office: Office) -> str:
    """The page with October's report."""
    answer = httpx.get(
        f"{office.address}/bureau", params=OCTOBER, timeout=120, headers={"authorization": f"Bearer {office.secret}"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def page(client: httpx.Client, **query: str) -> str:
    answer = client.get("/bureau", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def total_of(text: str) -> int:
    found = TOTAL.search(text)
    assert found is not None
    return int("".join(found.group(1).split()))


def test_nobody_sees_a_report_without_signing_in(client: httpx.Client) -> None:
    del client.headers["authorization"]

    answer = client.get("/bureau", params=OCTOBER)

    assert answer.status_code == 401
    assert "saisissez le code" in answer.text
    assert "Passages comptés" not in answer.text


def test_a_technician_is_told_that_reports_are_not_his(client: httpx.Client, office: Office) -> None:
    answer = client.get("/bureau", headers={"authorization": f"Bearer {office.technician}"})

    assert answer.status_code == 403
    assert "ne comprend pas les rapports" in answer.text


def test_the_page_proposes_the_last_whole_month_and_makes_nothing_unasked(client: httpx.Client) -> None:
    text = page(client)

    assert 'name="from" type="date" value="2026-10-01"' in text
    assert 'name="to" type="date" value="2026-11-01"' in text
    assert "Choisissez un sujet" in text


def test_the_report_on_the_page_is_the_one_of_the_api_and_of_its_downloads(client: httpx.Client, october: str) -> None:
    links = {each.rpartition("=")[2]: unescape(each) for each in re.findall(r'href="(v1/reports/[^"]+)"', october)}

    told = client.get("/" + links["pdf"].replace("format=pdf", "format=json")).json()

    assert total_of(october) == told["figures"][0]["value"]
    assert links.keys() == {"pdf", "xlsx", "csv", "open-csv", "parquet"}


def test_the_address_at_the_foot_gives_the_same_report_again(client: httpx.Client, october: str) -> None:
    found = re.search(r'href="(bureau\?kind=flows&amp;from[^"]+as_of[^"]+)"', october)
    assert found is not None

    again = client.get("/" + unescape(found.group(1)))

    assert again.status_code == 200, again.text
    assert total_of(again.text) == total_of(october)


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"from": "2027-10-01", "to": "2027-11-01"}, "from", "commence après maintenant"),
        ({"from": "2026-11-01", "to": "2026-10-01"}, "to", "la seconde après"),
        ({"from": "2026-10-01", "to": "2026-11-01", "as_of": "hier"}, "as_of", "hier"),
        ({"from": "2026-10-01", "to": "2026-11-01", "place": "nulle-part"}, "place", "inconnu"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field_and_what_was_typed_stays(
    client: httpx.Client, query: dict[str, str], field: str, says: str
) -> None:
    answer = client.get("/bureau", params={"kind": "flows", **query})

    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert says in unescape(answer.text)
    assert f'value="{query["from"]}"' in answer.text


def test_an_event_is_chosen_from_the_offices_calendar(client: httpx.Client) -> None:
    form = page(client, kind="event")
    text = page(client, kind="event", event="Fête de la rue")

    assert "<option>Fête de la rue</option>" in form
    assert "Événement" in text
    assert "Fête de la rue" in text


def test_the_page_speaks_english_too(client: httpx.Client) -> None:
    text = page(client, language="en")

    assert '<html lang="en">' in text
    assert "Show the report" in text
