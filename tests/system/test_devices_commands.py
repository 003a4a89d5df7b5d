"""`passerelle devices` as a technician runs it: the real command, its real links, its words and its exit codes."""

import asyncio
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from edge.devices_commands import decode_frame
from edge.drivers.devices import catalogue
from edge.ports import SerialPort, describe_ports
from edge.readings import DeviceAddress, Frame, Knowledge
from edge.skeleton import CODEC_FILES, Pattern
from firmware_sim.encoders import bthome_v2, hlk_ld2450, modbus_register
from firmware_sim.links import chirpstack, lorawan
from firmware_sim.links.bluez import Bluez, PrivateBus
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.samples import SAMPLES
from tests.broker import Mosquitto
from tests.bus import bus
from tests.contract import vectors

__all__ = ["bus"]

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from passerelle import main; main()", "devices"]
PATIENCE_S = 60
COUNTS = "be010400010002000300041c200ce40139"
VECTOR_MODEL = "nwave-nps405"
SENSOR, SEALED, PASSER_BY = "A4:C1:38:00:00:01", "54:48:E6:8F:80:A5", "6E:11:22:33:44:55"


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def readings(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


def devices(*arguments: str) -> Outcome:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def refused(outcome: Outcome, status: int, words: str) -> None:
    """One line on standard error, nothing on standard output."""
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err.count("\n") == 1
    assert words in outcome.err


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to stop."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str], words: str) -> None:
    """Wait for a line on standard error."""
    assert process.stderr is not None
    assert words in process.stderr.readline()


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=PATIENCE_S)
    return Outcome(process.returncode, out, err)


def payloads_after(outcome: Outcome) -> list[dict[str, object]]:
    """The readings among the lines of `listen`."""
    return [json.loads(line) for line in outcome.out.splitlines() if line.lstrip().startswith("{")]


def test_decode_prints_one_reading_a_line() -> None:
    outcome = devices("decode", "parametric-pcr2", "--port", "14", COUNTS)
    assert (outcome.status, outcome.err) == (0, "")
    assert [reading["kind"] for reading in outcome.readings] == ["total", "delta", "health"]


def test_decode_takes_several_groups_as_one_frame() -> None:
    groups = ["aaff0300", "0e03b18610004001", "0000000000000000|0000000000000000", "55cc"]
    assert devices("decode", "hlk-ld2450", *groups).readings == [
        {"kind": "track", "slot": 0, "x_mm": -782, "y_mm": 1713, "speed_mm_s": -160}
    ]


VECTORS = [
    pytest.param(expectation, id=f"{VECTOR_MODEL}[{index}]")
    for index, expectation in vectors.expectations(VECTOR_MODEL, vectors.adapters()[VECTOR_MODEL])
]


@pytest.mark.parametrize("expectation", VECTORS)
def test_decode_says_of_a_public_vector_what_it_expects(expectation: vectors.Expectation) -> None:
    frame = expectation.frame
    outcome = devices("decode", expectation.model, "--port", str(frame.port), frame.payload.hex())
    if expectation.refused is not None:
        refused(outcome, 1, expectation.refused)
        return
    assert len(outcome.readings) == len(expectation.readings)
    for reading, expected in zip(outcome.readings, expectation.readings, strict=True):
        assert reading.items() >= dict(expected).items()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["parametric-pcr3", "00"], 2, "unknown model 'parametric-pcr3': did you mean parametric-pcr2? `pass"),
        (["nothing-like-it", "00"], 2, "unknown model 'nothing-like-it'; `passerelle devices list` shows all"),
        (["parametric-pcr2", "--port", "14", "be0"], 2, "HEX: 3 digits; two are expected for every byte"),
        (["parametric-pcr2", "--port", "14", "bexx"], 2, "HEX: 'x' at digit 2 is not hexadecimal"),
        (["bthome-v2", "--key", "00ff", "40"], 2, "--key: expected 16 bytes (32 digits), got 2"),
        (["modbus-register", "--option", "unit", "00"], 2, "--option: expected NAME=VALUE, got 'unit'"),
        (
            ["modbus-register", "--option", "bogus=1", "00"],
            2,
            "--option: unknown option 'bogus' of modbus-register; exp",
        ),
        (["parametric-pcr2", COUNTS], 1, "DecodeError: parametric-pcr2: no fPort given: expected 14 or 190"),
        (["parametric-pcr2", "--port", "9", COUNTS], 1, "DecodeError: parametric-pcr2 port 9: unknown fPort"),
        (["parametric-pcr2", "--port", "14", COUNTS[:-2]], 1, "DecodeError: parametric-pcr2 port 14, byte 16: too sho"),
    ],
)
def test_decode_refuses_in_one_line(arguments: Sequence[str], status: int, words: str) -> None:
    refused(devices("decode", *arguments), status, words)


