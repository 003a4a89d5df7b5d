"""An identity is written into a configuration, and nothing else in it changes."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import parse
from edge.identity import UneditableError, Values, template, with_identity
from edge.ports import SerialPort
from tests.system.programs import REPOSITORY

BROKER: Values = {
    "host": "broker.ville.example",
    "port": 8883,
    "username": "gare.1f2e3d4c",
    "password_file": "broker-password",
}
SAMPLE = (REPOSITORY / "deploy" / "edge" / "gateway.toml").read_text()
ADAPTER = SerialPort("/dev/ttyUSB0", "FTDI FT232R", "usb:0403:6001:A1", Path("/dev/serial/by-id/usb-FTDI"))


def test_links_devices_and_comments_of_a_configuration_stay() -> None:
    written = with_identity(SAMPLE, "gare", BROKER)
    before, after = tomllib.loads(SAMPLE), tomllib.loads(written)
    assert after["broker"] == BROKER
    assert after["gateway"] == {**before["gateway"], "name": "gare"}
    assert (after["link"], after["device"]) == (before["link"], before["device"])
    for comment in ("# A radar on a serial wire.", "# poll_s = 1.0", "# the outbox; must survive a restart"):
        assert comment in written


def test_writing_an_identity_again_changes_nothing() -> None:
    once = with_identity(SAMPLE, "gare", BROKER)
    assert with_identity(once, "gare", BROKER) == once


def test_a_configuration_made_up_for_a_new_machine_is_good_and_shows_its_ports() -> None:
    for ports in ([], [ADAPTER]):
        config = parse(with_identity(template(ports), "gare", BROKER), Path("gateway.toml"))
        assert (config.gateway.name, config.broker.username, config.link) == ("gare", "gare.1f2e3d4c", ())
    assert '# port = "/dev/serial/by-id/usb-FTDI"' in template([ADAPTER])
    uncommented = template([ADAPTER]).replace("# [[link]]", "[[link]]")
    for key in ("kind", "name", "port", "model"):
        uncommented = uncommented.replace(f"# {key} =", f"{key} =")
    text = with_identity(uncommented + 'device = "radar"\n', "gare", BROKER)
    assert parse(text, Path("gateway.toml")).link[0].name == "wire"


@pytest.mark.parametrize(
    "text",
    [
        "gateway = { name = 'a', data = 'd' }\n",
        "gateway.name = 'a'\n",
        '[gateway]\ndata = """\nname = 5\n"""\n',
        "[broker]\nhost = 'a'\n[gateway.more]\nx = 1\n",
        "[gateway\n",
    ],
)
def test_what_cannot_be_edited_without_changing_more_is_refused(text: str) -> None:
    with pytest.raises(UneditableError):
        with_identity(text, "gare", BROKER)


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_platform_answers_is_a_value_and_never_a_line_of_its_own(name: str, user: str) -> None:
    written = with_identity(SAMPLE, name, {"host": "h", "username": user})
    assert tomllib.loads(written)["broker"]["username"] == user
    assert tomllib.loads(written)["gateway"]["name"] == name
