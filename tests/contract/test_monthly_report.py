"""The report of a month: made once, kept, sent once; what failed is done when it is run again."""

from contextlib import closing
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from cloud_api.mailing import load_mail
from cloud_api.report_commands import report
from cloud_api.settings import ConfigError
from cloud_api.stores import open_store
from tests.postbox import Postbox, postbox
from tests.reporting import BEGAN, REGISTRY, fill, parked
from tests.town import Clock, kept

FILES = [f"{kind}-{of}-2026-11-01-2026-11-30" for kind, of in (("flows", "town"), ("parking", "marche"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db", Clock(BEGAN))) as store:
        fill(store)
        parked(store)
    kept(REGISTRY, tmp_path).close()
    return tmp_path


def mail_for(box: Postbox, folder: Path) -> tuple[str, str]:
    file = folder / "mail.toml"
    file.write_text(
        f'host = "127.0.0.1"\nport = {box.port}\nencryption = "none"\n'
        'from = "passerelle@saint-aubin.example"\nto = ["office@saint-aubin.example"]\n',
        encoding="utf-8",
    )
    return "--mail", str(file)


def run(folder: Path, *words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(
        report,
        [
            *("monthly", "--month", "2026-11", "--town", "Saint-Aubin", *words),
            *("--store", f"sqlite:///{folder}/history.db", "--registry", f"{folder}/registry.db"),
            *("--folder", f"{folder}/reports"),
        ],
    )
    return ran.exit_code, ran.output


@pytest.mark.slow
def test_a_month_is_kept_and_sent_once(folder: Path) -> None:
    with postbox() as box:
        mail = mail_for(box, folder)
        first = run(folder, *mail, "--open", "08:00-20:00")
        pages = folder / "reports" / "2026-11" / f"{FILES[0]}.pdf"
        before = pages.read_bytes()

        again = run(folder, *mail)

    assert (first[0], again[0]) == (0, 0), first[1] + again[1]
    (message,) = box.messages
    assert message["Subject"] == "Saint-Aubin\u00a0: rapport de novembre 2026"
    names = [each.get_filename() for each in message.iter_attachments()]
    assert names == [f"{file}.{suffix}" for file in FILES for suffix in ("pdf", "xlsx")]
    assert pages.read_bytes() == before
    assert "(8\u202fh–20\u202fh)" in "".join(page.extract_text() for page in PdfReader(pages).pages)
    assert "sent before" in again[1]


def test_opening_hours_that_nobody_can_read_are_refused_before_anything_is_kept(folder: Path) -> None:
    status, said = run(folder, "--open", "de 10 h à 19 h")

    assert status == 2
    assert "hours as 10:00-19:00" in said
    assert not (folder / "reports").exists()


@pytest.mark.slow
def test_mail_that_is_refused_is_told_and_tried_again_by_the_next_run(folder: Path) -> None:
    with postbox(refuses=True) as box:
        status, said = run(folder, *mail_for(box, folder))
    with postbox() as box:
        again, _ = run(folder, *mail_for(box, folder))

    assert status == 1
    assert "no such person here" in said
    assert again == 0
    assert len(box.messages) == 1


@pytest.mark.parametrize(
    ("line", "field"),
    [("port = 0", "port"), ('to = ["nobody"]', "to"), ("to = []", "to"), ('colour = "red"', "colour")],
)
def test_settings_of_mail_that_make_no_sense_are_named(tmp_path: Path, line: str, field: str) -> None:
    known = {"host": 'host = "localhost"', "from": 'from = "a@b.example"', "to": 'to = ["c@d.example"]'}
    known[line.split()[0]] = line
    file = tmp_path / "mail.toml"
    file.write_text("\n".join(known.values()), encoding="utf-8")

    with pytest.raises(ConfigError, match=field):
        load_mail(file)
