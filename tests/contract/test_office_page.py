"""The office's page over HTTP: who may see it, what it says, and an address that gives the same report again."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest

from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.offices import Office, office_at, write_history

SALES = {"name": "Grande braderie", "start": "2026-11-21", "end": "2026-11-22", "place": "venelle", "kind": "market"}
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
    headers = {"authorization": f"Bearer {office.secret}", "origin": office.address}
    with httpx.Client(base_url=office.address, timeout=120, headers=headers, follow_redirects=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def october(office: Office) -> str:
    """The page with October's report."""
    answer = HTTP.get(
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
    assert client.get("/bureau/vega-1.9.0.js").status_code == 401


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


def test_a_single_place_is_shown_as_a_list_too_for_browsers_count_what_is_chosen_of_one_line(
    client: httpx.Client,
) -> None:
    assert 'name="place" multiple size="2"' in page(client, kind="parking")


def test_the_page_speaks_english_too(client: httpx.Client) -> None:
    text = page(client, language="en")

    assert '<html lang="en">' in text
    assert "Show the report" in text


def test_the_page_speaks_the_language_that_was_chosen_on_another_page(client: httpx.Client) -> None:
    assert '<html lang="en">' in page(client, lang="en")
    client.cookies.set("passerelle-lang", "en")
    assert '<html lang="en">' in page(client)
    assert '<html lang="fr">' in page(client, language="fr")


def test_whoever_signs_out_is_not_signed_in_any_more(office: Office) -> None:
    with httpx.Client(base_url=office.address, timeout=120, headers={"origin": office.address}) as browser:
        signed_in = browser.post("/technician/sign-in", data={"secret": office.invitation}, follow_redirects=True)
        key = browser.cookies["passerelle-key"]
        out = browser.post("/bureau/sign-out", follow_redirects=True)

        assert signed_in.url.path == out.url.path == "/bureau"
        assert "Claire Martin" in signed_in.text
        assert "bureau/sign-out" in signed_in.text
        assert (out.status_code, "passerelle-key" in browser.cookies) == (401, False)
        assert browser.get("/bureau", headers={"cookie": f"passerelle-key={key}"}).status_code == 401


def form_of(client: httpx.Client, event: str = "") -> dict[str, str]:
    """What the form would send beside what is typed."""
    text = client.get("/bureau/events", params={"event": event}).text
    form = text[text.index('id="write"') : text.index("</form>")]
    return dict(re.findall(r'name="(event|edition)" value="([^"]*)"', form))


def report_in(text: str) -> str:
    return text[text.index("<main") :]


def sent(client: httpx.Client, form: dict[str, str], **typed: str) -> httpx.Response:
    return client.post("/bureau/events", data={**form, "do": "write", **typed})


def test_an_event_is_named_measured_corrected_and_withdrawn_and_its_older_report_stays(
    client: httpx.Client, office: Office
) -> None:
    form = form_of(client)
    named = sent(client, form, **SALES)
    event = form["event"]
    assert named.status_code == 200
    assert named.url.fragment == f"event-{event}"
    assert "C’est noté." in named.text
    assert "du 21 au 22 novembre 2026 · Venelle de l’Église · Foire" in unescape(named.text)
    assert sent(client, form, **SALES).text.count("<h2>Grande braderie</h2>") == 1

    known = client.get("/bureau", params={"kind": "event", "event": SALES["name"]})
    assert known.status_code == 200
    office.clock.now += timedelta(minutes=5)

    corrected = sent(client, form_of(client, event), **{**SALES, "end": "2026-11-21"})
    assert "le samedi 21 novembre 2026 · Venelle" in unescape(corrected.text)

    again = form_of(client, event)
    withdrawn = client.post("/bureau/events", data={**again, "do": "withdraw"})
    assert "Retiré par" in withdrawn.text
    assert "<option>Grande braderie" not in client.get("/bureau").text
    assert sent(client, again, **SALES).status_code == 409

    link = re.search(r'href="(bureau\?kind=event&amp;[^"]+as_of[^"]+)"', known.text)
    assert link is not None
    reopened = client.get("/" + unescape(link.group(1))).text
    assert "<option selected>Grande braderie" in reopened
    assert report_in(reopened) == report_in(known.text)


def test_what_cannot_be_an_event_comes_back_as_it_was_typed(client: httpx.Client) -> None:
    wrong = sent(client, form_of(client), **{**SALES, "name": "<b>Fête</b>", "end": "2026-11-01"})

    assert wrong.status_code == 422
    assert 'id="error-end"' in wrong.text
    assert 'value="&lt;b&gt;Fête&lt;/b&gt;"' in wrong.text
    assert "<b>Fête" not in wrong.text


def test_an_edition_that_no_page_ever_named_is_none(client: httpx.Client) -> None:
    wrong = sent(client, {**form_of(client), "edition": "9" * 5000}, name="Fête", start="9999-12-31")

    assert wrong.status_code == 422
    assert 'id="error-start"' in wrong.text


def test_events_are_named_by_the_office_alone_and_from_its_own_page(client: httpx.Client, office: Office) -> None:
    by_technician = client.post("/bureau/events", data=SALES, headers={"authorization": f"Bearer {office.technician}"})
    from_elsewhere = client.post("/bureau/events", data=SALES, headers={"origin": "https://elsewhere.example"})

    assert (by_technician.status_code, from_elsewhere.status_code) == (403, 403)
