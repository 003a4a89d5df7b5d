"""One version hands its outbox to another and takes it back: every message, number and checkpoint stays."""

import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import outbox_handover, outbox_schema
from edge.aggregator.device import DeviceState
from edge.aggregator.flows import ChannelState, Open
from edge.entries import Waiting
from edge.messages import SeqRange, TimeSource
from edge.outbox import Outbox
from edge.outbox_handover import Contents, back, contents, copy, rewrite
from edge.outbox_schema import MIGRATIONS, SCHEMA_VERSION, Migration, version_of
from tests.unit.test_outbox import flow

FIXTURES = Path(__file__).parents[1] / "fixtures"
NEXT = Migration(
    forward="CREATE TABLE found (device TEXT); ALTER TABLE outbox ADD COLUMN put INTEGER NOT NULL DEFAULT 0;",
    back="DROP TABLE found; ALTER TABLE outbox DROP COLUMN put;",
)

OPEN = Open(in_=3, out=None, covered_s=60, flags=(), source=TimeSource.DEVICE)
STATE = DeviceState(restarted=True, channels={"line1/pedestrian": ChannelState(open={600: OPEN, 300: OPEN})})


def filled(file: Path) -> Contents:
    with closing(Outbox(file, "g")) as outbox:
        outbox.commit({"d": STATE}, [flow(1), flow(2)], waiting=[Waiting("boot", 5, "d", b"1")])
        outbox.forget([SeqRange(1, 1)])
    return contents(file)


def tables(file: Path) -> list[list[tuple[object, ...]]]:
    """The messages with their numbers, the checkpoints, what waits."""
    with closing(sqlite3.connect(file)) as database:
        return [
            database.execute("SELECT * FROM outbox ORDER BY seq").fetchall(),
            database.execute("SELECT address, state FROM device ORDER BY address").fetchall(),
            database.execute("SELECT * FROM waiting ORDER BY id").fetchall(),
        ]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_what_an_older_version_wrote_comes_back_to_it_unchanged(version: int, tmp_path: Path) -> None:
    file = tmp_path / "o.db"
    with closing(sqlite3.connect(file)) as old:
        old.executescript((FIXTURES / f"outbox-v{version}.sql").read_text())
        ((gateway,),) = old.execute("SELECT gateway FROM identity")
    before = tables(file)
    rewrite(file, gateway)
    back(file, version)
    with closing(sqlite3.connect(file)) as database:
        assert version_of(database) == version
    assert tables(file)[0] == before[0]
    assert tables(file)[2] == before[2]
    with closing(Outbox(file, gateway)) as outbox:
        assert [address for address, _ in before[1]] == sorted(outbox.load_states())


def test_a_newer_schema_and_the_way_back_keep_queue_checkpoints_and_what_waits(tmp_path: Path) -> None:
    file = tmp_path / "o.db"
    before = filled(file)
    with patch.object(outbox_schema, "MIGRATIONS", (*MIGRATIONS, NEXT)):
        with closing(sqlite3.connect(file)) as database, patch.object(outbox_schema, "SCHEMA_VERSION", 4):
            outbox_schema.bring_up_to_date(database)
            assert version_of(database) == SCHEMA_VERSION + 1
        back(file, SCHEMA_VERSION)
    assert contents(file) == before


def test_a_way_back_that_fails_leaves_the_newer_version_whole(tmp_path: Path) -> None:
    file = tmp_path / "o.db"
    filled(file)
    broken = Migration(forward=NEXT.forward, back="DROP TABLE found; DROP TABLE nonsense;")
    with patch.object(outbox_schema, "MIGRATIONS", (*MIGRATIONS, broken)):
        with closing(sqlite3.connect(file)) as database, patch.object(outbox_schema, "SCHEMA_VERSION", 4):
            outbox_schema.bring_up_to_date(database)
        with pytest.raises(sqlite3.Error, match="nonsense"):
            back(file, SCHEMA_VERSION)
    with closing(sqlite3.connect(file)) as database:
        assert version_of(database) == SCHEMA_VERSION + 1
        assert database.execute("SELECT * FROM found").fetchall() == []


def test_an_open_interval_that_is_missing_is_noticed(tmp_path: Path) -> None:
    before = filled(tmp_path / "o.db")
    with closing(Outbox(tmp_path / "o.db", "g")) as outbox:
        outbox.commit(
            {"d": DeviceState(restarted=True, channels={"line1/pedestrian": ChannelState(open={600: OPEN})})}, []
        )
    assert contents(tmp_path / "o.db") != before


def test_a_copy_is_made_of_an_outbox_at_work(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.db", "g")) as outbox:
        outbox.commit({}, [flow(1)])
        copy(tmp_path / "o.db", tmp_path / "copy.db")
        outbox.commit({}, [flow(2)])
    assert contents(tmp_path / "copy.db").last_seq == 1


@given(counts=st.lists(st.integers(0, 1000), max_size=5), other=st.lists(st.integers(0, 1000), max_size=5))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_contents_are_alike_only_when_the_queue_is(
    counts: list[int], other: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = []
    for number, each in enumerate((counts, other)):
        file = tmp_path_factory.mktemp(f"o{number}") / "o.db"
        with patch("secrets.token_hex", return_value="0" * 16), closing(Outbox(file, "g")) as outbox:
            outbox.commit({}, [flow(count) for count in each])
        found.append(contents(file))
    assert (found[0] == found[1]) is (counts == other)


def test_each_verb_says_in_one_line_why_it_cannot_be_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["nonsense"], ["back", str(tmp_path / "none" / "o.db"), "1"], ["open", str(tmp_path), "g"]):
        with pytest.raises(SystemExit):
            outbox_handover.main(arguments)
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_what_a_version_finds_is_told_as_one_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = filled(tmp_path / "o.db")
    outbox_handover.main(["open", str(tmp_path / "o.db"), "g"])
    assert msgspec.json.decode(capsys.readouterr().out, type=Contents) == before
