"""The Modbus link on a pseudo-terminal, through pymodbus: every unit is heard, whatever the others do."""

import asyncio
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge.drivers.devices import modbus_register
from edge.drivers.links.base import Arrival, Inbox, LinkError, Refused
from edge.drivers.links.modbus import ModbusConfig, ModbusLink
from edge.intake import Intake
from edge.messages import DeviceSettings, Epoch
from edge.readings import DecodeError, Frame, Health, Knowledge, Range
from firmware_sim.encoders.modbus_register import refusal, registers
from firmware_sim.links.modbus import BusPeer, Unit
from tests.arrivals import Collected, Ticks, running
from tests.clocks import ManualClock

Option = bool | int | float | str
SEEED: dict[str, Option] = {"unit": 1, "register": 256, "count": 3, "temperature_at": 2}
SEN0310: dict[str, Option] = {"unit": 11, "register": 5, "count": 2, "distance_unit": "cm", "temperature_at": 1}
SEN0492: dict[str, Option] = {"unit": 80, "register": 52, "count": 1}
PATIENT_S, BRISK_S = 5.0, 0.2
"""Answers that come must be in time on a busy machine, too; those that do not come must not be waited for long."""
BAY = DeviceSettings(address="bay", model="modbus-register", link="pair", options=SEEED)
GATE = DeviceSettings(address="gate", model="modbus-register", link="pair", options=SEN0310)
LANE = DeviceSettings(address="lane", model="modbus-register", link="pair", options=SEN0492)


class Adopted:
    """The devices that the gateway has adopted on this link; they may change."""

    def __init__(self, *devices: DeviceSettings) -> None:
        self.devices = devices

    def on_link(self, link: str) -> tuple[DeviceSettings, ...]:
        """See `Roster`."""
        assert link == "pair"
        return self.devices


def _bay() -> Unit:
    return Unit({0x0100: 1480, 0x0101: 1490, 0x0102: 235})


def _gate() -> Unit:
    return Unit({5: 120, 6: 235})


def _config(port: str, timeout_s: float) -> ModbusConfig:
    section = {"kind": "modbus", "name": "pair", "port": port, "poll_s": 0.05, "timeout_s": timeout_s}
    return msgspec.convert(section, ModbusConfig)


@asynccontextmanager
async def _pair(path: Path, units: dict[int, Unit], *, echo: bool = False) -> AsyncIterator[BusPeer]:
    pair = BusPeer(path / "usb-rs485", echo=echo)
    pair.units = units
    pair.start()
    try:
        yield pair
    finally:
        pair.close()


def _link(pair: BusPeer, *devices: DeviceSettings, timeout_s: float = PATIENT_S) -> ModbusLink:
    return ModbusLink(_config(pair.path, timeout_s), Ticks(), Adopted(*devices))


def _of(collected: Collected, device: DeviceSettings) -> list[Frame]:
    return [frame for frame in collected.frames if frame.device == device.address]


def _heard(device: DeviceSettings, times: int) -> Callable[[Collected], bool]:
    return lambda seen: len(_of(seen, device)) >= times


def _missed(times: int) -> Callable[[Collected], bool]:
    return lambda seen: seen.refused == ["no-answer"] * times


def test_several_units_on_one_pair_are_read_in_turn_and_their_codec_understands_them(tmp_path: Path) -> None:
    units = {1: _bay(), 11: _gate(), 80: Unit({52: 1803})}

    async def scenario() -> None:
        async with _pair(tmp_path, units) as pair, running(_link(pair, BAY, GATE, LANE)) as collected:
            await collected.until(_heard(LANE, 3))
            assert [_of(collected, device)[0].payload for device in (BAY, GATE, LANE)] == [
                registers(1, [1480, 1490, 235]),
                registers(11, [120, 235]),
                registers(80, [1803]),
            ]
            assert len(_of(collected, BAY)) >= 2
            assert collected.refused == []
            assert collected.health == [Health()] * 3
            [frame, *_] = _of(collected, GATE)
            assert frame.heard_ms > 0
            knowledge = Knowledge(options=GATE.options)
            assert modbus_register.decode(frame, knowledge) == [Range(mm=1200), Health(temperature_c=23.5)]

    asyncio.run(scenario())


def test_input_registers_are_read_with_their_own_function(tmp_path: Path) -> None:
    device = msgspec.structs.replace(LANE, options={**SEN0492, "function": 4})
    units = {80: Unit({52: 700}, function=4)}

    async def scenario() -> None:
        async with _pair(tmp_path, units) as pair, running(_link(pair, device)) as collected:
            await collected.until(_heard(device, 1))
            assert collected.frames[0].payload == registers(80, [700], function=4)

    asyncio.run(scenario())


