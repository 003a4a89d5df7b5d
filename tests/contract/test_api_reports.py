"""Reports and events over HTTP, and reports from the shell: for holders of a key, reproducible by their address."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pypdf
import pytest
from typer.testing import CliRunner

from cloud_api.event_commands import event
from cloud_api.report_commands import report
from tests.broker import Mosquitto
from tests.offices import AGENDA, Office, office_at, write_history

MONTH = {"from": "2026-10-01", "to": "2026-11-01"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    write_history(folder)
    return folder


@pytest.fixture(scope="module")
def office(mosquitto: Mosquitto, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office_at(mosquitto, folder, tmp_path_factory.mktemp("scratch"), "reports") as it:
        yield it


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {office.secret}"}
    with httpx.Client(base_url=office.address, timeout=120, headers=headers) as opened:
        yield opened


def body_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_report_needs_a_key_that_opens_reports(client: httpx.Client) -> None:
    del client.headers["authorization"]

    assert client.get("/v1/reports/flows", params=MONTH).status_code == 401


def test_a_report_tells_what_the_hours_tell(client: httpx.Client) -> None:
    body = body_of(client.get("/v1/reports/flows", params={**MONTH, "place": "rue-haute"}))
    hours = client.get("/v1/flows/hourly", params={**MONTH, "counter": "rue-haute"}).json()["totals"]

    assert body["figures"][0]["value"] == hours["in"] + hours["out"]


def test_a_report_is_a_pdf_where_one_is_asked_for(client: httpx.Client) -> None:
    answer = client.get("/v1/reports/flows", params={**MONTH, "format": "pdf", "language": "en"})

    assert answer.headers["content-type"] == "application/pdf"
    assert len(pypdf.PdfReader(io.BytesIO(answer.content)).pages) >= 2


def test_a_report_on_parking_tells_of_stays(client: httpx.Client) -> None:
    body = body_of(client.get("/v1/reports/parking", params={"from": "2026-11-02", "to": "2026-11-09"}))

    figures = {each["key"]: each["value"] for each in body["figures"]}
    assert figures["median_stay"] == 60
    assert figures["turnover"] == 2
    assert figures["spaces"] == 3


def test_a_report_on_an_event_tells_its_effect_with_an_interval(client: httpx.Client) -> None:
    body = body_of(client.get("/v1/reports/event", params={"event": "Fête de la rue", "format": "written"}))

    assert "comparables" in " ".join(body["summary"])
    assert body["tables"][0]["title"] == "Rues de l’événement"
    assert body["charts"][0]["svg"].startswith("<svg")


@pytest.mark.parametrize(
    ("path", "asked", "field", "words"),
    [
        ("flows", {"from": "2026-12-01", "to": "2026-12-02"}, "from", "commence après maintenant"),
        ("event", {"event": "Foire"}, "event", "Fête de la rue"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    client: httpx.Client, path: str, asked: dict[str, str], field: str, words: str
) -> None:
    answer = client.get(f"/v1/reports/{path}", params=asked)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert words in error["reason"]


FAIR = {"name": "Foire", "from": "2026-11-07", "opens": "10:00", "closes": "01:30", "places": ["rue-haute"]}


def test_an_event_is_named_corrected_and_withdrawn_and_its_edition_keeps_who_comes_late_from_writing_over_it(
    client: httpx.Client,
) -> None:
    named = client.post("/v1/events", json=FAIR)
    assert named.status_code == 201, named.text
    where, first = named.headers["location"], {"if-match": named.headers["etag"]}
    assert named.json()["event"] == {**FAIR, "to": "2026-11-07", "kind": "other"}
    assert named.json()["who"].startswith("key")

    corrected = client.patch(where, json={"to": "2026-11-08"}, headers=first)
    assert body_of(corrected)["event"]["to"] == "2026-11-08"
    assert client.patch(where, json={"to": "2026-11-09"}, headers=first).status_code == 412
    assert client.delete(where).status_code == 428
    withdrawn = client.delete(where, headers={"if-match": corrected.headers["etag"]})

    assert body_of(withdrawn)["withdrawn"] is True
    assert body_of(client.get(where)) == withdrawn.json()
    assert body_of(client.get("/v1/events"))["events"] == []
    assert body_of(client.get("/v1/events", params={"withdrawn": True}))["events"] == [withdrawn.json()]


@pytest.mark.parametrize(
    ("typed", "field", "reason"),
    [
        ({"from": "samedi"}, "from", "a day (2026-11-27) expected"),
        ({"to": "2026-11-01"}, "to", "the last day expected"),
        ({"places": ["nulle-part"]}, "places", "no place 'nulle-part'"),
        ({"kind": "fair"}, "kind", "one of festivity"),
        ({"colour": "red"}, "body", "unknown field `colour`"),
    ],
)
def test_what_cannot_be_an_event_is_refused_by_its_field(
    client: httpx.Client, typed: dict[str, object], field: str, reason: str
) -> None:
    answer = client.post("/v1/events", json={**FAIR, **typed})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, field)
    assert reason in error["reason"]


def test_events_are_the_offices_alone(client: httpx.Client, office: Office) -> None:
    client.headers["authorization"] = f"Bearer {office.technician}"

    assert client.post("/v1/events", json=FAIR).status_code == 403
    assert client.get("/v1/events/3f0a5c2d9b1e4477").status_code == 403


def run(folder: Path, *words: str, output: Path) -> tuple[int, str]:
    known = ["--store", f"sqlite:///{folder}/history.db", "--registry", f"{folder}/registry.db"]
    ran = CliRunner().invoke(report, [*words, *known, "--output", str(output)])
    return ran.exit_code, ran.output


def test_the_shell_writes_the_file_and_tells_the_address_that_gives_it_again(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "october.csv"

    status, said = run(folder, "flows", "--from", "2026-10-01", "--to", "2026-11-01", "--format", "csv", output=file)

    assert status == 0, said
    assert file.read_bytes().startswith(b"\xef\xbb\xbfcompteur;")
    assert "/v1/reports/flows?from=2026-10-01&to=2026-11-01" in said


def test_a_broken_line_of_the_calendar_is_named(folder: Path, tmp_path: Path) -> None:
    agenda = tmp_path / "agenda.toml"
    agenda.write_text(AGENDA.replace("2026-11-14", '"bientôt"'), encoding="utf-8")

    status, said = run(folder, "event", "Fête de la rue", "--calendar", str(agenda), output=tmp_path / "x.pdf")

    assert status == 2
    assert "line 4" in said
    assert not (tmp_path / "x.pdf").exists()


def test_a_report_does_not_change_when_the_calendars_file_does(folder: Path, tmp_path: Path) -> None:
    agenda = tmp_path / "agenda.toml"
    words = ("event", "Fête de la rue", "--calendar", str(agenda), "--format", "json")
    agenda.write_text(AGENDA, encoding="utf-8")
    first = run(folder, *words, output=tmp_path / "first.json")
    (as_of,) = parse_qs(first[1])["as_of"]
    agenda.write_text(AGENDA.replace("2026-11-14", "2026-11-21"), encoding="utf-8")

    now = run(folder, *words, output=tmp_path / "now.json")
    again = run(folder, *words, "--as-of", as_of, output=tmp_path / "again.json")

    assert (first[0], now[0], again[0]) == (0, 0, 0)
    assert "from=2026-11-21" in now[1]
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "first.json").read_bytes()


def test_an_event_that_was_named_is_reported_on_as_it_was_at_each_date(folder: Path, tmp_path: Path) -> None:
    named = CliRunner().invoke(
        event, ["add", "Braderie", "--from", "2026-11-21", "--place", "venelle", "--registry", f"{folder}/registry.db"]
    )
    assert named.exit_code == 0, named.output

    known = run(folder, "event", "Braderie", "--format", "json", output=tmp_path / "now.json")
    before = run(folder, "event", "Braderie", "--as-of", "2026-11-26", output=tmp_path / "before.pdf")

    assert known[0] == 0, known[1]
    assert "Venelle" in (tmp_path / "now.json").read_text(encoding="utf-8")
    assert before[0] == 2
    assert "event: Braderie: an event of the office's calendar expected; it has: " in before[1]
