"""What an examination of a gateway finds, and how it is worded. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should look."""
    WRONG = "wrong"
    """Something is not counted or not sent until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """`clock`, `disk`, `link modem`, …"""
    verdict: Verdict
    says: str
    """What was found, in one line; never a secret."""
    advice: str = ""
    """What to do about it; empty when nothing is to be done."""


def ok(what: str, says: str) -> Finding:
    """All is well."""
    return Finding(what, Verdict.OK, says)


def warning(what: str, says: str, advice: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(what, Verdict.WARNING, says, advice)


def wrong(what: str, says: str, advice: str) -> Finding:
    """It must be mended."""
    return Finding(what, Verdict.WRONG, says, advice)


def duration(seconds: float) -> str:
    """A length of time as a person says it: `40 s`, `12 min`, `3 h`, `5 days`."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
