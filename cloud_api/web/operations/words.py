"""What the operators' page can say: one value per language, complete by construction."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from cloud_api.concerns import Verdict, What
from cloud_api.sensor_glance import SensorKind
from cloud_api.trust import Trust


class Words(Struct, frozen=True, kw_only=True):
    """The page in one language. `{…}` stands for a figure or a name."""

    lang: str
    switch_lang: str
    switch_name: str
    title: str
    skip: str
    sign_in: str
    sign_in_why: str
    sign_in_code: str
    sign_in_code_help: str
    not_for_you: str
    signed_in_as: str
    as_of: str
    live: str
    live_lost: str
    verdicts: Mapping[Verdict, str]
    attention: str
    and_more: str
    for_age: str
    ago: str
    just_now: str
    never: str
    what_to_do: str
    steps: Mapping[What, str]
    section: str
    its_sensors: str
    sensors: str
    kinds: Mapping[SensorKind, str]
    trusts: Mapping[Trust, str]
    total: str
    share: str
    low_batteries: str
    doubtful: str
    device: str
    place: str
    state: str
    heard: str
    battery: str
    low: str
    round: str
    gateways: str
    no_gateways: str
    gateway: str
    online: str
    offline: str
    queue: str
    links_down: str
    clock: str
    clock_right: str
    clock_ahead: str
    clock_behind: str
    disk: str
    room: str
    version: str
    certificate: str
    unknown: str
    platform: str
    store: str
    answers: str
    quarantine: str
    facts: str
    refused: str
    none: str
    ingest: str
    rate: str
    connection: str
    connected: str
    disk_of: str
    certificate_of: str
    until: str
    backup: str
    closures: str
    no_closures: str
    reason: str
    since: str
    further_notice: str
    one_process: str


FRENCH: Final = Words(
    lang="fr",
    switch_lang="en",
    switch_name="English",
    title="Exploitation",
    skip="Aller à l’essentiel",
    sign_in="Se connecter",
    sign_in_why="Cette page est réservée à l’équipe qui exploite les capteurs de la ville. Ouvrez votre lien"
    " personnel, ou saisissez le code qu’on vous a donné.",
    sign_in_code="Code",
    sign_in_code_help="8 caractères, valable une seule fois.",
    not_for_you="Votre accès ne comprend pas l’exploitation. Demandez-le à la personne qui gère Passerelle.",
    signed_in_as="Connecté : {name}",
    as_of="État à {time}",
    live="Se met à jour tout seul",
    live_lost="Plus de nouvelles du serveur : ce qui suit date",
    verdicts={
        Verdict.WELL: "Tout va bien.",
        Verdict.ROUND: "Tout va bien\N{NO-BREAK SPACE}; des capteurs attendent la prochaine tournée.",
        Verdict.LOOK: "{n} à regarder. D’abord\N{NO-BREAK SPACE}: {first}.",
        Verdict.ACT: "Il faut agir. D’abord\N{NO-BREAK SPACE}: {first}.",
    },
    attention="À regarder",
    and_more="et encore {n}",
    for_age="depuis {age}",
    ago="il y a {age}",
    just_now="à l’instant",
    never="jamais",
    what_to_do="Que faire",
    steps={
        What.STORE: "Le disque est-il plein (df), la base tourne-t-elle (systemctl status) ? Les passerelles gardent"
        " leurs messages pendant ce temps : rien n’est perdu.",
        What.BROKER: "Sur la machine du courtier : systemctl status mosquitto. Un certificat ou un mot de passe a-t-il"
        " changé ? Les passerelles gardent leurs messages.",
        What.DISK: "Supprimez d’abord d’anciennes sauvegardes et des journaux (journalctl --vacuum-size=200M), puis"
        " raccourcissez la conservation ou agrandissez le disque.",
        What.DROPPED: "Cherchez ce qui retient ses messages : sa liaison, le courtier ou la base. Ce qui est perdu est"
        " dit dans les rapports.",
        What.QUARANTINE: "passerelle quarantine list dit pourquoi ; puis retry une fois la cause levée, ou drop.",
        What.FLOOD: "Les autres n’attendent pas à cause d’elle, et rien n’est perdu. Mettez-la à jour ; si elle"
        " continue, passerelle gateway revoke.",
        What.CERTIFICATE: "Après cette date, plus personne n’est admis avec lui : passerelle ca en fait un autre ;"
        " pour une passerelle, passerelle gateway replace.",
        What.GATEWAY_OFF: "Courant et réseau d’abord. Puis, sur elle : systemctl status passerelle-edge et passerelle"
        " doctor. Ses comptages attendent chez elle.",
        What.GATEWAY_MUTE: "Sur elle : systemctl status passerelle-edge. La redémarrer ne perd rien.",
        What.QUEUE: "Après une coupure, c’est normal : la file se vide. Si elle grandit encore, regardez l’ingestion et"
        " la base.",
        What.CLOCK: "Sur elle : timedatectl ; le port UDP 123 doit être ouvert. Si toutes sont décalées d’autant,"
        " c’est l’horloge du serveur.",
        What.GATEWAY_DISK: "Sur elle : journalctl --vacuum-size=50M, apt-get clean ; passerelle doctor dit s’il reste"
        " de la place.",
        What.LINK: "Adaptateur, modem ou serveur réseau : passerelle doctor, sur elle, dit la raison. Elle réessaie"
        " toute seule.",
        What.SENSORS: "Tant de capteurs à la fois, c’est rarement les capteurs : regardez d’abord passerelles et"
        " liaisons, puis préparez une tournée.",
        What.BACKUP: "systemctl list-timers passerelle-backup, ou passerelle backup à la main.",
    },
    section="Détails : docs/operations.md, section {section}",
    its_sensors="Page des techniciens",
    sensors="Capteurs",
    kinds={SensorKind.SPACE: "Places", SensorKind.COUNTER: "Compteurs"},
    trusts={
        Trust.FRESH: "à jour",
        Trust.STALE: "silencieux",
        Trust.FROZEN: "figé",
        Trust.IMPLAUSIBLE: "invraisemblable",
        Trust.FAULTY: "en défaut",
        Trust.CLOSED: "fermé",
        Trust.UNKNOWN: "jamais entendu",
    },
    total="En tout",
    share="Pas crus",
    low_batteries="Piles faibles : {n}",
    doubtful="Capteurs à voir, les plus pressants d’abord",
    device="Capteur",
    place="Lieu",
    state="État",
    heard="Dernière nouvelle",
    battery="Pile",
    low="faible",
    round="Préparer la tournée",
    gateways="Passerelles",
    no_gateways="Aucune passerelle encore ; passerelle gateway add en fait une.",
    gateway="Passerelle",
    online="en ligne",
    offline="hors ligne",
    queue="File d’attente",
    links_down="Liaisons coupées",
    clock="Horloge",
    clock_right="juste",
    clock_ahead="+{age}",
    clock_behind="−{age}",
    disk="Disque libre",
    room="{free} Go sur {size}",
    version="Version",
    certificate="Certificat jusqu’au",
    unknown="inconnu",
    platform="Plateforme",
    store="Base d’historique",
    answers="répond",
    quarantine="Quarantaine",
    facts="{n} en attente",
    refused="Messages refusés depuis le démarrage",
    none="aucun",
    ingest="Ingestion, processus {worker}",
    rate="faits par minute : {n}, dernier {age}",
    connection="Courtier, connexion {name}",
    connected="connectée",
    disk_of="Disque ({name})",
    certificate_of="Certificat {name}",
    until="jusqu’au {date}",
    backup="Dernière sauvegarde",
    closures="Fermetures en cours",
    no_closures="Aucune place n’est fermée.",
    reason="Motif",
    since="Depuis",
    further_notice="jusqu’à nouvel ordre",
    one_process="Ces lignes viennent d’un seul processus du serveur, « {worker} » : il entend toutes les passerelles,"
    " et ne parle que de sa propre ingestion, de ses connexions et de ses disques.",
)
ENGLISH: Final = Words(
    lang="en",
    switch_lang="fr",
    switch_name="Français",
    title="Operations",
    skip="Go to what matters",
    sign_in="Sign in",
    sign_in_why="This page is for the team that runs the town’s sensors. Open your personal link, or type the code that"
    " you were given.",
    sign_in_code="Code",
    sign_in_code_help="8 characters, good once.",
    not_for_you="Your access does not include operations. Ask whoever manages Passerelle.",
    signed_in_as="Signed in: {name}",
    as_of="As of {time}",
    live="Updates by itself",
    live_lost="No more news from the server: what follows is old",
    verdicts={
        Verdict.WELL: "All is well.",
        Verdict.ROUND: "All is well; some sensors wait for the next round.",
        Verdict.LOOK: "{n} to look at. First: {first}.",
        Verdict.ACT: "Somebody has to act. First: {first}.",
    },
    attention="To look at",
    and_more="and {n} more",
    for_age="for {age}",
    ago="{age} ago",
    just_now="just now",
    never="never",
    what_to_do="What to do",
    steps={
        What.STORE: "Is the disk full (df), does the database run (systemctl status)? Gateways keep their messages"
        " meanwhile: nothing is lost.",
        What.BROKER: "On the broker’s machine: systemctl status mosquitto. Has a certificate or a password changed?"
        " Gateways keep their messages.",
        What.DISK: "Old backups and logs first (journalctl --vacuum-size=200M), then a shorter retention or a larger"
        " disk.",
        What.DROPPED: "Find what keeps its messages back: its line, the broker or the store. What is lost is told in"
        " reports.",
        What.QUARANTINE: "passerelle quarantine list tells why; then retry once that is mended, or drop.",
        What.FLOOD: "The others do not wait for it, and nothing is lost. Upgrade it; does it go on, passerelle gateway"
        " revoke.",
        What.CERTIFICATE: "Beyond that date nobody is let in with it: passerelle ca makes another; for a gateway,"
        " passerelle gateway replace.",
        What.GATEWAY_OFF: "Power and network first. Then, on it: systemctl status passerelle-edge and passerelle"
        " doctor. Its counts wait in its outbox.",
        What.GATEWAY_MUTE: "On it: systemctl status passerelle-edge. A restart loses nothing.",
        What.QUEUE: "After an outage that is as it should be: it shrinks. Does it still grow, look at ingest and the"
        " store.",
        What.CLOCK: "On it: timedatectl; UDP port 123 must be open. Are all off by as much, it is the server’s clock.",
        What.GATEWAY_DISK: "On it: journalctl --vacuum-size=50M, apt-get clean; passerelle doctor says whether there is"
        " room.",
        What.LINK: "Adapter, modem or network server: passerelle doctor, on it, gives the reason. It tries again by"
        " itself.",
        What.SENSORS: "So many at once are seldom the sensors: look at gateways and links first, then draw up a round.",
        What.BACKUP: "systemctl list-timers passerelle-backup, or passerelle backup by hand.",
    },
    section="More: docs/operations.md, section {section}",
    its_sensors="Technicians’ page",
    sensors="Sensors",
    kinds={SensorKind.SPACE: "Spaces", SensorKind.COUNTER: "Counters"},
    trusts={
        Trust.FRESH: "fresh",
        Trust.STALE: "silent",
        Trust.FROZEN: "frozen",
        Trust.IMPLAUSIBLE: "implausible",
        Trust.FAULTY: "faulty",
        Trust.CLOSED: "closed",
        Trust.UNKNOWN: "never heard",
    },
    total="In all",
    share="Not believed",
    low_batteries="Low batteries: {n}",
    doubtful="Sensors to visit, the most urgent first",
    device="Sensor",
    place="Place",
    state="State",
    heard="Last heard",
    battery="Battery",
    low="low",
    round="Draw up the round",
    gateways="Gateways",
    no_gateways="No gateways yet; passerelle gateway add makes one.",
    gateway="Gateway",
    online="on line",
    offline="off line",
    queue="Waiting",
    links_down="Links down",
    clock="Clock",
    clock_right="right",
    clock_ahead="+{age}",
    clock_behind="−{age}",
    disk="Disk free",
    room="{free} GB of {size}",
    version="Version",
    certificate="Certificate until",
    unknown="unknown",
    platform="Platform",
    store="Store",
    answers="answers",
    quarantine="Quarantine",
    facts="{n} waiting",
    refused="Messages refused since the start",
    none="none",
    ingest="Ingest, process {worker}",
    rate="facts a minute: {n}, last {age}",
    connection="Broker, connection {name}",
    connected="connected",
    disk_of="Disk of the {name}",
    certificate_of="Certificate {name}",
    until="until {date}",
    backup="Last backup",
    closures="Open closures",
    no_closures="No space is closed.",
    reason="Reason",
    since="Since",
    further_notice="until further notice",
    one_process="These lines come from one process of the server, “{worker}”: it hears all gateways, and says only of"
    " its own ingest, connections and disks.",
)


def words_in(lang: str) -> Words:
    """The page's words in a language; French where it is not one of ours."""
    return ENGLISH if lang == ENGLISH.lang else FRENCH
