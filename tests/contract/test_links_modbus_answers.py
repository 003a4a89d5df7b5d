"""Whatever a Modbus unit answers, it is read or refused by name with its bytes, and the next unit is read."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge.drivers.devices import modbus_register
from edge.drivers.links.base import Refused
from edge.readings import DecodeError, Knowledge
from firmware_sim.encoders.modbus_register import refusal, registers
from tests.arrivals import running
from tests.modbus_pair import BAY, BRISK_S, GATE, SEEED, a_bay, a_gate, frames_of, heard, link_to, missed, wired


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
        bay = a_bay()
        bay.spoil = spoil
        async with (
            wired(tmp_path, {1: bay, 11: a_gate()}) as pair,
            running(link_to(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(lambda seen: "bad-answer" in seen.refused)
            bay.spoil = bytes
            await collected.until(heard(GATE, 1))
            await collected.until(heard(BAY, 1))
            refused = collected.of(Refused)[0]
            assert (refused.name, refused.device) == ("bad-answer", "bay")
            assert reason in refused.reason
            assert refused.data == spoil(registers(1, [1480, 1490, 235]))

    asyncio.run(scenario())


def test_a_refusal_is_a_frame_that_the_codec_names_by_its_code(tmp_path: Path) -> None:
    device = msgspec.structs.replace(BAY, options={**SEEED, "register": 0x0700})

    async def scenario() -> None:
        async with wired(tmp_path, {1: a_bay()}) as pair, running(link_to(pair, device)) as collected:
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
        bay = a_bay()
        bay.spoil = lambda answer: before + answer + after
        async with wired(tmp_path, {1: bay}) as pair, running(link_to(pair, BAY)) as collected:
            await collected.until(heard(BAY, 2))
            noise = collected.of(Refused)[0]
            assert (noise.name, noise.data) == ("noise", before + after)
            assert collected.frames[0].payload == registers(1, [1480, 1490, 235])

    asyncio.run(scenario())


def test_an_answer_in_three_pieces_is_one(tmp_path: Path) -> None:
    whole = registers(1, [1480, 1490, 235])

    async def scenario() -> None:
        bay = a_bay()
        async with wired(tmp_path, {1: bay}) as pair, running(link_to(pair, BAY)) as collected:

            def in_pieces(answer: bytes) -> bytes:
                loop = asyncio.get_running_loop()
                loop.call_later(0.01, pair.cable.send, answer[1:6])
                loop.call_later(0.02, pair.cable.send, answer[6:])
                return answer[:1]

            bay.spoil = in_pieces
            await collected.until(heard(BAY, 3))
            assert {frame.payload for frame in collected.frames} == {whole}
            assert collected.refused == []

    asyncio.run(scenario())


def test_an_answer_that_comes_too_late_is_noise_and_answers_no_other_question(tmp_path: Path) -> None:
    late = registers(1, [1, 2, 3])

    async def scenario() -> None:
        bay = a_bay()
        bay.spoil = lambda _answer: b""
        async with wired(tmp_path, {1: bay}) as pair, running(link_to(pair, BAY, timeout_s=BRISK_S)) as collected:
            await collected.until(missed(1))
            pair.cable.send(late)
            bay.spoil = bytes
            await collected.until(heard(BAY, 1))
            assert [(refused.name, refused.data) for refused in collected.of(Refused)] == [
                ("no-answer", b""),
                ("noise", late),
            ]
            assert collected.frames[0].payload == registers(1, [1480, 1490, 235])

    asyncio.run(scenario())


def test_an_adapter_that_echoes_is_understood(tmp_path: Path) -> None:
    async def scenario() -> None:
        bay = a_bay()
        async with (
            wired(tmp_path, {1: bay}, echo=True) as pair,
            running(link_to(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(heard(BAY, 3))
            await collected.until(lambda seen: "no-answer" in seen.refused)
            assert set(collected.refused) == {"no-answer"}
            assert collected.frames[0].payload == registers(1, [1480, 1490, 235])

    asyncio.run(scenario())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(rubbish=registers(1, []))
@example(rubbish=registers(1, [7] * 125))
@given(rubbish=st.binary(max_size=300))
def test_any_bytes_for_an_answer_are_an_answer_or_refused_and_the_next_unit_is_read(
    tmp_path: Path, rubbish: bytes
) -> None:
    async def scenario() -> None:
        bay = a_bay()
        bay.spoil = lambda _answer: rubbish
        async with (
            wired(tmp_path, {1: bay, 11: a_gate()}) as pair,
            running(link_to(pair, BAY, GATE, timeout_s=BRISK_S)) as collected,
        ):
            await collected.until(heard(GATE, 1))
            assert set(collected.refused) <= {"bad-answer", "no-answer", "noise"}
            assert all(frame.payload == registers(11, [120, 235]) for frame in frames_of(collected, GATE))

    asyncio.run(scenario())
