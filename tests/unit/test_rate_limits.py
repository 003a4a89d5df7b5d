"""No caller exceeds its rate, none is refused below it, and what is remembered is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.rate_limits import MOST_CALLERS, SECOND_NS, Rate, RateLimiter

RATE = Rate(per_s=10, burst=20)
pauses = st.lists(st.integers(0, 3 * SECOND_NS), min_size=1, max_size=200)


@given(pauses=pauses)
def test_in_any_stretch_of_time_no_more_pass_than_the_rate_and_one_burst(pauses: list[int]) -> None:
    limiter, now, passed = RateLimiter(RATE), 0, list[int]()
    for pause in pauses:
        now += pause
        if limiter.wait_ns("somebody", now) == 0:
            passed.append(now)

    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= RATE.burst + RATE.per_s * (passed[last] - start) / SECOND_NS


@given(pauses=pauses)
def test_who_waits_as_long_as_he_is_told_passes(pauses: list[int]) -> None:
    limiter, now = RateLimiter(RATE), 0
    for pause in pauses:
        now += pause // 100
        wait_ns = limiter.wait_ns("somebody", now)
        if wait_ns:
            now += wait_ns
            assert limiter.wait_ns("somebody", now) == 0


def test_one_caller_spends_nothing_of_another_s() -> None:
    limiter = RateLimiter(RATE)
    waits = [limiter.wait_ns("flood", 0) for _ in range(100)]

    assert waits.count(0) == RATE.burst
    assert limiter.wait_ns("somebody else", 0) == 0


def test_callers_without_end_share_one_bucket_and_are_forgotten_once_it_matters_no_more() -> None:
    limiter = RateLimiter(RATE)
    for number in range(MOST_CALLERS):
        assert limiter.wait_ns(str(number), 0) == 0

    beyond = [limiter.wait_ns(f"more {number}", 0) for number in range(50)]

    assert beyond.count(0) == RATE.burst
    assert limiter.wait_ns("later", 60 * SECOND_NS) == 0
    assert len(limiter._empty_at) == 1
