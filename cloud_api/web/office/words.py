"""What the office's page can say: one value per language, complete by construction."""

from typing import Final

from msgspec import Struct

from cloud_api.reports.calendar import EventKind
from cloud_api.reports.report import Kind, Language


class Words(Struct, frozen=True, kw_only=True):
    """The office's page in one language. `{…}` stands for a figure or a name."""

    lang: Language
    switch_lang: Language
    switch_name: str
    title: str
    skip: str
    sign_in: str
    sign_in_why: str
    sign_in_code: str
    sign_in_code_help: str
    not_for_you: str
    kinds: dict[Kind, str]
    kind: str
    places: str
    places_help: str
    start: str
    end: str
    end_help: str
    compare: str
    compares: dict[str, str]
    event: str
    event_none: str
    filled: str
    open_hours: str
    open_hours_help: str
    as_of: str
    as_of_help: str
    make: str
    making: str
    mistake: str
    away: str
    first: str
    share: str
    share_help: str
    download: str
    downloads: dict[str, str]
    print: str
    figures: str
    explore: str
    explore_making: str
    explore_failed: str
    explore_how: str
    values: str
    tables: str
    method: str
    quality: str
    left_out: str
    sign_out: str
    pages: str
    reports: str
    events: str
    events_why: str
    events_withdrawn: str
    events_withdrawn_help: str
    event_new: str
    event_correct: str
    event_other: str
    event_name: str
    event_start: str
    event_end: str
    event_end_help: str
    event_opens: str
    event_closes: str
    event_hours_help: str
    event_places: str
    event_places_help: str
    event_town: str
    event_kind: str
    event_kinds: dict[EventKind, str]
    event_keep: str
    event_done: str
    event_measure: str
    event_to_come: str
    event_change: str
    event_withdraw: str
    event_again: str
    event_written_by: str
    event_withdrawn_by: str
    event_in_file: str
    event_meanwhile: str
    event_name_one: str
    event_name_one_why: str


