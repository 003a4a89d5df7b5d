"""Facts as InfluxDB takes them: one line of line protocol each. Pure.

A part's timestamp is its start plus `part` nanoseconds, so that two parts never share a point.
"""

import re
from datetime import datetime
from typing import Final, TypedDict

from influxdb_client.client.write.point import Point

from cloud_api.stores.base import Correction, Fact, StoredFlow, StoredSpace, to_microseconds, to_seconds
from cloud_api.stores.kept import Kept, keys_text
from edge.messages import Flag

FLOW: Final = "flow"
"""The measurement of parts."""
LATE: Final = "flow_late"
"""Of parts that came when the sum of their hour might have been made, until they are in one."""
AFTER: Final = "flow_after"
"""The same parts, kept by themselves as long as the others."""
HOURLY: Final = "flow_hour"
"""Of hourly sums."""
HORIZON: Final = "horizon"
"""Up to where parts may go."""
FORGOTTEN: Final = "forgotten"
"""Up to where hours have gone."""
SUMMING: Final = "summing"
"""Up to where sums may be made."""
SUMMED: Final = "summed"
"""Up to where all sums are made."""
GENERATION: Final = "generation"
"""The tag of a late part: the mark `summing` that its writer went by, in seconds since 1970."""


class _Point(TypedDict):
    """A point as influxdb-client takes it: what is None or empty is left out, time is in nanoseconds."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, str | bool | int | None]
    time: int


def line_of(fact: Fact | Correction, committed: datetime) -> str:
    """The fact as one line, its time in nanoseconds; `committed` is when it is written."""
    return _line(_point(fact, to_microseconds(committed)))


def late_line_of(fact: StoredFlow, committed: datetime, summing: datetime | None) -> str:
    """A part that came when the sum of its hour might have been made: apart from those that are in it."""
    point = _flow_point(fact, to_microseconds(committed))
    generation = "" if summing is None else str(to_seconds(summing))
    return _line({**point, "measurement": LATE, "tags": {**point["tags"], GENERATION: generation}})


def after_line_of(fact: StoredFlow, committed: datetime) -> str:
    """The same part, for who asks for parts by themselves."""
    return _line({**_flow_point(fact, to_microseconds(committed)), "measurement": AFTER})


def kept_line_of(kept: Kept) -> str:
    """A sum of parts; its time is its hour plus the first of its keys in nanoseconds."""
    return _line(
        {
            "measurement": HOURLY,
            "tags": {
                "gateway": tag(kept.gateway),
                "epoch": tag(kept.epoch),
                "device": tag(kept.channel.device),
                "channel": tag(kept.channel.name),
                "mode": tag(kept.channel.mode),
            },
            "fields": {
                "in": kept.in_,
                "out": kept.out,
                "covered_s": kept.covered_s,
                "parts": len(kept.keys),
                "keys": keys_text(kept.keys),
                "committed": to_microseconds(kept.committed),
                **{flag_field(flag): 1 for flag in kept.flags},
            },
            "time": to_microseconds(kept.start) * 1000 + kept.first,
        }
    )


def mark_line_of(mark: str, before: datetime, announced: datetime) -> str:
    """Up to where something goes, dated when that was announced."""
    return _line(
        {
            "measurement": mark,
            "tags": {},
            "fields": {"before": to_microseconds(before)},
            "time": to_microseconds(announced) * 1000,
        }
    )


def _line(point: _Point) -> str:
    return str(Point.from_dict(dict(point)).to_line_protocol())


def _point(fact: Fact | Correction, committed: int) -> _Point:
    match fact:
        case StoredFlow():
            return _flow_point(fact, committed)
        case StoredSpace():
            return _space_point(fact, committed)
        case Correction():
            return _correction_point(fact)


def _flow_point(fact: StoredFlow, committed: int) -> _Point:
    interval = fact.interval
    return {
        "measurement": FLOW,
        "tags": {
            "gateway": tag(fact.gateway),
            "epoch": tag(fact.epoch),
            "device": tag(interval.device),
            "channel": tag(interval.channel),
            "mode": tag(interval.mode),
        },
        "fields": {
            "in": interval.in_,
            "out": interval.out,
            "covered_s": interval.covered_s,
            "seconds": interval.seconds,
            "source": str(interval.source),
            "parts": 1,
            "committed": committed,
            **{flag_field(flag): 1 for flag in interval.flags},
        },
        "time": to_microseconds(interval.start) * 1000 + interval.part,
    }


def _space_point(fact: StoredSpace, committed: int) -> _Point:
    state = fact.state
    return {
        "measurement": "space",
        "tags": {"device": tag(state.device), "channel": tag(state.channel)},
        "fields": {
            "occupied": state.occupied,
            "since": None if state.since is None else to_microseconds(state.since),
            "source": str(state.source),
            "gateway": fact.gateway,
            "committed": committed,
        },
        "time": to_microseconds(state.at) * 1000,
    }


def _correction_point(correction: Correction) -> _Point:
    return {
        "measurement": "correction",
        "tags": {"place": tag(correction.place)},
        "fields": {
            "occupied": correction.occupied,
            "cause": str(correction.cause),
            "counted": correction.counted,
            "note": correction.note,
        },
        "time": to_microseconds(correction.at) * 1000,
    }


def flag_field(flag: Flag) -> str:
    """The field that counts the parts with this flag."""
    return f"flag_{flag}"


_UNSAFE_IN_TAGS = re.compile(r"[%\\\x00-\x1f\x7f]")


def tag(value: str) -> str:
    """A name with what line protocol cannot carry (backslashes, control characters) percent-encoded."""
    return _UNSAFE_IN_TAGS.sub(lambda match: f"%{ord(match[0]):02X}", value)
