"""Every word of the page, in French and in English: one value per language, complete by construction.

Templates and the browser's modules read the same value, so that what one writes and the other rewrites agree.
"""

from typing import Final

from msgspec import Struct

from cloud_api.trust import Cause, Trust


class Plural(Struct, frozen=True):
    """One word for one thing and for several."""

    one: str
    many: str


class TrustWords(Struct, frozen=True):
    """A trust in a word, and what it means."""

    name: str
    meaning: str


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
    free: Plural
    full: str
    free_unknown: str
    unknown: str
    closed: str
    reserved: str
    out_of: str
    occupied_spaces: Plural
    unknown_spaces: Plural
    closed_spaces: Plural
    spaces_closed: Plural
    closed_until: str
    closed_for_now: str
    from_to: str
    on_arrival: str
    no_zones: str
    refresh: str
    as_of: str
    live: str
    lost: str
    lost_cause: str
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

    def cause(self, cause: Cause) -> str:
        """Why something can or cannot be believed."""
        return cause.en if self.lang == "en" else cause.fr


FRENCH: Final = Words(
    lang="fr",
    switch_lang="en",
    switch_name="English",
    tagline="Se garer, marcher\N{NO-BREAK SPACE}: le centre-ville en direct",
    description="Places de stationnement libres en ce moment et piétons comptés heure par heure.",
    skip="Aller aux places libres",
    languages="Langue",
    parking="Stationnement",
    free=Plural("place libre", "places libres"),
    full="complet",
    free_unknown="nombre de places libres",
    unknown="inconnu",
    closed="fermé",
    reserved="réservé",
    out_of="sur {n}",
    occupied_spaces=Plural("occupée", "occupées"),
    unknown_spaces=Plural("inconnue", "inconnues"),
    closed_spaces=Plural("fermée", "fermées"),
    spaces_closed=Plural("place fermée", "places fermées"),
    closed_until="{spaces} jusqu’au {day} à {time}\N{NO-BREAK SPACE}: {reason}",
    closed_for_now="{spaces} jusqu’à nouvel ordre\N{NO-BREAK SPACE}: {reason}",
    from_to="{low} à {free}",
    on_arrival="Vers {time}\N{NO-BREAK SPACE}: {figure}, {chance}\N{NO-BREAK SPACE}% de chances d’en trouver une",
    no_zones="Aucune zone de stationnement n’est encore équipée.",
    refresh="Actualiser la page",
    as_of="Chiffres de {time}",
    live="En direct",
    lost="Connexion perdue\N{NO-BREAK SPACE}: nouvel essai en cours",
    lost_cause="cette page n’a plus de nouvelles du serveur",
    announce="{name}\N{NO-BREAK SPACE}: {figure}",
    announce_many="{n} zones ont changé",
    trust={
        Trust.FRESH: TrustWords("à jour", "le capteur donne des nouvelles à temps"),
        Trust.STALE: TrustWords("ancien", "le capteur ou la passerelle ne donne plus de nouvelles"),
        Trust.FROZEN: TrustWords("figé", "le capteur répète la même chose depuis bien plus longtemps que d’habitude"),
        Trust.IMPLAUSIBLE: TrustWords("invraisemblable", "ce que dit le capteur ne peut pas être vrai"),
        Trust.FAULTY: TrustWords("en défaut", "le capteur se dit en panne"),
        Trust.CLOSED: TrustWords("fermé", "la place ou la zone est hors service"),
        Trust.UNKNOWN: TrustWords("inconnu", "on ne sait rien, et on ne devine pas"),
    },
    legend="Que veulent dire ces signes ?",
    just_now="à l’instant",
    minutes_ago="il y a {n} min",
    hours_ago="il y a {n} h",
    days_ago=Plural("il y a {n} jour", "il y a {n} jours"),
    never="jamais de nouvelles",
    map="Carte",
    map_help="La carte montre les mêmes chiffres que les listes.",
    map_zoom_in="Agrandir la carte",
    map_zoom_out="Réduire la carte",
    map_plain="Fond de carte indisponible\N{NO-BREAK SPACE}: les repères restent à leur place.",
    counter_marker="Compteur de piétons\N{NO-BREAK SPACE}: {name}",
    walking="Piétons, les dernières 24 heures",
    walking_note="Chaque barre est une heure ; sa hauteur additionne les deux sens.",
    passages=Plural("passage", "passages"),
    hours_known=Plural("{known} heure mesurée sur {n}", "{known} heures mesurées sur {n}"),
    peak="Pointe à {hour}\N{NO-BREAK SPACE}:\N{NO-BREAK SPACE}{n}",
    history_away="L’historique n’est pas disponible pour le moment. Les places libres, elles, restent à jour.",
    no_counters="Aucun compteur de piétons n’est encore installé.",
    chart="Passages par heure à {name}\N{NO-BREAK SPACE}: {total} en 24 heures, de {first} à {last}. {peak}.",
    chart_empty="Passages par heure à {name}\N{NO-BREAK SPACE}: inconnus pour ces 24 heures.",
    table="Les chiffres, heure par heure",
    hour="Heure",
    total="Total",
    remark="Remarque",
    hour_label="{hour}\N{NO-BREAK SPACE}h",
    hour_unknown="inconnu",
    hour_partial="mesurée à {n} %, au moins",
    hour_running="en cours",
    legend_unknown="inconnu",
    legend_partial="mesurée en partie\N{NO-BREAK SPACE}: au moins",
    legend_running="heure en cours",
    sources="À propos de ces chiffres",
    sources_text=(
        "Des capteurs comptent ; aucun visage, aucun téléphone, aucune plaque n’est lu. "
        "Ce qu’on ne sait pas est écrit « inconnu », jamais zéro."
    ),
    open_data="Données ouvertes (API)",
    map_credit="Fond de carte\N{NO-BREAK SPACE}:",
    thousands="\N{NARROW NO-BREAK SPACE}",
)

