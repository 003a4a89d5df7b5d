"""Whether a sensor does what it should, found out on the spot: walked past, driven on and off. Pure.

In come what was done (legs) and the frames that its gateway showed meanwhile, out comes a judgement: every check with
its verdict, and what one tap would mend (a direction the wrong way round, a presence upside down).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from cloud_api.provisioning.evidence import Seen, healths, own_times, passages, seen, states
from edge.messages import CapturedFrame, Utc

MOST_LEGS: Final = 8
EXACT_SHARE: Final = 0.1
"""So far off the walked number a count is still good: makers of people counters claim 90 to 98 %."""
WRONG_SHARE: Final = 0.3
"""Further off than this it is wrong; in between, to be looked at."""
WEAK_DBM: Final = -112.0
VERY_WEAK_DBM: Final = -120.0
"""LoRa at 125 kHz is heard down to about -123 dBm at SF7 and -137 dBm at SF12 (Semtech SX1276): 10 dB are kept."""
WEAK_DB: Final = -10.0
"""SNR; at SF7 -7.5 dB is the limit, at SF12 -20 dB."""
LOW_BATTERY_PCT: Final = 50.0
"""A sensor that is installed with less will want a visit soon."""
EMPTY_BATTERY_PCT: Final = 20.0
CLOCK_S: Final = 120.0
"""A device whose own clock is further off than this puts people into the wrong hour."""
SLOW_S: Final = 120.0
"""A change of presence that takes longer to be told is too late for a driver."""


class Act(StrEnum):
    """What the technician did."""

    WALK_IN = "walk_in"
    """Walked past in the street's first direction."""
    WALK_OUT = "walk_out"
    """In its second."""
    DRIVE_ON = "drive_on"
    """Drove onto the space (or covered the sensor)."""
    DRIVE_OFF = "drive_off"
    """Left it."""


