"""The polling plan: everybody in turn, the silent seldom, and what of it is told."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.links.modbus_plan import MINUTE_MS, MISSES, SELDOM_MS, SELDOMEST_MS, Ask, Outcome, Plan
from edge.messages import DeviceSettings
from edge.readings import Health

Option = bool | int | float | str


def _device(name: str, **options: Option) -> DeviceSettings:
    return DeviceSettings(address=name, model="modbus-register", link="pair", options=options)


def _plan(*devices: DeviceSettings, now_ms: int = 0) -> Plan:
    plan = Plan(1_000)
    assert plan.revise(devices, now_ms) == []
    return plan


def _ask(plan: Plan, now_ms: int) -> Ask:
    ask = plan.next(now_ms)
    assert ask is not None
    return ask


def _polled(plan: Plan, outcome: Outcome, times: int, now_ms: int = 0) -> tuple[list[Health | None], int]:
    """The news of so many polls of the only device, each when its time comes; and when the last one was."""
    news = []
    for _ in range(times):
        now_ms += plan.wait_ms(now_ms, 10**9)
        news.append(plan.settle(_ask(plan, now_ms), outcome, now_ms))
    return news, now_ms


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"unit": 1}, (1, 3, 0, 1, 1_000)),
        ({"unit": 1, "function": 4, "register": 256, "count": 3}, (1, 4, 256, 3, 1_000)),
        ({"unit": 11, "register": 5, "temperature_at": 1, "poll_s": 0.5}, (11, 3, 5, 2, 500)),
        ({"unit": 2, "type": "float32", "distance_at": 1}, (2, 3, 0, 3, 1_000)),
    ],
)
def test_a_devices_options_say_what_is_asked(options: dict[str, Option], expected: tuple[int, ...]) -> None:
    ask = _ask(_plan(_device("bay", **options)), 0)
    assert (ask.unit, ask.function, ask.register, ask.count, ask.every_ms) == expected


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        (_device("bay"), "`unit` is missing"),
        (_device("bay", unit=0), r"options: Expected `int` >= 1 - at `\$.unit`"),
        (_device("bay", unit=1, function=6), "options: Invalid enum value 6"),
        (_device("bay", unit=1, poll_s="often"), "poll_s"),
        (DeviceSettings(address="bay", model="parametric-pcr2", link="pair"), "does not speak Modbus"),
    ],
)
def test_a_device_that_cannot_be_asked_is_refused_once_and_disturbs_nobody(device: DeviceSettings, reason: str) -> None:
    plan, devices = Plan(1_000), (device, _device("other", unit=5))
    [refused] = plan.revise(devices, 0)
    assert (refused.name, refused.device) == ("bad-settings", "bay")
    assert re.search(reason, refused.reason)
    assert plan.revise(devices, 0) == []
    assert _ask(plan, 0).device == "other"


def test_who_has_waited_longest_is_next_and_each_keeps_its_rhythm() -> None:
    plan = _plan(_device("slow", unit=1, poll_s=3), _device("quick", unit=2))
    asked = []
    for now_ms in range(0, 6_001, 500):
        while ask := plan.next(now_ms):
            asked.append((now_ms, ask.device))
            plan.settle(ask, Outcome.ANSWER, now_ms + 40)
    assert [now for now, device in asked if device == "quick"] == list(range(0, 6_001, 1_000))
    assert [now for now, device in asked if device == "slow"] == [0, 3_000, 6_000]


def test_a_plan_that_is_revised_keeps_the_turns_of_those_that_stay() -> None:
    stays, leaves, comes = (_device(name, unit=number) for number, name in enumerate(("a", "b", "c"), 1))
    plan = _plan(stays, leaves)
    plan.settle(_ask(plan, 0), Outcome.ANSWER, 0)
    plan.revise((stays, comes), 100)
    assert _ask(plan, 100).device == "c"
    plan.settle(_ask(plan, 100), Outcome.ANSWER, 100)
    assert plan.next(999) is None
    assert _ask(plan, 1_000).device == "a"


def test_the_first_answer_is_told_and_three_misses_are_a_fault_until_the_next_answer() -> None:
    plan = _plan(_device("bay", unit=5))
    assert _polled(plan, Outcome.ANSWER, 3)[0] == [Health(), None, None]
    silence, now_ms = _polled(plan, Outcome.SILENCE, 5, 3_000)
    assert silence[:2] == [None, None]
    fault = silence[2]
    assert fault is not None
    assert fault.fault == "no answer"
    assert fault.note is not None
    assert fault.note.startswith("unit 5: 3 polls without a reading: check power")
    assert silence[3] is None
    [back], _ = _polled(plan, Outcome.ANSWER, 1, now_ms)
    assert back is not None
    assert back.fault is None


def test_a_unit_that_does_not_answer_is_asked_ever_more_seldom_and_never_given_up() -> None:
    plan = _plan(_device("bay", unit=5))
    times, now_ms = [], 0
    for _ in range(MISSES + 5):
        now_ms += plan.wait_ms(now_ms, 10**9)
        times.append(now_ms)
        plan.settle(_ask(plan, now_ms), Outcome.SILENCE, now_ms)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == [1_000, 1_000, SELDOM_MS, 2 * SELDOM_MS, 4 * SELDOM_MS, SELDOMEST_MS, SELDOMEST_MS]


def test_a_minutes_failures_are_told_as_figures_and_so_is_the_first_clean_minute_after() -> None:
    plan = _plan(_device("bay", unit=5))
    _polled(plan, Outcome.ANSWER, 1)
    _polled(plan, Outcome.NOISE, 2, 1_000)
    news, now_ms = _polled(plan, Outcome.ANSWER, 58, 3_000)
    assert now_ms == MINUTE_MS
    figures: dict[str, Option] = {"refusals_per_min": 0, "bad_answers_per_min": 2, "timeouts_per_min": 0}
    assert [health for health in news if health] == [Health(diagnostics=figures)]
    clean: dict[str, Option] = {**figures, "bad_answers_per_min": 0}
    later, _ = _polled(plan, Outcome.ANSWER, 180, now_ms)
    assert [health for health in later if health] == [Health(diagnostics=clean)]


def test_a_plan_without_devices_waits() -> None:
    plan = Plan(1_000)
    assert plan.next(0) is None
    assert plan.wait_ms(0, 500) == 500


@given(st.lists(st.sampled_from(sorted(Outcome)), max_size=60), st.integers(0, 3))
def test_whatever_the_answers_every_unit_is_asked_within_a_minute_and_a_round(
    outcomes: list[Outcome], others: int
) -> None:
    plan = _plan(*(_device(str(number), unit=number + 1) for number in range(others + 1)))
    asked_ms = dict.fromkeys((str(number) for number in range(others + 1)), 0)
    now_ms = 0
    for outcome in outcomes:
        now_ms += plan.wait_ms(now_ms, 10**9)
        ask = _ask(plan, now_ms)
        assert now_ms - asked_ms[ask.device] <= SELDOMEST_MS + 1_000 * (others + 1)
        asked_ms[ask.device] = now_ms
        now_ms += 1_000
        plan.settle(ask, outcome, now_ms)
