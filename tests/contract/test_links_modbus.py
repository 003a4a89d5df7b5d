"""The Modbus link on a pseudo-terminal, through pymodbus: every unit is heard, whatever the others do."""

import asyncio
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edge.drivers.devices import modbus_register
from edge.drivers.links.base import Arrival, Inbox, LinkError, Refused
from edge.drivers.links.modbus import ModbusConfig, ModbusLink
from edge.intake import Intake
from edge.messages import DeviceSettings, Epoch
from edge.readings import Health, Knowledge, Range
from firmware_sim.encoders.modbus_register import registers
from firmware_sim.links.modbus import Unit
from tests.arrivals import Collected, Ticks, running
from tests.clocks import ManualClock
from tests.modbus_pair import (
    BAY,
    BRISK_S,
    GATE,
    LANE,
    PATIENT_S,
    SEN0492,
    Adopted,
    a_bay,
    a_gate,
    config_of,
    frames_of,
    heard,
    link_to,
    missed,
    wired,
)


def test_several_units_on_one_pair_are_read_in_turn_and_their_codec_understands_them(tmp_path: Path) -> None:
    units = {1: a_bay(), 11: a_gate(), 80: Unit({52: 1803})}

    async def scenario() -> None:
        async with wired(tmp_path, units) as pair, running(link_to(pair, BAY, GATE, LANE)) as collected:
            await collected.until(heard(LANE, 3))
            assert [frames_of(collected, device)[0].payload for device in (BAY, GATE, LANE)] == [
                registers(1, [1480, 1490, 235]),
                registers(11, [120, 235]),
                registers(80, [1803]),
            ]
            assert len(frames_of(collected, BAY)) >= 2
            assert collected.refused == []
            assert collected.health == [Health()] * 3
            [frame, *_] = frames_of(collected, GATE)
            assert frame.heard_ms > 0
            knowledge = Knowledge(options=GATE.options)
            assert modbus_register.decode(frame, knowledge) == [Range(mm=1200), Health(temperature_c=23.5)]

    asyncio.run(scenario())


def test_input_registers_are_read_with_their_own_function(tmp_path: Path) -> None:
    device = msgspec.structs.replace(LANE, options={**SEN0492, "function": 4})
    units = {80: Unit({52: 700}, function=4)}

    async def scenario() -> None:
        async with wired(tmp_path, units) as pair, running(link_to(pair, device)) as collected:
            await collected.until(heard(device, 1))
            assert collected.frames[0].payload == registers(80, [700], function=4)

    asyncio.run(scenario())


