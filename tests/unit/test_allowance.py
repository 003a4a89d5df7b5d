"""How much may be out unconfirmed: soon all that the contract allows, and less while the cloud is behind."""

from hypothesis import given
from hypothesis import strategies as st

from edge.allowance import FIRST, Allowance
from edge.messages import MOST_UNCONFIRMED


@given(st.lists(st.integers(0, MOST_UNCONFIRMED)))
def test_there_are_never_more_than_the_contract_allows_nor_fewer_than_the_first(told: list[int]) -> None:
    allowance = Allowance()
    for count in told:
        if count:
            allowance.confirmed(count)
        else:
            allowance.missed()
        assert FIRST <= allowance.messages <= MOST_UNCONFIRMED


@given(st.integers(1, FIRST))
def test_a_gateway_whose_connections_break_at_once_sends_little_again_however_often_it_connects(step: int) -> None:
    allowance, confirmed = Allowance(), 0
    while allowance.messages < MOST_UNCONFIRMED:
        allowance.confirmed(step)
        confirmed += step
        assert allowance.messages <= FIRST + confirmed


def test_a_cloud_that_keeps_up_is_given_all_within_six_answers() -> None:
    allowance = Allowance()
    for _ in range(6):
        allowance.confirmed(allowance.messages)
    assert allowance.messages == MOST_UNCONFIRMED


def test_after_a_miss_it_is_half_and_grows_by_one_when_all_of_it_is_confirmed() -> None:
    allowance = Allowance()
    allowance.confirmed(MOST_UNCONFIRMED)
    allowance.missed()
    half = allowance.messages
    assert half == MOST_UNCONFIRMED // 2
    allowance.confirmed(half)
    assert allowance.messages == half + 1
