"""What a report on flows says in sentences, in French and in English. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from cloud_api.reports.comparison_words import ComparisonWords
from cloud_api.reports.flow_facts import PlaceCompared
from cloud_api.reports.flow_heads import FlowHeads
from cloud_api.reports.flow_indicators import Total
from cloud_api.reports.open_hours import in_words
from cloud_api.reports.report import Asked, Cell, KnownHours, LaterParts, Unit
from cloud_api.reports.streets import SectionSums
from cloud_api.reports.writing import Writing

NAMED: Final = 3
"""So many places are named in a subtitle."""


@dataclass(frozen=True, slots=True)
class FlowWords:
    """The words of one report."""

    write: Writing
    asked: Asked
    names: Sequence[str]

    @property
    def heads(self) -> FlowHeads:
        """Its titles and heads."""
        return FlowHeads(self.write, self.asked.filled)

    @property
    def comparison(self) -> ComparisonWords:
        """What it says of another period."""
        return ComparisonWords(self.write, self.asked)

    @property
    def title(self) -> str:
        """What it is."""
        return self.write.say("Fréquentation", "Footfall")

    @property
    def subtitle(self) -> str:
        """Where and when."""
        *first, last = self.names
        named = self.write.say(" et ", " and ").join([", ".join(first), last] if first else [last])
        if len(self.names) > NAMED:
            named = self.write.say(f"{len(self.names)} compteurs", f"{len(self.names)} counters")
        return f"{named}, {self.write.span(self.asked.period)}"

    @property
    def nothing(self) -> str:
        """What is said where nothing was measured."""
        period = self.write.span(self.asked.period)
        return self.write.say(
            f"Rien n’a été mesuré {period} : il n’y a pas de chiffre à donner, ce qui ne veut pas dire que personne "
            "n’est passé. Choisissez une période pendant laquelle un capteur était en service.",
            f"Nothing was measured {period}: there is no figure to give, which does not mean that nobody passed. "
            "Choose a period during which a sensor was at work.",
        )

    def without(self, names: Sequence[str]) -> str:
        """Which counters a table does without."""
        told = ", ".join(names)
        return self.write.say(f"Sans {told} : rien n’y a été mesuré.", f"Without {told}: nothing was measured there.")

    @property
    def all_together(self) -> str:
        """The head of a table's last row."""
        return self.write.say("Ensemble", "Together")

    @property
    def method(self) -> tuple[str, ...]:
        """How the figures are made."""
        say = self.write.say
        return (
            say(
                "Un passage est une personne (ou un véhicule) qui franchit la ligne d’un capteur, dans un sens. Les "
                "totaux sont ceux de l’interface ouverte de la ville, à l’unité près ; rien n’y est extrapolé.",
                "A passage is a person (or vehicle) crossing a sensor’s line, in one direction. Totals are those of "
                "the town’s open interface, to the unit; nothing in them is extrapolated.",
            ),
            say(
                "Une heure est mesurée quand neuf dixièmes au moins l’ont été ; elle est fiable quand rien ne "
                "contredit ses comptages (capteur bloqué, muet, sourd d’un côté, valeurs impossibles). Moyennes, "
                "semaine type et comparaisons ne reposent que sur des heures mesurées et fiables.",
                "An hour is measured when nine tenths of it were at least; it is sound when nothing speaks against its "
                "counts (a sensor stuck, silent, one-sided, impossible values). Means, the usual week and comparisons "
                "rest on measured and sound hours alone.",
            ),
            say(
                "Deux périodes se comparent à jours comparables : même jour de la semaine (un jour férié compte comme "
                "un dimanche), mêmes vacances scolaires, mêmes marchés, même nombre d’heures (23, 24 ou 25) ; chaque "
                "sorte de jour pèse autant dans l’une que dans l’autre, et les jours d’événement sont écartés.",
                "Two periods are compared over comparable days: the same weekday (a public holiday is a Sunday), the "
                "same school holidays and markets, as many hours (23, 24 or 25); each kind of day weighs as much in "
                "one as in the other, and days of events are left out.",
            ),
            self._filling,
            say(
                "Les définitions et leurs formules : docs/indicators.md.",
                "Definitions and their formulas: docs/indicators.md.",
            ),
        )

    @property
    def _filling(self) -> str:
        if self.asked.filled:
            return self.write.say(
                "Les heures écartées sont estimées, à votre demande, par la médiane des heures semblables des six "
                "semaines voisines (même heure, même sorte de jour, quatre au moins) ; les estimations ont leur "
                "colonne et n’entrent pas dans les totaux comptés.",
                "Hours left out are estimated, as you asked, by the median of like hours within six weeks (the same "
                "hour and kind of day, four at least); estimates have a column of their own and are no part of what "
                "was counted.",
            )
        return self.write.say(
            "Aucune lacune n’est comblée : ce que personne n’a mesuré manque.",
            "No gap is filled: what nobody measured is missing.",
        )

    def total(self, both: Cell, in_: Cell, out: Cell, known: int, days: int) -> str:
        """The first sentence."""
        figure, period = self.write.cell(both, Unit.PASSAGES), self.write.span(self.asked.period)
        directions = ""
        if len(self.names) == 1 and in_ is not None and out is not None:
            told_in, told_out = (self.write.cell(each, Unit.PASSAGES) for each in (in_, out))
            directions = self.write.say(f" ({told_in} entrées, {told_out} sorties)", f" ({told_in} in, {told_out} out)")
        gaps = (
            ""
            if known == days
            else self.write.say(
                f", mesurés pendant {known} des {days} jours", f", measured on {known} of the {days} days"
            )
        )
        return self.write.say(
            f"{figure} passages ont été comptés {period}{directions}{gaps}.",
            f"{figure} passages were counted {period}{directions}{gaps}.",
        )

    def busiest(self, day: date, passages: int) -> str:
        """The busiest day."""
        return self.write.say(
            f"Le jour le plus fréquenté a été le {self.write.long_day(day)}, avec {self.passages(passages)}.",
            f"The busiest day was {self.write.long_day(day)}, with {self.passages(passages)}.",
        )

    def peak(self, weekday: int, hour: int, mean: float) -> str:
        """The peak hour."""
        when = self.hour_of_week(weekday, hour)
        return self.write.say(
            f"L’heure la plus fréquentée de la semaine est le {when}, avec {self.write.number(mean)} passages en "
            "moyenne.",
            f"The busiest hour of the week is {when}, with {self.write.number(mean)} passages on the mean.",
        )

    def coverage(self, known: KnownHours) -> str:
        """How much was measured."""
        share, number = self.write.share(known.measured / known.hours), self.write.number
        left, missing = known.partial + known.doubtful, known.missing
        if known.measured == known.hours:
            return self.write.say(
                "Toutes les heures ont été mesurées et sont fiables.", "All hours were measured and are sound."
            )
        estimated = (
            ""
            if not known.estimated
            else self.write.say(f", {number(known.estimated)} sont estimées", f", {number(known.estimated)} estimated")
        )
        fr_left = _so_many(left, "aucune n’est écartée", "une est écartée", f"{number(left)} sont écartées")
        fr_missing = _so_many(missing, "aucune ne manque", "une manque", f"{number(missing)} manquent")
        en_left = _so_many(left, "none is", "one is", f"{number(left)} are")
        en_missing = _so_many(missing, "none is", "one is", f"{number(missing)} are")
        return self.write.say(
            f"{share} des heures ont été mesurées et sont fiables{estimated} ; {fr_left} des moyennes et {fr_missing}.",
            f"{share} of the hours were measured and are sound{estimated}; {en_left} left out of means and "
            f"{en_missing} missing.",
        )

    def later(self, later: Sequence[LaterParts]) -> str:
        """What came after the report's date."""
        more = sum(each.in_ + each.out for each in later)
        hours = sum(each.hours for each in later)
        return self.write.say(
            f"Depuis la date de ce rapport, des mesures tardives sont arrivées : {self.write.number(more)} passages "
            f"sur {self.write.number(hours)} heures, qui n’y sont pas comptés.",
            f"Since this report’s date late measurements came in: {self.write.number(more)} passages over "
            f"{self.write.number(hours)} hours, which are not in it.",
        )

    @property
    def town(self) -> str:
        """The head of the row of all streets."""
        return self.write.say("La ville", "The town")

    def streets(self, town: SectionSums, streets: int) -> str:
        """What all streets say together, each counted once."""
        per_day = (
            ""
            if town.per_day is None
            else self.write.say(
                f", soit {self.write.number(town.per_day)} par jour entier",
                f", that is {self.write.number(town.per_day)} per whole day",
            )
        )
        where = _so_many(
            streets,
            "",
            self.write.say("dans la rue", "in the street"),
            self.write.say(f"dans {streets} rues", f"in {streets} streets"),
        )
        return self.write.say(
            f"En comptant chaque rue une seule fois, quel que soit le nombre de ses compteurs : "
            f"{self.passages(town.passages)} {where}{per_day} ({self.known_share(town)}).",
            f"Counting each street once, however many counters it has: {self.passages(town.passages)} {where}{per_day} "
            f"({self.known_share(town)}).",
        )

    def known_share(self, its: SectionSums) -> str:
        """Of how many of the hours all counters are known."""
        share = self.write.share(its.known_h / its.hours, 0)
        return self.write.say(f"heures connues : {share}", f"hours known: {share}")

    @property
    def open_hours(self) -> str:
        """When shops are open."""
        return in_words(self.asked.open_hours, self.write)

    @property
    def open_note(self) -> str:
        """What is taken for opening hours."""
        return self.write.say(
            f"Heures d’ouverture retenues : {self.open_hours}. Seules les heures mesurées et fiables comptent ; une "
            "heure ouverte en partie donne ses passages à proportion.",
            f"Opening hours: {self.open_hours}. Over measured and sound hours alone; an hour that is open in part "
            "gives its passages in proportion.",
        )

    def open_share(self, share: float) -> str:
        """How much of it was while shops are open."""
        told = self.write.share(share, 0)
        return self.write.say(
            f"{told} des passages ont eu lieu aux heures d’ouverture des magasins ({self.open_hours}).",
            f"{told} of the passages were within the shops’ opening hours ({self.open_hours}).",
        )

    @property
    def year_note(self) -> str:
        """From when to when, and what it must not be used for."""
        last = self.write.day(self.asked.period.last_day)
        return self.write.say(
            f"Du 1er janvier au {last}. Des totaux bruts : à comparer seulement si la part mesurée est la même.",
            f"From 1 January to {last}. Plain totals: to be compared only where the share measured is the same.",
        )

    def year(self, year: Total) -> str:
        """What was counted since the first of January."""
        if year.both is None:
            return self.write.say(
                "Depuis le 1er janvier, rien n’a été compté.", "Since 1 January nothing has been counted."
            )
        return self.write.say(
            f"Depuis le 1er janvier {year.start.year}, {self.passages(year.both)} ont été comptés "
            f"({self.year_measured(year)}).",
            f"Since 1 January {year.start.year}, {self.passages(year.both)} have been counted "
            f"({self.year_measured(year)}).",
        )

    def year_measured(self, year: Total) -> str:
        """How much of the year so far that stands for."""
        share = self.write.share(year.coverage, 0)
        return self.write.say(f"temps mesuré : {share}", f"time measured: {share}")

    def passages(self, count: int) -> str:
        """So many."""
        return self.write.figure(count, Unit.PASSAGES)

    def per_hour(self, mean: float) -> str:
        """So many an hour."""
        return self.write.figure(round(mean), Unit.PER_HOUR)

    def over(self, days: int) -> str:
        """What a mean rests on."""
        return self.write.say(f"sur {days} jours mesurés en entier", f"over {days} days measured whole")

    def hour_of_week(self, weekday: int, hour: int) -> str:
        """`samedi, 16 h – 17 h`."""
        day = self.write.weekdays[weekday]
        return self.write.say(f"{day} de {hour}\u202fh à {hour + 1}\u202fh", f"{day} {hour}:00 to {hour + 1}:00")

    def quality_notes(
        self,
        later: Sequence[LaterParts],
        compared: Sequence[PlaceCompared],
        begins: Sequence[tuple[str, datetime | None]],
    ) -> tuple[str, ...]:
        """What else must be known."""
        as_of = self.write.instant(self.asked.as_of.astimezone(self.asked.period.start.tzinfo))
        notes = [
            self.write.say(
                f"État des données au {as_of} ; le même lien redonne le même rapport.",
                f"Data as of {as_of}; the same link gives the same report again.",
            )
        ]
        notes += [self._began(name, at) for name, at in begins if at is not None]
        if self.asked.compared is not None:
            without = [each.name for each in compared if each.compared is None]
            if without:
                names = ", ".join(without)
                notes.append(self.write.say(f"Sans jour comparable : {names}.", f"Without a comparable day: {names}."))
        if later:
            notes.append(self.later(later))
        return tuple(notes)

    def _began(self, name: str, at: datetime) -> str:
        if at >= self.asked.period.end:
            return self.write.say(
                f"{name} : aucun capteur n’y était en service dans cette période.",
                f"{name}: no sensor was at work there in this period.",
            )
        return self.write.say(
            f"{name} : en service depuis le {self.write.instant(at)} seulement ; ce qui est passé avant n’est pas "
            "connu.",
            f"{name}: at work only since {self.write.instant(at)}; what passed before is not known.",
        )


def _so_many(number: int, none: str, one: str, many: str) -> str:
    return (none, one, many)[min(number, 2)]
