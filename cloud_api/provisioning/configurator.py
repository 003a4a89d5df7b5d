"""What the registry says of devices reaches their gateways, as retained messages, whenever they come on line.

In come the registry, the radio keys and what gateways report, out go `config/desired` messages: one when a gateway's
devices are others than those that the broker keeps for it. Several replicas may do the same: they say the same, and
one whose snapshot is older than what is published waits for its next one.
"""

import asyncio
import logging
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cloud_api.metrics import Metrics
from cloud_api.mqtt import Connection, Delivery, Subscription
from cloud_api.provisioning.desired import desired_devices, holders_of
from cloud_api.provisioning.errands import NO_EPOCH, Errands
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.renewals import Renewals
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.radio_keys import RadioKeys, RadioKeyStore
from cloud_api.settings import Broker
from edge import messages
from edge.messages import Command, CommandResult, Desired, DeviceSettings, MessageError, encode, topic_of

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5
"""How often it is looked whether a gateway must be told something."""
SETTLE_S: Final = 10.0
"""For so long a newer revision at the broker is believed; then the registry itself must have gone back (a restore)."""
RECALL_S: Final = 1.0
"""So long after a subscription the broker has told what it keeps; before, nobody is told anything."""
WINDOW: Final = 100
BYTES_LOGGED: Final = 600
TOPICS: Final = tuple(
    messages.topic("+", suffix)
    for suffix in ("status", "models", "config/desired", "config/reported", "heard", "result")
)


@dataclass(slots=True)
class _Keys:
    """The radio keys, as of a revision."""

    revision: int
    keys: Mapping[str, RadioKeys]


class Configurator:
    """Tells gateways what they should do; made and run on the event loop that owns `gateways`."""

    def __init__(
        self,
        broker: Broker,
        *,
        worker: str,
        places: CurrentRegistry,
        keys: RadioKeyStore,
        gateways: Gateways,
        metrics: Metrics,
        renewals: Renewals | None,
    ) -> None:
        """`renewals` renews the certificates of gateways; None where they are given none.

        Raises `ConfigError` when the broker's credentials cannot be read.
        """
        self._places = places
        self._store = keys
        self._gateways = gateways
        self._metrics = metrics
        self._renewals = renewals
        self._keys = _Keys(-1, {})
        self._since: dict[str, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        subscription = Subscription(
            client_id=f"passerelle-config-{worker}-{secrets.token_hex(4)}", topics=TOPICS, window=WINDOW
        )
        self._connection = Connection(broker, subscription, self._hand_over)
        self.errands = Errands(self._command)

    async def run(self) -> None:
        """Tell until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._connection.start()
        try:
            subscribed_s = None
            while True:
                now_s = self._loop.time()
                subscribed_s = None if self._connection.problem else subscribed_s or now_s
                if subscribed_s is not None and now_s > subscribed_s + RECALL_S and await self._keys_are_read():
                    self._tell(now_s)
                    await self._renew(self._renewals)
                await asyncio.sleep(EVERY_S)
        finally:
            await asyncio.to_thread(self._connection.stop)

    def _command(self, command: Command) -> bool:
        return self._connection.problem is None and self._connection.publish(topic_of(command), encode(command))

    async def _renew(self, renewals: Renewals | None) -> None:
        if renewals is None:
            return
        try:
            for command in await asyncio.to_thread(lambda: list(renewals.due())):
                self._command(command)
        except RegistryError as error:
            log.debug("no certificate is renewed: %s", error)

    async def _keys_are_read(self) -> bool:
        revision = self._places.revision
        if self._keys.revision != revision:
            try:
                self._keys = _Keys(revision, await asyncio.to_thread(self._store.all))
            except RegistryError as error:
                log.debug("the radio keys are not read: %s", error)
                return False
        return True

    def _tell(self, now_s: float) -> None:
        for message in self._due(now_s):
            if self._connection.publish(topic_of(message), encode(message), retain=True):
                log.info(
                    "gateway told name=%s revision=%d devices=%d",
                    *(message.gateway, message.revision, len(message.devices)),
                )

    def _due(self, now_s: float) -> Iterator[Desired]:
        """What must be told: other devices than the broker keeps, from a snapshot that is no older."""
        registry, revision = self._places.now, self._places.revision
        holders = holders_of(registry, self._gateways.reported)
        for name in (each.name for each in registry.gateways.values() if each.managed):
            devices = desired_devices(registry, self._keys.keys, holders, name)
            if self._is_told(name, devices):
                self._since.pop(name, None)
            elif self._is_newer_at_broker(name, revision) and now_s < self._since.setdefault(name, now_s) + SETTLE_S:
                continue
            else:
                yield Desired(gateway=name, epoch=NO_EPOCH, revision=revision, devices=devices)

    def _is_told(self, name: str, devices: tuple[DeviceSettings, ...]) -> bool:
        told = self._gateways.desired.get(name)
        return told is not None and told.devices == devices

    def _is_newer_at_broker(self, name: str, revision: int) -> bool:
        told = self._gateways.desired.get(name)
        return told is not None and told.revision > revision

    def _hand_over(self, delivery: Delivery) -> None:
        """Called on the network's thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._take, delivery)

    def _take(self, delivery: Delivery) -> None:
        """Acknowledged here, so that no more than the window wait for the event loop."""
        self._connection.acknowledge(delivery)
        try:
            message = messages.decode(delivery.topic, delivery.body)
        except MessageError as error:
            self._metrics.message_errors.labels("config", error.name).inc()
            log.debug("%s; bytes %r", error, delivery.body[:BYTES_LOGGED])
            return
        if isinstance(message, CommandResult):
            if self._renewals is None or not self._renewals.take(message):
                self.errands.take(message)
        else:
            self._gateways.take(message)
