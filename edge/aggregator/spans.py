"""A count over a period that crosses interval borders, split in proportion to time, in integers, sum preserved."""

from collections.abc import Iterator


def split(start_s: int, end_s: int, counts: tuple[int, ...], seconds: int) -> Iterator[tuple[int, int, list[int]]]:
    """Divide `counts` (persons, one per direction) over the intervals of `seconds` that [start_s, end_s) touches.

    Yields (interval start, covered seconds, counts) in order of time; times are whole seconds of UTC since 1970. The
    cumulated count at each border is rounded down, so every direction's parts add up to its count, to the unit. A
    period without length belongs to the interval it lies in and covers nothing.
    """
    first = start_s - start_s % seconds
    if end_s <= start_s:
        yield first, 0, list(counts)
        return
    length = end_s - start_s
    since, given = 0, [0] * len(counts)
    for border in range(first, end_s, seconds):
        until = min(border + seconds, end_s) - start_s
        cumulated = [count * until // length for count in counts]
        yield border, until - since, [now - before for now, before in zip(cumulated, given, strict=True)]
        since, given = until, cumulated
