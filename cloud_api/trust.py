"""What can be believed, and why: pure functions of what is known and of the time.

In comes the evidence on one sensor, or the verdicts on all spaces of a zone; out comes a trust with its cause in
words. Never a guess: what is not known to be fresh is not fresh.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

STALE_AFTER_PERIODS: Final = 2.5
"""A sensor that missed two reports in a row, with half a period for the radio's whims."""
PERIOD_WHEN_UNKNOWN_S: Final = 3600
"""The reporting period of a device that has not told its own yet."""
CLOCK_TOLERANCE: Final = timedelta(minutes=10)
"""How far ahead of ours a gateway's clock may be and still be believed."""
LONGEST_FAULT: Final = 80
"""Characters of what a sensor calls its fault that are told: its gateway may write any text."""
GATEWAY_GRACE: Final = timedelta(minutes=2)
"""How long a gateway may be away before its sensors' last words are no longer the present."""


class Trust(StrEnum):
    """How far a figure can be believed."""

    FRESH = "fresh"
    STALE = "stale"
    FROZEN = "frozen"
    """The sensor speaks, and has not changed its mind for longer than its own past makes plausible."""
    IMPLAUSIBLE = "implausible"
    """What it says cannot be so."""
    FAULTY = "faulty"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Cause(Struct, frozen=True):
    """Why, in words for the public."""

    fr: str
    en: str


class Verdict(Struct, frozen=True):
    """A trust and its cause; what is fresh without reserve has none."""

    trust: Trust
    cause: Cause | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """What is known of one sensor at one place."""

    heard_at: datetime | None = None
    """When it last spoke of the place; None when it never did."""
    period_s: int | None = None
    """How often it is expected to; None while it has not said."""
    fault: str | None = None
    """What the sensor itself calls a fault."""
    gateway_away_since: datetime | None = None
    """Since when its gateway is off line; None while it is on line."""
    frozen_since: datetime | None = None
    """Since when it says the same, where that is longer than its own past makes plausible (`cloud_api/frozen.py`)."""
    implausible: Cause | None = None
    """Why what it says cannot be so (`cloud_api/plausibility.py`)."""
    installed: bool = True
    closed: Cause | None = None
    """Why the place is out of service; None while it is in service."""


NOT_INSTALLED: Final = Verdict(Trust.UNKNOWN, Cause("aucun capteur installé", "no sensor installed"))
NEVER_HEARD: Final = Verdict(
    Trust.UNKNOWN, Cause("le capteur ne s’est pas encore exprimé", "the sensor has not spoken yet")
)
FROM_THE_FUTURE: Final = Verdict(
    Trust.UNKNOWN, Cause("l’heure du capteur est dans le futur", "the sensor’s time is in the future")
)
GATEWAY_AWAY: Final = Verdict(Trust.STALE, Cause("la passerelle est hors ligne", "the gateway is off line"))
NO_SPACES: Final = Verdict(Trust.UNKNOWN, Cause("aucune place équipée", "no space is equipped"))


def judge(evidence: Evidence, now: datetime) -> Verdict:
    """How far what a sensor last said of a place can be believed now."""
    if evidence.closed is not None:
        return Verdict(Trust.CLOSED, evidence.closed)
    if not evidence.installed:
        return NOT_INSTALLED
    if evidence.fault is not None:
        fault = evidence.fault if len(evidence.fault) <= LONGEST_FAULT else f"{evidence.fault[:LONGEST_FAULT]}…"
        return Verdict(Trust.FAULTY, Cause(f"défaut du capteur : {fault}", f"sensor fault: {fault}"))
    if evidence.heard_at is None:
        return NEVER_HEARD
    if evidence.heard_at > now + CLOCK_TOLERANCE:
        return FROM_THE_FUTURE
    verdict = _judge_age(evidence.heard_at, evidence.period_s, evidence.gateway_away_since, now)
    return _judge_content(evidence, now) if verdict.trust is Trust.FRESH else verdict


