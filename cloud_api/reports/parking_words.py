"""What a report on parking says, in French and in English. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cloud_api.registry.places import MaxStay
from cloud_api.reports.open_hours import in_words
from cloud_api.reports.parking_facts import ZoneStays
from cloud_api.reports.parking_indicators import Overstays
from cloud_api.reports.report import Asked, Cell, Column, Figure, Table, Unit
from cloud_api.reports.writing import Writing

Two = tuple[str, str]
"""French, English."""
MINUTES_AN_HOUR: Final = 60
NAMED: Final = 3
"""So many places are named in a sentence."""

TABLES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "zones": ("Par zone", "By zone"),
        "overstays": ("Dépassements de la durée permise", "Overstays"),
        "days": ("Par jour", "By day"),
        "hours": ("Heure par heure", "Hour by hour"),
    }
)
COLUMNS: Final[Mapping[str, tuple[tuple[str, str, str, Unit], ...]]] = MappingProxyType(
    {
        "zones": (
            ("zone", "Zone", "Zone", Unit.WORDS),
            ("spaces", "Places", "Spaces", Unit.SPACES),
            ("known", "dont connues", "of them known", Unit.SPACES),
            ("occupancy", "Occupation", "Occupancy", Unit.SHARE),
            ("highest", "Heure la plus pleine", "Fullest hour", Unit.SHARE),
            ("turnover", "Rotation", "Turnover", Unit.PER_SPACE_AND_DAY),
            ("median_stay", "Durée médiane (min)", "Median stay (min)", Unit.MINUTES),
            ("mean_stay", "Durée moyenne (min)", "Mean stay (min)", Unit.MINUTES),
            ("saturation", "Complet", "Full", Unit.HOURS),
        ),
        "overstays": (
            ("zone", "Zone", "Zone", Unit.WORDS),
            ("limit", "Durée permise", "Longest stay", Unit.WORDS),
            ("stays", "Départs", "Departures", Unit.CARS),
            ("over", "restées trop longtemps", "stayed too long", Unit.CARS),
            ("share", "Part", "Share", Unit.SHARE),
        ),
        "days": (
            ("day", "Jour", "Day", Unit.DAY),
            ("occupancy", "Occupation", "Occupancy", Unit.SHARE),
            ("highest", "Heure la plus pleine", "Fullest hour", Unit.SHARE),
            ("saturation", "Zones complètes", "Zones full", Unit.HOURS),
        ),
        "hours": (
            ("zone", "Zone", "Zone", Unit.WORDS),
            ("start", "Début", "Start", Unit.INSTANT),
            ("known", "Places connues", "Spaces known", Unit.SPACES),
            ("occupancy", "Occupation", "Occupancy", Unit.SHARE),
            ("full_min", "Complet (min)", "Full (min)", Unit.MINUTES),
        ),
    }
)
FIGURES: Final[Mapping[str, Two]] = MappingProxyType(
    {
        "spaces": ("Places observées", "Spaces observed"),
        "occupancy": ("Occupation moyenne", "Mean occupancy"),
        "arrivals": ("Voitures arrivées", "Cars that arrived"),
        "turnover": ("Rotation", "Turnover"),
        "median_stay": ("Durée médiane", "Median stay"),
        "mean_stay": ("Durée moyenne", "Mean stay"),
        "overstay": ("Restées au-delà de la durée permise", "Stayed for longer than they may"),
        "saturation": ("Zones complètes", "Zones full"),
    }
)


@dataclass(frozen=True, slots=True)
class ParkingWords:
    """The words of one report."""

    write: Writing
    asked: Asked
    zones: Sequence[ZoneStays]

    @property
    def title(self) -> str:
        """What it is."""
        return self.write.say("Stationnement", "Parking")

    @property
    def subtitle(self) -> str:
        """Where and when."""
        named = ", ".join(each.name for each in self.zones)
        if len(self.zones) > NAMED:
            named = self.write.say(f"{len(self.zones)} zones", f"{len(self.zones)} zones")
        return f"{named}, {self.write.span(self.asked.period)}"

    @property
    def nothing(self) -> str:
        """What is said where nothing is known."""
        period = self.write.span(self.asked.period)
        if not any(each.counted_by_space for each in self.zones):
            return self.write.say(
                "Aucune de ces zones n’est comptée place par place : durées et rotation ne peuvent pas y être connues.",
                "None of these zones is counted space by space: stays and turnover cannot be known there.",
            )
        return self.write.say(
            f"Aucun capteur n’a parlé {period} : il n’y a pas de chiffre à donner.",
            f"No sensor spoke {period}: there is no figure to give.",
        )

    @property
    def method(self) -> tuple[str, ...]:
        """How the figures are made."""
        say = self.write.say
        return (
            say(
                "Un stationnement est une voiture sur une place, du changement que le capteur a dit au suivant. Celui "
                "dont on ne connaît pas le début ou la fin occupe, mais ne compte dans aucune durée.",
                "A stay is a car on one space, from the change that its sensor told to the next. One whose beginning "
                "or end is not known occupies, and is in no figure about lengths.",
            ),
            say(
                "L’occupation d’une heure est la part du temps où les places connues étaient prises ; la rotation est "
                "le nombre d’arrivées par place et par jour ; une zone est complète quand toutes ses places connues "
                "sont prises.",
                "The occupancy of an hour is the share of time that the known spaces were taken; turnover is arrivals "
                "per space and day; a zone is full when all its known spaces are taken.",
            ),
            say(
                "Une voiture est restée trop longtemps quand son stationnement dépasse la durée permise à sa place, "
                "telle que le registre de la ville l’indique ; seul le temps pendant lequel la limite vaut est compté.",
                "A car stayed for too long when its stay is longer than its space’s limit, as the town’s registry has "
                "it; only the time at which the limit holds counts.",
            ),
            say(
                "Les définitions et leurs formules : docs/indicators.md.",
                "Definitions and their formulas: docs/indicators.md.",
            ),
        )

    def titled(self, key: str, rows: tuple[tuple[Cell, ...], ...]) -> Table:
        """A table."""
        columns = tuple(
            Column(key=name, title=self.write.say(fr, en), unit=unit) for name, fr, en, unit in COLUMNS[key]
        )
        return Table(key=key, title=self.write.say(*TABLES[key]), columns=columns, rows=rows)

    def figure(self, key: str, value: Cell, unit: Unit, note: str = "") -> Figure:
        """A key figure."""
        return Figure(key=key, name=self.write.say(*FIGURES[key]), value=value, unit=unit, note=note)

    def occupied(self, share: float) -> str:
        """The mean occupancy."""
        return self.write.say(
            f"{self.write.share(share)} des places observées étaient prises en moyenne {self._period}.",
            f"{self.write.share(share)} of the observed spaces were taken on the mean {self._period}.",
        )

    def fullest(self, weekday: int, hour: int, share: float) -> str:
        """The fullest hour of the week."""
        day = self.write.weekdays[weekday]
        return self.write.say(
            f"L’heure la plus pleine est le {day} de {hour}\u202fh à {hour + 1}\u202fh : {self.write.share(share)}.",
            f"The fullest hour is {day}, {hour}:00 to {hour + 1}:00: {self.write.share(share)}.",
        )

    def cars(self, arrivals: int, turnover: float) -> str:
        """Arrivals and turnover."""
        number = self.write.number
        return self.write.say(
            f"{number(arrivals)} voitures sont arrivées, soit {number(turnover, 2)} par place et par jour.",
            f"{number(arrivals)} cars arrived, that is {number(turnover, 2)} per space and day.",
        )

    def saturated(self, zones: Sequence[tuple[str, float]]) -> str:
        """Which zones were full, and for how long."""
        if not zones:
            return self.write.say(
                "Aucune zone n’a été complète une heure en tout.", "No zone was full for an hour in all."
            )
        told = ", ".join(f"{name} ({self.write.number(hours)}\u202fh)" for name, hours in zones[:NAMED])
        return self.write.say(f"Complètes le plus longtemps : {told}.", f"Full for longest: {told}.")

    def known(self, known: int) -> str:
        """How many spaces it rests on."""
        spaces = sum(each.spaces for each in self.zones)
        if known == spaces:
            return self.write.say(
                f"Ces chiffres reposent sur toutes les places ({self.write.number(known)}).",
                f"These figures rest on all spaces ({self.write.number(known)}).",
            )
        return self.write.say(
            f"Ces chiffres reposent sur {self.write.number(known)} des {self.write.number(spaces)} places : là "
            "où elles manquent, aucun capteur n’a parlé.",
            f"These figures rest on {self.write.number(known)} of the {self.write.number(spaces)} spaces; of the "
            "others no sensor spoke.",
        )

    def overstayed(self, over: Overstays | None) -> str:
        """How many stayed for longer than they may, or that it is not known."""
        if over is None:
            return self.write.say(
                "Les dépassements de durée ne sont pas connus : aucune durée maximale n’est indiquée pour ces places.",
                "Overstays are not known: no limit is set for these spaces.",
            )
        if over.share is None:
            return self.write.say(
                "Aucune voiture n’est repartie d’une place à durée limitée.", "No car left a space with a limit."
            )
        return self.write.say(
            f"{self.write.share(over.share)} des voitures garées sur une place à durée limitée y sont restées trop "
            f"longtemps ({self.over(over)}).",
            f"{self.write.share(over.share)} of the cars on spaces with a limit stayed for too long "
            f"({self.over(over)}).",
        )

    def over(self, over: Overstays) -> str:
        """So many of so many."""
        number = self.write.number
        return self.write.say(
            f"{number(over.over)} sur {number(over.stays)}", f"{number(over.over)} of {number(over.stays)}"
        )

    def limit(self, limit: MaxStay) -> str:
        """`1 h 30, lundi–samedi 9 h–19 h`."""
        hours, minutes = divmod(limit.minutes, MINUTES_AN_HOUR)
        length = f"{minutes}\u202fmin" if not hours else f"{hours}\u202fh" + (f"\u202f{minutes:02d}" if minutes else "")
        return length if limit.hours is None else f"{length}, {in_words(limit.hours, self.write)}"

    @property
    def no_limit(self) -> str:
        """Where nobody said that there is one."""
        return self.write.say("aucune n’est indiquée", "none is set")

    def stays(self, number: int) -> str:
        """What a length rests on."""
        return self.write.say(
            f"sur {self.write.number(number)} stationnements", f"over {self.write.number(number)} stays"
        )

    def quality_notes(self) -> tuple[str, ...]:
        """What else must be known."""
        as_of = self.write.instant(self.asked.as_of.astimezone(self.asked.period.start.tzinfo))
        notes = [
            self.write.say(
                f"État des données au {as_of} ; le même lien redonne le même rapport.",
                f"Data as of {as_of}; the same link gives the same report again.",
            ),
            self.write.say(
                "Une place dont le capteur se tait au milieu de la période garde son dernier état dans ces chiffres : "
                "le temps de son silence n’en est pas retiré.",
                "A space whose sensor falls silent within the period keeps its last state in these figures: the time "
                "of its silence is not taken out.",
            ),
        ]
        others = ", ".join(each.name for each in self.zones if not each.counted_by_space)
        if others:
            notes.append(
                self.write.say(
                    f"Pas comptées place par place, et laissées de côté : {others}.",
                    f"Not counted space by space, and left aside: {others}.",
                )
            )
        later = sum(each.later for each in self.zones)
        if later:
            notes.append(
                self.write.say(
                    f"Depuis la date de ce rapport, {self.write.number(later)} changements sont arrivés, qui n’y sont "
                    "pas comptés.",
                    f"Since this report’s date {self.write.number(later)} changes came in, which are not in it.",
                )
            )
        return tuple(notes)

    @property
    def _period(self) -> str:
        return self.write.span(self.asked.period)
