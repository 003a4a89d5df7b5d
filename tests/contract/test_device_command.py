"""`passerelle gateway|device|install` on a real registry: from a delivery to a place and out of service."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer import Typer
from typer.testing import CliRunner, Result

from cloud_api.device_commands import device
from cloud_api.gateway_commands import gateway
from cloud_api.install_commands import install
from cloud_api.registry import Counter, Registry, Space, Zone
from cloud_api.registry.places import Entry
from edge.recognition import known_models
from tests.registries import registry_at
from tests.town import HERE

PUCK, SPARE, LINE = "0004a30b00ff0001", "0004a30b00ff0002", "0004a30b00ff0003"
KEY = "0123456789abcdef" * 2


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A registry with a zone of two spaces, a counter and a gateway."""
    file = tmp_path / "registry.db"
    places: list[Entry] = [
        Zone(id="marche", name="Marché", position=HERE),
        Space(id="m1", zone="marche"),
        Space(id="m2", zone="marche"),
        Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="nord", out="sud"),
    ]
    with closing(registry_at(file)) as store:
        store.merge(places, by="test", at=datetime.now(UTC))
    assert run(gateway, town=file, words=("add", "halles", "--label", "Les halles")).exit_code == 0
    return file


def run(command: Typer, *, town: Path, words: tuple[str, ...]) -> Result:
    return CliRunner().invoke(command, [*words, "--registry", str(town)], obj=known_models)


def done(command: Typer, town: Path, *words: str) -> str:
    result = run(command, town=town, words=words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(command: Typer, town: Path, *words: str) -> str:
    result = run(command, town=town, words=words)
    assert result.exit_code == 2, result.output
    return result.stderr


def now(town: Path) -> Registry:
    with closing(registry_at(town)) as store:
        return store.snapshot()


def adopt(town: Path, address: str = PUCK, model: str = "bosch-tps110") -> str:
    return done(device, town, "adopt", address, "--model", model, "--gateway", "halles")


def test_a_device_is_adopted_installed_swapped_and_retired_from_the_shell(town: Path) -> None:
    assert f"{PUCK} (bosch-tps110) is adopted by gateway halles\n1 added" in adopt(town, PUCK.upper())
    assert f"{PUCK} 1 serves m1 from" in done(install, town, "add", PUCK, "m1")
    assert f"{SPARE} takes the place of {PUCK}" in done(device, town, "swap", "m1", SPARE)
    assert "1 device" in done(device, town, "list", "--gateway", "halles")
    assert f"{SPARE} is retired" in done(device, town, "retire", SPARE)
    assert "device retire (" in done(device, town, "show", SPARE)
    assert SPARE in done(device, town, "list", "--retired")
    assert "0 installations" in done(install, town, "list")


def test_a_dry_run_tells_and_does_nothing(town: Path) -> None:
    told = done(device, town, "adopt", PUCK, "--model", "bosch-tps110", "--gateway", "halles", "--dry-run")

    assert "dry run, nothing is done: 1 added" in told
    assert now(town).devices == {}


def test_settings_that_are_not_named_stay(town: Path) -> None:
    adopt(town)
    done(device, town, "set", PUCK, "--label", "bay 7")

    assert f"{PUCK}: invert_presence changes" in done(device, town, "set", PUCK, "--inverted")
    assert (now(town).devices[PUCK].label, now(town).devices[PUCK].invert_presence) == ("bay 7", True)


def test_a_counter_is_installed_the_other_way_round_and_turned(town: Path) -> None:
    adopt(town, LINE, "parametric-pcr2")
    line = ("--channel", "line1", "--mode", "pedestrian")

    done(install, town, "add", LINE, "rue-haute", *line, "--reverse")
    assert "reversed" in done(install, town, "list", "--place", "rue-haute")
    assert "its first direction is the street's in" in done(install, town, "turn-round", LINE)
    assert "serves rue-haute until" in done(install, town, "end", LINE)


def test_two_devices_that_were_taken_for_each_other_are_exchanged_and_a_wrong_place_mended(town: Path) -> None:
    adopt(town)
    adopt(town, SPARE)
    done(install, town, "add", PUCK, "m1")
    done(install, town, "add", SPARE, "m2")

    done(device, town, "exchange", PUCK, SPARE)
    assert {each.place: each.device for each in now(town).installations} == {"m1": SPARE, "m2": PUCK}
    done(device, town, "store", SPARE)
    assert f"{PUCK} 1 has served m1, not m2" in done(device, town, "move", PUCK, "m1", "--since-start")
    assert f"{PUCK} 1 serves m2 from" in done(device, town, "move", PUCK, "m2")


def test_mistakes_say_what_to_do_and_change_nothing(town: Path) -> None:
    adopt(town)
    done(install, town, "add", PUCK, "m1")

    assert "16 hexadecimal digits, not 15" in refused(device, town, "adopt", PUCK[:-1], "--model", "bosch-tps110")
    model = refused(device, town, "adopt", SPARE, "--model", "bosch-tps111", "--gateway", "halles")
    assert "knows no model bosch-tps111" in model
    assert "bosch-tps110 may be meant" in model
    assert "move it, or end that installation first" in refused(install, town, "add", PUCK, "m2")
    assert "halles may be meant" in refused(gateway, town, "show", "hales")
    assert "NAME=VALUE expected" in refused(device, town, "set", PUCK, "--option", "speed")
    assert "a time as 2026-11-30T18:00 expected" in refused(install, town, "end", PUCK, "--at", "noon")
    assert len(now(town).devices) == 1


def test_a_delivery_is_imported_whole_with_keys_that_nothing_shows(town: Path, tmp_path: Path) -> None:
    file = tmp_path / "delivery.csv"
    rows = [f"0004a30b00ff00{number:02x},bosch-tps110,{KEY},{KEY}" for number in range(0x10, 0x40)]
    header = "devEUI,model,nwk_skey,app_skey"
    file.write_text("\n".join([header, *rows[:35], "0004a30b00ff003,bosch-tps110,,", *rows[36:]]))

    told = refused(device, town, "import", str(file), "--gateway", "halles")
    assert "line 37, address: '0004a30b00ff003'" in told
    assert "mistakes: 1; nothing is written" in told
    assert now(town).devices == {}

    file.write_text("\n".join([header, *rows]))
    told = done(device, town, "import", str(file), "--gateway", "halles")
    assert "48 added" in told
    assert "with keys: 48" in told
    shown = done(device, town, "show", "0004a30b00ff0010")
    assert "nwk_skey, app_skey" in shown
    assert KEY not in told + shown
    with closing(registry_at(town)) as store:
        assert len(store.radio_keys.all()) == 48


def test_a_gateway_is_listed_and_shown_with_what_is_its_own(town: Path) -> None:
    adopt(town)

    assert "Les halles" in done(gateway, town, "list")
    assert f"{PUCK} bosch-tps110" in done(gateway, town, "show", "halles")
    assert "keeps its own file" in done(gateway, town, "add", "gare", "--own-file", "--dry-run")


def test_stickers_are_printed_for_the_devices_that_are_meant(town: Path, tmp_path: Path) -> None:
    adopt(town)
    sheet = tmp_path / "stickers.pdf"
    url = ("--url", "https://town.example", "--output", str(sheet))

    said = done(device, town, "stickers", *url)

    assert "1 stickers" in said
    assert PUCK[-4:] in PdfReader(sheet).pages[0].extract_text()
    assert "not adopted here" in refused(device, town, "stickers", "0004a30b00ff9999", *url)
    assert "--url 'town'" in refused(device, town, "stickers", "--url", "town")