def judge_zone(spaces: Sequence[Verdict]) -> Verdict:
    """What the verdicts on its spaces say of a zone.

    Closed spaces do not count. The zone is fresh while at least half of the others are, and names those that are not;
    beyond that it is what most of the others are.
    """
    if not spaces:
        return NO_SPACES
    open_ = [each for each in spaces if each.trust is not Trust.CLOSED]
    if not open_:
        return spaces[0]
    doubtful = [each for each in open_ if each.trust is not Trust.FRESH]
    if not doubtful:
        return Verdict(Trust.FRESH)
    if 2 * len(doubtful) <= len(open_):
        return Verdict(Trust.FRESH, _reserve(doubtful, len(open_)))
    most = Counter(each.trust for each in doubtful).most_common(1)[0][0]
    return Verdict(most, _common_cause(doubtful) or _reserve(doubtful, len(open_)))


def _judge_age(heard_at: datetime, period_s: int | None, away_since: datetime | None, now: datetime) -> Verdict:
    age = now - heard_at
    if age > timedelta(seconds=STALE_AFTER_PERIODS * (period_s or PERIOD_WHEN_UNKNOWN_S)):
        words = lasting(age)
        return Verdict(Trust.STALE, Cause(f"sans nouvelles depuis {words.fr}", f"no news for {words.en}"))
    if away_since is not None and now - away_since > GATEWAY_GRACE:
        return GATEWAY_AWAY
    return Verdict(Trust.FRESH)


def _judge_content(evidence: Evidence, now: datetime) -> Verdict:
    """What is to be said of news that came in time."""
    if evidence.implausible is not None:
        return Verdict(Trust.IMPLAUSIBLE, evidence.implausible)
    if evidence.frozen_since is not None:
        words = lasting(now - evidence.frozen_since)
        return Verdict(
            Trust.FROZEN,
            Cause(
                f"le capteur dit la même chose depuis {words.fr}, bien plus longtemps que d’habitude",
                f"the sensor has said the same for {words.en}, far longer than usual",
            ),
        )
    return Verdict(Trust.FRESH)


_RESERVES: Final = (
    (Trust.FROZEN, Cause("figée", "frozen"), Cause("figées", "frozen")),
    (Trust.FAULTY, Cause("en défaut", "faulty"), Cause("en défaut", "faulty")),
    (Trust.IMPLAUSIBLE, Cause("invraisemblable", "implausible"), Cause("invraisemblables", "implausible")),
)


def _reserve(doubtful: Sequence[Verdict], of: int) -> Cause:
    """How many spaces are in doubt; those that are not simply silent are named."""
    number = len(doubtful)
    places = "place" if number == 1 else "places"
    tally = Counter(each.trust for each in doubtful)
    named = [(tally[trust], one if tally[trust] == 1 else many) for trust, one, many in _RESERVES if tally[trust]]
    fr = ", ".join(f"{count} {word.fr}" for count, word in named)
    en = ", ".join(f"{count} {word.en}" for count, word in named)
    return Cause(
        f"{number} {places} sur {of} sans nouvelles sûres" + (f" ({fr})" if fr else ""),
        f"{number} of {of} spaces without sure news" + (f" ({en})" if en else ""),
    )


def _common_cause(verdicts: Sequence[Verdict]) -> Cause | None:
    causes = {each.cause for each in verdicts}
    return causes.pop() if len(causes) == 1 else None


def lasting(age: timedelta) -> Cause:
    """A length of time in words."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return Cause(f"{int(age.total_seconds())} s", f"{int(age.total_seconds())} s")
    if minutes < 120:
        return Cause(f"{minutes} min", f"{minutes} min")
    if minutes < 48 * 60:
        return Cause(f"{minutes // 60} h", f"{minutes // 60} h")
    return Cause(f"{minutes // 1440} jours", f"{minutes // 1440} days")
