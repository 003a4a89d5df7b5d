"""The least that can be called an outbox: a table, group commits, a window of publishes, deletion at the PUBACK.

It takes the broker's word that a message is safe, has no checkpoint, no resending and no supervision: what ours costs
beside it is what those cost.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

WINDOW = 20
COMMIT = 100
"""Messages in one transaction at most."""


class MinimalOutbox:
    """SQLite (WAL, FULL) and paho on MQTT 5. One thread puts and pumps."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE outbox (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, body BLOB NOT NULL)"
        )
        self._window = threading.Semaphore(WINDOW)
        self._sent_until = self._acknowledged = self._deleted_until = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(WINDOW)
        self._client.on_publish = self._published

    def put(self, batch: Sequence[tuple[str, bytes]]) -> None:
        """Make (topic, body) durable, and forget with it what the broker has acknowledged."""
        for begin in range(0, max(len(batch), 1), COMMIT):
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO outbox (topic, body) VALUES (?, ?)", batch[begin : begin + COMMIT])
            self._delete()
            self._db.execute("COMMIT")

    def connect(self, host: str, port: int) -> None:
        """Open the connection."""
        self._client.connect(host, port)
        self._client.loop_start()

    def pump(self) -> None:
        """Send all that waits."""
        while rows := self._waiting():
            for seq, topic, body in rows:
                self._window.acquire()
                self._client.publish(topic, body, qos=1)
                self._sent_until = seq
            if self._acknowledged - self._deleted_until >= COMMIT:
                self._delete()

    def settle(self) -> None:
        """Wait until the broker has acknowledged all that was sent, and forget it."""
        for _ in range(WINDOW):
            self._window.acquire()
        self._window.release(WINDOW)
        self._delete()

    def close(self) -> None:
        """Disconnect and release the file."""
        self._client.disconnect()
        self._client.loop_stop()
        self._db.close()

    def _waiting(self) -> list[tuple[int, str, bytes]]:
        query = "SELECT seq, topic, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._db.execute(query, (self._sent_until, COMMIT)).fetchall()

    def _delete(self) -> None:
        """A broker acknowledges in order: the first so many are safe."""
        self._deleted_until = self._acknowledged
        self._db.execute("DELETE FROM outbox WHERE seq <= ?", (self._deleted_until,))

    def _published(
        self, _client: mqtt.Client, _userdata: Any, _mid: int, _code: ReasonCode, _properties: Properties
    ) -> None:
        self._acknowledged += 1
        self._window.release()
