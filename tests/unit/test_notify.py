"""What systemd is told reaches its socket, wherever that is; and nobody needs systemd."""

import os
from pathlib import Path

import pytest

from edge.notify import READY, WATCHDOG, Notifier, notifier, status
from tests.systemd import listening


@pytest.mark.parametrize("abstract", [False, True])
def test_what_is_told_arrives_in_one_datagram(tmp_path: Path, *, abstract: bool) -> None:
    with listening(tmp_path, abstract=abstract) as systemd:
        notifier({"NOTIFY_SOCKET": systemd.address}).tell(READY, status("all\nis well"))

        assert systemd.next() == "READY=1\nSTATUS=all is well"


def test_started_by_hand_it_tells_nobody() -> None:
    by_hand = notifier({})

    by_hand.tell(READY)
    assert by_hand == Notifier(None, None)


def test_a_socket_that_is_gone_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Notifier(f"{tmp_path}/gone").tell(WATCHDOG)

    assert "systemd cannot be told WATCHDOG=1" in caplog.text


def test_a_socket_that_nobody_empties_blocks_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with listening(tmp_path) as systemd:
        way = Notifier(systemd.address)
        while not caplog.text:
            way.tell(WATCHDOG)

    assert "systemd cannot be told" in caplog.text


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_minded_when_it_watches_this_process(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert notifier(environment).watchdog_s == seconds