def test_the_examples_of_its_help_can_be_decoded() -> None:
    """What the docstring shows, because help at a terminal is folded."""
    shown = re.findall(r"^ +passerelle devices (decode .*)$", decode_frame.__doc__ or "", flags=re.MULTILINE)
    assert len(shown) == 3
    assert [devices(*shlex.split(example)).status for example in shown] == [0, 0, 0]


def test_decode_without_a_frame_is_misuse() -> None:
    outcome = devices("decode", "parametric-pcr2")
    assert (outcome.status, outcome.out) == (2, "")
    assert "HEX" in outcome.err


def test_decode_loads_no_link() -> None:
    program = (
        "import sys; sys.argv = ['passerelle', 'devices', 'list']\n"
        "from passerelle import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'bleak', 'paho', 'serial', 'pymodbus', 'dbus_fast', 'firmware_sim'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_list_filters_by_link_and_kind() -> None:
    lines = devices("list", "--link", "lorawan", "--kind", "parking").out.splitlines()[1:]
    expected = [name for name, model in catalogue().items() if model.kind == "parking" and "lorawan" in model.links]
    assert [line.split()[0] for line in lines] == expected


def test_list_says_when_there_is_none() -> None:
    outcome = devices("list", "--link", "modbus", "--kind", "parking")
    assert (outcome.status, outcome.out) == (0, "")
    assert "no model" in outcome.err


def test_list_names_the_kinds_there_are_when_asked_for_another() -> None:
    outcome = devices("list", "--kind", "nonsense")
    assert (outcome.status, outcome.out) == (2, "")
    said = " ".join(outcome.err.replace("│", " ").split())
    assert "'--kind': expected counter, parking, presence, distance, got 'nonsense'" in said


def test_show_of_a_misspelt_model_names_the_nearest() -> None:
    refused(devices("show", "milesight-vs131"), 2, ": did you mean milesight-vs351, milesight-vs13")
    refused(devices("show", "PCR2"), 2, ": did you mean parametric-pcr2?")


def test_show_tells_how_to_mount_a_model() -> None:
    outcome = devices("show", "hlk-ld2450")
    model = catalogue()["hlk-ld2450"]
    assert f"baud:        {model.baud}" in outcome.out
    assert model.mounting in outcome.out


def test_what_encode_prints_decode_reads() -> None:
    encoded = devices("encode", "parametric-pcr2", "counts_v4", "--value", "ltr=7", "--value", "total_ltr=65535")
    assert encoded.status == 0
    hint = encoded.err.strip().removeprefix("decode it: passerelle devices ").split()
    assert hint[-1] == encoded.out.strip()
    total, delta, _ = devices(*hint).readings
    assert (total["in"], delta["in"]) == (65535, 7)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_is_a_frame_of_its_model(name: str) -> None:
    samples = {message: sample for message, sample in SAMPLES[name].items() if message != "refusal"}
    for sample in samples.values():
        frame = Frame(device=DeviceAddress("A4:C1:38:00:00:01"), payload=sample.payload({}), port=sample.port)
        assert isinstance(catalogue()[name].decode(frame, Knowledge()), list)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_can_be_asked_for_as_it_is_written(name: str) -> None:
    for sample in SAMPLES[name].values():
        wanted = dict(pair.split("=") for pair in sample.written.split())
        assert sample.payload(wanted) == sample.payload({})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["acme-gate1"], "no simulated 'acme-gate1'; expected one of benewake-tf-luna, "),
        (["nwave-ncc405", "parking"], "nwave-ncc405 has no message 'parking'; expected one of counter, heartbeat"),
        (["nwave-ncc405", "--value", "count=1"], "no value 'count': expected total"),
        (["nwave-ncc405", "--value", "total=many"], "value total: 'many' given, expected something like 1706"),
        (["nwave-ncc405", "--value", "total=65536"], "the values do not fit into the frame"),
        (["nwave-ncc405", "start_up", "--value", "firmware=2,4"], "expected something like 2,4,9"),
        (["nwave-ncc405", "--value", "total"], "--value: expected NAME=VALUE, got 'total'"),
    ],
)
def test_encode_refuses_in_one_line(arguments: Sequence[str], words: str) -> None:
    refused(devices("encode", *arguments), 2, words)


