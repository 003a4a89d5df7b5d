"""Parts and hourly sums in InfluxDB one by one, with their keys and when they came; blocks on the server."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import unquote

import msgspec

from cloud_api.stores.base import HOUR_S, Channel, StoredFlow, StoreError, from_microseconds, from_seconds
from cloud_api.stores.influx_points import AFTER, FLOW, GENERATION, HOURLY, flag_field, kept_line_of
from cloud_api.stores.influx_queries import any_of, between, channel_of, select
from cloud_api.stores.influx_server import Answer, InfluxServer
from cloud_api.stores.kept import CommittedFlow, Kept, fold, keys_of, new_parts
from edge.messages import Flag, FlowInterval, TimeSource

LINES_PER_WRITE: Final = 5_000

_Flags = int | None
_PartRow = tuple[
    int,
    int | None,
    int | None,
    int | None,
    int | None,
    str | None,
    int | None,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
]
"""Time in ns, in, out, seconds, covered_s, source, committed, and one for each flag."""
_KeptRow = tuple[
    int,
    int | None,
    int | None,
    int | None,
    str | None,
    int | None,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
    _Flags,
]
"""Time in ns, in, out, covered_s, keys, committed, and one for each flag."""
_PART_ROWS: Final = msgspec.json.Decoder(Answer[_PartRow])
_KEPT_ROWS: Final = msgspec.json.Decoder(Answer[_KeptRow])
_EVERY_FLAG: Final = tuple(Flag)
_FLAG_FIELDS: Final = ", ".join(f'"{flag_field(flag)}"' for flag in Flag)
_PART_FIELDS: Final = f'"in", "out", "seconds", "covered_s", "source", "committed", {_FLAG_FIELDS}'
_KEPT_FIELDS: Final = f'"in", "out", "covered_s", "keys", "committed", {_FLAG_FIELDS}'
_OUTBOX: Final = '"gateway", "epoch", "device", "channel", "mode"'


class InfluxParts:
    """What one database has of parts and sums."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server

    def of(
        self, measurement: str, channels: Sequence[Channel], start: datetime, end: datetime, condition: str = ""
    ) -> list[CommittedFlow]:
        """The parts of these channels that are in one place."""
        statement = select(
            _PART_FIELDS,
            f'"{measurement}"',
            f"WHERE {between(start, end)} AND ({any_of(channels)}){condition}",
            f'GROUP BY {_OUTBOX}, "{GENERATION}"',
        )
        return [
            part
            for series in self._server.query(statement, _PART_ROWS, epoch="ns")
            for row in series.values
            if (part := _part(series.tags, row)) is not None
        ]

    def alone(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[CommittedFlow]:
        """The parts that are kept by themselves, some of them twice; a few more may be `LATE` alone."""
        return [part for where in (FLOW, AFTER) for part in self.of(where, channels, start, end)]

    def sums(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Kept]:
        """The hourly sums of these channels, in order."""
        statement = select(
            _KEPT_FIELDS, f'"{HOURLY}"', f"WHERE {between(start, end)} AND ({any_of(channels)})", f"GROUP BY {_OUTBOX}"
        )
        return sorted(
            (
                kept
                for series in self._server.query(statement, _KEPT_ROWS, epoch="ns")
                for row in series.values
                if (kept := _kept(series.tags, row)) is not None
            ),
            key=lambda each: (each.channel, each.start, each.gateway, each.epoch, each.first),
        )

    def keep(self, sums: Sequence[Kept]) -> None:
        """Write sums; what is in them goes on being counted once."""
        lines = [kept_line_of(each) for each in sums]
        for first in range(0, len(lines), LINES_PER_WRITE):
            self._server.write("\n".join(lines[first : first + LINES_PER_WRITE]))

    def sum_up(
        self, measurement: str, channels: Sequence[Channel], first: datetime, stop: datetime, condition: str = ""
    ) -> int:
        """See to it that all parts of a place to which nobody writes any more are in sums; how many they are.

        Whoever does so at the same time reads the same parts, and writes the same sums. Parts are read before sums:
        another who takes parts away has written its sums before.
        """
        parts = self.of(measurement, channels, first, stop, condition)
        if not parts:
            return 0
        self.keep(fold(new_parts(parts, self.sums(channels, first, stop))))
        missing = new_parts(parts, self.sums(channels, first, stop))
        if missing:
            raise StoreError(f"{self._server.address}: has not kept {len(missing)} parts that it took; nothing goes")
        return len(parts)


def _part(tags: dict[str, str], row: _PartRow) -> CommittedFlow | None:
    """None while it is being written: readers see a point field by field."""
    at, in_, out, seconds, covered_s, source, committed, *flags = row
    if in_ is None or seconds is None or covered_s is None or source is None:
        return None
    second, part = divmod(at, 1_000_000_000)
    interval = FlowInterval(
        device=unquote(tags["device"]),
        channel=unquote(tags["channel"]),
        mode=unquote(tags["mode"]),
        start=from_seconds(second),
        seconds=seconds,
        part=part,
        in_=in_,
        out=out,
        covered_s=covered_s,
        flags=tuple(sorted(_flags(flags))),
        source=TimeSource(source),
    )
    fact = StoredFlow(gateway=unquote(tags["gateway"]), epoch=unquote(tags["epoch"]), interval=interval)
    return CommittedFlow(fact, from_microseconds(committed or 0))


def _kept(tags: dict[str, str], row: _KeptRow) -> Kept | None:
    """None while it is being written: its parts are still there."""
    at, in_, out, covered_s, keys, committed, *flags = row
    if in_ is None or covered_s is None or keys is None or committed is None:
        return None
    return Kept(
        gateway=unquote(tags["gateway"]),
        epoch=unquote(tags["epoch"]),
        channel=channel_of(tags),
        start=from_seconds(at // 1_000_000_000 // HOUR_S * HOUR_S),
        in_=in_,
        out=out,
        covered_s=covered_s,
        flags=frozenset(_flags(flags)),
        keys=keys_of(keys),
        committed=from_microseconds(committed),
    )


def _flags(counts: Sequence[_Flags]) -> Iterator[Flag]:
    return (flag for flag, times in zip(_EVERY_FLAG, counts, strict=True) if times)
