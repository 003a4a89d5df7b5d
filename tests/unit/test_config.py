"""A mistake in the configuration is named by file, line, field and expectation; paths are beside the file."""

import re
from pathlib import Path

import pytest

from edge.config import ConfigError, load, parse, refused_devices
from edge.messages import DeviceSettings

GOOD = """
[gateway]
name = "mairie"
data = "data"

[broker]
host = "127.0.0.1"
password_file = "secret"

[[link]]
name = "network"
kind = "chirpstack"
host = "127.0.0.1"
client_id = "passerelle-mairie"

[[link]]
name = "passage"
kind = "serial"
port = "/dev/ttyUSB0"
model = "hlk-ld2450"
device = "radar-1"

[[device]]
address = "0004a30b00000001"
model = "parametric-pcr2"
"""
FILE = Path("/etc/passerelle/gateway.toml")


def mistake(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, FILE)
    return caught.value


def test_a_good_file_is_read_and_its_paths_are_beside_it() -> None:
    config = parse(GOOD, FILE)
    assert config.gateway.data == Path("/etc/passerelle/data")
    assert config.broker.password_file == Path("/etc/passerelle/secret")
    assert [link.name for link in config.link] == ["network", "passage"]


def test_broken_toml_names_the_line() -> None:
    error = mistake(GOOD.replace('name = "mairie"', "name = mairie"))
    assert error.line == 3
    assert "not TOML" in str(error)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "field", "expected"),
    [
        ('name = "mairie"', 'name = "La Mairie"', 3, "gateway.name", "matching regex"),
        ('host = "127.0.0.1"\np', "host = 7\np", 7, "broker.host", "Expected `str`"),
        ('port = "/dev/ttyUSB0"\n', "", 16, "link[1]", "missing required field `port`"),
        ('port = "/dev/ttyUSB0"\n', "baud = 12\n", 19, "link[1].baud", ">= 1200"),
        ('kind = "serial"', 'kind = "serail"', 18, "link[1].kind", "'serail'; expected serial, rak3172, chirpstack"),
        ('kind = "serial"\n', "", 16, "link[1]", "missing required field `kind`; expected serial, rak3172"),
        ('port = "/dev/ttyUSB0"', 'prot = "/dev/ttyUSB0"', 19, "link[1].prot", "expected kind, name, port,"),
        ('host = "127.0.0.1"\np', 'hots = "127.0.0.1"\np', 7, "broker.hots", "expected host, port,"),
        ("[[device]]", "[[devices]]", 23, "devices", "expected gateway, broker, link or device"),
        ('model = "parametric-pcr2"', 'modell = "parametric-pcr2"', 25, "device[0].modell", "expected address, model,"),
        (
            'model = "parametric-pcr2"',
            'model = "parametric-pcr2"\nlink = "netwrok"',
            26,
            "device[0].link",
            "no [[link]] is named 'netwrok'; expected network or passage",
        ),
        ('model = "parametric-pcr2"', 'model = "parametric-pcr3"', 23, "device[0] 0004a30b00000001", "unknown model"),
        ('name = "passage"', 'name = "network"', 17, "link[1].name", "there twice"),
        ('data = "data"', 'data = "data"\ninterval_s = 700', 5, "gateway.interval_s", "divisor of 3600"),
        ('data = "data"', 'data = "data"\nintervall = 300', 5, "gateway.intervall", "unknown field `intervall`"),
    ],
)
def test_a_mistake_names_line_field_and_expectation(
    right: str, wrong: str, line: int, field: str, expected: str
) -> None:
    error = mistake(GOOD.replace(right, wrong, 1))
    assert (error.line, error.field) == (line, field)
    assert expected in str(error)
    assert str(FILE) in str(error)


def test_the_sample_configuration_is_good() -> None:
    config = load(Path(__file__).parents[2] / "deploy" / "edge" / "gateway.toml")
    assert [link.name for link in config.link] == ["passage", "chirpstack", "modem", "bluetooth"]
    assert len(config.device) == 4


def test_what_the_sample_configuration_shows_in_comments_is_good_too() -> None:
    sample = (Path(__file__).parents[2] / "deploy" / "edge" / "gateway.toml").read_text()
    shown = re.sub(r"^# (?=\[\[|[a-z_]+ = )", "", sample, flags=re.MULTILINE)
    config = parse(shown, FILE)
    assert {"things", "quay"} < {link.name for link in config.link}
    assert config.device[-1].options["unit"] == 1


def test_a_modbus_device_must_say_where_it_hangs_and_what_to_ask() -> None:
    options: dict[str, bool | int | float | str] = {"unit": 1}
    devices = (
        DeviceSettings(address="a", model="modbus-register", options=options),
        DeviceSettings(address="b", model="modbus-register", link="quay"),
        DeviceSettings(address="c", model="modbus-register", link="quay", options={"unit": 300}),
        DeviceSettings(address="d", model="modbus-register", link="quay", options=options),
    )
    reasons = {refused.where: refused.reason for refused in refused_devices(devices)}
    assert list(reasons) == ["a", "b", "c"]
    assert "`link` is missing" in reasons["a"]
    assert "`unit` is missing" in reasons["b"]
    assert "$.unit" in reasons["c"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(Path("/nowhere.toml"))


def test_devices_are_refused_one_by_one() -> None:
    devices = (
        DeviceSettings(address="a", model="parametric-pcr2"),
        DeviceSettings(address="a", model="parametric-pcr2"),
        DeviceSettings(address="b", model="nothing"),
        DeviceSettings(address="c", model="parametric-pcr2", options={"wings": 2}),
        DeviceSettings(address="d", model="nwave-nps405", nwk_skey="0" * 32),
        DeviceSettings(address="e", model="hlk-ld2450", line_mm=(0, 500, 0, 500)),
        DeviceSettings(address="f", model="hlk-ld2450", line_mm=(0, 500, 0, 501)),
    )
    reasons = [(refused.where, refused.reason) for refused in refused_devices(devices)]
    assert [where for where, _ in reasons] == ["a", "b", "c", "d", "e"]
    assert "there twice" in reasons[0][1]
    assert "devices list" in reasons[1][1]
    assert "unknown option 'wings'" in reasons[2][1]
    assert "belong together" in reasons[3][1]
    assert reasons[4][1] == "line_mm: its two points are one; expected the ends of a line that people cross"
