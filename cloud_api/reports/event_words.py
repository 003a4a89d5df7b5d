"""What a report on an event says, in French and in English. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from types import MappingProxyType
from typing import Final

from cloud_api.reports.calendar import WHOLE_DAY
from cloud_api.reports.events import CannotTell, EventEffect, Told, Uplift, WhyNot
from cloud_api.reports.open_hours import in_words
from cloud_api.reports.report import Asked, Cell, Column, Figure, Role, Unit
from cloud_api.reports.writing import Writing

Two = tuple[str, str]
"""French, English."""

TABLES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "streets": ("Rues de l’événement", "Streets of the event"),
        "hours": ("Heure par heure", "Hour by hour"),
        "elsewhere": ("Ailleurs en ville", "Elsewhere in town"),
    }
)
HEADS: Final[Mapping[str, Two]] = MappingProxyType(
    {"streets": ("Rue", "Street"), "hours": ("Heure", "Hour"), "elsewhere": ("Rue", "Street")}
)
FIGURES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "counted": ("Passages comptés pendant l’événement", "Passages counted during the event"),
        "expected": ("Attendus sans lui", "Expected without it"),
        "gained": ("Apport", "Gain"),
        "change": ("Apport, en part de l’attendu", "Gain, as a share of the expectation"),
        "comparable": ("Jours comparables", "Comparable days"),
        "measured": ("Heures de l’événement mesurées", "Hours of the event measured"),
    }
)
VERDICTS: Final[Mapping[Told, Two]] = MappingProxyType(
    {
        Told.MORE: ("plus que d’ordinaire", "more than usual"),
        Told.FEWER: ("moins que d’ordinaire", "fewer than usual"),
        Told.USUAL: ("comme d’ordinaire", "as usual"),
    }
)
WHY_NOT: Final[Mapping[WhyNot, Two]] = MappingProxyType(
    {
        WhyNot.EVENT: ("jours d’événement", "days of events"),
        WhyNot.OTHER_KIND: ("jours d’une autre sorte", "days of another kind"),
        WhyNot.NOT_MEASURED: ("pas mesurés ou pas fiables", "not measured or not sound"),
        WhyNot.CLOCK_CHANGE: ("changement d’heure", "change of time"),
    }
)


@dataclass(frozen=True, slots=True)
class EventWords:
    """The words of one report."""

    write: Writing
    asked: Asked
    effect: EventEffect

    @property
    def title(self) -> str:
        """What it is."""
        return self.write.say(f"Événement : {self.effect.event.name}", f"Event: {self.effect.event.name}")

    @property
    def subtitle(self) -> str:
        """When and where."""
        streets = ", ".join(each.street for each in self.effect.streets)
        told = (self.write.span(self.asked.period), *self._hours, streets)
        return ", ".join(told)

    @property
    def _hours(self) -> tuple[str, ...]:
        hours = self.effect.event.hours
        return () if hours == WHOLE_DAY else (in_words(hours.replace("h", ":"), self.write),)

    @property
    def together(self) -> str:
        """All streets of the event."""
        return self.write.say("Ensemble", "Together")

    @property
    def method(self) -> tuple[str, ...]:
        """How it is found."""
        say = self.write.say
        return (
            say(
                "L’attendu vient des jours comparables de la même saison : même jour de la semaine, mêmes vacances et "
                "jours fériés, mêmes marchés, sans autre événement, mesurés aux heures de l’événement ; la saison de "
                "l’année précédente compte aussi, à son niveau.",
                "The expectation comes from comparable days of the same season: the same weekday, holidays and "
                "markets, "
                "without another event, measured in the hours of the event; the season of the year before counts too, "
                "at its own level.",
            ),
            say(
                f"L’intervalle couvre ce qui serait venu sans l’événement {self._rate} : un écart qui y tient n’est "
                "pas "
                "un effet. Ailleurs en ville, les intervalles sont plus larges, pour que l’ensemble tienne à ce "
                ""
                "taux.",
                f"The interval covers what would have come without the event {self._rate}: a difference within it is "
                "no "
                "effect. Elsewhere in town intervals are wider, so that all of them together hold at that rate.",
            ),
            say("Les formules : docs/indicators.md.", "The formulas: docs/indicators.md."),
        )

    @property
    def _rate(self) -> str:
        return self.write.say("neuf fois sur dix", "nine times in ten")

    def summary(self) -> Iterator[str]:
        """What the event did, or why it cannot be told."""
        whole = self.effect.whole.whole
        if isinstance(whole, CannotTell):
            yield self.write.say(
                f"L’effet de l’événement ne peut pas être établi : {whole.cause.fr}.",
                f"The effect of the event cannot be told: {whole.cause.en}.",
            )
            return
        yield self._effect(whole)
        number = self.write.number
        yield self.write.say(
            f"{number(whole.counted)} passages ont été comptés pendant ses heures, quand "
            f"{number(whole.comparable_days)} jours comparables en laissaient attendre {number(whole.expected)} "
            f"(entre {number(whole.low)} et {number(whole.high)}, {self._rate}).",
            f"{number(whole.counted)} passages were counted in its hours, where {number(whole.comparable_days)} "
            f"comparable days lead to expect {number(whole.expected)} "
            f"(between {number(whole.low)} and {number(whole.high)}, {self._rate}).",
        )
        yield from self._spill_over()

    def _effect(self, whole: Uplift) -> str:
        change, number = self.write.change(whole.change), self.write.number
        match whole.told:
            case Told.MORE:
                return self.write.say(
                    f"L’événement a amené du monde : {number(whole.gained)} passages de plus que d’ordinaire "
                    f"({change}).",
                    f"The event brought people: {number(whole.gained)} passages more than usual ({change}).",
                )
            case Told.FEWER:
                return self.write.say(
                    f"Il est passé moins de monde que d’ordinaire : {number(-whole.gained)} passages de moins "
                    f"({change}).",
                    f"Fewer people passed than usual: {number(-whole.gained)} passages less ({change}).",
                )
            case Told.USUAL:
                return self.write.say(
                    f"Aucun effet ne se distingue de l’ordinaire : l’écart ({change}) tient dans ce que des jours "
                    "comparables font "
                    ""
                    ""
                    "d’eux-mêmes.",
                    f"No effect can be told from the usual: the difference ({change}) is within what comparable days "
                    "do by themselves.",
                )

    def _spill_over(self) -> Iterator[str]:
        changed = [
            (each.street, each.whole)
            for each in self.effect.elsewhere
            if isinstance(each.whole, Uplift) and each.whole.told is not Told.USUAL
        ]
        if not self.effect.elsewhere:
            return
        if not changed:
            yield self.write.say(
                "Ailleurs en ville, aucun effet ne se distingue de l’ordinaire.",
                "Elsewhere in town no effect can be told from the usual.",
            )
        for street, its in changed:
            yield self.write.say(
                f"Ailleurs : {street}, {self.write.change(its.change)}, {self.verdict(its)}.",
                f"Elsewhere: {street}, {self.write.change(its.change)}, {self.verdict(its)}.",
            )

    def figure(self, key: str, value: Cell, unit: Unit, note: str = "") -> Figure:
        """A key figure."""
        return Figure(key=key, name=self.write.say(*FIGURES[key]), value=value, unit=unit, note=note)

    def table(self, key: str) -> str:
        """A table's title."""
        return self.write.say(*TABLES[key])

    def note(self, key: str) -> str:
        """What must be known of a table."""
        if key != "elsewhere":
            return ""
        return self.write.say(
            "Intervalles élargis : tous ensemble tiennent au taux dit.",
            "Intervals are widened: all of them together hold at the stated rate.",
        )

    def columns(self, key: str) -> tuple[Column, ...]:
        """What is counted, what was to be expected with its interval, and the difference."""
        columns = (
            ("counted", "Comptés", "Counted", Unit.PASSAGES),
            ("expected", "Attendus", "Expected", Unit.PASSAGES),
            ("low", "de", "from", Unit.PASSAGES),
            ("high", "à", "to", Unit.PASSAGES),
            ("gained", "Apport", "Gain", Unit.PASSAGES),
            ("change", "en %", "in %", Unit.CHANGE),
            ("verdict", "Verdict", "Verdict", Unit.WORDS),
        )
        return (
            Column(key="what", title=self.write.say(*HEADS[key]), unit=Unit.WORDS),
            *(Column(key=name, title=self.write.say(fr, en), unit=unit) for name, fr, en, unit in columns),
        )

    def verdict(self, its: Uplift) -> str:
        """In three words."""
        return self.write.say(*VERDICTS[its.told])

    def hour(self, hour: int) -> str:
        """An hour by the town's clock."""
        return self.write.say(f"{hour}\u202fh – {hour + 1}\u202fh", f"{hour}:00 – {hour + 1}:00")

    def interval(self, low: float, high: float) -> str:
        """From what to what."""
        number = self.write.number
        return self.write.say(
            f"entre {number(low)} et {number(high)}, {self._rate}",
            f"between {number(low)} and {number(high)}, {self._rate}",
        )

    def change_interval(self, its: Uplift) -> str:
        """From what to what, as shares."""
        low = self.write.change(its.change_low)
        high = "∞" if isinf(its.change_high) else self.write.change(its.change_high)
        return self.write.say(f"entre {low} et {high}, {self._rate}", f"between {low} and {high}, {self._rate}")

    def hours_of(self, its: Uplift) -> str:
        """So many of so many."""
        return self.write.say(
            f"{its.measured} heures sur {its.hours}, mesurées et comparables",
            f"{its.measured} of {its.hours} hours, measured and comparable",
        )

    def chart_series(self) -> dict[Role, str]:
        """What the lines are."""
        say = self.write.say
        return {Role.NOW: say("comptés", "counted"), Role.THEN: say("attendus sans l’événement", "expected without it")}

    def chart_alternative(self, told: Sequence[tuple[int, Uplift]]) -> str:
        """The chart in words."""
        best_hour, best = max(told, key=lambda each: each[1].gained)
        return self.write.say(
            f"Deux lignes heure par heure, comptés et attendus ; l’écart est le plus grand à {best_hour} h, "
            f"{self.write.number(best.gained)} passages.",
            f"Two lines hour by hour, counted and expected; they are furthest apart at {best_hour}:00, "
            f"{self.write.number(best.gained)} passages.",
        )

    def quality_notes(self) -> tuple[str, ...]:
        """What else must be known."""
        as_of = self.write.instant(self.asked.as_of.astimezone(self.asked.period.start.tzinfo))
        reasons = Counter(each.why for each in self.effect.whole.left_out)
        told = ", ".join(f"{number} {self.write.say(*WHY_NOT[why])}" for why, number in sorted(reasons.items()))
        notes = [
            self.write.say(
                f"État des données au {as_of} ; le même lien redonne le même rapport.",
                f"Data as of {as_of}; the same link gives the same report again.",
            )
        ]
        if told:
            notes.append(
                self.write.say(f"Jours de la saison écartés : {told}.", f"Days of the season left out: {told}.")
            )
        return tuple(notes)
