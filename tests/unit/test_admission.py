"""Frames that come again change nothing; frames that come late are known as such."""

from datetime import UTC, datetime, timedelta

from edge.aggregator.admission import Admission, Arrived, admit
from edge.readings import DeviceAddress, Frame

DEVICE = DeviceAddress("d1")


def arrive(*frames: Frame) -> list[Arrived]:
    memory, verdicts = Admission(), []
    for frame in frames:
        memory, arrived = admit(memory, frame)
        verdicts.append(arrived)
    return verdicts


def frame(
    counter: int | None, payload: bytes = b"x", session: str = "a", network_time: datetime | None = None
) -> Frame:
    return Frame(device=DEVICE, payload=payload, port=1, counter=counter, session=session, network_time=network_time)


def test_the_same_frame_again_is_a_repeat() -> None:
    assert arrive(frame(1), frame(2), frame(1)) == [Arrived.IN_ORDER, Arrived.IN_ORDER, Arrived.REPEAT]


def test_an_older_frame_is_known_as_older() -> None:
    assert arrive(frame(5), frame(4))[-1] is Arrived.OLDER


def test_a_new_session_begins_anew() -> None:
    assert arrive(frame(5), frame(0, session="b"))[-1] is Arrived.IN_ORDER


def test_a_counter_that_falls_far_back_was_restarted() -> None:
    assert arrive(frame(5_000), frame(0))[-1] is Arrived.IN_ORDER


def test_however_much_a_broker_tells_again_all_of_it_is_a_repeat() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    frames = [frame(number, network_time=start + timedelta(minutes=number)) for number in range(200)]
    assert set(arrive(*frames, *frames)[200:]) == {Arrived.REPEAT}


def test_what_was_skipped_is_taken_in_however_late_and_once() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    frames = [frame(number, network_time=start + timedelta(minutes=number)) for number in range(200)]
    verdicts = arrive(frames[0], *frames[150:], *frames[1:150], *frames)
    assert set(verdicts[51:200]) == {Arrived.OLDER}
    assert set(verdicts[200:]) == {Arrived.REPEAT}


def test_a_counter_that_was_restarted_is_known_by_its_later_time() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    before, after = frame(5_000, network_time=start), frame(0, network_time=start + timedelta(minutes=10))
    assert arrive(before, after)[-1] is Arrived.IN_ORDER


def test_skipped_counters_are_lost_until_they_come_late() -> None:
    memory, _ = admit(Admission(), frame(1))
    memory, _ = admit(memory, frame(4))
    assert memory.lost == 2
    memory, _ = admit(memory, frame(3))
    assert memory.lost == 1


def test_frames_without_a_counter_are_all_new() -> None:
    assert arrive(frame(None), frame(None)) == [Arrived.IN_ORDER, Arrived.IN_ORDER]


START = datetime(2026, 11, 22, tzinfo=UTC)


def timed(counter: int, at_s: int, session: str = "a") -> Frame:
    return frame(counter, session=session, network_time=START + timedelta(seconds=at_s))


def remembered(*frames: Frame) -> Admission:
    memory = Admission()
    for each in frames:
        memory, _ = admit(memory, each)
    return memory


def test_a_counter_that_falls_far_back_was_restarted_from_the_next_second_on() -> None:
    assert arrive(timed(5_000, 10), timed(0, 11))[-1] is Arrived.IN_ORDER
    assert arrive(timed(5_000, 10), timed(0, 10))[-1] is Arrived.REPEAT


def test_a_new_session_may_begin_in_the_same_second_and_not_before() -> None:
    assert arrive(timed(5, 10), timed(0, 10, session="b"))[-1] is Arrived.IN_ORDER
    assert arrive(timed(5, 10), timed(0, 9, session="b"))[-1] is Arrived.REPEAT


def test_a_single_counter_that_was_skipped_is_taken_in_however_late() -> None:
    later = [timed(number, number) for number in range(2, 100)]
    assert arrive(timed(0, 0), *later, timed(1, 1), timed(1, 1))[-2:] == [Arrived.OLDER, Arrived.REPEAT]


def test_what_was_skipped_is_taken_in_backwards_too_and_then_nothing_is_missing() -> None:
    skipped = [timed(number, number) for number in range(10, 0, -1)]
    memory = remembered(timed(0, 0), *(timed(number, number) for number in range(11, 100)))
    assert memory.missing == ((1, 10),)
    for late in skipped:
        memory, arrived = admit(memory, late)
        assert arrived is Arrived.OLDER
    assert memory.missing == ()
    assert memory.lost == 0


def test_only_the_latest_sixty_four_runs_of_skipped_counters_are_remembered() -> None:
    memory = remembered(*(timed(2 * number, 2 * number) for number in range(67)))
    assert memory.missing == tuple((2 * number - 1, 2 * number - 1) for number in range(3, 67))
    assert len(memory.missing) == 64
