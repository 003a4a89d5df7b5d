"""`passerelle devices listen`, `scan` and `ports`: what sensors say on real links, until Ctrl-C."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from edge.ports import SerialPort, describe_ports
from firmware_sim.encoders import bthome_v2, hlk_ld2450, modbus_register
from firmware_sim.links import chirpstack, lorawan
from firmware_sim.links.bluez import Bluez, PrivateBus
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from tests.broker import Mosquitto
from tests.bus import bus
from tests.system.devices_command import (
    COUNTS,
    PATIENCE_S,
    Outcome,
    devices,
    ended,
    payloads_after,
    refused,
    running,
    says,
)

__all__ = ["bus"]

SENSOR, SEALED, PASSER_BY = "A4:C1:38:00:00:01", "54:48:E6:8F:80:A5", "6E:11:22:33:44:55"


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
