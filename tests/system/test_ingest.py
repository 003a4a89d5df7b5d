"""From the broker into the store: nothing is answered as stored before it is, and nothing is counted twice."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from cloud_api.app import create_app
from cloud_api.ingest import MOST_MESSAGES
from cloud_api.ledger import Ledger
from cloud_api.provisioning.floods import FloodLimits
from cloud_api.settings import Broker, Settings
from cloud_api.stores.base import Channel, RefusedFactError, StoredFlow
from edge import messages
from edge.messages import Dropped, Heard, HeardDevice, Limit, LinkHealth, Status, Trimmed
from tests.broker import Credentials, Mosquitto, running_mosquitto
from tests.loopback import HTTP
from tests.moody_store import MoodyStore
from tests.town import (
    EPOCH,
    NOW,
    REGISTRY,
    Clock,
    PublishingGateway,
    counted,
    gateway,
    interval,
    kept,
    serving,
    town_api,
    until,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MoodyStore]:
    with closing(MoodyStore(tmp_path / "history.db")) as opened:
        yield opened


@pytest.fixture
def edge(own_mosquitto: Mosquitto) -> Iterator[PublishingGateway]:
    with gateway(own_mosquitto) as it:
        yield it


def metrics(address: str) -> str:
    return HTTP.get(f"{address}/metrics").text


def figure(address: str, name: str) -> float:
    """One figure of the metrics; 0 where it is not told."""
    lines = (line.rpartition(" ") for line in metrics(address).splitlines())
    return next((float(value) for label, _, value in lines if label == name), 0.0)


def is_ready(address: str) -> bool:
    return HTTP.get(f"{address}/readyz").status_code == 200


def test_what_is_answered_as_stored_is_in_the_store(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish(*(edge.flow(seq, interval(seq - 1)) for seq in range(1, 13)))
        edge.publish(edge.space(13, "d1", occupied=True))

        until(lambda: edge.confirmed() == set(range(1, 14)))

    assert counted(store) == (12, 24)
    assert [each.state.device for each in store.last_states()] == ["d1"]


def test_the_same_message_ten_times_counts_once_and_is_answered_each_time(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish(*[edge.flow(7, interval(0, in_=5, out=6))] * 10)
        edge.publish(edge.flow(8, interval(1, in_=1, out=1)))

        until(lambda: edge.confirmed() == {7, 8})

    assert counted(store) == (6, 7)


def test_while_the_store_is_away_nothing_is_answered_and_afterwards_all_is(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    store.away = True
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        edge.publish(*(edge.flow(seq, interval(seq - 1)) for seq in range(1, 6)))
        until(lambda: "passerelle_ingest_store_retries_total 0.0" not in metrics(address))
        assert edge.confirmed() == set()

        store.away = False
        until(lambda: edge.confirmed() == {1, 2, 3, 4, 5})

    assert counted(store) == (5, 10)


def test_what_a_worker_could_not_store_before_it_ended_its_gateway_sends_again(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    store.away = True
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        edge.publish(edge.flow(1, interval(0)), edge.flow(2, interval(1)))
        until(lambda: "passerelle_ingest_store_retries_total 0.0" not in metrics(address))

    store.away = False
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        assert edge.confirmed() == set()
        edge.publish(edge.flow(1, interval(0)), edge.flow(2, interval(1)))
        until(lambda: edge.confirmed() == {1, 2})

    assert counted(store) == (2, 4)


def test_a_fact_that_the_store_refuses_is_held_in_quarantine_and_holds_up_nothing(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish(edge.flow(1, interval(0), interval(1, device="refused")), edge.flow(2, interval(2)))

        until(lambda: edge.confirmed() == {1, 2})
        assert "passerelle_quarantine_facts 1.0" in metrics(address)

    assert counted(store) == (2, 4)


def test_after_a_restart_the_quarantine_is_told_before_anything_is_refused_again(
    own_mosquitto: Mosquitto, store: MoodyStore, tmp_path: Path
) -> None:
    with closing(Ledger(tmp_path / "test.ledger.db")) as ledger:
        fact = StoredFlow(gateway="gw-halles", epoch=EPOCH, interval=interval(0))
        ledger.quarantine([RefusedFactError(fact, "field type conflict")], NOW)

    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        assert "passerelle_quarantine_facts 1.0" in metrics(address)


def test_what_the_quarantine_has_no_room_for_is_not_answered(
    own_mosquitto: Mosquitto,
    store: MoodyStore,
    edge: PublishingGateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cloud_api.ledger.MOST_QUARANTINED", 1)
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish(*(edge.flow(seq, interval(seq, device="refused")) for seq in (1, 2)), edge.flow(3, interval(3)))

        until(lambda: "passerelle_ingest_unanswered_total 1.0" in metrics(address))
        until(lambda: 3 in edge.confirmed())

    assert len(edge.confirmed()) == 2


@pytest.mark.parametrize(
    ("topic", "body", "name"),
    [
        ("passerelle/1/gw-halles/flow", b"\xff\x00 noise", "not-json"),
        ("passerelle/1/gw-halles/flow", b"[]", "invalid"),
        ("passerelle/1/gw-halles/flow", b'{"schema":9}', "newer-schema"),
        (
            "passerelle/1/gw-halles/flow",
            b'{"schema":1,"gateway":"other","epoch":"00112233aabbccdd","seq":1,"intervals":[]}',
            "wrong-sender",
        ),
        ("passerelle/1/gw-halles/flow", b" " * (messages.MAX_MESSAGE_BYTES + 1), "too-large"),
    ],
)
def test_a_message_that_is_none_is_counted_by_name_and_disturbs_nothing(
    own_mosquitto: Mosquitto,
    store: MoodyStore,
    edge: PublishingGateway,
    tmp_path: Path,
    topic: str,
    body: bytes,
    name: str,
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish_bytes(topic, body)
        edge.publish(edge.flow(1, interval(0)))

        until(lambda: edge.confirmed() == {1})
        assert f'passerelle_message_errors_total{{name="{name}",subscription="ingest"}} 1.0' in metrics(address)


def test_health_and_heard_devices_are_kept_and_answered(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    stranger = HeardDevice(device="a84041", link="lora", at=NOW)
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish(edge.health(1, "d1"), Heard(gateway=edge.name, epoch=EPOCH, seq=2, devices=(stranger,)))

        until(lambda: edge.confirmed() == {1, 2})

    with closing(Ledger(tmp_path / "test.ledger.db")) as ledger:
        assert [each.health.device for each in ledger.health()] == ["d1"]


def test_what_a_gateway_dropped_is_kept_and_counted_once_however_often_it_is_told(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    told = Dropped(
        gateway=edge.name,
        epoch=EPOCH,
        seq=1,
        what=Trimmed.FLOW,
        why=Limit.BYTES,
        messages=40,
        in_=123,
        out=99,
        start=NOW,
        end=NOW,
    )
    passages = f'passerelle_gateway_dropped_passages_total{{direction="in",gateway="{edge.name}"}}'
    dropped = f'passerelle_gateway_dropped_messages_total{{gateway="{edge.name}",what="flow",why="bytes"}}'
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        edge.publish(told, told, structs.replace(told, seq=2, in_=7))
        until(lambda: edge.confirmed() == {1, 2})
        assert (figure(address, passages), figure(address, dropped)) == (130, 80)

    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        assert (figure(address, passages), figure(address, dropped)) == (130, 80)


def test_two_workers_of_one_name_and_one_ledger_share_the_load_and_count_nothing_twice(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    one, two = (town_api(own_mosquitto, store, tmp_path) for _ in range(2))
    with serving(one) as first, serving(two) as second:
        until(lambda: is_ready(first) and is_ready(second))
        edge.publish(*(edge.flow(seq, interval(seq % 12, device=f"x{seq}")) for seq in range(1, 41)))
        edge.publish(*(edge.flow(seq, interval(seq % 12, device="refused")) for seq in range(41, 49)))

        until(lambda: edge.confirmed() == set(range(1, 49)))
        shares = [figure(each, 'passerelle_ingest_messages_total{kind="flow"}') for each in (first, second)]

    channels = [Channel(f"x{seq}", "line1", "pedestrian") for seq in range(1, 41)]
    assert counted(store, channels) == (40, 80)
    assert sum(shares) == 48
    assert min(shares) > 0
    with closing(Ledger(tmp_path / "test.ledger.db")) as ledger:
        assert ledger.quarantined() == 8


def test_a_gateway_that_floods_is_told_of_keeps_nobody_waiting_and_loses_nothing(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    limits = FloodLimits(share=40)
    seqs = range(1, MOST_MESSAGES + limits.share + 10)
    store.away = True
    api = town_api(own_mosquitto, store, tmp_path, floods=limits)
    with serving(api) as address, gateway(own_mosquitto, "loud") as loud:
        until(lambda: is_ready(address))
        flood = [loud.flow(seq, interval(seq % 12, device=f"x{seq}")) for seq in seqs]
        loud.pour(flood)
        until(lambda: figure(address, 'passerelle_ingest_flood_messages_total{gateway="loud"}') > 0)
        edge.publish(edge.flow(1, interval(0)))

        store.away = False
        until(lambda: edge.confirmed() == {1})
        for begin in range(0, len(flood), limits.share):
            again = flood[begin : begin + limits.share]
            loud.publish(*again)
            until(partial(loud.has_confirmed, again))

    channels = [Channel(f"x{seq}", "line1", "pedestrian") for seq in seqs]
    assert counted(store, channels) == (len(seqs), 2 * len(seqs))


def test_a_broker_that_dies_and_comes_back_is_found_again(
    own_mosquitto: Mosquitto, store: MoodyStore, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: is_ready(address))
        own_mosquitto.kill()
        until(lambda: not is_ready(address))
        problem = HTTP.get(f"{address}/readyz")
        own_mosquitto.start()
        until(lambda: is_ready(address))
        with gateway(own_mosquitto) as edge:
            edge.publish(edge.flow(1, interval(0)))
            until(lambda: edge.confirmed() == {1})

    assert problem.headers["content-type"] == "application/problem+json"
    assert "broker" in problem.json()["detail"]


def test_a_broker_that_wants_a_password_is_given_it_and_a_wrong_one_is_told(store: MoodyStore, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("secret\n")
    wrong.write_text("guess\n")
    with running_mosquitto(tmp_path, credentials=Credentials("api", "secret")) as broker:
        for file in (right, wrong):
            login = Broker(host=broker.host, port=broker.port, username="api", password_file=file)
            settings = Settings(broker=login, ledger=tmp_path / f"{file.name}.ledger.db", worker=file.name)
            with serving(
                create_app(settings, store=store, registry=kept(REGISTRY, tmp_path), clock=Clock())
            ) as address:
                if file is right:
                    until(lambda: is_ready(address))
                else:
                    until(lambda: "refuses the connection" in HTTP.get(f"{address}/readyz").text)


def test_spaces_are_counted_by_status_and_trust(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        edge.publish(edge.space(1, "d1", occupied=False))

        until(lambda: figure(address, 'passerelle_spaces{status="free",trust="fresh"}') == 1)
        assert figure(address, 'passerelle_spaces{status="unknown",trust="unknown"}') == 3


def test_what_gateways_say_of_their_links_is_in_the_metrics(
    own_mosquitto: Mosquitto, store: MoodyStore, edge: PublishingGateway, tmp_path: Path
) -> None:
    link = LinkHealth(name="radar", kind="serial", state="up", frames=12, refused={"bad-checksum": 3})
    edge.publish(
        Status(gateway=edge.name, epoch=EPOCH, online=True, queued=4, links=(link,), counters={"duplicates": 2})
    )

    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: "passerelle_gateway_online" in metrics(address) and "gw-halles" in metrics(address))
        text = metrics(address)

    assert 'passerelle_gateway_online{gateway="gw-halles"} 1.0' in text
    assert 'passerelle_gateway_queued_messages{gateway="gw-halles"} 4.0' in text
    assert 'passerelle_link_refused_total{gateway="gw-halles",link="radar",reason="bad-checksum"} 3.0' in text
    assert 'passerelle_gateway_events_total{event="duplicates",gateway="gw-halles"} 2.0' in text
