"""What the page can say: one value per language, complete by construction.

Templates and the browser's modules read the same value, so that what one writes and the other rewrites agree.
"""

from datetime import datetime

from msgspec import Struct

from cloud_api.feeds.lots import Tendency
from cloud_api.flows_now import Busyness
from cloud_api.forecast.quality import Method
from cloud_api.registry.places import Audience
from cloud_api.trust import Cause, Trust


class Plural(Struct, frozen=True):
    """One word for one thing and for several."""

    one: str
    many: str


class TrustWords(Struct, frozen=True):
    """A trust in a word, and what it means."""

    name: str
    meaning: str


class AudienceWords(Struct, frozen=True):
    """For whom spaces are kept, how they are called when they are free, and what is said where there are none."""

    name: str
    free: Plural
    unknown: str
    none: str


class Chance(Struct, frozen=True):
    """How a probability is put into words."""

    at_least: float
    text: str


class Words(Struct, frozen=True, kw_only=True):
    """The page in one language. `{…}` stands for a figure or a name."""

    lang: str
    switch_lang: str
    switch_name: str
    tagline: str
    description: str
    skip: str
    languages: str

    parking: str
    audience: str
    audiences: dict[Audience, AudienceWords]
    near_me: str
    near_why: str
    near_asking: str
    near_refused: str
    near_failed: str
    near_you: str
    nearest_first: str
    to_map: str
    place: str
    elsewhere: str
    by_name: str
    sort: str
    sorted_by_name: str
    sorted_from: str
    walk: str
    trend: dict[Tendency, str]
    source: str
    price: str
    height_limit: str
    full: str
    unknown: str
    closed: str
    out_of: str
    occupied_spaces: Plural
    unknown_spaces: Plural
    closed_spaces: Plural
    spaces_closed: Plural
    closed_until: str
    closed_for_now: str
    from_to: str
    spaces_then: Plural
    chances: tuple[Chance, ...]
    """From the most likely to the least."""
    on_arrival: str
    no_arrival: str
    no_history: str
    all_together: str
    methods: dict[Method, str]
    forecasts: str
    forecasts_meaning: str
    forecasts_how_good: str
    no_zones: str
    refresh: str
    as_of: str
    live: str
    lost: str
    lost_cause: str
    untold: str
    announce: str
    announce_many: str
    trust: dict[Trust, TrustWords]
    legend: str

    just_now: str
    minutes_ago: str
    hours_ago: str
    days_ago: Plural
    never: str

    map: str
    map_help: str
    map_zoom_in: str
    map_zoom_out: str
    map_plain: str
    counter_marker: str

    walking: str
    walking_note: str
    last_hour: str
    at_least: str
    busyness: dict[Busyness, str]
    usually: str
    passages: Plural
    hours_known: Plural
    peak: str
    history_away: str
    no_counters: str
    chart: str
    chart_empty: str
    table: str
    hour: str
    total: str
    remark: str
    hour_label: str
    hour_unknown: str
    hour_partial: str
    hour_running: str
    legend_unknown: str
    legend_partial: str
    legend_running: str

    sources: str
    sources_text: str
    open_data: str
    map_credit: str
    thousands: str
    decimal_mark: str
    clock: str

    def count(self, number: int, words: Plural) -> str:
        """The number with its word: `1 place libre`, `5 places libres`."""
        return f"{self.number(number)} {self.noun(number, words)}"

    def noun(self, number: int, words: Plural) -> str:
        """The word alone. Nought is one in French, many in English."""
        one = number == 1 or (number == 0 and self.lang == "fr")
        return words.one if one else words.many

    def number(self, number: int) -> str:
        """A number with the language's mark between thousands."""
        return f"{number:,}".replace(",", self.thousands)

    def decimal(self, number: float) -> str:
        """A number with two digits after the language's decimal mark."""
        return f"{number:.2f}".replace(".", self.decimal_mark)

    def time(self, local: datetime) -> str:
        """A time of day."""
        return self.clock.format(hour=local.hour, minute=f"{local.minute:02}")

    def cause(self, cause: Cause) -> str:
        """Why something can or cannot be believed."""
        return cause.en if self.lang == "en" else cause.fr
