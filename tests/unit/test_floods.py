"""Who sends far more than any gateway may is held off for a while; who repeats what was not confirmed never is."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.provisioning.floods import WITHIN, FloodLimits, Floods
from tests.town import NOW

OLDER_WINDOW = 200
"""On a new connection, before gateways found out how much the cloud keeps up with; now it is `allowance.FIRST`."""
SECOND = timedelta(seconds=1)
LIMITS = FloodLimits()
MOST_LET_GO, HELD_OFF_FOR = LIMITS.most_let_go, LIMITS.held_off_for


@settings(max_examples=20)
@given(st.lists(st.integers(0, OLDER_WINDOW), min_size=60, max_size=90))
def test_who_connects_each_second_and_sends_what_he_may_there_is_never_held_off(repeated: list[int]) -> None:
    floods, count = Floods(LIMITS), 0
    for second, more in enumerate(repeated):
        count += more
        assert not floods.held_off({"mairie": count}, NOW + second * SECOND)


def test_who_floods_is_held_off_then_let_back_and_held_off_again_when_he_floods_again() -> None:
    floods = Floods(LIMITS)
    assert not floods.held_off({"port": 0}, NOW)
    assert floods.held_off({"mairie": 5, "port": MOST_LET_GO + 1}, NOW + SECOND).keys() == {"port"}
    almost = NOW + HELD_OFF_FOR - SECOND
    assert floods.held_off({"mairie": 5, "port": MOST_LET_GO + 1}, almost).keys() == {"port"}
    assert not floods.held_off({"mairie": 5, "port": MOST_LET_GO + 1}, almost + SECOND)
    assert floods.held_off({"mairie": 5, "port": 2 * MOST_LET_GO + 2}, almost + 2 * SECOND).keys() == {"port"}


def test_what_came_slowly_over_minutes_is_no_flood() -> None:
    floods = Floods(LIMITS)
    for minute in range(5):
        assert not floods.held_off({"mairie": minute * MOST_LET_GO}, NOW + minute * WITHIN)
