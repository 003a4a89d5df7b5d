"""A town of thousands of spaces whose last words lie with the broker or in the store, some of them old."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec

from cloud_api.app import create_app
from cloud_api.registry import Installation, Registry, Space, Zone
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from cloud_api.stores.base import StoredSpace
from edge.messages import SpaceState
from tests.broker import Mosquitto
from tests.town import HERE, NOW, START, Clock, gateway, kept, serving

SPACES, PER_ZONE = 5_000, 100
OLD_EVERY = 10
"""One space in so many was last heard of hours ago, longer than trust allows."""
YOUNG = timedelta(minutes=20)
OLD = timedelta(hours=4)
ZONES = SPACES // PER_ZONE
YOUNG_PER_ZONE = PER_ZONE - PER_ZONE // OLD_EVERY

REGISTRY = Registry(
    zones=[Zone(id=f"z{number}", name=f"Zone {number}", position=HERE) for number in range(ZONES)],
    spaces=[Space(id=f"s{number}", zone=f"z{number // PER_ZONE}") for number in range(SPACES)],
    installations=[
        Installation(place=f"s{number}", device=f"d{number}", channel="1", start=START) for number in range(SPACES)
    ],
)


class ZoneNow(msgspec.Struct):
    """What is read of a zone."""

    free: int | None
    occupied: int | None
    unknown: int

    @property
    def known(self) -> int:
        """Spaces that are told as free or occupied."""
        return (self.free or 0) + (self.occupied or 0)


class _Data(msgspec.Struct):
    zones: list[ZoneNow]


class _Answer(msgspec.Struct):
    data: _Data


def leave_behind(broker: Mosquitto, folder: Path) -> None:
    """What is there before the restart: every other space retained by the broker, the others in the store alone."""
    with gateway(broker, "gw-large") as sender:
        sender.publish(sender.status())
        for number in range(0, SPACES, 2):
            state = _state(number)
            sender.publish(sender.space(number, state.device, occupied=state.occupied, at=state.at))
    with closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        store.write([StoredSpace(gateway="gw-large", state=_state(number)) for number in range(1, SPACES, 2)])


@contextmanager
def restarted(broker: Mosquitto, folder: Path) -> Iterator[httpx.Client]:
    """The API, just started."""
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port), ledger=folder / "ledger.db", worker="large-town"
    )
    with closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        api = create_app(settings, store=store, registry=kept(REGISTRY, folder), clock=Clock())
        with serving(api) as address, httpx.Client(base_url=address, timeout=30) as client:
            yield client


def zones(client: httpx.Client) -> list[ZoneNow]:
    """All zones as they are told now."""
    answer = client.get("/v1/parking/zones").raise_for_status()
    return msgspec.json.decode(answer.content, type=_Answer).data.zones


def is_whole(told: list[ZoneNow]) -> bool:
    """Whether every space is told that may be."""
    return sum(zone.known for zone in told) == ZONES * YOUNG_PER_ZONE


def _state(number: int) -> SpaceState:
    """One space in ten is old: among those of the broker as among those of the store."""
    old = number // 2 % OLD_EVERY == 0
    return SpaceState(device=f"d{number}", channel="1", occupied=number % 3 == 0, at=NOW - (OLD if old else YOUNG))
