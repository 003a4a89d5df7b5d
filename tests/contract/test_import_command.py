"""`passerelle import counts` into real stores: a history once, whatever the file and however often, and as places."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from cloud_api.flows import hourly_flows
from cloud_api.formats.comptage import write_measures
from cloud_api.import_commands import import_
from cloud_api.periods import Period
from cloud_api.registry import Installation
from cloud_api.registry.store import open_registry
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel
from cloud_api.trust import Trust
from firmware_sim.footfall import _file, hourly
from tests.drivers import PARIS
from tests.stores import influx as influx
from tests.stores import url as url

BEGIN = datetime(2024, 10, 25, 22, tzinfo=UTC)
"""Two local days, of which the second has 25 hours."""
HOURS = 49
ECO = "Date;Rue Haute IN;Rue Haute OUT;Pont\n"
PONT = Channel("import-pont", "both", "pedestrian")


def run(*words: str) -> Result:
    return CliRunner().invoke(import_, ["counts", *words])


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Counts of two counters over two days, one cell of them bad, one empty, one line not over yet."""
    file = tmp_path / "export.csv"
    starts = [(BEGIN + timedelta(hours=number)).astimezone(PARIS) for number in range(HOURS)]
    rows = [f"{start:%d/%m/%Y %H:%M};{number};{2 * number};{3 * number}" for number, start in enumerate(starts)]
    rows[5] = rows[5].replace(";15", ";many")
    rows[6] = rows[6].replace(";18", ";")
    file.write_text(ECO + "\n".join([*rows, "01/01/2100 00:00;1;1;1"]) + "\n")
    return file


@pytest.fixture
def registry(tmp_path: Path) -> str:
    return str(tmp_path / "registry.db")


@pytest.fixture
def positions(tmp_path: Path) -> str:
    file = tmp_path / "positions.csv"
    file.write_text("name,latitude,longitude\nRue Haute,48.11,-1.68\nPont,48.12,-1.69\n")
    return str(file)


def test_every_count_is_in_the_store_once_however_often_it_is_imported(url: str, export: Path) -> None:
    first = run(str(export), "--profile", "eco-visio", "--store", url)
    again = run(str(export), "--profile", "eco-visio", "--store", url)

    assert first.exit_code == again.exit_code == 0, first.output + again.output
    assert "145 intervals added, 0 known already, 1 cells empty" in first.output
    assert "0 intervals added, 145 known already, 1 cells empty" in again.output
    with closing(open_store(url)) as store:
        hours = store.hours([PONT], BEGIN, BEGIN + timedelta(days=3))
    assert [(hour.start, hour.in_, hour.out, hour.covered_s) for hour in hours] == [
        (BEGIN + timedelta(hours=number), 3 * number, None, 3600) for number in range(HOURS) if number not in (5, 6)
    ]


def test_refused_lines_are_told_counted_and_kept(url: str, export: Path) -> None:
    result = run(str(export), "--profile", "eco-visio", "--store", url)

    kept = export.with_name("export.csv.refused.csv")
    assert "refused  line 7, Pont: 'many': a whole number of passages expected" in result.output
    assert f"refused  4 in all, all of them in {kept}".replace("\n", "") in result.output.replace("\n", "")
    lines = kept.read_text().splitlines()
    assert lines[0] == "line,field,text,reason"
    assert [line.split(",")[0] for line in lines[1:]] == ["7", "51", "51", "51"]
    assert "2099-12-31 23:00Z is not over yet; a time in the past expected" in lines[-1]


def test_a_rehearsal_tells_and_changes_nothing(url: str, export: Path, registry: str, positions: str) -> None:
    words = (str(export), "--profile", "eco-visio", "--store", url, "--registry", registry, "--positions", positions)
    result = run(*words, "--dry-run")

    assert "145 intervals would be added" in result.output
    assert "5 counters and installations would be registered" in result.output
    assert not export.with_name("export.csv.refused.csv").exists()
    with closing(open_store(url)) as store, closing(open_registry(registry)) as known:
        assert store.hours([PONT], BEGIN, BEGIN + timedelta(days=3)) == []
        assert not known.snapshot().counters


def test_a_correction_of_what_is_known_is_refused_and_the_new_is_taken(url: str, export: Path) -> None:
    run(str(export), "--profile", "eco-visio", "--store", url)
    export.write_text(ECO + "26/10/2024 00:00;0;0;7\n27/10/2024 23:00;48;96;144\n28/10/2024 00:00;1;2;3\n")
    result = run(str(export), "--profile", "eco-visio", "--store", url)

    assert "3 intervals added, 5 known already" in result.output
    assert "line 2, Pont: '7': 0 passages are known of 2024-10-25 22:00Z already" in result.output.replace("\n", "")


def test_imported_counters_become_places_whose_flows_are_the_files(
    url: str, export: Path, registry: str, positions: str
) -> None:
    words = ("--profile", "eco-visio", "--store", url, "--registry", registry, "--positions", positions)
    result = run(str(export), *words)

    assert "5 counters and installations registered" in result.output
    with closing(open_store(url)) as store, closing(open_registry(registry)) as kept:
        known = kept.snapshot()
        period = Period(BEGIN, BEGIN + timedelta(hours=HOURS))
        flows = hourly_flows(known, store, known.counters["rue-haute"], period, PARIS)
    assert [(hour.in_, hour.out, hour.coverage) for hour in flows.hours] == [
        (number, 2 * number, 1.0) for number in range(HOURS)
    ]
    assert known.counters["pont"].name == "Pont"