FRENCH: Final = Words(
    lang=Language.FRENCH,
    switch_lang=Language.ENGLISH,
    switch_name="English",
    title="Rapports de fréquentation",
    skip="Aller au rapport",
    sign_in="Se connecter",
    sign_in_why="Les rapports sont réservés à l’office de commerce et aux services de la ville. Ouvrez votre lien"
    " personnel, ou saisissez le code qu’on vous a donné.",
    sign_in_code="Code",
    sign_in_code_help="8 caractères, valable une seule fois.",
    not_for_you="Votre accès ne comprend pas les rapports. Demandez-le à la personne qui gère Passerelle.",
    kinds={Kind.FLOWS: "Piétons", Kind.PARKING: "Stationnement", Kind.EVENT: "Un événement"},
    kind="Sujet",
    places="Lieux",
    places_help="Plusieurs choix possibles ; aucun choix : tous les lieux.",
    start="Du",
    end="Jusqu’au",
    end_help="Ce jour n’est plus compté : une journée finit le lendemain.",
    compare="Comparer avec",
    compares={
        "": "Rien",
        "last-year": "L’an dernier (52 semaines avant)",
        "week-before": "La période d’avant",
    },
    event="Événement",
    event_none="Aucun événement n’est encore noté.",
    filled="Estimer les heures manquantes (colonnes à part)",
    open_hours="Heures d’ouverture des boutiques",
    open_hours_help="10:00-19:00 : tous les jours. Mo-Sa 10:00-19:00; PH off : du lundi au samedi, sauf jours fériés.",
    as_of="État des données au",
    as_of_help="Laissez vide pour maintenant. Une date ancienne redonne le rapport tel qu’il était.",
    make="Voir le rapport",
    making="Le rapport se prépare… quelques secondes.",
    mistake="La demande est à corriger",
    away="L’historique ne répond pas en ce moment. Réessayez dans une minute.",
    first="Choisissez un sujet et une période.",
    share="Lien vers ce rapport",
    share_help="Il redonne exactement les mêmes chiffres ; ce qui arrive plus tard est dit à part.",
    download="Télécharger",
    downloads={
        "pdf": "PDF",
        "xlsx": "Excel",
        "csv": "CSV pour Excel",
        "open-csv": "CSV ouvert",
        "parquet": "Parquet",
    },
    print="Imprimer",
    figures="Chiffres clés",
    explore="Explorer ce graphique",
    explore_making="Le graphique se prépare… quelques secondes la première fois.",
    explore_failed="Le graphique n’a pas pu être préparé. Réessayez dans une minute.",
    explore_how="Montrez une barre ou une case, ou lisez les valeurs une à une avec les flèches du clavier.",
    values="Les valeurs en tableau",
    tables="Tableaux",
    method="Méthode",
    quality="Qualité des données",
    left_out="Écarté, et pourquoi",
    sign_out="Se déconnecter",
    pages="Pages du bureau",
    reports="Rapports",
    events="Événements",
    events_why="Un marché de Noël, les soldes, un match, des travaux : notez ce qui sort de l’ordinaire. Le rapport en"
    " dit l’effet, et ces jours ne faussent plus les comparaisons des autres.",
    events_withdrawn="Retirés",
    events_withdrawn_help="Rien n’est effacé : un rapport d’une date plus ancienne les connaît encore.",
    event_new="Noter un événement",
    event_correct="Corriger l’événement",
    event_other="Noter plutôt un autre événement",
    event_name="Nom",
    event_start="Premier jour",
    event_end="Dernier jour",
    event_end_help="Le dernier jour compte. Vide : un seul jour.",
    event_opens="Ouvre à",
    event_closes="Ferme à",
    event_hours_help="De chaque jour. Vide : toute la journée. 18:00 à 01:30 va jusque dans la nuit.",
    event_places="Rues concernées",
    event_places_help="Plusieurs choix possibles ; aucun choix : toute la ville.",
    event_town="toute la ville",
    event_kind="Sorte",
    event_kinds={
        EventKind.FESTIVITY: "Fête, animation, concert",
        EventKind.MARKET: "Foire, braderie, marché exceptionnel",
        EventKind.SALES: "Soldes, promotion",
        EventKind.SPORT: "Sport",
        EventKind.WORKS: "Travaux, rue fermée, grève",
        EventKind.OTHER: "Autre",
    },
    event_keep="Enregistrer",
    event_done="C’est noté.",
    event_measure="Voir son effet",
    event_to_come="À venir : l’effet se mesure après.",
    event_change="Corriger",
    event_withdraw="Retirer",
    event_again="Noter de nouveau",
    event_written_by="Noté par {name}, le {at}",
    event_withdrawn_by="Retiré par {name}, le {at}",
    event_in_file="Dans le fichier de l’agenda : la personne qui gère Passerelle peut l’y changer.",
    event_meanwhile="Quelqu’un d’autre vient de changer cet événement. Regardez-le dans la liste, puis recommencez.",
    event_name_one="Noter ou corriger un événement.",
    event_name_one_why="Il sert aussi à écarter ses jours des comparaisons.",
)
ENGLISH: Final = Words(
    lang=Language.ENGLISH,
    switch_lang=Language.FRENCH,
    switch_name="Français",
    title="Footfall reports",
    skip="Go to the report",
    sign_in="Sign in",
    sign_in_why="Reports are for the office de commerce and the town’s services. Open your personal link, or type the"
    " code that you were given.",
    sign_in_code="Code",
    sign_in_code_help="8 characters, good once.",
    not_for_you="Your access does not include reports. Ask whoever runs Passerelle for it.",
    kinds={Kind.FLOWS: "Pedestrians", Kind.PARKING: "Parking", Kind.EVENT: "An event"},
    kind="Subject",
    places="Places",
    places_help="Several may be chosen; none means all.",
    start="From",
    end="Until",
    end_help="This day is not counted any more: a day ends on the next.",
    compare="Compare with",
    compares={
        "": "Nothing",
        "last-year": "Last year (52 weeks before)",
        "week-before": "The period before",
    },
    event="Event",
    event_none="No event is written down yet.",
    filled="Estimate missing hours (in columns of their own)",
    open_hours="Shops’ opening hours",
    open_hours_help="10:00-19:00: every day. Mo-Sa 10:00-19:00; PH off: Monday to Saturday, closed on public holidays.",
    as_of="Data as of",
    as_of_help="Leave empty for now. An earlier date gives the report as it was then.",
    make="Show the report",
    making="The report is being made… a few seconds.",
    mistake="The request needs correcting",
    away="The history does not answer at the moment. Try again in a minute.",
    first="Choose a subject and a period.",
    share="Link to this report",
    share_help="It gives exactly the same figures; what comes later is told apart.",
    download="Download",
    downloads={"pdf": "PDF", "xlsx": "Excel", "csv": "CSV for Excel", "open-csv": "Open CSV", "parquet": "Parquet"},
    print="Print",
    figures="Key figures",
    explore="Explore this chart",
    explore_making="The chart is being made… a few seconds the first time.",
    explore_failed="The chart could not be made. Try again in a minute.",
    explore_how="Point at a bar or a square, or read the values one by one with the arrow keys.",
    values="Its values as a table",
    tables="Tables",
    method="Method",
    quality="Data quality",
    left_out="Left out, and why",
    sign_out="Sign out",
    pages="The office’s pages",
    reports="Reports",
    events="Events",
    events_why="A Christmas market, sales, a match, works: write down what is out of the ordinary. The report tells"
    " what it brought, and its days no longer distort the comparisons of others.",
    events_withdrawn="Withdrawn",
    events_withdrawn_help="Nothing is deleted: a report as of an earlier date still knows them.",
    event_new="Name an event",
    event_correct="Correct the event",
    event_other="Name another event instead",
    event_name="Name",
    event_start="First day",
    event_end="Last day",
    event_end_help="The last day counts. Empty: a single day.",
    event_opens="Opens at",
    event_closes="Closes at",
    event_hours_help="Of each day. Empty: the whole day. 18:00 to 01:30 goes into the night.",
    event_places="Streets concerned",
    event_places_help="Several may be chosen; none means the whole town.",
    event_town="the whole town",
    event_kind="Kind",
    event_kinds={
        EventKind.FESTIVITY: "Festival, concert, animation",
        EventKind.MARKET: "Fair, flea market, special market",
        EventKind.SALES: "Sales, promotion",
        EventKind.SPORT: "Sport",
        EventKind.WORKS: "Works, closed street, strike",
        EventKind.OTHER: "Other",
    },
    event_keep="Keep it",
    event_done="It is written down.",
    event_measure="See its effect",
    event_to_come="Still to come: its effect is measured afterwards.",
    event_change="Correct",
    event_withdraw="Withdraw",
    event_again="Name it again",
    event_written_by="Written down by {name}, {at}",
    event_withdrawn_by="Withdrawn by {name}, {at}",
    event_in_file="In the calendar’s file: whoever runs Passerelle can change it there.",
    event_meanwhile="Somebody else has just changed this event. Look at it in the list, then try again.",
    event_name_one="Name or correct an event.",
    event_name_one_why="Its days are then left out of comparisons too.",
)


def words_in(language: Language) -> Words:
    """The page's words in a language."""
    return ENGLISH if language is Language.ENGLISH else FRENCH