class Leg(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of a test."""

    act: Act
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    """How often he walked."""
    start: Utc
    """When he began, by the platform's clock."""
    end: Utc
    """When he had done it."""


class Verdict(StrEnum):
    """What a check found."""

    PASSED = "passed"
    DOUBTFUL = "doubtful"
    """Good enough to leave it so; the record says it."""
    FAILED = "failed"
    WAITING = "waiting"
    """The sensor has not said anything about it yet."""
    UNTOLD = "untold"
    """This sensor does not tell."""


class Check(StrEnum):
    """What is looked at."""

    COUNT = "count"
    DIRECTION = "direction"
    STATE = "state"
    DELAY = "delay"
    SIGNAL = "signal"
    BATTERY = "battery"
    FAULT = "fault"
    CLOCK = "clock"


class Mend(StrEnum):
    """What one tap puts right."""

    TURN_ROUND = "turn_round"
    """The directions are the wrong way round: `reversed` of the installation."""
    INVERT_PRESENCE = "invert_presence"
    """It says occupied for free: `invert_presence` of the device."""


class Finding(Struct, frozen=True, kw_only=True):
    """What one check found."""

    check: Check
    verdict: Verdict
    act: Act | None = None
    """Of which leg; None where it is about the sensor itself."""
    expected: float | None = None
    found: float | None = None
    """Passages, seconds, dBm or per cent: as the check has it."""
    fault: str | None = None
    """What the device itself calls a fault."""


class Judgement(Struct, frozen=True, kw_only=True):
    """What a test found."""

    verdict: Verdict
    """The worst of all that was found; a sensor that does not tell something is no worse for it."""
    findings: tuple[Finding, ...]
    mend: Mend | None = None


class Installed(Struct, frozen=True, kw_only=True):
    """What is tested: a channel, and how what it says is understood now."""

    channel: str
    mode: str = ""
    reversed: bool = False
    inverted: bool = False


def judge(legs: Sequence[Leg], frames: Sequence[CapturedFrame], installed: Installed, now: datetime) -> Judgement:
    """What is known at `now`. Legs are in the order in which they were done."""
    evidence = seen(frames)
    on_the_spot = [*_walked(legs, evidence, installed, now), *_driven(legs, evidence, installed, now)]
    findings = (*on_the_spot, _signal(evidence), _battery(evidence), _fault(evidence), _clock(evidence))
    return Judgement(verdict=_worst(findings), findings=findings, mend=_mend(on_the_spot))


def _worst(findings: Sequence[Finding]) -> Verdict:
    """A failure is one also while the rest is awaited."""
    found = {finding.verdict for finding in findings}
    order = (Verdict.FAILED, Verdict.WAITING, Verdict.DOUBTFUL)
    return next((verdict for verdict in order if verdict in found), Verdict.PASSED)


def _mend(findings: Sequence[Finding]) -> Mend | None:
    """One tap, when every leg that was answered says the contrary of what it should."""
    for check, mend in ((Check.DIRECTION, Mend.TURN_ROUND), (Check.STATE, Mend.INVERT_PRESENCE)):
        verdicts = [finding.verdict for finding in findings if finding.check is check]
        answered = [verdict for verdict in verdicts if verdict is not Verdict.WAITING]
        if answered and all(verdict is Verdict.FAILED for verdict in answered):
            return mend
    return None


def _walked(legs: Sequence[Leg], evidence: Sequence[Seen], installed: Installed, now: datetime) -> Iterator[Finding]:
    walks = [leg for leg in legs if leg.act in {Act.WALK_IN, Act.WALK_OUT}]
    for index, leg in enumerate(walks):
        until = walks[index + 1].start if index + 1 < len(walks) else now
        yield from _walk(leg, until, evidence, installed)


def _walk(leg: Leg, until: datetime, evidence: Sequence[Seen], installed: Installed) -> Iterator[Finding]:
    """Passages between the last report before he began and the last one before the next leg."""
    counted = passages(evidence, installed.channel, installed.mode, leg.start, until)
    if counted is None or not any(each.at >= leg.end for each in evidence):
        yield Finding(check=Check.COUNT, verdict=Verdict.WAITING, act=leg.act, expected=float(leg.times))
        yield Finding(check=Check.DIRECTION, verdict=Verdict.WAITING, act=leg.act)
        return
    both = counted.in_ + counted.out
    yield Finding(
        check=Check.COUNT,
        verdict=_closeness(both, leg.times),
        act=leg.act,
        expected=float(leg.times),
        found=float(both),
    )
    first = (leg.act is Act.WALK_IN) is not installed.reversed
    right = counted.in_ if first else counted.out
    yield Finding(
        check=Check.DIRECTION, verdict=_majority(right, both), act=leg.act, expected=float(both), found=float(right)
    )


def _closeness(counted: int, walked: int) -> Verdict:
    off = abs(counted - walked) / walked
    if off <= EXACT_SHARE:
        return Verdict.PASSED
    return Verdict.DOUBTFUL if off <= WRONG_SHARE else Verdict.FAILED


def _majority(right: int, both: int) -> Verdict:
    """Nobody counted at all says nothing of directions."""
    if both == 0:
        return Verdict.WAITING
    share = right / both
    if share >= 1 - EXACT_SHARE:
        return Verdict.PASSED
    return Verdict.DOUBTFUL if share > 0.5 else Verdict.FAILED


def _driven(legs: Sequence[Leg], evidence: Sequence[Seen], installed: Installed, now: datetime) -> Iterator[Finding]:
    drives = [leg for leg in legs if leg.act in {Act.DRIVE_ON, Act.DRIVE_OFF}]
    told = states(evidence, installed.channel)
    for index, leg in enumerate(drives):
        until = drives[index + 1].start if index + 1 < len(drives) else now
        yield from _drive(leg, [(at, said) for at, said in told if leg.start <= at <= until], installed)


def _drive(leg: Leg, told: Sequence[tuple[datetime, bool]], installed: Installed) -> Iterator[Finding]:
    """The state that stood last is the one that counts; the delay is until it was said first."""
    if not any(at >= leg.end for at, _ in told):
        yield Finding(check=Check.STATE, verdict=Verdict.WAITING, act=leg.act)
        return
    said = told[-1][1]
    right = (said is not installed.inverted) is (leg.act is Act.DRIVE_ON)
    yield Finding(check=Check.STATE, verdict=Verdict.PASSED if right else Verdict.FAILED, act=leg.act)
    first = next(at for at, each in told if each is said)
    delay_s = max((first - leg.end) / timedelta(seconds=1), 0.0)
    verdict = Verdict.PASSED if delay_s <= SLOW_S else Verdict.DOUBTFUL
    yield Finding(check=Check.DELAY, verdict=verdict, act=leg.act, expected=SLOW_S, found=delay_s)


def _signal(evidence: Sequence[Seen]) -> Finding:
    """The weakest frame counts: one that is lost was weaker still."""
    strengths = [each.frame.rssi_dbm for each in evidence if each.frame.rssi_dbm is not None]
    margins = [each.frame.snr_db for each in evidence if each.frame.snr_db is not None]
    if not evidence:
        return Finding(check=Check.SIGNAL, verdict=Verdict.WAITING)
    if not strengths:
        return Finding(check=Check.SIGNAL, verdict=Verdict.UNTOLD)
    weakest = min(strengths)
    noisy = bool(margins) and min(margins) < WEAK_DB
    verdict = Verdict.PASSED if weakest >= WEAK_DBM and not noisy else Verdict.DOUBTFUL
    if weakest < VERY_WEAK_DBM:
        verdict = Verdict.FAILED
    return Finding(check=Check.SIGNAL, verdict=verdict, expected=WEAK_DBM, found=weakest)


def _battery(evidence: Sequence[Seen]) -> Finding:
    told = healths(evidence)
    levels = [each.battery_pct for each in told if each.battery_pct is not None]
    if levels:
        verdict = Verdict.PASSED if levels[-1] >= LOW_BATTERY_PCT else Verdict.DOUBTFUL
        if levels[-1] < EMPTY_BATTERY_PCT:
            verdict = Verdict.FAILED
        return Finding(check=Check.BATTERY, verdict=verdict, expected=LOW_BATTERY_PCT, found=levels[-1])
    if any(each.battery_low for each in told):
        return Finding(check=Check.BATTERY, verdict=Verdict.DOUBTFUL)
    known = any(each.battery_v is not None or each.battery_low is False for each in told)
    return Finding(check=Check.BATTERY, verdict=Verdict.PASSED if known else Verdict.UNTOLD)


def _fault(evidence: Sequence[Seen]) -> Finding:
    """What it called a fault last, if it did not take it back."""
    told = healths(evidence)
    fault = told[-1].fault if told else None
    return Finding(check=Check.FAULT, verdict=Verdict.DOUBTFUL if fault else Verdict.PASSED, fault=fault)


def _clock(evidence: Sequence[Seen]) -> Finding:
    """Of what was dated by the device, the newest: what is told late may be old, so the smallest difference counts."""
    apart = [abs((heard - own) / timedelta(seconds=1)) for heard, own in own_times(evidence)]
    if not apart:
        return Finding(check=Check.CLOCK, verdict=Verdict.UNTOLD)
    verdict = Verdict.PASSED if min(apart) <= CLOCK_S else Verdict.FAILED
    return Finding(check=Check.CLOCK, verdict=verdict, expected=CLOCK_S, found=min(apart))
