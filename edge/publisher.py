"""Outbox to MQTT: sends what waits, in order, in a window; forgets only what the cloud says its store holds.

In come wake-ups from the gateway and `stored` answers from the broker; out go publishes at QoS 1. A PUBACK opens the
window and proves nothing: what is not confirmed as stored in time is sent again, from the oldest on.
"""

import asyncio
import logging
import ssl
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge import messages
from edge.absence import Absence
from edge.allowance import Allowance
from edge.connection import connected
from edge.entries import Entry
from edge.messages import AnyMessage, MessageError, SeqRange, Status, Stored
from edge.outbox import Outbox, OutboxError
from edge.seldom import Seldom

log = logging.getLogger(__name__)

WINDOW = 100
"""Publishes without PUBACK at most; the broker may ask for fewer (mosquitto: 20). Kept here: for a limit of its own
paho would look through all of them at every PUBACK."""
PREFETCH = 500
"""Messages read from the outbox at once."""
PATIENCE_S = 10.0
"""So long a publish may go without `stored` before it is sent again. Twice what the cloud took last where that is
longer, and doubled each time up to the longest: a cloud that is behind must not be sent ever more."""
LONGEST_PATIENCE_S = 300.0
TIDY_EVERY_S = 1.0
"""How often what is stored is deleted from the outbox: together, to spare the SD card."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Between two attempts to connect; doubled each time up to the longest."""
NO_MATCHING_SUBSCRIBERS = 16


class BrokerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the city's broker is and how this gateway proves who it is."""

    host: str
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    """A file of mode 0600 that holds the password alone."""
    ca_file: Path | None = None
    """The certificate authority to trust; TLS is used when it is given, and then always."""
    certificate_file: Path | None = None
    """The gateway's own certificate, where the broker asks for one."""
    key_file: Path | None = None
    """Its key, a file of mode 0600."""

    def __post_init__(self) -> None:
        """A certificate is nothing without its key, nor without TLS."""
        if (self.certificate_file is None) is not (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together: give both or neither")
        if self.certificate_file is not None and self.ca_file is None:
            raise ValueError("certificate_file needs ca_file: it is shown over TLS only")


class Publisher:
    """Guards one invariant: nothing leaves the outbox before a `stored` answer of its own epoch names it."""

    def __init__(
        self,
        way: Callable[[], BrokerConfig],
        outbox: Outbox,
        *,
        on_connected: Callable[[], Sequence[AnyMessage]],
        on_message: Callable[[AnyMessage], None],
    ) -> None:
        """`way` says before every connection how to come to the broker.

        `on_connected` gives what to tell at every connection; `on_message` gets what the cloud sends.
        """
        self._way = way
        self._broker = way()
        self._outbox = outbox
        self._on_connected = on_connected
        self._on_message = on_message
        self._wake = asyncio.Event()
        self._deleted = asyncio.Event()
        self._ready: deque[Entry] = deque()
        self._in_flight: dict[int, int] = {}
        """Outbox sequence number by MQTT message id; 0 for what is not from the outbox."""
        self._unconfirmed: dict[int, float] = {}
        """When each publish that is not confirmed was sent, by sequence number, in order."""
        self._sent_first: dict[int, float] = {}
        """When those that are sent again were first sent on this connection: it may be that time that is answered."""
        self._stored: list[SeqRange] = []
        self._read_until = 0
        self._unread = True
        """There may be more in the outbox behind `_read_until`."""
        self._window = WINDOW
        self._allowance = Allowance()
        self._patience_s = PATIENCE_S
        self.connected = False
        self._absence = Absence()
        self._sending_since_s: float | None = None
        """When it began to send all that waits; None once the store has had all of it."""
        self._confirmed = 0
        """Messages that the store has confirmed since."""
        self._seldom: dict[str, Seldom] = defaultdict(Seldom)
        self.counters: Counter[str] = Counter()
        """`published`, `publish_refused`, `no_subscriber`, `resent`, `message_<error>`."""

    def wake(self) -> None:
        """There is something new in the outbox. Called from the event loop."""
        self._unread = True
        self._wake.set()

    def tell(self, message: AnyMessage) -> None:
        """Publish now what does not go through the outbox; dropped while the broker is away."""
        if self.connected:
            self._publish(messages.topic_of(message), messages.encode(message), type(message) in messages.RETAINED, 0)

    async def run(self) -> None:
        """Connect, stay connected and publish until cancelled; then take leave and disconnect."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._stay_connected())
                tasks.create_task(self._pump())
                tasks.create_task(self._tidy())
        finally:
            await self._delete_stored()

    async def drained(self) -> None:
        """Return when the store has confirmed everything, or the broker is away."""
        while self.connected:
            self._deleted.clear()
            await self._delete_stored()
            if not await asyncio.to_thread(self._outbox.after, 0, 1):
                return
            await self._deleted.wait()

    async def _pump(self) -> None:
        """Read from the outbox whenever there is room for more."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._has_room and not self._ready and await self._read_ahead():
                self._send()

    @property
    def _has_room(self) -> bool:
        allowed = len(self._in_flight) < self._window and len(self._unconfirmed) < self._allowance.messages
        return self.connected and allowed

    def _send(self) -> None:
        """Publish what is ready, as far as there is room; who empties it wakes who reads more."""
        while self._ready and self._has_room:
            entry = self._ready.popleft()
            self._publish(entry.topic, entry.body, entry.retain, entry.seq)
        if self._unread and not self._ready:
            self._wake.set()

    async def _read_ahead(self) -> bool:
        """Whether there may be something to send now. What was read before a rewind is of no use after it."""
        if not self._unread:
            return False
        self._unread = False
        behind = self._read_until
        try:
            entries = self._outbox.fresh(behind) or await asyncio.to_thread(self._outbox.after, behind, PREFETCH)
        except OutboxError as error:
            self._unread = True
            self.counters["read_failed"] += 1
            if times := self._times("read"):
                log.warning(
                    "cannot send from the outbox: %s; again in %.0f s (failed %d times)", error, TIDY_EVERY_S, times
                )
            self._loop.call_later(TIDY_EVERY_S, self._wake.set)
            return False
        if self._read_until == behind and entries:
            self._ready.extend(entries)
            self._read_until = entries[-1].seq
        self._unread |= len(entries) == PREFETCH
        return bool(self._ready) or self._unread

    def _publish(self, topic: str, body: bytes, retain: bool, seq: int) -> None:
        info = self._client.publish(topic, body, qos=1, retain=retain)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            self.counters["publish_failed"] += 1
        self._in_flight[info.mid] = seq
        if seq:
            self._unconfirmed[seq] = self._loop.time()

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY_S)
            await self._delete_stored()
            self._absence.lasts(self._loop.time())
            oldest = next(iter(self._unconfirmed.values()), None)
            if self.connected and oldest is not None and self._loop.time() - oldest > self._patience_s:
                self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
                self._allowance.missed()
                self.counters["resent"] += len(self._unconfirmed)
                log.warning("not confirmed as stored, sending again: %d messages", len(self._unconfirmed))
                self._sent_first = self._unconfirmed | {
                    seq: sent_s for seq, sent_s in self._sent_first.items() if seq in self._unconfirmed
                }
                self._rewind()

    async def _delete_stored(self) -> None:
        stored, self._stored = self._stored, []
        if not stored:
            return
        try:
            await asyncio.to_thread(self._outbox.forget, stored)
        except OutboxError as error:
            self._stored[:0] = stored
            self.counters["forget_failed"] += 1
            if times := self._times("forget"):
                log.warning("cannot delete from the outbox what is stored: %s (failed %d times)", error, times)
        self._deleted.set()

    def _rewind(self) -> None:
        self._ready.clear()
        self._unconfirmed.clear()
        self._read_until = 0
        self._unread = True
        if self._sending_since_s is None:
            self._sending_since_s, self._confirmed = self._loop.time(), 0
        self._wake.set()

    async def _stay_connected(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                reason = await self._connect()
            except (OSError, ValueError) as error:
                reason = f"it cannot be reached: {error}"
            if self.connected:
                pause_s = FIRST_PAUSE_S
            self._disconnected(reason)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _connect(self) -> str:
        """Live through one connection; why it ended. Raises OSError or ValueError when there is none."""
        self._broker = self._way()
        self._client = self._new_client()
        async with connected(self._client, self._broker.host, self._broker.port) as connection:
            try:
                return await connection.lost()
            except asyncio.CancelledError:
                self.tell(self._farewell())
                raise

    def _farewell(self) -> Status:
        return Status(gateway=self._outbox.gateway, epoch=self._outbox.epoch, online=False)

    def _new_client(self) -> mqtt.Client:
        client_id = f"passerelle-edge-{self._outbox.gateway}"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        client.max_inflight_messages_set(0)
        if self._broker.username is not None:
            password = None if self._broker.password_file is None else self._broker.password_file.read_text().strip()
            client.username_pw_set(self._broker.username, password)
        if self._broker.ca_file is not None:
            client.tls_set(
                ca_certs=str(self._broker.ca_file),
                certfile=_text(self._broker.certificate_file),
                keyfile=_text(self._broker.key_file),
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        will = self._farewell()
        client.will_set(messages.topic_of(will), messages.encode(will), qos=1, retain=True)
        client.on_connect = self._on_connack
        client.on_publish = self._on_puback
        client.on_message = self._on_publish
        return client

    def _on_connack(
        self, client: mqtt.Client, _userdata: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, props: Properties | None
    ) -> None:
        if code.is_failure:
            self._refused_connection(str(code))
            return
        gateway = self._outbox.gateway
        own = ("stored", "config/desired", "command")
        client.subscribe([(messages.topic(gateway, suffix), 1) for suffix in own])
        window = getattr(props, "ReceiveMaximum", WINDOW) if props is not None else WINDOW
        self._loop.call_soon(self._connected, min(window, WINDOW))

    def _on_puback(
        self, _client: mqtt.Client, _userdata: Any, mid: int, code: ReasonCode, _props: Properties | None
    ) -> None:
        self._acknowledged(mid, code)
        self._send()

    def _on_publish(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        self._loop.call_soon(self._received, message.topic, bytes(message.payload))

    def _connected(self, window: int) -> None:
        self._absence.ends(self._broker.host, self._broker.port, self._loop.time())
        self.connected = True
        self._window = window
        self._allowance = Allowance()
        self._in_flight.clear()
        self._sent_first.clear()
        self._rewind()
        for message in self._on_connected():
            self.tell(message)

    def _disconnected(self, reason: str) -> None:
        self._absence.begins(reason, self._loop.time())
        self.connected = False
        self._in_flight.clear()
        self._deleted.set()

    def _refused_connection(self, reason: str) -> None:
        self.counters["connection_refused"] += 1
        if times := self._times("refused connection"):
            log.error(
                "the broker refuses this gateway reason=%r; check username, password and ACL (%d times)", reason, times
            )

    def _times(self, line: str) -> int:
        """How often a line came up since it was last written; 0 when it is not to be written now."""
        return self._seldom[line].times(self._loop.time())

    def _acknowledged(self, mid: int, code: ReasonCode) -> None:
        seq = self._in_flight.pop(mid, None)
        if not seq:
            return
        if code.is_failure:
            self.counters["publish_refused"] += 1
            if times := self._times("refused publish"):
                log.error(
                    "the broker refused %d publishes, the last seq=%d reason=%r; kept in the outbox: check its ACL",
                    *(times, seq, code.getName()),
                )
        elif code.value == NO_MATCHING_SUBSCRIBERS:
            self.counters["no_subscriber"] += 1
            if times := self._times("no subscriber"):
                log.warning("nobody listens to what is published (%d messages); the outbox keeps everything", times)
        else:
            self.counters["published"] += 1

    def _received(self, topic: str, body: bytes) -> None:
        try:
            message = messages.decode(topic, body)
        except MessageError as error:
            self.counters[f"message_{error.name}"] += 1
            log.warning("message refused: %s", error)
            log.debug("refused message topic=%s body=%s", topic, body[:600].hex())
            return
        if isinstance(message, Stored):
            self._confirm(message)
        else:
            self._on_message(message)

    def _confirm(self, message: Stored) -> None:
        if message.epoch != self._outbox.epoch:
            return
        self._stored += message.ranges
        if named := self._named(message.ranges):
            waited_s = self._loop.time() - min(map(self._take_out, named))
            self._patience_s = min(max(PATIENCE_S, 2 * waited_s), LONGEST_PATIENCE_S)
            self._allowance.confirmed(len(named))
        self._confirmed += len(named)
        self._send()
        self._say_when_drained()

    def _named(self, ranges: Sequence[SeqRange]) -> set[int]:
        """Those of the unconfirmed that lie in a range."""
        seqs = list(self._unconfirmed)
        stretches = (seqs[bisect_left(seqs, each.first) : bisect_right(seqs, each.last)] for each in ranges)
        return set().union(*stretches)

    def _take_out(self, seq: int) -> float:
        """Count a publish as unconfirmed no longer; when it was first sent."""
        sent_s = self._unconfirmed.pop(seq)
        return self._sent_first.pop(seq, sent_s)

    def _say_when_drained(self) -> None:
        if self._sending_since_s is None or self._unread or self._ready or self._unconfirmed:
            return
        took_s, self._sending_since_s = self._loop.time() - self._sending_since_s, None
        if self._confirmed and self._times("drained"):
            log.info("the queue is drained: %d messages stored within %.0f s", self._confirmed, took_s)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
