"""The serial link on a pseudo-terminal, opened by pyserial as in the street."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from edge.drivers.links.base import Arrival, LinkError, Refused
from edge.drivers.links.serial_port import SerialConfig, SerialLink, Voice
from edge.readings import Health
from firmware_sim.encoders.hlk_ld2450 import Target, report
from firmware_sim.links.pty import SerialPeer
from tests.arrivals import Collected, Ticks, running

FIRST = report([Target(x_mm=-782, y_mm=1713, speed_cm_s=-16)])
SECOND = report([Target(x_mm=100, y_mm=2000, speed_cm_s=50)])


@pytest.fixture
def radar(tmp_path: Path) -> Iterator[SerialPeer]:
    peer = SerialPeer(tmp_path / "usb-radar")
    yield peer
    peer.close()


def _link(radar: SerialPeer) -> SerialLink:
    config = SerialConfig(name="passage", port=radar.path, model="hlk-ld2450", device="radar-1")
    return SerialLink(config, Ticks())


async def _opened(collected: Collected) -> None:
    """The port is open when the link has noticed that nobody speaks; what was sent before is lost, as on a wire."""
    await collected.until(lambda seen: any(health.fault for health in seen.health))


def _payloads(collected: Collected) -> list[bytes]:
    return [frame.payload for frame in collected.frames]


def test_a_frame_in_three_pieces_and_two_in_one_read(radar: SerialPeer) -> None:
    async def scenario() -> None:
        async with running(_link(radar)) as collected:
            await _opened(collected)
            for piece in (FIRST[:3], FIRST[3:20], FIRST[20:], SECOND + FIRST):
                radar.send(piece)
            await collected.until(lambda seen: len(seen.frames) == 3)
            assert _payloads(collected) == [FIRST, SECOND, FIRST]
            assert collected.frames[0].device == "radar-1"
            assert collected.frames[0].heard_ms > 0
            assert collected.refused == []

    asyncio.run(scenario())


def test_garbage_before_and_inside_a_frame_disturbs_no_other(radar: SerialPeer) -> None:
    async def scenario() -> None:
        async with running(_link(radar)) as collected:
            await _opened(collected)
            radar.send(b"\x00garbage\xaa" + FIRST)
            await collected.until(lambda seen: len(seen.frames) == 1)
            radar.send(SECOND[:10] + b"\xff\xff" + SECOND[10:] + FIRST)
            await collected.until(lambda seen: len(seen.frames) == 2)
            assert _payloads(collected) == [FIRST, FIRST]
            noise, bad = collected.of(Refused)
            assert (noise.name, noise.data) == ("noise", b"\x00garbage\xaa")
            assert bad.name == "bad-frame"
            assert bad.reason.startswith("stream byte 39: byte 28: tail")
            assert len(bad.data) == len(SECOND) + 2

    asyncio.run(scenario())


def test_an_unfinished_frame_is_refused_and_the_next_one_read(radar: SerialPeer) -> None:
    async def scenario() -> None:
        async with running(_link(radar)) as collected:
            await _opened(collected)
            radar.send(FIRST[:17])
            await collected.until(lambda seen: seen.refused == ["bad-frame"])
            radar.send(SECOND)
            await collected.until(lambda seen: _payloads(seen) == [SECOND])

    asyncio.run(scenario())


def test_a_pulled_cable_is_a_link_error_and_back_under_another_name_it_reads_on(radar: SerialPeer) -> None:
    async def scenario() -> None:
        link = _link(radar)
        async with running(link) as collected:
            await _opened(collected)
            radar.send(FIRST)
            await collected.until(lambda seen: len(seen.frames) == 1)
            radar.unplug()
            with pytest.raises(LinkError, match=r"passage: port .*usb-radar"):
                await collected.link_ends()
        async with running(link) as absent:
            with pytest.raises(LinkError, match="plug it in"):
                await absent.link_ends()
        radar.plug()
        async with running(link) as again:
            await _opened(again)
            radar.send(SECOND)
            await again.until(lambda seen: _payloads(seen) == [SECOND])

    asyncio.run(scenario())


def test_silence_is_told_once_and_so_is_its_end(radar: SerialPeer) -> None:
    async def scenario() -> None:
        async with running(_link(radar)) as collected:
            radar.send(FIRST)
            await _opened(collected)
            radar.send(FIRST + FIRST)
            await collected.until(lambda seen: seen.health[-1:] == [Health()])
            await collected.until(lambda seen: seen.health[-1].fault == "silent")
            faults = [health.fault for health in collected.health]
            assert all(one != other for one, other in pairwise(faults))

    asyncio.run(scenario())


def test_a_busy_inbox_stops_the_reading_and_loses_nothing_the_kernel_holds(radar: SerialPeer) -> None:
    async def scenario() -> None:
        taken, gate = Collected(), asyncio.Event()

        async def busy(arrival: Arrival) -> None:
            await gate.wait()
            await taken(arrival)

        task = asyncio.create_task(_link(radar).run(busy))
        for _ in range(50):
            radar.send(FIRST)
            await asyncio.sleep(0)
        gate.set()
        await taken.until(lambda seen: any(health.fault for health in seen.health))
        for _ in range(50):
            radar.send(SECOND)
        await taken.until(lambda seen: _payloads(seen).count(SECOND) == 50)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(scenario())


def test_a_voice_falls_silent_after_a_second_and_comes_back_once() -> None:
    voice = Voice(0)
    assert voice.listen(999) is None
    silent = voice.listen(1_000)
    assert silent is not None
    assert silent.fault == "silent"
    assert voice.listen(5_000) is None
    assert voice.heard(6_000) == Health()
    assert voice.heard(6_100) is None
    assert voice.listen(7_099) is None
    assert voice.listen(7_100) == silent


@pytest.mark.parametrize(
    ("model", "reason"),
    [("no-such", "unknown model 'no-such'"), ("parametric-pcr2", "does not send on a serial port")],
)
def test_a_model_that_cannot_hang_on_a_serial_port_is_refused_with_its_place(model: str, reason: str) -> None:
    section = {"kind": "serial", "name": "a", "port": "/dev/null", "model": model, "device": "d"}
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.convert(section, SerialConfig)


def test_an_adapter_that_is_not_plugged_in_says_so() -> None:
    config = SerialConfig(name="a", port="usb:dead:beef:NONE", model="hlk-ld2450", device="d")

    async def scenario() -> None:
        async with running(SerialLink(config, Ticks())) as collected:
            await collected.link_ends()

    with pytest.raises(LinkError, match="no adapter usb:dead:beef:NONE is plugged in"):
        asyncio.run(scenario())
