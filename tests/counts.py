"""Counts of one channel and what is made of them, by seconds after a fixed start, in intervals of five minutes."""

from datetime import UTC, datetime

from edge.aggregator.counting import Moment
from edge.aggregator.flows import ChannelState, close
from edge.messages import FlowInterval, TimeSource
from edge.readings import Delta, Total

START = int(datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp())
PERIOD_S, SECONDS = 600, 300
NAME = ("d1", "line1", "pedestrian")
END_OF_TIME = START * 2


def instant(at_s: int) -> datetime:
    return datetime.fromtimestamp(START + at_s, UTC)


def moment(at_s: int) -> Moment:
    return Moment(START + at_s, TimeSource.NETWORK, PERIOD_S, SECONDS)


def total(in_: int, out: int | None = None, at: datetime | None = None) -> Total:
    return Total(channel="line1", in_=in_, out=out, bits=16, at=at)


def delta(in_: int, out: int | None = None, at: datetime | None = None, period_s: int | None = None) -> Delta:
    return Delta(channel="line1", in_=in_, out=out, at=at, period_s=period_s)


def counted(state: ChannelState) -> list[FlowInterval]:
    return close(state, NAME, SECONDS, END_OF_TIME, 0)[1]


def in_and_out(facts: list[FlowInterval]) -> list[tuple[int, int | None]]:
    return [(fact.in_, fact.out) for fact in facts]
