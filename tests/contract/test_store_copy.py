"""History moves from one store to another, of either kind, cut off or not, and nothing is lost, doubled or undated."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_api.store_commands import store as commands
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, StoreError
from cloud_api.stores.copying import Copied, copy_store, months
from cloud_api.stores.influx_marks import FENCE
from cloud_api.stores.lasting import LastingStore
from edge.messages import Flag
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, OTHER_EPOCH, correction, day, flow, space
from tests.influx import InfluxServer
from tests.stores import fresh_name
from tests.stores import influx as influx
from tests.system.programs import running
from tests.town import Clock, until

LINE_2 = Channel("said 'line 1'", "a,b=c d\\", "")
END = MIDNIGHT + 70 * DAY
LATER = MIDNIGHT + 400 * DAY


def addresses(kinds: str, folder: Path, influx: InfluxServer) -> list[str]:
    """One store that nobody has used for each kind."""
    return [
        f"sqlite:///{folder}/{number}.db" if kind == "sqlite" else influx.url(fresh_name())
        for number, kind in enumerate(kinds.split())
    ]


@pytest.fixture(params=["sqlite influx", "influx sqlite", "sqlite sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, influx: InfluxServer) -> list[str]:
    """The addresses of two stores."""
    return addresses(request.param, tmp_path, influx)


@pytest.fixture
def clock() -> Clock:
    return Clock(MIDNIGHT + HOUR)


@pytest.fixture
def source(pair: list[str], clock: Clock) -> Iterator[LastingStore]:
    with closing(open_store(pair[0], clock)) as store:
        fill(store, clock)
        yield store


@pytest.fixture
def target(pair: list[str]) -> Iterator[LastingStore]:
    with closing(open_store(pair[1])) as store:
        yield store


def fill(store: LastingStore, clock: Clock) -> None:
    """Two channels over three months, a space, a clock that was wrong, corrections; parts that came late."""
    store.write([*day(), *day(LINE_2, MIDNIGHT + 40 * DAY), flow(epoch=OTHER_EPOCH, out=None, flags=(Flag.RESET,))])
    store.write([space(MIDNIGHT + count * HOUR, occupied=bool(count % 3), since=MIDNIGHT) for count in range(30)])
    store.write([space(MIDNIGHT - DAY), space(datetime(2031, 1, 1, tzinfo=UTC), device="b", since=None)])
    store.correct([correction(), correction(place="gare")])
    clock.now = MIDNIGHT + 60 * DAY
    store.write([flow(part=1, in_=9, flags=(Flag.LATE,)), flow(MIDNIGHT + 69 * DAY)])


def everything(store: LastingStore) -> list[object]:
    """All that a store tells, commit times and keys included."""
    channels = store.channels()
    return [
        channels,
        *(store.hours(channels, MIDNIGHT, END, as_of) for as_of in (None, MIDNIGHT + 2 * DAY)),
        store.intervals(channels, MIDNIGHT, END),
        [store.parts(channel, MIDNIGHT, END) for channel in channels],
        [store.kept(channel, MIDNIGHT, END) for channel in channels],
        store.horizon(),
        store.last_states(),
        [
            store.states(each.device, each.channel, each.first, each.last + timedelta(seconds=1))
            for each in store.space_spans()
        ],
        store.changes(["5a11", "b"], MIDNIGHT - DAY, END),
        store.every_correction(),
    ]


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def trim(store: LastingStore, before: datetime) -> None:
    for run in range(5):
        store.trim(before, now=LATER + run * 2 * FENCE)


def test_a_copy_tells_all_that_its_source_tells(source: LastingStore, target: LastingStore) -> None:
    copied = copy_store(source, target, quiet)

    assert everything(target) == everything(source)
    assert (copied.parts, copied.states, copied.corrections) == (288 * 2 + 3, 32, 2)


def test_a_trimmed_past_goes_along_with_its_keys(source: LastingStore, target: LastingStore) -> None:
    trim(source, MIDNIGHT + 12 * HOUR)
    source.write([flow(part=5, in_=77)])

    copied = copy_store(source, target, quiet)

    assert copied.sums > 12
    assert everything(target) == everything(source)
    hours = target.hours([CHANNEL], MIDNIGHT, END)
    target.write([*day(), flow(part=5, in_=77)])
    assert target.hours([CHANNEL], MIDNIGHT, END) == hours


def test_a_copy_that_is_run_again_brings_what_came_since(source: LastingStore, target: LastingStore) -> None:
    first = copy_store(source, target, quiet)
    again = copy_store(source, target, quiet)
    source.write([flow(part=2), space(MIDNIGHT + 20 * DAY)])
    since = copy_store(source, target, quiet)

    assert again == Copied(corrections=2, pieces=first.pieces, there=first.pieces)
    assert since.pieces - since.there == 2
    assert everything(target) == everything(source)


def test_a_source_that_was_trimmed_between_two_runs_is_counted_once(source: LastingStore, target: LastingStore) -> None:
    copy_store(source, target, quiet)
    trim(source, MIDNIGHT + 12 * HOUR)
    source.write([flow(part=6, in_=1)])

    copy_store(source, target, quiet)

    channels = source.channels()
    assert target.hours(channels, MIDNIGHT, END) == source.hours(channels, MIDNIGHT, END)
    assert target.horizon() == source.horizon()


def test_a_target_that_gateways_write_to_meanwhile_keeps_both(source: LastingStore, target: LastingStore) -> None:
    target.write([flow(part=8, in_=5000)])

    copy_store(source, target, quiet)

    (before,), (after,) = (store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR) for store in (source, target))
    assert (after.in_, after.parts) == (before.in_ + 5000, before.parts + 1)


def test_a_copy_that_lost_something_says_what(
    source: LastingStore, target: LastingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = target.take_over
    monkeypatch.setattr(target, "take_over", lambda facts: whole(facts[1:]))

    with pytest.raises(StoreError, match=r"2026-03: 1 parts are missing"):
        copy_store(source, target, quiet)


@pytest.mark.slow
@pytest.mark.parametrize("kinds", ["sqlite influx", "influx sqlite"])
def test_a_copy_that_is_killed_goes_on_and_loses_nothing(kinds: str, tmp_path: Path, influx: InfluxServer) -> None:
    from_, to = addresses(kinds, tmp_path, influx)
    channels = [Channel(f"{number:02d}", "line1", "pedestrian") for number in range(16)]
    with closing(open_store(from_)) as source, closing(open_store(to)) as target:
        source.write([fact for channel in channels for n in range(3) for fact in day(channel, MIDNIGHT + n * 30 * DAY)])
        with running(["store", "copy", from_, to], tmp_path) as copying:
            until(lambda: len(target.channels()) >= 3)
            copying.kill()
        cut_off = target.channels()

        told = CliRunner().invoke(commands, ["copy", from_, to])

        assert told.exit_code == 0, told.output
        assert "copied and verified" in told.stdout
        assert 3 <= len(cut_off) < len(channels)
        assert everything(target) == everything(source)


def test_a_copy_goes_there_and_back(tmp_path: Path, influx: InfluxServer, clock: Clock) -> None:
    here, there, back = addresses("sqlite influx sqlite", tmp_path, influx)
    with closing(open_store(here, clock)) as source:
        fill(source, clock)
        trim(source, MIDNIGHT + 6 * HOUR)
        for from_, to in ((here, there), (there, back)):
            assert CliRunner().invoke(commands, ["copy", from_, to]).exit_code == 0
        with closing(open_store(back)) as returned:
            assert everything(returned) == everything(source)


def test_mistakes_are_named_and_nothing_is_made(tmp_path: Path, influx: InfluxServer) -> None:
    file, name = f"sqlite:///{tmp_path}/a.db", fresh_name()
    nowhere = CliRunner().invoke(commands, ["copy", file, f"sqlite:///{tmp_path}/b.db"])
    no_database = CliRunner().invoke(commands, ["copy", influx.url(name), file])
    open_store(file).close()
    same = CliRunner().invoke(commands, ["copy", file, file])

    assert (nowhere.exit_code, "there is no store" in nowhere.stderr) == (2, True)
    assert (no_database.exit_code, name in no_database.stderr) == (2, True)
    assert (same.exit_code, "the same store" in same.stderr) == (2, True)
    assert not (tmp_path / "b.db").exists()
    assert name.encode() not in influx.query("SHOW DATABASES")


def test_months_cover_two_instants_and_all_between() -> None:
    found = list(months(datetime(2025, 11, 30, 23, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)))

    assert [f"{start:%Y-%m-%d} {end:%Y-%m-%d}" for start, end in found] == [
        "2025-11-01 2025-12-01",
        "2025-12-01 2026-01-01",
        "2026-01-01 2026-02-01",
    ]
