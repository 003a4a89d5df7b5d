"""What a gateway is asked to do once: every command is answered, what is shown is bounded and changes no count."""

import asyncio
from datetime import UTC, datetime

import pytest

from cloud_api.provisioning.errands import MOST_CHARACTERS, MOST_ERRANDS, Action, Outcome
from cloud_api.provisioning.errands import Errands as Desk
from edge.drivers.links.base import Refused, Report, Stranger
from edge.errands import CAPTURE_MS, MOST_CAPTURES, MOST_FRAMES
from edge.messages import CapturedFrame, Command, CommandResult
from edge.readings import DeviceAddress, Frame, Health
from tests.clocks import ManualClock
from tests.errands import BAY, errands

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FRAME = Frame(device=BAY, payload=b"\x01", port=1, counter=7, rssi_dbm=-90.0)


class Bench:
    """Errands on a clock turned by hand, and what they told."""

    def __init__(self) -> None:
        self.told: list[CommandResult] = []
        self.clock = ManualClock(NOW)
        self.errands = errands(self.told.append, clock=self.clock)

    def ask(self, action: Action, target: str, id_: str = "c1") -> None:
        command = Command(gateway="mairie", epoch="0" * 16, id=id_, action=action.value, target=target)
        asyncio.run(self.errands.run(command))


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("action", "target", "done", "text"),
    [
        (Action.RECALIBRATE, BAY, True, "learns anew"),
        (Action.RECALIBRATE, "nobody", False, "does not listen"),
        (Action.RESTART_LINK, "lora", True, "opened again"),
        (Action.RESTART_LINK, "lore", False, "no link 'lore'"),
    ],
)
def test_a_command_is_answered_with_what_became_of_it(
    bench: Bench, action: Action, target: str, done: bool, text: str
) -> None:
    bench.ask(action, target)

    (result,) = bench.told
    assert (result.done, result.more) == (done, False)
    assert text in result.text


def test_a_capture_shows_each_frame_of_its_device_as_it_came_and_as_it_was_read(bench: Bench) -> None:
    bench.ask(Action.CAPTURE, BAY)
    bench.errands.see("lora", FRAME)
    bench.errands.see("lora", Frame(device=DeviceAddress("other"), payload=b"\x00"))
    bench.errands.see("lora", Frame(device=BAY, payload=b"", port=1))
    bench.errands.see("lora", Report(device=BAY, readings=(Health(battery_v=3.6),)))
    bench.errands.see("lora", Refused(name="bad-checksum", reason="byte 3: 0x1f expected", data=b"\xff", device=BAY))

    shown = [result.frame for result in bench.told if result.frame is not None]
    assert [(each.payload, each.readings, each.problem) for each in shown] == [
        ("01", ('{"kind":"presence","channel":"1","occupied":true}',), None),
        ("", (), "bosch-tps110 port 1, byte 0: 1 byte expected"),
        ("", ('{"kind":"health","battery_v":3.6}',), None),
        ("ff", (), "byte 3: 0x1f expected"),
    ]
    assert (shown[0].at, shown[0].port, shown[0].counter, shown[0].rssi_dbm) == (NOW, 1, 7, -90.0)


def test_a_device_that_nobody_adopted_can_be_watched_too(bench: Bench) -> None:
    bench.ask(Action.CAPTURE, "stranger")
    bench.errands.see("lora", Frame(device=DeviceAddress("stranger"), payload=b"\x05"))
    bench.errands.see("ble", Stranger(device=DeviceAddress("stranger"), hint="needs a key"))

    assert [result.frame.problem for result in bench.told if result.frame] == [
        "not adopted: its model is not known here",
        "needs a key",
    ]


def test_a_capture_ends_after_a_minute_and_says_how_much_it_saw(bench: Bench) -> None:
    bench.ask(Action.CAPTURE, BAY)
    bench.errands.see("lora", FRAME)
    bench.clock.advance(CAPTURE_MS / 1000 - 1)
    bench.errands.end_due()
    assert bench.told[-1].more
    bench.clock.advance(1)
    bench.errands.end_due()
    bench.errands.see("lora", FRAME)

    assert bench.told[-1].text == "frames in 60 s: 1"
    assert not bench.told[-1].more
    assert len(bench.told) == 2


def test_a_radar_that_chatters_ends_its_capture_early(bench: Bench) -> None:
    bench.ask(Action.CAPTURE, BAY)
    for _ in range(2 * MOST_FRAMES):
        bench.errands.see("lora", FRAME)

    assert len(bench.told) == MOST_FRAMES + 1
    assert bench.told[-1].text == f"{MOST_FRAMES} frames are enough"


def test_a_command_that_the_broker_repeats_is_done_once_and_too_many_are_refused(bench: Bench) -> None:
    for number in range(MOST_CAPTURES):
        bench.ask(Action.CAPTURE, BAY, f"c{number}")
        bench.ask(Action.CAPTURE, BAY, f"c{number}")
    assert bench.told == []
    bench.ask(Action.CAPTURE, BAY, "one-too-many")

    (refused,) = bench.told
    assert not refused.done
    assert "wait a minute" in refused.text


def test_the_cloud_knows_how_far_a_command_has_come() -> None:
    desk = Desk(lambda _command: True)
    asked = desk.ask("mairie", Action.CAPTURE, BAY, NOW)
    assert asked is not None
    bench = Bench()
    bench.ask(Action.CAPTURE, BAY, asked.id)
    bench.errands.see("lora", FRAME)
    desk.take(bench.told[0])
    under_way = desk.find("mairie", asked.id)
    bench.clock.advance(CAPTURE_MS / 1000)
    bench.errands.end_due()
    desk.take(bench.told[1])
    over = desk.find("mairie", asked.id)

    assert asked.outcome is Outcome.WAITING
    assert under_way is not None
    assert under_way.outcome is Outcome.UNDER_WAY
    assert over is not None
    assert over.outcome is Outcome.DONE
    assert [frame.payload for frame in over.frames] == ["01"]


def test_another_gateway_cannot_answer_a_command() -> None:
    desk = Desk(lambda _command: True)
    asked = desk.ask("mairie", Action.RESTART_LINK, "lora", NOW)
    assert asked is not None
    desk.take(CommandResult(gateway="rogue", epoch="0" * 16, id=asked.id, done=True))

    found = desk.find("mairie", asked.id)
    assert found is not None
    assert found.outcome is Outcome.WAITING


def test_frames_as_large_as_they_may_be_take_bounded_memory_and_the_newest_stay() -> None:
    desk = Desk(lambda _command: True)
    for number in range(10):
        frame = CapturedFrame(link="lora", counter=number, readings=("x" * (MOST_CHARACTERS // 3),))
        desk.take(CommandResult(gateway="rogue", epoch="0" * 16, id="c1", done=True, frame=frame, more=True))

    found = desk.find("rogue", "c1")
    assert found is not None
    assert [frame.counter for frame in found.frames] == [7, 8, 9]


def test_results_take_bounded_memory_and_a_broker_that_is_away_is_told() -> None:
    desk = Desk(lambda _command: True)
    for number in range(MOST_ERRANDS + 1):
        desk.take(CommandResult(gateway="mairie", epoch="0" * 16, id=f"c{number}", done=False))

    assert desk.find("mairie", "c0") is None
    assert desk.find("mairie", f"c{MOST_ERRANDS}") is not None
    assert Desk(lambda _command: False).ask("mairie", Action.CAPTURE, BAY, NOW) is None
