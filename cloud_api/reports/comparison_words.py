"""What a report on flows says of another period, in French and in English. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cloud_api.reports.comparison import LeftOut as DayLeftOut
from cloud_api.reports.flow_facts import Daylight, PlaceCompared
from cloud_api.reports.flow_heads import Two
from cloud_api.reports.report import Asked
from cloud_api.reports.writing import Writing

WHY_LEFT: Final[Mapping[DayLeftOut, Two]] = MappingProxyType(
    {
        DayLeftOut.NOT_MEASURED: ("pas mesurés en entier", "not measured whole"),
        DayLeftOut.SPECIAL: ("hors de l’ordinaire (événement)", "special (an event)"),
        DayLeftOut.NO_COUNTERPART: ("sans jour comparable en face", "without a comparable day"),
    }
)


@dataclass(frozen=True, slots=True)
class ComparisonWords:
    """The words of one report."""

    write: Writing
    asked: Asked

    def compared(self, change: tuple[float, float, list[str]] | None, places: int, what: Two) -> str:
        """What the comparison says, or that it cannot be told."""
        if self.asked.compared is None:
            return ""
        other = self.write.span(self.asked.compared)
        if change is None:
            return self.write.say(
                f"La comparaison avec l’autre période ({other}) ne peut pas être faite : aucun jour comparable n’a été "
                "mesuré en entier des deux côtés.",
                f"It cannot be compared with the other period ({other}): no comparable day was measured whole in both.",
            )
        now, then, names = change
        of = (
            ""
            if len(names) == places
            else self.write.say(
                f", sur {len(names)} des {places} {what[0]}s", f", on {len(names)} of the {places} {what[1]}s"
            )
        )
        if not then:
            return self.write.say(
                f"Personne n’est passé {other} à jours comparables{of}.",
                f"Nobody passed {other} on comparable days{of}.",
            )
        fr, en = self._more_or_less(now / then - 1)
        return self.write.say(
            f"À jours comparables{of}, la fréquentation est {fr} par rapport à l’autre période ({other}) : "
            f"{self.write.number(now)} passages par jour contre {self.write.number(then)}.",
            f"Over comparable days{of}, footfall is {en} against the other period ({other}): "
            f"{self.write.number(now)} passages per day against {self.write.number(then)}.",
        )

    def _more_or_less(self, change: float) -> tuple[str, str]:
        told = self.write.share(abs(change))
        if told == self.write.share(0):
            return "inchangée", "unchanged"
        return (f"en hausse de {told}", f"up by {told}") if change > 0 else (f"en baisse de {told}", f"down by {told}")

    def daylight(self, daylight: Daylight) -> str:
        """That one period's days are much longer than the other's: what no comparison of days takes off."""
        longer = daylight.now_h - daylight.then_h
        length = self.write.length(abs(longer))
        return self.write.say(
            f"Le jour y dure en moyenne {length} de {'plus' if longer > 0 else 'moins'} que dans l’autre période : une "
            "part de l’écart tient à la saison.",
            f"Its days are {length} {'longer' if longer > 0 else 'shorter'} on the mean than the other period’s: part "
            "of the difference is the season’s.",
        )

    def change_note(self, now: float, then: float, places: int, what: Two) -> str:
        """Both means."""
        number = self.write.number
        return self.write.say(
            f"{number(now)} par jour contre {number(then)}, {_several(places, what[0])}",
            f"{number(now)} per day against {number(then)}, {_several(places, what[1])}",
        )

    def comparison_note(self, compared: Sequence[PlaceCompared], daylight: Daylight | None) -> str:
        """How long the days are, how many were left out, and why."""
        return " ".join(each for each in (self._lengths(daylight), self._left_out(compared)) if each)

    def _lengths(self, daylight: Daylight | None) -> str:
        if daylight is None:
            return ""
        now, then = self.write.length(daylight.now_h), self.write.length(daylight.then_h)
        return self.write.say(
            f"Du lever au coucher du soleil, un jour dure en moyenne {now} dans cette période, {then} dans l’autre.",
            f"From sunrise to sunset a day of this period lasts {now} on the mean, one of the other {then}.",
        )

    def _left_out(self, compared: Sequence[PlaceCompared]) -> str:
        counted: dict[DayLeftOut, int] = {}
        for each in compared:
            if each.compared is not None:
                for left in (*each.compared.left_out_now, *each.compared.left_out_then):
                    counted[left.why] = counted.get(left.why, 0) + 1
        if not counted:
            return ""
        reasons = ", ".join(f"{number} {self.write.say(*WHY_LEFT[why])}" for why, number in sorted(counted.items()))
        return self.write.say(f"Jours écartés : {reasons}.", f"Days left out: {reasons}.")


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"