ENGLISH: Final = Words(
    lang="en",
    switch_lang="fr",
    switch_name="Français",
    tagline="Parking and walking: the town centre, live",
    description="Free parking spaces now and pedestrians counted hour by hour.",
    skip="Skip to free spaces",
    languages="Language",
    parking="Parking",
    free=Plural("free space", "free spaces"),
    full="full",
    free_unknown="number of free spaces",
    unknown="unknown",
    closed="closed",
    reserved="reserved",
    out_of="of {n}",
    occupied_spaces=Plural("occupied", "occupied"),
    unknown_spaces=Plural("unknown", "unknown"),
    closed_spaces=Plural("closed", "closed"),
    spaces_closed=Plural("space closed", "spaces closed"),
    closed_until="{spaces} until {day}, {time}: {reason}",
    closed_for_now="{spaces} until further notice: {reason}",
    from_to="{low} to {free}",
    on_arrival="Around {time}: {figure}, {chance}% likely to find one",
    no_zones="No parking zone is equipped yet.",
    refresh="Refresh the page",
    as_of="Figures as of {time}",
    live="Live",
    lost="Connection lost: trying again",
    lost_cause="this page has no news from the server",
    announce="{name}: {figure}",
    announce_many="{n} zones have changed",
    trust={
        Trust.FRESH: TrustWords("up to date", "the sensor reports in time"),
        Trust.STALE: TrustWords("old", "the sensor or its gateway has gone silent"),
        Trust.FROZEN: TrustWords("frozen", "the sensor has repeated itself for far longer than usual"),
        Trust.IMPLAUSIBLE: TrustWords("implausible", "what the sensor says cannot be true"),
        Trust.FAULTY: TrustWords("faulty", "the sensor says that it is broken"),
        Trust.CLOSED: TrustWords("closed", "the space or zone is out of service"),
        Trust.UNKNOWN: TrustWords("unknown", "nothing is known, and nothing is guessed"),
    },
    legend="What do these signs mean?",
    just_now="just now",
    minutes_ago="{n} min ago",
    hours_ago="{n} h ago",
    days_ago=Plural("{n} day ago", "{n} days ago"),
    never="no news ever",
    map="Map",
    map_help="The map shows the same figures as the lists.",
    map_zoom_in="Zoom in",
    map_zoom_out="Zoom out",
    map_plain="The map’s background is not available: the markers still stand in their places.",
    counter_marker="Pedestrian counter: {name}",
    walking="Pedestrians, the last 24 hours",
    walking_note="Each bar is an hour; its height adds both directions.",
    passages=Plural("passage", "passages"),
    hours_known=Plural("{known} of {n} hours measured", "{known} of {n} hours measured"),
    peak="Peak at {hour}: {n}",
    history_away="The history is not available at the moment. Free spaces are still up to date.",
    no_counters="No pedestrian counter is installed yet.",
    chart="Passages per hour at {name}: {total} in 24 hours, from {first} to {last}. {peak}.",
    chart_empty="Passages per hour at {name}: unknown for these 24 hours.",
    table="The figures, hour by hour",
    hour="Hour",
    total="Total",
    remark="Remark",
    hour_label="{hour}:00",
    hour_unknown="unknown",
    hour_partial="{n}% measured, at least",
    hour_running="under way",
    legend_unknown="unknown",
    legend_partial="measured in part: at least",
    legend_running="hour under way",
    sources="About these figures",
    sources_text=(
        "Sensors count; no face, no phone, no number plate is read. What is not known says “unknown”, never nought."
    ),
    open_data="Open data (API)",
    map_credit="Map background:",
    thousands=",",
)


def words_in(lang: str) -> Words:
    """The page's words in a language; French where it is not one of ours."""
    return ENGLISH if lang == ENGLISH.lang else FRENCH
