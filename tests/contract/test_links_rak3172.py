"""The modem link on a pseudo-terminal, against a stand-in that answers AT commands in all firmwares' forms."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest

from edge.drivers.links import modem as modem_module
from edge.drivers.links.base import LinkError, Refused, Report, Stranger
from edge.drivers.links.rak3172 import Rak3172Config, Rak3172Link
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame, Health
from firmware_sim.links.lorawan import Session, uplink
from firmware_sim.links.rak3172 import ModemFirmware, ModemPeer
from tests.arrivals import Collected, Ticks, running

SESSION = Session("260b1234", bytes(range(16)), bytes(range(16, 32)))
FORGER = Session("260b1234", bytes(16), bytes(16))
OCCUPIED = b"\x95"


@dataclass(frozen=True, slots=True)
class Registry:
    """A directory of one adopted device and what is durable of it."""

    counters: Mapping[str, int] = field(default_factory=dict)

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        """Its settings."""
        if device != SESSION.dev_addr:
            return None
        return DeviceSettings(
            address=device, model="nwave-nps405", nwk_skey=SESSION.nwk_skey.hex(), app_skey=SESSION.app_skey.hex()
        )

    def last_counter(self, device: DeviceAddress) -> int | None:
        """Its durable counter."""
        return self.counters.get(device)


def _phy(counter: int, payload: bytes = OCCUPIED, session: Session = SESSION) -> bytes:
    return uplink(session, counter, 1, payload)


@asynccontextmanager
async def _hearing(modem: ModemPeer, registry: Registry | None = None) -> AsyncIterator[Collected]:
    """The link at work on a modem that it has set up and that listens."""
    modem.start()
    try:
        config = Rak3172Config(name="square", port=modem.path)
        async with running(Rak3172Link(config, Ticks(), registry or Registry())) as collected:
            yield collected
    finally:
        modem.close()


async def _heard(modem: ModemPeer, phy: bytes, collected: Collected) -> None:
    """Send once the modem listens: its set-up takes as long as it takes."""
    async with asyncio.timeout(20):
        await modem.until_listening()
    before = len(collected.arrivals)
    assert modem.transmit(phy, -97, 4.5)
    await collected.until(lambda seen: len(seen.arrivals) > before)


@pytest.mark.parametrize("firmware", list(ModemFirmware))
def test_a_packet_becomes_a_verified_decrypted_frame(firmware: ModemFirmware) -> None:
    async def scenario() -> None:
        modem = ModemPeer(firmware=firmware)
        async with _hearing(modem) as collected:
            for counter in (1, 2, 3):
                await _heard(modem, _phy(counter), collected)
            assert [frame.counter for frame in collected.frames] == [1, 2, 3]
            frame = collected.frames[0]
            expected = Frame(
                device=DeviceAddress("260b1234"),
                payload=OCCUPIED,
                port=1,
                counter=1,
                session="260b1234",
                heard_ms=frame.heard_ms,
                rssi_dbm=-97,
                snr_db=4.5,
            )
            assert frame == expected
            assert collected.refused == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("firmware", "radio"),
    [
        (ModemFirmware.RUI3, "868100000:9:125:0:8:14"),
        (ModemFirmware.OLD, "868100000:9:125:0:8:14"),
        (ModemFirmware.RAK811, "868100000:9:0:1:8:14"),
    ],
)
def test_the_radio_is_set_as_configured(firmware: ModemFirmware, radio: str) -> None:
    async def scenario() -> None:
        modem = ModemPeer(firmware=firmware)
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            assert modem.radio == radio

    asyncio.run(scenario())


def test_a_modem_in_lorawan_mode_is_brought_to_point_to_point_and_waited_for() -> None:
    async def scenario() -> None:
        modem = ModemPeer(mode="1")
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            assert "AT+NWM=0" in modem.commands
            assert "AT+SYNCWORD=3444" in modem.commands
            assert modem.commands[-1] == "AT+PRECV=65534"

    asyncio.run(scenario())


def test_a_modem_in_the_right_mode_is_not_restarted() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            assert "AT+NWM=0" not in modem.commands

    asyncio.run(scenario())


@pytest.mark.parametrize("late_s", [0.1, 0.25])
def test_a_modem_that_answers_late_is_set_up_and_its_answers_are_not_mixed_up(
    late_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem_module, "ANSWER_MS", 200)

    async def scenario() -> None:
        modem = ModemPeer(late_s=late_s)
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            await _heard(modem, _phy(2), collected)
            assert [frame.counter for frame in collected.frames] == [1, 2]
            assert modem.radio == "868100000:9:125:0:8:14"

    asyncio.run(scenario())


def test_a_busy_modem_is_asked_again() -> None:
    async def scenario() -> None:
        modem = ModemPeer(busy=2)
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            assert modem.commands.count("AT+PRECV=0") == 3

    asyncio.run(scenario())


def test_a_modem_that_stays_busy_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modem_module, "BUSY_MS", 50)

    async def scenario() -> None:
        async with _hearing(ModemPeer(busy=1_000)) as collected:
            await collected.link_ends()

    with pytest.raises(LinkError, match=r"refused its set-up: AT\+P2P=.* answered AT_BUSY_ERROR"):
        asyncio.run(scenario())


def test_a_silent_modem_is_a_link_error_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modem_module, "ANSWER_MS", 200)

    async def scenario() -> None:
        async with _hearing(ModemPeer(silent=True)) as collected:
            await collected.link_ends()

    with pytest.raises(LinkError, match="did not answer AT; check power, wiring and baud"):
        asyncio.run(scenario())


def test_an_event_between_a_command_and_its_answer_acknowledges_nothing_and_is_not_lost() -> None:
    async def scenario() -> None:
        modem = ModemPeer(firmware=ModemFirmware.OLD)
        modem.say_before_next_answer(f"+EVT:RXP2P, RSSI -60, SNR 8\r\n+EVT:{_phy(1).hex()}")
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(2), collected)
            await collected.until(lambda seen: len(seen.frames) == 2)
            assert [frame.counter for frame in collected.frames] == [1, 2]
            assert modem.radio

    asyncio.run(scenario())


@pytest.mark.parametrize("modem_kind", [ModemFirmware.OLD, ModemFirmware.RUI3])
def test_a_modem_that_listens_for_one_packet_is_told_again_after_packet_and_time_out(
    modem_kind: ModemFirmware,
) -> None:
    async def scenario() -> None:
        modem = ModemPeer(firmware=modem_kind, continuous=False)
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            await _heard(modem, _phy(2), collected)
            modem.time_out()
            assert not modem.listening
            await _heard(modem, _phy(3), collected)
            assert [frame.counter for frame in collected.frames] == [1, 2, 3]

    asyncio.run(scenario())


def test_the_same_frame_twice_and_an_older_one_are_replays() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        async with _hearing(modem, Registry({SESSION.dev_addr: 5})) as collected:
            for counter in (5, 4, 6, 6):
                await _heard(modem, _phy(counter), collected)
            assert [frame.counter for frame in collected.frames] == [6]
            assert collected.refused == ["replay", "replay", "replay"]

    asyncio.run(scenario())


def test_a_forged_frame_is_refused_and_heard_and_a_strange_one_is_heard() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        strange = Session("01020304", SESSION.nwk_skey, SESSION.app_skey)
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1, session=FORGER), collected)
            await _heard(modem, _phy(1, session=strange), collected)
            await collected.until(lambda seen: len(seen.arrivals) == 3)
            assert collected.refused == ["wrong-mic"]
            forged, unknown = collected.of(Stranger)
            assert (forged.device, forged.rssi_dbm) == ("260b1234", -97)
            assert unknown.device == "01020304"
            assert unknown.hint is not None
            assert "needs nwk_skey" in unknown.hint

    asyncio.run(scenario())


def test_a_frame_for_the_network_is_a_sign_of_life_and_a_jump_is_noted() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        async with _hearing(modem, Registry({SESSION.dev_addr: 0})) as collected:
            await _heard(modem, uplink(SESSION, 1, None, mac_commands=b"\x02"), collected)
            await _heard(modem, _phy(20_001), collected)
            await collected.until(lambda seen: len(seen.frames) == 1)
            alive, jump = collected.of(Report)
            assert alive.readings == ()
            assert jump.readings == (Health(note="frame counter jumped by 20000 to 20001"),)

    asyncio.run(scenario())


def test_garbled_lines_are_refused_and_disturb_nothing() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            for line in ("+EVT:RXP2P:-80:7:40341", "x" * 700, "+EVT:JOINED", "+EVT:RXP2P RECEIVE ERROR", "gibberish"):
                modem.say(line)
            modem.transmit(b"\x00" * 23)
            await _heard(modem, _phy(2), collected)
            await collected.until(lambda seen: len(seen.frames) == 2)
            assert collected.refused == ["bad-line", "bad-line", "receive-error", "noise", "bad-lorawan-frame"]
            assert collected.of(Refused)[0].reason.startswith("character 22: 5 hex digits")

    asyncio.run(scenario())


def test_a_restarted_modem_is_a_link_error_and_is_set_up_again_by_the_next_run() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        link = Rak3172Link(Rak3172Config(name="square", port=modem.path), Ticks(), Registry())
        modem.start()
        async with running(link) as collected:
            await _heard(modem, _phy(1), collected)
            modem.restart()
            with pytest.raises(LinkError, match="square: the modem restarted"):
                await collected.link_ends()
        async with running(link) as again:
            await _heard(modem, _phy(2), again)
            assert [frame.counter for frame in again.frames] == [2]
        modem.close()

    asyncio.run(scenario())


def test_a_pulled_modem_is_a_link_error() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        async with _hearing(modem) as collected:
            await _heard(modem, _phy(1), collected)
            modem.close()
            await collected.link_ends()

    with pytest.raises(LinkError, match="square: port "):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    "wrong", [{"bandwidth_khz": 62}, {"spreading_factor": 13}, {"coding_rate": "4/9"}, {"baud": 19_200}, {"sf": 9}]
)
def test_a_radio_that_no_modem_has_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "rak3172", "name": "a", "port": "p", **wrong}, Rak3172Config)