def test_encode_lists_the_messages_of_a_model() -> None:
    assert devices("encode", "pni-placepod", "--messages").out.splitlines()[:2] == [
        "parking_status occupied=true keep_alive=false",
        "vehicle_count total=17",
    ]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a checkout holds of codecs and their tests, without the example of the newcomers page."""
    copy = tmp_path / "checkout"
    leave = shutil.ignore_patterns("__pycache__", ".*", "acme*")
    for folder in ("edge", "docs", "tests/contract", "tests/cases"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    for file in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / file, copy / file)
    return copy


CODEC, CASES = "edge/drivers/devices/acme_gate1.py", "tests/cases/acme-gate1.json"


def check(checkout: Path) -> None:
    """Lint, types and the contract of codecs, for acme-gate1."""
    for command in (
        ["ruff", "format", "--check", CODEC],
        ["ruff", "check", CODEC],
        ["mypy", "--config-file", "pyproject.toml", CODEC],
        ["pytest", "-q", "-p", "no:cacheprovider", "tests/contract/test_codecs.py", "-k", "acme-gate1"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=checkout, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", Pattern)
def test_a_new_model_passes_lint_types_and_the_contract_of_codecs_as_it_is(checkout: Path, kind: Pattern) -> None:
    outcome = devices("new", "acme-gate1", "--kind", kind, "--checkout", str(checkout))
    assert outcome.status == 0, outcome.err
    check(checkout)


@pytest.mark.slow
def test_the_example_of_the_newcomers_page_passes_them_too(checkout: Path) -> None:
    page = (ROOT / "docs/adding-a-device.md").read_text()
    for path, language in ((CODEC, "python"), (CASES, "json")):
        _, _, block = page.partition(f"```{language}\n")
        (checkout / path).write_text(block.partition("```")[0])
    check(checkout)


def test_the_newcomers_page_names_files_and_commands_that_are_there() -> None:
    page = (ROOT / "docs/adding-a-device.md").read_text()
    ours = {CODEC, CASES, "firmware_sim/encoders/acme_gate1.py"}
    files = {
        name
        for name in re.findall(r"`((?:edge|tests|firmware_sim|docs)/[\w./-]+\.\w+)`", page)
        if name not in ours and not (ROOT / name).exists()
    }
    neighbours = {
        name
        for name in re.findall(r"`(\w+\.py)`", page)
        if not [*(ROOT / "edge/drivers/devices").glob(name), *(ROOT / "tests/contract").glob(name)]
    }
    assert (files, neighbours) == (set(), set())


def test_new_overwrites_nothing(checkout: Path) -> None:
    cases = checkout / CASES
    cases.write_text("mine")
    refused(devices("new", "acme-gate1", "--checkout", str(checkout)), 1, "is there already; nothing was written")
    assert cases.read_text() == "mine"
    assert not (checkout / CODEC).exists()


@pytest.mark.parametrize("name", ["Acme-Gate", "gate", "acme_gate", "acme-", "../acme-gate", "a-" + "b" * 40])
def test_new_wants_a_maker_and_a_model(checkout: Path, name: str) -> None:
    refused(devices("new", name, "--checkout", str(checkout)), 2, "expected maker-model in lower case")


def test_new_wants_a_checkout(tmp_path: Path) -> None:
    refused(devices("new", "acme-gate1", "--checkout", str(tmp_path)), 2, "is no checkout of Passerelle")


def test_no_model_was_left_as_new_wrote_it() -> None:
    skeletons = " ".join(template.template for template in CODEC_FILES.values())
    assert not [
        model.name for model in catalogue().values() if model.mounting in skeletons or model.source in skeletons
    ]


def test_listen_prints_what_a_radar_sees_until_ctrl_c(tmp_path: Path) -> None:
    with (
        closing(SerialPeer(tmp_path / "radar")) as radar,
        running("listen", "serial", "hlk-ld2450", radar.path) as seen,
    ):
        says(seen, "listening (Ctrl-C ends it)")
        assert seen.stdout is not None
        radar.send(b"\x55\xcc" + hlk_ld2450.report([hlk_ld2450.Target(-782, 1713, -16)]))
        lines = [seen.stdout.readline() for _ in range(5)]
        seen.send_signal(signal.SIGINT)
        assert ended(seen).status == 0
    told = "".join(lines)
    assert "says without a frame" in told
    assert "refused noise: stream byte 0: no frame header; 2 bytes skipped  55cc" in told
    assert "radar  aaff0300" in told
    assert '{"kind":"track","slot":0,"x_mm":-782,"y_mm":1713,"speed_mm_s":-160}' in told


def test_listen_stops_after_so_many_frames(tmp_path: Path) -> None:
    radar = SerialPeer(tmp_path / "radar")
    with closing(radar), running("listen", "serial", "hlk-ld2450", radar.path, "--frames", "2") as seen:
        says(seen, "listening")
        radar.send(hlk_ld2450.report([]) * 3)
        outcome = ended(seen)
    assert outcome.status == 0
    assert outcome.out.count("aaff0300") == 2


def test_listen_says_what_to_try_when_the_cable_is_pulled(tmp_path: Path) -> None:
    with (
        closing(SerialPeer(tmp_path / "radar")) as radar,
        running("listen", "serial", "hlk-ld2450", radar.path) as seen,
    ):
        says(seen, "listening")
        radar.unplug()
        outcome = ended(seen)
    assert outcome.status == 1
    assert outcome.err.startswith("LinkError: port ")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["serial", "hlk-ld2450", "/dev/nowhere"], 1, "plug it in, or give the path it has under /dev/serial/by-id"),
        (["serial", "hlk-ld2450", "usb:dead:beef"], 1, "no adapter usb:dead:beef is plugged in"),
        (["serial", "bosch-tps110", "/dev/nowhere"], 2, "does not send on a serial port by itself"),
        (["serial", "hlk-ld2450", "/dev/nowhere", "--baud", "3"], 2, "$.baud"),
        (["chirpstack", "127.0.0.1", "--port", "1"], 1, "check address and files"),
        (["chirpstack", "127.0.0.1", "--model", "nobodys-gate1"], 2, "unknown model 'nobodys-gate1'"),
        (["chirpstack", "127.0.0.1", "--config", "/nowhere.toml"], 2, "ConfigError: /nowhere.toml: cannot be read"),
        (["modem", "/dev/nowhere", "--nwk-skey", "00" * 16], 2, "--nwk-skey and --app-skey belong together"),
        (["modem", "/dev/nowhere", "--nwk-skey", "0", "--app-skey", "0"], 2, "--nwk-skey: 1 digits"),
        (["ble", "--key", "00"], 2, "--key: expected ADDRESS=KEY"),
        (["ble", "--key", f"{SEALED}=00"], 2, "--key: expected 16 bytes"),
    ],
)
def test_listen_refuses_in_one_line(arguments: Sequence[str], status: int, words: str) -> None:
    refused(devices("listen", *arguments), status, words)


def test_listen_reads_chirpstack_and_leaves_no_session_behind(mosquitto: Mosquitto) -> None:
    application = f"application/{chirpstack.APPLICATION}/#"
    device = chirpstack.EndDevice(dev_eui="a81758fffe0a0b0c")
    document = chirpstack.uplink(device, counter=1, port=14, payload=bytes.fromhex(COUNTS), at=datetime.now(UTC))
    broker = [mosquitto.host, "--port", str(mosquitto.port), "--topic", application]
    server = chirpstack.ChirpStackPeer(mosquitto.host, mosquitto.port)
    command = ["listen", "chirpstack", *broker, "--model", "parametric-pcr2", "--frames", "1"]
    with closing(server), running(*command) as seen:
        says(seen, "listening")
        server.publish_and_wait(document)
        outcome = ended(seen)
    assert outcome.status == 0
    assert "a81758fffe0a0b0c  port 14  counter 1  -87 dBm  8.5 dB" in outcome.out
    assert [reading["kind"] for reading in payloads_after(outcome)] == ["total", "delta", "health"]
    client = next(word for word in mosquitto.log.split() if word.startswith("passerelle-listen-"))
    assert f"as {client} (p5, c1," in mosquitto.log


def test_listen_tells_strangers_of_a_modem_and_reads_whose_keys_it_has(tmp_path: Path) -> None:
    nwk_skey, app_skey = bytes(range(16)), bytes(range(16, 32))
    ours = lorawan.Session("26011bda", nwk_skey, app_skey)
    other = lorawan.Session("26011bdb", app_skey, nwk_skey)

    async def scene(modem: ModemPeer, keys: Sequence[str]) -> Outcome:
        modem.start()
        with running("listen", "modem", modem.path, "--model", "nwave-ncc405", *keys, "--frames", "1") as seen:
            await asyncio.wait_for(modem.until_listening(), PATIENCE_S)
            modem.transmit(lorawan.uplink(other, 1, 1, bytes.fromhex("06aa")))
            modem.transmit(lorawan.uplink(ours, 1, 1, bytes.fromhex("06aa")))
            return await asyncio.to_thread(ended, seen)

    with closing(ModemPeer(tmp_path / "modem")) as modem:
        outcome = asyncio.run(scene(modem, ["--nwk-skey", nwk_skey.hex(), "--app-skey", app_skey.hex()]))
    assert outcome.status == 0
    assert "26011bdb  -80 dBm  not readable: LoRaWAN by personalization: wrong nwk_skey" in outcome.out
    assert [reading["in"] for reading in payloads_after(outcome)] == [1706]


USER_DATA_UUID = "0000181c-0000-1000-8000-00805f9b34fb"
FAST_PAIR_UUID = "0000fe2c-0000-1000-8000-00805f9b34fb"
KEY = bytes(range(16))


async def in_the_air(bus: PrivateBus, *arguments: str) -> Outcome:
    """A command while two sensors and two passers-by advertise."""
    air = Bluez()
    await air.start(bus.address)
    try:
        with running(*arguments) as seen:
            await asyncio.wait_for(air.scanning(), PATIENCE_S)
            await air.advertise(PASSER_BY, b"\x00\x11\x22", -50, uuid=FAST_PAIR_UUID)
            await air.advertise(PASSER_BY, b"\x01\x02\x03", -50, uuid=USER_DATA_UUID)
            await air.advertise(SEALED, bthome_v2.encrypted([bthome_v2.occupancy(True)], KEY, SEALED, 7), -81)
            await air.advertise(SENSOR, bthome_v2.plain([bthome_v2.count(41, 32)], 1), -66)
            await air.advertise(SENSOR, bthome_v2.plain([bthome_v2.count(42, 32)], 2), -67)
            return await asyncio.to_thread(ended, seen)
    finally:
        await air.stop()


def test_scan_shows_sensors_by_strength_and_no_passer_by(bus: PrivateBus) -> None:
    outcome = asyncio.run(in_the_air(bus, "scan", "--seconds", "3"))
    assert outcome.status == 0, outcome.err
    head, sensor, sealed = (line.split(maxsplit=4) for line in outcome.out.splitlines())
    assert head == ["sensor", "signal", "messages", "says"]
    assert sensor[:4] == [SENSOR, "-67", "dBm", "2"]
    assert sensor[4].startswith("total channel 1, in 42, bits 32")
    assert sealed == [SEALED, "-81", "dBm", "0", "BTHome v2, needs a key".ljust(len(sealed[4]))]
    assert PASSER_BY not in outcome.out + outcome.err


def test_listen_ble_reads_sealed_sensors_with_a_key_and_shows_no_passer_by(bus: PrivateBus) -> None:
    outcome = asyncio.run(in_the_air(bus, "listen", "ble", "--key", f"{SEALED}={KEY.hex()}", "--frames", "3"))
    assert outcome.status == 0, outcome.err
    readings = [reading for reading in payloads_after(outcome) if reading["kind"] != "health"]
    assert [(reading["kind"], reading.get("in")) for reading in readings] == [
        ("presence", None),
        ("total", 41),
        ("total", 42),
    ]
    assert PASSER_BY not in outcome.out + outcome.err
    assert "010203" not in outcome.out


def test_scan_says_when_it_heard_nothing(bus: PrivateBus) -> None:
    async def silence() -> Outcome:
        air = Bluez()
        await air.start(bus.address)
        try:
            return await asyncio.to_thread(devices, "scan", "--seconds", "1")
        finally:
            await air.stop()

    outcome = asyncio.run(silence())
    assert outcome.status == 0
    assert "no BTHome sensor heard" in outcome.err


@pytest.mark.usefixtures("bus")
def test_scan_without_bluetooth_says_what_to_start() -> None:
    refused(devices("scan"), 1, "bluetoothd does not run; install bluez and start it")


def test_listen_asks_a_modbus_unit(tmp_path: Path) -> None:
    async def scene(cable: SerialPeer) -> Outcome:
        asked = asyncio.Event()

        def answer() -> None:
            if cable.receive():
                cable.send(modbus_register.registers(1, [754]))
                asked.set()

        asyncio.get_running_loop().add_reader(cable.descriptor, answer)
        arguments = ["listen", "modbus", cable.path, "--option", "unit=1", "--frames", "1"]
        with running(*arguments) as seen:
            await asyncio.wait_for(asked.wait(), PATIENCE_S)
            outcome = await asyncio.to_thread(ended, seen)
        asyncio.get_running_loop().remove_reader(cable.descriptor)
        return outcome

    with closing(SerialPeer(tmp_path / "pair")) as cable:
        outcome = asyncio.run(scene(cable))
    assert outcome.status == 0, outcome.err
    assert {"kind": "range", "mm": 754} in payloads_after(outcome)


def test_ports_tells_the_names_that_stay(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-FTDI-if00").symlink_to(tmp_path / "ttyUSB0")
    adapter, built_in = ListPortInfo(str(tmp_path / "ttyUSB0")), ListPortInfo(str(tmp_path / "ttyAMA0"))
    adapter.vid, adapter.pid, adapter.serial_number = 0x0403, 0x6001, "A50285BI"
    adapter.manufacturer, adapter.product = "FTDI", "FT232R"
    assert describe_ports([adapter, built_in], by_id) == [
        SerialPort(path=built_in.device, product="", usb=None, by_id=None),
        SerialPort(
            path=adapter.device, product="FTDI FT232R", usb="usb:0403:6001:A50285BI", by_id=by_id / "usb-FTDI-if00"
        ),
    ]


def test_ports_runs_on_any_machine() -> None:
    outcome = devices("ports")
    assert outcome.status == 0
    assert outcome.out.startswith("port now") or "no serial port found" in outcome.err


@pytest.mark.parametrize(
    "words",
    [[word] for word in ("list", "show", "decode", "encode", "new", "ports", "scan")]
    + [["listen", word] for word in ("serial", "chirpstack", "things-stack", "modem", "ble", "modbus")],
    ids=" ".join,
)
def test_every_command_has_help_with_an_example(words: Sequence[str]) -> None:
    outcome = devices(*words, "--help")
    assert outcome.status == 0
    assert "Example" in outcome.out
    assert f"passerelle devices {' '.join(words)}" in outcome.out