def test_a_history_that_grows_stretches_its_installations(
    tmp_path: Path, export: Path, registry: str, positions: str
) -> None:
    words = ("--profile", "eco-visio", "--store", f"sqlite:///{tmp_path}/history.db", "--registry", registry)
    run(str(export), *words, "--positions", positions)
    export.write_text("Date;Pont\n25/10/2024 12:00;1\n29/10/2024 12:00;1\n29/10/2024 13:00;1\n")
    run(str(export), *words)

    with closing(open_registry(registry)) as kept:
        (pont,) = (each for each in kept.snapshot().installations if each.place == "pont")
    assert (pont.start, pont.end) == (datetime(2024, 10, 25, 10, tzinfo=UTC), datetime(2024, 10, 29, 13, tzinfo=UTC))


def test_a_history_serves_its_counter_until_a_sensor_does(
    tmp_path: Path, export: Path, registry: str, positions: str
) -> None:
    words = ("--profile", "eco-visio", "--store", f"sqlite:///{tmp_path}/history.db", "--registry", registry)
    run(str(export), *words, "--positions", positions)
    sensor = Installation(place="pont", device="2f0c", channel="line1", start=BEGIN + timedelta(hours=50))
    with closing(open_registry(registry)) as kept:
        kept.merge([sensor], by="test", at=BEGIN)
    export.write_text("Date;Pont\n29/10/2024 12:00;1\n29/10/2024 13:00;1\n")
    result = run(str(export), *words)

    assert "pont: a sensor serves it since 2024-10-28 00:00Z" in result.output
    with closing(open_registry(registry)) as kept:
        (history,) = (each for each in kept.snapshot().installations if each.device == "import-pont")
    assert history.end == sensor.start


def test_what_the_platform_publishes_comes_back_the_same(
    tmp_path: Path, export: Path, registry: str, positions: str
) -> None:
    store_url, other = f"sqlite:///{tmp_path}/history.db", f"sqlite:///{tmp_path}/other.db"
    words = ("--profile", "eco-visio", "--store", store_url, "--registry", registry, "--positions", positions)
    run(str(export), *words)
    with closing(open_store(store_url)) as store, closing(open_registry(registry)) as kept:
        known = kept.snapshot()
        period = Period(BEGIN, BEGIN + timedelta(hours=HOURS))
        flows = hourly_flows(known, store, known.counters["rue-haute"], period, PARIS)
    published = tmp_path / "measures.csv"
    published.write_bytes(write_measures([flows], head=True))
    run(str(published), "--profile", "comptage", "--store", other)

    sound = [hour.out for hour in flows.hours if hour.trust is Trust.FRESH]
    with closing(open_store(other)) as store:
        out = store.hours([Channel("import-rue-haute", "out", "pedestrian")], BEGIN, period.end)
    assert [hour.in_ for hour in out] == sound != []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--profile", "akl"], "line 1: the columns date, hour, year and counters expected"),
        (["--profile", "eco-visio", "--time-zone", "Mars"], "--time-zone 'Mars'"),
        (["--profile", "eco-visio", "--counter", "Pont"], "--counter 'Pont': NAME=ID expected"),
        (["--profile", "eco-visio", "--counter", "Pont=Le Pont"], "--counter 'Pont=Le Pont': NAME=ID expected"),
        (["--profile", "eco-visio", "--counter", "Pont=a", "--counter", "Port=a"], "an id of its own expected"),
        (["--profile", "eco-visio", "--counter", "Rue Haute=pont"], "would both be 'pont'"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(tmp_path: Path, export: Path, words: list[str], told: str) -> None:
    result = run(str(export), *words, "--store", f"sqlite:///{tmp_path}/history.db")

    assert result.exit_code == 2
    assert told in result.output


def test_letters_of_another_encoding_are_told_with_what_to_try(tmp_path: Path) -> None:
    file = tmp_path / "windows.csv"
    file.write_bytes("Date;Allée\n26/10/2024 00:00;1\n26/10/2024 01:00;2\n".encode("cp1252"))
    words = (str(file), "--profile", "eco-visio", "--store", f"sqlite:///{tmp_path}/history.db")

    assert "line 1: byte 9 is no utf-8-sig; --encoding cp1252" in run(*words).output
    assert "2 intervals added" in run(*words, "--encoding", "cp1252").output


def test_a_day_of_the_real_data_set_goes_in_as_the_simulator_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "akl.csv"
    with _file().open(encoding="utf-8") as source:
        head, *rows = source.readlines()
    file.write_text(head + "".join(row for row in rows if row.startswith(("2023-05-01", "2023-05-02"))))
    store_url = f"sqlite:///{tmp_path}/akl.db"
    run(str(file), "--profile", "akl", "--store", store_url)

    midnight = datetime(2023, 5, 2, tzinfo=ZoneInfo("Pacific/Auckland"))
    road = Channel("import-150-k-road", "both", "pedestrian")
    with closing(open_store(store_url)) as store:
        hours = store.hours([road], midnight, midnight + timedelta(days=1))
    assert [hour.in_ for hour in hours] == hourly("150 K Road", midnight.date(), 1)
