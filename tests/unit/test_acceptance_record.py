"""A record of a test says who, when and what; its signature holds for it to the byte; stickers lead to their sensor."""

import json
import os
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from cloud_api.acceptance_commands import acceptance
from cloud_api.provisioning.acceptance_record import AcceptanceRecord, from_text, sign, to_bytes, to_pdf
from cloud_api.provisioning.addresses_shown import grouped
from cloud_api.provisioning.signing import is_signed, open_signer
from cloud_api.provisioning.stickers import page_of, sticker_sheet
from cloud_api.registry.places import Device
from cloud_api.reports.report import Language
from cloud_api.settings import ConfigError
from tests.unit.test_acceptance import NOW, WALKS, walked

PARIS = ZoneInfo("Europe/Paris")
RECORD = AcceptanceRecord(
    id="a1b2c3",
    at=NOW,
    who="Anne Le Goff",
    town="Châteaubriant",
    device="0004a30b00ff0001",
    model="parametric-pcr2",
    gateway="halles",
    place="rue-haute",
    place_name="Rue Haute",
    directions=("vers la gare", "vers la mairie"),
    channel="line1",
    mode="pedestrian",
    reversed=False,
    inverted=False,
    legs=WALKS,
    frames=3,
    judgement=walked((0, 10), (10, 0)),
    note="à 3,2 m, <b>pluie</b> #let x = 1",
    key="",
)


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def test_a_signature_holds_for_its_record_alone(tmp_path: Path) -> None:
    signer = open_signer(tmp_path / "signing.key")
    record = replace(RECORD, key=signer.public)
    signature = signer.sign(to_bytes(record))

    assert is_signed(to_bytes(record), signature, record.key)
    assert not is_signed(to_bytes(replace(record, who="Bruno")), signature, record.key)
    assert not is_signed(to_bytes(record), "not base64", record.key)
    assert from_text(to_bytes(record).decode()) == record


def test_the_signing_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    first, second = open_signer(file), open_signer(file)

    assert first.public == second.public
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_draft_that_a_power_cut_left_behind_keeps_nobody_from_making_the_key(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    file.with_name(f".{file.name}.{os.getpid()}").write_bytes(b"")

    assert open_signer(file).public == open_signer(file).public


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    file.write_text("hello")

    with pytest.raises(ConfigError, match=str(file)):
        open_signer(file)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.FRENCH, ("Procès-verbal", "27/11/2026 13:00", "0 sur 10 dans le bon sens", "retourner le sens")),
        (Language.ENGLISH, ("Acceptance record", "0 of 10 in the right direction", "turn them")),
    ],
)
def test_the_paper_says_who_when_and_what_was_seen(language: Language, words: tuple[str, ...]) -> None:
    pdf = to_pdf(RECORD, "c2lnbmF0dXJl", PARIS, language)

    text = text_of(pdf)
    for each in (*words, "Anne Le Goff", "Rue Haute", "vers la gare", "c2lnbmF0dXJl"):
        assert each in text
    assert len(PdfReader(BytesIO(pdf)).pages) == 1


def test_what_a_technician_writes_is_never_taken_for_a_command() -> None:
    assert "<b>pluie</b> #let x = 1" in text_of(to_pdf(RECORD, "", PARIS, Language.FRENCH))


def test_a_sheet_holds_twenty_four_stickers_that_name_their_sensors() -> None:
    devices = [Device(address=f"0004a30b00ff{n:04x}", model="bosch-tps110", label=f"Place {n}") for n in range(30)]

    pages = PdfReader(BytesIO(sticker_sheet(devices, "https://town.example", skip=2))).pages

    assert [page.extract_text().count("bosch-tps110") for page in pages] == [22, 8]
    assert "Place 0" in pages[0].extract_text()


def test_a_stickers_page_is_a_web_address_whatever_the_device_is_called() -> None:
    assert page_of("A4:C1:38:00:11:22", "https://town.example/") == (
        "https://town.example/technician/devices/A4%3AC1%3A38%3A00%3A11%3A22"
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("0004a30b00ff0001", "0004 a30b 00ff 0001"),
        ("260111aa", "2601 11aa"),
        ("A4:C1:38:00:11:22", "A4:C1:38:00:11:22"),
        ("radar-1", "radar-1"),
    ],
)
def test_an_address_is_written_so_that_it_can_be_read_aloud(address: str, shown: str) -> None:
    assert grouped(address) == shown


def test_a_record_is_verified_from_its_file_alone(tmp_path: Path) -> None:
    kept = sign(RECORD, open_signer(tmp_path / "signing.key"))
    file = tmp_path / "record.json"

    def verify(text: str, *options: str) -> Result:
        file.write_text(text)
        return CliRunner().invoke(acceptance, ["verify", str(file), *options])

    text = json.dumps({"signed": kept.body, "signature": kept.signature})
    good = verify(text, "--key", str(tmp_path / "signing.key"))
    assert good.exit_code == 0, good.output
    assert "tested by Anne Le Goff" in good.stdout
    assert verify(text.replace("Anne", "Anna")).exit_code == 1
    assert verify(text, "--key", str(tmp_path / "another.key")).exit_code == 1
    assert verify("{}").exit_code == 2
