"""The record of a test on the spot: who tested which sensor, when, what was done and what was seen; signed.

In come a judgement and what it is about, out come the bytes that are signed and kept, and the same on paper.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from importlib.resources import files
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cloud_api.provisioning.acceptance import Judgement, Leg
from cloud_api.provisioning.acceptance_words import (
    act_words,
    check_words,
    finding_words,
    mend_words,
    verdict_words,
)
from cloud_api.provisioning.signing import Signer
from cloud_api.registry import Installation, Registry
from cloud_api.registry.acceptances import SignedRecord
from cloud_api.registry.places import Device
from cloud_api.reports.report import Language

TEMPLATE: Final = "acceptance.typ"


class AcceptanceRecord(Struct, frozen=True, kw_only=True):
    """What is signed: JSON of this, its fields in this order."""

    id: str
    at: datetime
    """When it was judged, UTC."""
    who: str
    town: str
    device: str
    model: str
    gateway: str | None
    place: str
    place_name: str
    directions: tuple[str, str] | None
    """What the street calls the two directions; None at a space."""
    channel: str
    mode: str
    reversed: bool
    inverted: bool
    legs: tuple[Leg, ...]
    frames: int
    """Frames that were looked at."""
    judgement: Judgement
    note: str = ""
    """What the technician wrote down."""
    key: str = ""
    """The public key of the signature, Ed25519, in base64."""


class Tested(Struct, frozen=True, kw_only=True):
    """What was tested, and where."""

    town: str
    registry: Registry
    device: Device
    installation: Installation


def draw_up(
    tested: Tested, legs: Sequence[Leg], judgement: Judgement, *, frames: int, note: str, who: str, at: datetime
) -> AcceptanceRecord:
    """The record of a test, not yet signed."""
    device, installation = tested.device, tested.installation
    counter = tested.registry.counters.get(installation.place)
    return AcceptanceRecord(
        id=secrets.token_hex(8),
        at=at,
        who=who,
        town=tested.town,
        device=device.address,
        model=device.model,
        gateway=device.gateway,
        place=installation.place,
        place_name=tested.registry.name_of(installation.place),
        directions=(counter.in_, counter.out) if counter else None,
        channel=installation.channel,
        mode=installation.mode,
        reversed=installation.reversed,
        inverted=device.invert_presence,
        legs=tuple(legs),
        frames=frames,
        judgement=judgement,
        note=note,
    )


def sign(record: AcceptanceRecord, signer: Signer) -> SignedRecord:
    """The record with the platform's signature, as it is kept."""
    body = to_bytes(replace(record, key=signer.public))
    return SignedRecord(
        id=record.id,
        device=record.device,
        place=record.place,
        at=record.at,
        who=record.who,
        body=body.decode(),
        signature=signer.sign(body),
    )


def to_bytes(record: AcceptanceRecord) -> bytes:
    """What is signed."""
    return msgspec.json.encode(record)


def from_text(text: str) -> AcceptanceRecord:
    """A record that was kept."""
    return msgspec.json.decode(text, type=AcceptanceRecord)


def to_pdf(record: AcceptanceRecord, signature: str, zone: tzinfo, language: Language) -> bytes:
    """One page to lay into the file, tagged for whoever has it read aloud (PDF/UA-1)."""
    import typst

    made = typst.compile(
        files("cloud_api.provisioning").joinpath(TEMPLATE).read_bytes(),
        sys_inputs={"record": msgspec.json.encode(_written_out(record, signature, zone, language)).decode()},
        pdf_standards=["ua-1"],
        timestamp=record.at,
        ignore_system_fonts=True,
    )
    return bytes(made)


def _written_out(record: AcceptanceRecord, signature: str, zone: tzinfo, language: Language) -> dict[str, Any]:
    words = WORDS[language]
    directions = record.directions or ("", "")
    facts = [
        (words["place"], record.place_name),
        (words["sensor"], f"{record.device} ({record.model})"),
        (words["channel"], " ".join(filter(None, (record.channel, record.mode)))),
        (words["gateway"], record.gateway or "–"),
        (words["who"], record.who),
        (words["when"], f"{record.at.astimezone(zone):%d/%m/%Y %H:%M}"),
        (words["frames"], str(record.frames)),
    ]
    findings = [
        {
            "check": check_words(each.check, language),
            "act": "" if each.act is None else act_words(each.act, directions, language),
            "found": finding_words(each, language),
            "verdict": verdict_words(each.verdict, language),
            "level": each.verdict.value,
        }
        for each in record.judgement.findings
    ]
    return {
        "language": language.value,
        "town": record.town,
        "title": words["title"],
        "subtitle": f"{record.place_name} – {record.device}",
        "facts": facts,
        "verdict": verdict_words(record.judgement.verdict, language),
        "level": record.judgement.verdict.value,
        "mend": "" if record.judgement.mend is None else mend_words(record.judgement.mend, language),
        "heads": [words["check"], words["act"], words["found"], words["verdict"]],
        "findings": findings,
        "note": record.note,
        "note_title": words["note"],
        "signature_title": words["signature"],
        "signature": signature,
        "key": record.key,
        "signature_text": words["signature_text"].format(id=record.id),
    }


WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.FRENCH: {
        "title": "Procès-verbal de recette d’un capteur",
        "place": "Lieu",
        "sensor": "Capteur",
        "channel": "Canal",
        "gateway": "Passerelle",
        "who": "Essayé par",
        "when": "Le",
        "frames": "Messages examinés",
        "check": "Contrôle",
        "act": "Essai",
        "found": "Constat",
        "verdict": "Verdict",
        "note": "Remarques",
        "signature": "Signature",
        "signature_text": "Signé par la plateforme (Ed25519). L’original, enregistrement {id}, se vérifie avec la"
        " commande passerelle acceptance verify.",
    },
    Language.ENGLISH: {
        "title": "Acceptance record of a sensor",
        "place": "Place",
        "sensor": "Sensor",
        "channel": "Channel",
        "gateway": "Gateway",
        "who": "Tested by",
        "when": "At",
        "frames": "Messages looked at",
        "check": "Check",
        "act": "Done",
        "found": "Found",
        "verdict": "Verdict",
        "note": "Notes",
        "signature": "Signature",
        "signature_text": "Signed by the platform (Ed25519). The original, record {id}, is checked by the command"
        " passerelle acceptance verify.",
    },
}