def test_a_unit_that_is_silent_gets_a_fault_of_its_own_and_holds_up_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            wired(tmp_path, {11: a_gate()}) as pair,
            running(link_to(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(lambda seen: any(health.fault for health in seen.health))
            await collected.until(heard(GATE, len(frames_of(collected, GATE)) + 10))
            assert collected.refused == ["no-answer"] * 3
            [fault] = [health for health in collected.health if health.fault]
            assert fault.fault == "no answer"
            assert fault.note is not None
            assert fault.note.startswith("unit 1: 3 polls without a reading")
            assert {refused.device for refused in collected.of(Refused)} == {"bay"}

    asyncio.run(scenario())


def test_a_unit_that_comes_back_is_well_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = Ticks(0)
        async with wired(tmp_path, {}) as pair:
            link = ModbusLink(config_of(pair.path, BRISK_S), clock, Adopted(BAY))
            async with running(link) as collected:
                for minute in range(1, 4):
                    await collected.until(missed(minute))
                    clock.fixed_ms = minute * 60_000
                pair.units[1] = a_bay()

                def heard_or_asked_again(seen: Collected) -> bool:
                    clock.fixed_ms = 60_000 * (len(seen.refused) + 1)
                    return heard(BAY, 1)(seen)

                await collected.until(heard_or_asked_again)
                assert [health.fault for health in collected.health][-2:] == ["no answer", None]

    asyncio.run(scenario())


def test_a_device_adopted_while_the_link_runs_is_asked_and_one_given_up_is_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with wired(tmp_path, {1: a_bay(), 11: a_gate()}) as pair:
            adopted = Adopted(BAY)
            async with running(ModbusLink(config_of(pair.path, PATIENT_S), Ticks(), adopted)) as collected:
                await collected.until(heard(BAY, 1))
                adopted.devices = (GATE,)
                await collected.until(heard(GATE, 1))
                asked = pair.units[1].asked
                await collected.until(heard(GATE, 4))
                assert pair.units[1].asked == asked
                adopted.devices = (msgspec.structs.replace(BAY, options={"unit": 300}),)
                await collected.until(lambda seen: seen.refused == ["bad-settings"])

    asyncio.run(scenario())


def test_the_gateways_intake_names_the_devices_of_this_link_and_no_others() -> None:
    intake = Intake("mairie", Epoch("0" * 16), ManualClock(datetime(2026, 11, 22, tzinfo=UTC)), 300, {})
    elsewhere = DeviceSettings(address="0004a30b00000001", model="parametric-pcr2", link="chirpstack")
    anywhere = DeviceSettings(address="0004a30b00000002", model="parametric-pcr2")
    intake.adopt([GATE, elsewhere, BAY, anywhere])
    assert intake.on_link("pair") == (BAY, GATE)


def test_a_pulled_cable_is_a_link_error_and_back_under_another_name_it_reads_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with wired(tmp_path, {1: a_bay()}) as pair:
            link = link_to(pair, BAY)
            async with running(link) as collected:
                await collected.until(heard(BAY, 1))
                pair.close()
                with pytest.raises(LinkError, match=r"pair: port .*usb-rs485.* is gone; check the cable"):
                    await collected.link_ends()
            async with running(link) as absent:
                with pytest.raises(LinkError, match=r"No such file .*plug it in"):
                    await absent.link_ends()
            pair.cable.plug()
            pair.start()
            async with running(link) as again:
                await again.until(heard(BAY, 1))

    asyncio.run(scenario())


def test_a_pulled_cable_is_noticed_while_nobody_is_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with wired(tmp_path, {}) as pair:
            link = link_to(pair)
            async with running(link) as collected:
                await link.opened.wait()
                pair.close()
                with pytest.raises(LinkError, match="is gone"):
                    await collected.link_ends()

    asyncio.run(scenario())


def test_a_port_that_another_program_has_open_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with wired(tmp_path, {1: a_bay()}) as pair, running(link_to(pair, BAY)) as first:
            await first.until(heard(BAY, 1))
            async with running(link_to(pair, BAY)) as second:
                with pytest.raises(LinkError, match="another program has the port open"):
                    await second.link_ends()

    asyncio.run(scenario())


def test_a_busy_gateway_is_not_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with wired(tmp_path, {1: a_bay()}) as pair:
            stuck = asyncio.Event()

            async def busy(_arrival: Arrival) -> None:
                stuck.set()
                await asyncio.Event().wait()

            inbox: Inbox = busy
            task = asyncio.create_task(link_to(pair, BAY).run(inbox))
            await stuck.wait()
            assert pair.units[1].asked == 1
            task.cancel()
            async with asyncio.timeout(5):
                await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(scenario())


def test_an_adapter_that_cannot_do_the_parity_is_a_link_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tcsetattr(*_arguments: object) -> None:
        raise termios.error(22, "Invalid argument")

    async def scenario() -> None:
        async with wired(tmp_path, {1: a_bay()}) as pair:
            section = {"kind": "modbus", "name": "pair", "port": pair.path, "parity": "E", "stop_bits": 2}
            link = ModbusLink(msgspec.convert(section, ModbusConfig), Ticks(), Adopted(BAY))
            monkeypatch.setattr(termios, "tcsetattr", tcsetattr)
            async with running(link) as collected:
                with pytest.raises(LinkError, match=r"Invalid argument.*its baud, parity and stop bits"):
                    await collected.link_ends()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"parity": "even"}, "parity"), ({"baud": 300}, "baud"), ({"poll_s": 0}, "poll_s"), ({"units": []}, "units")],
)
def test_a_wrong_section_is_refused_with_its_field(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.convert({"kind": "modbus", "name": "pair", "port": "/dev/null", **wrong}, ModbusConfig)


def test_a_gateway_without_a_modbus_link_does_not_load_pymodbus() -> None:
    program = "import sys, edge.gateway, edge.drivers.links.modbus; sys.exit('pymodbus' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
