"""What the rig reads from mosquitto's log: how many messages a client held unacknowledged at most."""

from tests.chaos.window import most_unacknowledged

SENT = "1795771413: Sending PUBLISH to passerelle-ingest-1-0a1b (d0, q1, r0, m{}, 'passerelle/1/pont/flow', (9 bytes))"
TAKEN = "1795771413: Received PUBACK from passerelle-ingest-1-0a1b (Mid: {}, RC:0)"
CONNECTED = "1795771413: New client connected from 127.0.0.1:4711 as passerelle-ingest-1-0a1b (p5, c0, k30)."
ANOTHER = (
    "1795771413: Sending PUBLISH to passerelle-ingest-2-4e5f (d0, q1, r0, m9, 'passerelle/1/pont/flow', (9 bytes))"
)


def test_what_was_acknowledged_counts_no_more() -> None:
    log = [SENT.format(1), SENT.format(2), TAKEN.format(1), ANOTHER, SENT.format(3), TAKEN.format(2), TAKEN.format(3)]
    assert most_unacknowledged("\n".join(log), "passerelle-ingest-1") == 2


def test_a_new_connection_holds_nothing_at_first() -> None:
    log = [SENT.format(1), SENT.format(2), CONNECTED, SENT.format(3)]
    assert most_unacknowledged("\n".join(log), "passerelle-ingest-1") == 2
