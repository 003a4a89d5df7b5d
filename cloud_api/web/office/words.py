"""What the office's page can say: one value per language, complete by construction."""

from typing import Final

from msgspec import Struct

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
    places_all: str
    places_help: str
    start: str
    end: str
    end_help: str
    compare: str
    compares: dict[str, str]
    event: str
    event_none: str
    filled: str
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
    tables: str
    method: str
    quality: str
    left_out: str
    signed_in_as: str
    sign_out: str


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
    places_all="Tous",
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
    event_none="L’agenda de l’office ne contient pas encore d’événement.",
    filled="Estimer les heures manquantes (colonnes à part)",
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
    tables="Tableaux",
    method="Méthode",
    quality="Qualité des données",
    left_out="Écarté, et pourquoi",
    signed_in_as="Connecté : {name}",
    sign_out="Se déconnecter",
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
    places_all="All",
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
    event_none="The office’s calendar holds no event yet.",
    filled="Estimate missing hours (in columns of their own)",
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
    tables="Tables",
    method="Method",
    quality="Data quality",
    left_out="Left out, and why",
    signed_in_as="Signed in: {name}",
    sign_out="Sign out",
)


def words_in(language: Language) -> Words:
    """The page's words in a language."""
    return ENGLISH if language is Language.ENGLISH else FRENCH
