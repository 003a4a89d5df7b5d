"""One gateway's flood on its way into the store: its own line grows to its share, and the others take their turns."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.inbox import Inbox
from cloud_api.mqtt import Delivery
from edge import messages

SHARE = 3
arrivals = st.lists(st.sampled_from(["mairie", "gare", "port"]), max_size=30)


def delivery(gateway: str, mid: int, connection: int = 1) -> Delivery:
    return Delivery(messages.topic(gateway, "flow"), b"", retained=False, mid=mid, connection=connection)


def emptied(inbox: Inbox, most: int = 1) -> Iterator[Delivery]:
    while batch := inbox.gather(most, patience_s=0):
        yield from batch


def test_who_floods_takes_turns_with_the_others() -> None:
    inbox = Inbox()
    flood = [delivery("port", mid) for mid in range(100)]
    late = [delivery("mairie", 100), delivery("gare", 101)]
    assert all(map(inbox.put, [*flood, *late]))
    assert inbox.gather(4, patience_s=0) == [flood[0], *late, flood[1]]


def test_what_a_gateway_has_beyond_its_share_is_not_let_in_until_there_is_room() -> None:
    inbox = Inbox(SHARE)
    assert [inbox.put(delivery("port", mid)) for mid in range(5)] == [True, True, True, False, False]
    assert inbox.put(delivery("mairie", 5))
    inbox.gather(1, patience_s=0)
    assert inbox.put(delivery("port", 6))


def test_what_an_earlier_connection_brought_is_forgotten_and_takes_no_room() -> None:
    inbox = Inbox(SHARE)
    for mid in range(SHARE):
        inbox.put(delivery("port", mid))
    again = [delivery("port", mid, connection=2) for mid in range(SHARE)]
    assert all(map(inbox.put, again))
    assert list(emptied(inbox)) == again


@given(arrivals)
def test_all_that_is_let_in_comes_out_once_in_its_gateways_order(gateways: list[str]) -> None:
    inbox = Inbox(SHARE)
    let_in = defaultdict[str, list[Delivery]](list)
    for mid, gateway in enumerate(gateways):
        if inbox.put(each := delivery(gateway, mid)):
            let_in[gateway].append(each)
    came = list(emptied(inbox))
    for gateway, line in let_in.items():
        assert len(line) == min(SHARE, gateways.count(gateway))
        assert [each for each in came if messages.gateway_of(each.topic) == gateway] == line


@given(arrivals)
def test_between_two_turns_of_one_gateway_every_other_that_waits_has_one(gateways: list[str]) -> None:
    inbox = Inbox()
    for mid, gateway in enumerate(gateways):
        inbox.put(delivery(gateway, mid))
    came = [messages.gateway_of(each.topic) for each in emptied(inbox)]
    for gateway in set(came):
        turns = [place for place, name in enumerate(came) if name == gateway]
        for begin, end in pairwise(turns):
            assert set(came[end:]) <= set(came[begin:end])
