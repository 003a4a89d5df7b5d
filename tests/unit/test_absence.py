"""A broker that goes and comes: whoever reads the log knows whether it is there, and the log stays short."""

from collections.abc import Iterator

import pytest

from edge.absence import LASTS_S, Absence
from edge.seldom import SELDOM_S, Seldom
from tests.log_lines import Log, logged

AWAY = "the broker is away reason='Unspecified error'; the outbox keeps everything"


@pytest.fixture
def log() -> Iterator[Log]:
    with logged("edge.absence") as lines:
        yield lines


def test_one_line_when_it_is_away_and_one_when_it_is_back_and_for_how_long(log: Log) -> None:
    absence = Absence()
    absence.ends("broker.example", 8883, 0)
    absence.begins("Unspecified error", 100)
    for attempt in range(50):
        absence.begins("it cannot be reached", 101 + attempt)
    absence.ends("broker.example", 8883, 160)
    assert log.lines == [
        "connected to the broker host=broker.example port=8883",
        f"{AWAY} (1 times)",
        "connected to the broker host=broker.example port=8883 after 60 s without it",
    ]


def test_a_broker_that_comes_and_goes_all_the_time_gets_a_pair_a_minute(log: Log) -> None:
    absence = Absence()
    for second in range(int(2 * SELDOM_S)):
        absence.begins("Session taken over", second)
        absence.lasts(second)
        absence.ends("h", 1, second + 0.5)
    assert [line.rpartition("(")[2] for line in log.with_beginning("the broker is away")] == ["1 times)", "60 times)"]
    assert len(log.with_beginning("connected to the broker")) == 2


def test_an_absence_that_lasts_is_told_however_lately_another_was(log: Log) -> None:
    absence = Absence()
    absence.begins("Unspecified error", 0)
    absence.ends("h", 1, 1)
    absence.begins("Unspecified error", 2)
    absence.lasts(2 + LASTS_S - 1)
    assert len(log.with_beginning(AWAY)) == 1
    absence.lasts(2 + LASTS_S)
    absence.ends("h", 1, 5_000)
    assert log.lines[2:] == [f"{AWAY} (1 times)", "connected to the broker host=h port=1 after 4998 s without it"]


def test_a_line_that_comes_up_a_thousand_times_is_written_once_a_minute_with_how_often() -> None:
    line = Seldom()
    written = [times for second in range(130) if (times := line.times(second))]
    assert written == [1, 60, 60]
