"""Titles, heads of columns and names of figures of a report on flows, in French and in English. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cloud_api.reports.flow_indicators import DAY_PARTS, DayPart
from cloud_api.reports.report import Cell, Column, Figure, Unit
from cloud_api.reports.writing import Writing

Two = tuple[str, str]
"""French, English."""

COUNTER: Final[Two] = ("compteur", "counter")
STREET: Final[Two] = ("rue", "street")
NIGHT_BEGINS: Final = max(hours.stop for hours in DAY_PARTS.values())
NIGHT_ENDS: Final = min(hours.start for hours in DAY_PARTS.values())

TABLES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "places": ("Par compteur", "By counter"),
        "open": ("Heures d’ouverture", "Opening hours"),
        "year": ("Depuis le 1er janvier", "Since 1 January"),
        "comparison_streets": ("Comparaison par rue", "Comparison by street"),
        "streets": ("Par rue", "By street"),
        "sections": ("Sections d’une même rue", "Sections of one street"),
        "months": ("Par mois", "By month"),
        "weeks": ("Par semaine", "By week"),
        "days": ("Par jour", "By day"),
        "week": ("Semaine type", "A usual week"),
        "parts": ("Moments de la journée", "Parts of the day"),
        "comparison": ("Comparaison à jours comparables", "Comparison over comparable days"),
    }
)
NOTES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "places": (
            "Des passages, non des personnes : qui passe devant deux compteurs est compté à chacun.",
            "Passages, not persons: whoever passes two counters is counted at each.",
        ),
        "streets": (
            "Qui longe une rue passe devant toutes ses sections : elles ne s’additionnent pas, le chiffre de la rue "
            "est leur moyenne. Les compteurs d’une même section, côte à côte, s’additionnent. Une heure n’est connue "
            "que si tous les compteurs de la rue l’ont mesurée. Des passages, non des personnes.",
            "Whoever walks along a street passes all its sections: they are not added, the street’s figure is their "
            "mean. Counters of one section, side by side, are added. An hour is known only where all counters of the "
            "street measured it. Passages, not persons.",
        ),
        "weeks": (
            "Une semaine commence le lundi ; la première et la dernière peuvent être coupées par la période.",
            "A week begins on Monday; the first and the last may be cut by the period.",
        ),
        "week": (
            "Passages moyens par jour et par tranche, sur les heures mesurées et fiables ; « n » est le plus petit "
            "nombre d’heures sur lequel repose une moyenne.",
            "Mean passages per day and part of the day, over measured and sound hours; “n” is the smallest number of "
            "hours that a mean rests on.",
        ),
    }
)
HEADS: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "places": ("Compteur", "Counter"),
        "months": ("Mois", "Month"),
        "weeks": ("Semaine du", "Week of"),
        "days": ("Jour", "Day"),
    }
)
FIGURES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "total": ("Passages comptés", "Passages counted"),
        "in": ("Entrées", "In"),
        "out": ("Sorties", "Out"),
        "streets": ("Passages, chaque rue comptée une fois", "Passages, each street counted once"),
        "filled": ("Passages, estimations comprises", "Passages with estimates"),
        "per_day": ("Moyenne d’un jour entier", "Mean of a whole day"),
        "busiest_day": ("Jour le plus fréquenté", "Busiest day"),
        "peak": ("Heure de pointe", "Peak hour"),
        "open_share": ("Part aux heures d’ouverture", "Share within opening hours"),
        "year": ("Depuis le 1er janvier", "Since 1 January"),
        "change": ("Évolution, à jours comparables", "Change, over comparable days"),
        "coverage": ("Part du temps mesurée", "Share of time measured"),
    }
)
PARTS: Final[Mapping[DayPart, Two]] = MappingProxyType(
    {
        DayPart.MORNING: ("matin", "morning"),
        DayPart.MIDDAY: ("midi", "midday"),
        DayPart.AFTERNOON: ("après-midi", "afternoon"),
        DayPart.EVENING: ("soirée", "evening"),
        DayPart.NIGHT: ("nuit", "night"),
    }
)
COLUMNS: Final[Mapping[str, tuple[tuple[str, str, str, Unit], ...]]] = MappingProxyType(
    {
        "parts": (
            ("what", "Moment", "Part", Unit.WORDS),
            ("share", "Part des passages", "Share of passages", Unit.SHARE),
        ),
        "open": (
            ("what", "Compteur", "Counter", Unit.WORDS),
            ("sound", "Passages, heures fiables", "Passages, sound hours", Unit.PASSAGES),
            ("open", "dont magasins ouverts", "of it while shops are open", Unit.PASSAGES),
            ("share", "Part", "Share", Unit.SHARE),
        ),
        "streets": (
            ("what", "Rue", "Street", Unit.WORDS),
            ("sections", "Sections", "Sections", Unit.COUNT),
            ("counters", "Compteurs", "Counters", Unit.COUNT),
            ("passages", "Passages, heures connues", "Passages, known hours", Unit.PASSAGES),
            ("per_day", "Jour entier", "Whole day", Unit.PER_DAY),
            ("days", "Jours entiers", "Whole days", Unit.DAYS),
            ("known", "Heures connues", "Hours known", Unit.SHARE),
        ),
        "sections": (
            ("what", "Rue", "Street", Unit.WORDS),
            ("section", "Section", "Section", Unit.WORDS),
            ("counters", "Compteurs", "Counters", Unit.COUNT),
            ("passages", "Passages, heures connues", "Passages, known hours", Unit.PASSAGES),
            ("per_day", "Jour entier", "Whole day", Unit.PER_DAY),
            ("days", "Jours entiers", "Whole days", Unit.DAYS),
            ("known", "Heures connues", "Hours known", Unit.SHARE),
        ),
        "year": (
            ("what", "Compteur", "Counter", Unit.WORDS),
            ("in", "Entrées", "In", Unit.PASSAGES),
            ("out", "Sorties", "Out", Unit.PASSAGES),
            ("counted", "Comptés", "Counted", Unit.PASSAGES),
            ("hours", "Heures", "Hours", Unit.HOURS),
            ("measured_h", "mesurées", "measured", Unit.HOURS),
            ("coverage", "Part mesurée", "Share measured", Unit.SHARE),
        ),
        "comparison": (
            ("what", "Compteur", "Counter", Unit.WORDS),
            ("days", "Jours comparés", "Days compared", Unit.DAYS),
            ("now", "Cette période, par jour", "This period, per day", Unit.PER_DAY),
            ("then", "L’autre, par jour", "The other, per day", Unit.PER_DAY),
            ("change", "Évolution", "Change", Unit.CHANGE),
        ),
        "comparison_streets": (
            ("what", "Rue", "Street", Unit.WORDS),
            ("days", "Jours comparés", "Days compared", Unit.DAYS),
            ("now", "Cette période, par jour", "This period, per day", Unit.PER_DAY),
            ("then", "L’autre, par jour", "The other, per day", Unit.PER_DAY),
            ("change", "Évolution", "Change", Unit.CHANGE),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class FlowHeads:
    """Those of one report."""

    write: Writing
    filled: bool
    """Whether there are columns of estimates."""

    def table(self, key: str) -> str:
        """A table's title."""
        return self.write.say(*TABLES[key])

    def table_note(self, key: str) -> str:
        """What must be known of a table; often nothing."""
        return self.write.say(*NOTES[key]) if key in NOTES else ""

    def head(self, key: str) -> str:
        """The head of a table's first column."""
        return self.write.say(*HEADS[key])

    def figure(self, key: str, value: Cell, unit: Unit, note: str = "") -> Figure:
        """A key figure."""
        return Figure(key=key, name=self.write.say(*FIGURES[key]), value=value, unit=unit, note=note)

    def part(self, part: DayPart) -> str:
        """A part of the day."""
        return self.write.say(*PARTS[part])

    def part_of_day(self, part: DayPart) -> str:
        """A part of the day with its hours."""
        hours = DAY_PARTS.get(part)
        first, last = (NIGHT_BEGINS, NIGHT_ENDS) if hours is None else (hours.start, hours.stop)
        return self.write.say(
            f"{self.part(part)}, de {first}\u202fh à {last}\u202fh", f"{self.part(part)}, {first}:00 to {last}:00"
        )

    def flow_columns(self) -> tuple[Column, ...]:
        """Passages, then how much of the time is known."""
        filled = self.filled
        columns = (
            ("in", "Entrées", "In", Unit.PASSAGES),
            ("out", "Sorties", "Out", Unit.PASSAGES),
            ("counted", "Comptés", "Counted", Unit.PASSAGES),
            ("sound", "dont heures fiables", "of it in sound hours", Unit.PASSAGES),
            *([("estimated", "Estimés en plus", "Estimated besides", Unit.PASSAGES)] if filled else []),
            ("hours", "Heures", "Hours", Unit.HOURS),
            ("measured_h", "mesurées", "measured", Unit.HOURS),
            *([("estimated_h", "estimées", "estimated", Unit.HOURS)] if filled else []),
            ("left_out_h", "écartées", "left out", Unit.HOURS),
            ("missing_h", "manquantes", "missing", Unit.HOURS),
        )
        return tuple(Column(key=key, title=self.write.say(fr, en), unit=unit) for key, fr, en, unit in columns)

    def week_columns(self) -> tuple[Column, ...]:
        """A weekday, its mean, that of its parts, and what they rest on."""
        say = self.write.say
        return (
            Column(key="what", title=say("Jour", "Day"), unit=Unit.WORDS),
            Column(key="mean", title=say("Jour entier", "Whole day"), unit=Unit.PER_DAY),
            *(Column(key=part.value, title=self.part(part), unit=Unit.PER_DAY) for part in DAY_PARTS),
            Column(key="over", title="n", unit=Unit.HOURS),
        )

    def columns(self, key: str) -> tuple[Column, ...]:
        """The columns of one of the smaller tables."""
        return tuple(Column(key=name, title=self.write.say(fr, en), unit=unit) for name, fr, en, unit in COLUMNS[key])
