"""Counts of an export into the store, batch by batch: what is there already stays, what contradicts it is refused.

In come what a profile read and a store; out comes a tally, refusals one by one on the way. The key of an interval does
not depend on the file it came from, so a second import, or an export that overlaps another, adds nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from cloud_api.counts_import.counts import Count, Empty, Refused, Way
from cloud_api.stores.base import Channel, RefusedFactError, Store, StoredFlow, StoreError
from edge.messages import FlowInterval, TimeSource

GATEWAY: Final = "import"
EPOCH: Final = "0" * 16
"""Of all imports: their keys are the same, whichever file brings them."""
DEVICE: Final = "import-"
"""What a device's address begins with; then comes the counter."""
BATCH: Final = 5_000

_Key = tuple[Channel, datetime]


@dataclass(slots=True)
class Imported:
    """One counter's direction."""

    channel: Channel
    added: int = 0
    """Intervals that were not in the store."""
    already: int = 0
    """Intervals that were."""
    passages: int = 0
    """In those added."""
    first: datetime | None = None
    """The earliest interval of the file."""
    end: datetime | None = None
    """The end of the latest."""


@dataclass(slots=True)
class Tally:
    """What became of a file."""

    imported: dict[tuple[str, Way], Imported] = field(default_factory=dict)
    """By the counter's name in the file, and its direction."""
    refused: int = 0
    empty: int = 0
    """Cells without a count."""

    @property
    def added(self) -> int:
        """Intervals that were not in the store."""
        return sum(each.added for each in self.imported.values())

    @property
    def already(self) -> int:
        """Intervals that were."""
        return sum(each.already for each in self.imported.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an import is done."""

    mode: str
    """What is counted: `pedestrian`, `bicycle`, …"""
    names: Callable[[str], str]
    """A counter's id from its name in the file."""
    now: datetime
    """Nothing is taken that is later."""
    dry_run: bool = False
    """Tell what would be added, and add nothing."""


def device_of(counter: str) -> str:
    """The device that an imported counter's history is kept under."""
    return f"{DEVICE}{counter}"


def import_counts(
    read: Iterable[Count | Refused | Empty], store: Store, terms: Terms, refuse: Callable[[Refused], None]
) -> Tally:
    """Commit what was read. Raises `StoreError`; a further try adds what is lacking."""
    tally = Tally()

    def refused(what: Refused) -> None:
        tally.refused += 1
        refuse(what)

    for batch in _batches(read, tally, refused):
        fresh = _fresh(batch, store, terms, tally, refused)
        for count, reason in _write(fresh, store, terms):
            refused(_refusal(count, reason))
            fresh.pop(_key(count, terms))
        for count in fresh.values():
            entry = tally.imported[count.counter, count.way]
            entry.added += 1
            entry.passages += count.passages
    return tally


def _batches(
    read: Iterable[Count | Refused | Empty], tally: Tally, refuse: Callable[[Refused], None]
) -> Iterator[list[Count]]:
    def counts() -> Iterator[Count]:
        for each in read:
            match each:
                case Count():
                    yield each
                case Refused():
                    refuse(each)
                case Empty():
                    tally.empty += 1

    rest = counts()
    while batch := list(islice(rest, BATCH)):
        yield batch


def _fresh(
    batch: Sequence[Count], store: Store, terms: Terms, tally: Tally, refuse: Callable[[Refused], None]
) -> dict[_Key, Count]:
    """Those that the store has not, by their keys; what contradicts the store, or an earlier line, is refused."""
    known = _known(batch, store, terms)
    fresh: dict[_Key, Count] = {}
    for count in batch:
        key = _key(count, terms)
        earlier = fresh[key].passages if key in fresh else known.get(key)
        if count.start + timedelta(seconds=count.seconds) > terms.now:
            refuse(_refusal(count, f"{count.start:%Y-%m-%d %H:%MZ} is not over yet; a time in the past expected"))
            continue
        if earlier is not None and earlier != count.passages:
            at = f"{count.start:%Y-%m-%d %H:%MZ}"
            refuse(_refusal(count, f"{earlier} passages are known of {at} already; facts are never changed"))
            continue
        entry = tally.imported.setdefault((count.counter, count.way), Imported(key[0]))
        entry.first = min(entry.first or count.start, count.start)
        end = count.start + timedelta(seconds=count.seconds)
        entry.end = max(entry.end or end, end)
        entry.already += earlier is not None
        if earlier is None:
            fresh[key] = count
    return fresh


def _known(batch: Sequence[Count], store: Store, terms: Terms) -> Mapping[_Key, int]:
    channels = sorted({_key(count, terms)[0] for count in batch})
    first, last = min(count.start for count in batch), max(count.start for count in batch)
    passed = store.intervals(channels, first, last + timedelta(seconds=1))
    return {(each.channel, each.start): each.in_ for each in passed}


def _write(fresh: Mapping[_Key, Count], store: Store, terms: Terms) -> list[tuple[Count, str]]:
    """Commit; those that the store refuses for good come back with the reason. Raises `StoreError`."""
    if terms.dry_run or not fresh:
        return []
    counts = {_fact(count, terms): count for count in fresh.values()}
    try:
        store.write(list(counts))
    except RefusedFactError as error:
        known = [each for each in (error, *error.others) if isinstance(each.fact, StoredFlow)]
        if not known:
            raise StoreError(f"the store refuses a fact that it was not given: {error}") from error
        return [(counts[each.fact], each.reason) for each in known if isinstance(each.fact, StoredFlow)]
    return []


def _key(count: Count, terms: Terms) -> _Key:
    return Channel(device_of(terms.names(count.counter)), count.way, terms.mode), count.start


def _fact(count: Count, terms: Terms) -> StoredFlow:
    channel, start = _key(count, terms)
    interval = FlowInterval(
        device=channel.device,
        channel=channel.name,
        mode=channel.mode,
        start=start,
        seconds=count.seconds,
        in_=count.passages,
        covered_s=count.seconds,
        source=TimeSource.DEVICE,
    )
    return StoredFlow(gateway=GATEWAY, epoch=EPOCH, interval=interval)


def _refusal(count: Count, reason: str) -> Refused:
    return Refused(line=count.line, field=count.counter, text=str(count.passages), reason=reason)