def test_a_unit_that_is_silent_gets_a_fault_of_its_own_and_holds_up_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            _pair(tmp_path, {11: _gate()}) as pair,
            running(_link(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(lambda seen: any(health.fault for health in seen.health))
            await collected.until(_heard(GATE, len(_of(collected, GATE)) + 10))
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
        async with _pair(tmp_path, {}) as pair:
            link = ModbusLink(_config(pair.path, BRISK_S), clock, Adopted(BAY))
            async with running(link) as collected:
                for minute in range(1, 4):
                    await collected.until(_missed(minute))
                    clock.fixed_ms = minute * 60_000
                pair.units[1] = _bay()

                def heard_or_asked_again(seen: Collected) -> bool:
                    clock.fixed_ms = 60_000 * (len(seen.refused) + 1)
                    return _heard(BAY, 1)(seen)

                await collected.until(heard_or_asked_again)
                assert [health.fault for health in collected.health][-2:] == ["no answer", None]

    asyncio.run(scenario())


def _wrong_crc(answer: bytes) -> bytes:
    return answer[:-1] + bytes([answer[-1] ^ 0xFF])


def _cut_short(answer: bytes) -> bytes:
    return answer[:-3]


def _of_another_unit(_answer: bytes) -> bytes:
    return registers(9, [1, 2, 3])


def _with_too_few_registers(_answer: bytes) -> bytes:
    return registers(1, [1480])


def _of_another_function(_answer: bytes) -> bytes:
    return registers(1, [1, 2, 3], function=4)


def _rubbish(_answer: bytes) -> bytes:
    return b"\x00\xff\x00\xff\x55\xaa"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_wrong_crc, "byte 9: CRC: expected"),
        (_cut_short, "byte 8: "),
        (_of_another_unit, "byte 0: unit 9 answers: expected 1"),
        (_with_too_few_registers, "byte 2: byte count 2: expected 6"),
        (_of_another_function, "byte 1: function 0x04: expected 3"),
        (_rubbish, "byte 0: unit 0 answers: expected 1"),
    ],
)
def test_a_bad_answer_is_refused_with_its_bytes_and_the_next_unit_is_read(
    tmp_path: Path, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    async def scenario() -> None:
        bay = _bay()
        bay.spoil = spoil
        async with (
            _pair(tmp_path, {1: bay, 11: _gate()}) as pair,
            running(_link(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(lambda seen: "bad-answer" in seen.refused)
            bay.spoil = bytes
            await collected.until(_heard(GATE, 1))
            await collected.until(_heard(BAY, 1))
            refused = collected.of(Refused)[0]
            assert (refused.name, refused.device) == ("bad-answer", "bay")
            assert reason in refused.reason
            assert refused.data == spoil(registers(1, [1480, 1490, 235]))

    asyncio.run(scenario())


def test_a_refusal_is_a_frame_that_the_codec_names_by_its_code(tmp_path: Path) -> None:
    device = msgspec.structs.replace(BAY, options={**SEEED, "register": 0x0700})

    async def scenario() -> None:
        async with _pair(tmp_path, {1: _bay()}) as pair, running(_link(pair, device)) as collected:
            await collected.until(lambda seen: any(health.fault for health in seen.health))
            assert collected.health[0].fault == "refused"
            frame = collected.frames[0]
            assert frame.payload == refusal(1, 2)
            with pytest.raises(DecodeError, match="refused, code 2: illegal register address"):
                modbus_register.decode(frame, Knowledge(options=device.options))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"\x00", b""), (b"\x00\xff", b""), (b"\x01\x03", b""), (b"", b"\xff"), (b"\x55\xaa", b"\x00")],
)
def test_noise_beside_an_answer_is_told_and_the_answer_read(tmp_path: Path, before: bytes, after: bytes) -> None:
    async def scenario() -> None:
        bay = _bay()
        bay.spoil = lambda answer: before + answer + after
        async with _pair(tmp_path, {1: bay}) as pair, running(_link(pair, BAY)) as collected:
            await collected.until(_heard(BAY, 2))
            noise = collected.of(Refused)[0]
            assert (noise.name, noise.data) == ("noise", before + after)
            assert collected.frames[0].payload == registers(1, [1480, 1490, 235])

    asyncio.run(scenario())


def test_an_answer_in_three_pieces_is_one(tmp_path: Path) -> None:
    whole = registers(1, [1480, 1490, 235])

    async def scenario() -> None:
        bay = _bay()
        async with _pair(tmp_path, {1: bay}) as pair, running(_link(pair, BAY)) as collected:

            def in_pieces(answer: bytes) -> bytes:
                loop = asyncio.get_running_loop()
                loop.call_later(0.01, pair.cable.send, answer[1:6])
                loop.call_later(0.02, pair.cable.send, answer[6:])
                return answer[:1]

            bay.spoil = in_pieces
            await collected.until(_heard(BAY, 3))
            assert {frame.payload for frame in collected.frames} == {whole}
            assert collected.refused == []

    asyncio.run(scenario())


def test_an_answer_that_comes_too_late_is_noise_and_answers_no_other_question(tmp_path: Path) -> None:
    late = registers(1, [1, 2, 3])

    async def scenario() -> None:
        bay = _bay()
        bay.spoil = lambda _answer: b""
        async with _pair(tmp_path, {1: bay}) as pair, running(_link(pair, BAY, timeout_s=BRISK_S)) as collected:
            await collected.until(_missed(1))
            pair.cable.send(late)
            bay.spoil = bytes
            await collected.until(_heard(BAY, 1))
            assert [(refused.name, refused.data) for refused in collected.of(Refused)] == [
                ("no-answer", b""),
                ("noise", late),
            ]
            assert collected.frames[0].payload == registers(1, [1480, 1490, 235])

    asyncio.run(scenario())


def test_an_adapter_that_echoes_is_understood(tmp_path: Path) -> None:
    async def scenario() -> None:
        bay = _bay()
        async with (
            _pair(tmp_path, {1: bay}, echo=True) as pair,
            running(_link(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(_heard(BAY, 3))
            await collected.until(lambda seen: "no-answer" in seen.refused)
            assert set(collected.refused) == {"no-answer"}
            assert collected.frames[0].payload == registers(1, [1480, 1490, 235])

    asyncio.run(scenario())


def test_a_device_adopted_while_the_link_runs_is_asked_and_one_given_up_is_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with _pair(tmp_path, {1: _bay(), 11: _gate()}) as pair:
            adopted = Adopted(BAY)
            async with running(ModbusLink(_config(pair.path, PATIENT_S), Ticks(), adopted)) as collected:
                await collected.until(_heard(BAY, 1))
                adopted.devices = (GATE,)
                await collected.until(_heard(GATE, 1))
                asked = pair.units[1].asked
                await collected.until(_heard(GATE, 4))
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
        async with _pair(tmp_path, {1: _bay()}) as pair:
            link = _link(pair, BAY)
            async with running(link) as collected:
                await collected.until(_heard(BAY, 1))
                pair.close()
                with pytest.raises(LinkError, match=r"pair: port .*usb-rs485.* is gone; check the cable"):
                    await collected.link_ends()
            async with running(link) as absent:
                with pytest.raises(LinkError, match=r"No such file .*plug it in"):
                    await absent.link_ends()
            pair.cable.plug()
            pair.start()
            async with running(link) as again:
                await again.until(_heard(BAY, 1))

    asyncio.run(scenario())


def test_a_pulled_cable_is_noticed_while_nobody_is_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with _pair(tmp_path, {}) as pair:
            link = _link(pair)
            async with running(link) as collected:
                await link.opened.wait()
                pair.close()
                with pytest.raises(LinkError, match="is gone"):
                    await collected.link_ends()

    asyncio.run(scenario())


def test_a_port_that_another_program_has_open_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with _pair(tmp_path, {1: _bay()}) as pair, running(_link(pair, BAY)) as first:
            await first.until(_heard(BAY, 1))
            async with running(_link(pair, BAY)) as second:
                with pytest.raises(LinkError, match="another program has the port open"):
                    await second.link_ends()

    asyncio.run(scenario())


def test_a_busy_gateway_is_not_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with _pair(tmp_path, {1: _bay()}) as pair:
            stuck = asyncio.Event()

            async def busy(_arrival: Arrival) -> None:
                stuck.set()
                await asyncio.Event().wait()

            inbox: Inbox = busy
            task = asyncio.create_task(_link(pair, BAY).run(inbox))
            await stuck.wait()
            assert pair.units[1].asked == 1
            task.cancel()
            async with asyncio.timeout(5):
                await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(scenario())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(rubbish=registers(1, []))
@example(rubbish=registers(1, [7] * 125))
@given(rubbish=st.binary(max_size=300))
def test_any_bytes_for_an_answer_are_an_answer_or_refused_and_the_next_unit_is_read(
    tmp_path: Path, rubbish: bytes
) -> None:
    async def scenario() -> None:
        bay = _bay()
        bay.spoil = lambda _answer: rubbish
        async with (
            _pair(tmp_path, {1: bay, 11: _gate()}) as pair,
            running(_link(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(_heard(GATE, 1))
            assert set(collected.refused) <= {"bad-answer", "no-answer", "noise"}
            assert all(frame.payload == registers(11, [120, 235]) for frame in _of(collected, GATE))

    asyncio.run(scenario())


def test_an_adapter_that_cannot_do_the_parity_is_a_link_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tcsetattr(*_arguments: object) -> None:
        raise termios.error(22, "Invalid argument")

    async def scenario() -> None:
        async with _pair(tmp_path, {1: _bay()}) as pair:
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
