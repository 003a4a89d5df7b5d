"""What a test on the spot found, in a technician's words: French first, English second. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

from cloud_api.provisioning.acceptance import Act, Check, Finding, Mend, Verdict
from cloud_api.reports.report import Language

Directions = tuple[str, str]
"""What the two directions are called in this street (`vers la gare`)."""

VERDICTS: Final[Mapping[Language, Mapping[Verdict, str]]] = {
    Language.FRENCH: {
        Verdict.PASSED: "bon",
        Verdict.DOUBTFUL: "à surveiller",
        Verdict.FAILED: "mauvais",
        Verdict.WAITING: "en attente du capteur",
        Verdict.UNTOLD: "le capteur ne le dit pas",
    },
    Language.ENGLISH: {
        Verdict.PASSED: "good",
        Verdict.DOUBTFUL: "to be watched",
        Verdict.FAILED: "bad",
        Verdict.WAITING: "waiting for the sensor",
        Verdict.UNTOLD: "this sensor does not tell",
    },
}
CHECKS: Final[Mapping[Language, Mapping[Check, str]]] = {
    Language.FRENCH: {
        Check.COUNT: "Comptage",
        Check.DIRECTION: "Sens",
        Check.STATE: "État de la place",
        Check.DELAY: "Délai d’annonce",
        Check.SIGNAL: "Signal radio",
        Check.BATTERY: "Pile",
        Check.FAULT: "Défauts",
        Check.CLOCK: "Horloge du capteur",
    },
    Language.ENGLISH: {
        Check.COUNT: "Count",
        Check.DIRECTION: "Direction",
        Check.STATE: "State of the space",
        Check.DELAY: "Time to report",
        Check.SIGNAL: "Radio signal",
        Check.BATTERY: "Battery",
        Check.FAULT: "Faults",
        Check.CLOCK: "Clock of the sensor",
    },
}
MENDS: Final[Mapping[Language, Mapping[Mend, str]]] = {
    Language.FRENCH: {
        Mend.TURN_ROUND: "Les deux sens sont inversés : retourner le sens",
        Mend.INVERT_PRESENCE: "Le capteur dit « occupée » pour libre : inverser la présence",
    },
    Language.ENGLISH: {
        Mend.TURN_ROUND: "The two directions are the wrong way round: turn them",
        Mend.INVERT_PRESENCE: "The sensor says occupied for free: invert its presence",
    },
}


def verdict_words(verdict: Verdict, language: Language) -> str:
    """A verdict."""
    return VERDICTS[language][verdict]


def check_words(check: Check, language: Language) -> str:
    """What was looked at."""
    return CHECKS[language][check]


def mend_words(mend: Mend, language: Language) -> str:
    """What one tap would mend."""
    return MENDS[language][mend]


def act_words(act: Act, directions: Directions, language: Language) -> str:
    """What was done."""
    first, second = directions
    if language is Language.FRENCH:
        words = {Act.WALK_IN: first, Act.WALK_OUT: second, Act.DRIVE_ON: "arrivée", Act.DRIVE_OFF: "départ"}
    else:
        words = {Act.WALK_IN: first, Act.WALK_OUT: second, Act.DRIVE_ON: "driven on", Act.DRIVE_OFF: "driven off"}
    return words[act]


def finding_words(finding: Finding, language: Language) -> str:
    """What was found, with its figures; the bare verdict where there are none."""
    say = _FRENCH if language is Language.FRENCH else _ENGLISH
    figures = say[finding.check](finding) if finding.found is not None or finding.fault is not None else ""
    return figures or verdict_words(finding.verdict, language)


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}".replace("-", "\N{MINUS SIGN}")


_FRENCH: Final[Mapping[Check, Callable[[Finding], str]]] = {
    Check.COUNT: lambda it: f"{_whole(it.found)} comptés pour {_whole(it.expected)} passages",
    Check.DIRECTION: lambda it: f"{_whole(it.found)} sur {_whole(it.expected)} dans le bon sens",
    Check.STATE: lambda _: "",
    Check.DELAY: lambda it: f"annoncé après {_whole(it.found)} s",
    Check.SIGNAL: lambda it: f"{_whole(it.found)} dBm au plus faible",
    Check.BATTERY: lambda it: f"{_whole(it.found)} %",
    Check.FAULT: lambda it: f"le capteur signale : {it.fault}",
    Check.CLOCK: lambda it: f"{_whole(it.found)} s d’écart",
}
_ENGLISH: Final[Mapping[Check, Callable[[Finding], str]]] = {
    Check.COUNT: lambda it: f"{_whole(it.found)} counted of {_whole(it.expected)} passages",
    Check.DIRECTION: lambda it: f"{_whole(it.found)} of {_whole(it.expected)} in the right direction",
    Check.STATE: lambda _: "",
    Check.DELAY: lambda it: f"reported after {_whole(it.found)} s",
    Check.SIGNAL: lambda it: f"{_whole(it.found)} dBm at its weakest",
    Check.BATTERY: lambda it: f"{_whole(it.found)} %",
    Check.FAULT: lambda it: f"the sensor reports: {it.fault}",
    Check.CLOCK: lambda it: f"{_whole(it.found)} s apart",
}
