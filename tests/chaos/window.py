"""How many messages a client had unacknowledged at most, read from what its broker logged."""

import re


def most_unacknowledged(log: str, client: str) -> int:
    """The greatest number of publishes at QoS 1 that mosquitto had sent it and that it had not acknowledged.

    `client` is how its identifier begins; the rest of it is drawn for each of its lives.
    """
    waiting: set[str] = set()
    most = 0
    for line in log.splitlines():
        if client not in line:
            continue
        if sent := re.search(rf"Sending PUBLISH to {client}-\S* \(d\d, q1, r\d, m(\d+),", line):
            waiting.add(sent[1])
            most = max(most, len(waiting))
        elif done := re.search(rf"Received PUBACK from {client}-\S* \(Mid: (\d+)", line):
            waiting.discard(done[1])
        elif "connected" in line:
            waiting.clear()
    return most
