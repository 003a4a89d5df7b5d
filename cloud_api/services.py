"""What routes and pages answer from: one town's parts, put together once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cloud_api.feed import ZoneFeed
from cloud_api.flow_watch import FlowWatch
from cloud_api.forecaster import Forecaster
from cloud_api.formats.picture import Picture, picture
from cloud_api.glance import Watch
from cloud_api.keyring import Keyring
from cloud_api.ledger import Ledger
from cloud_api.live import Live
from cloud_api.metrics import Metrics
from cloud_api.provisioning.enrolment import Enroller
from cloud_api.provisioning.errands import Errands
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.signing import Signer
from cloud_api.registry import Registry
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.store import RegistryStore
from cloud_api.reporter import Reporter
from cloud_api.settings import Settings
from cloud_api.stores.base import Store
from cloud_api.town_status import StatusNow


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one town's API.

    `live`, `feed`, `forecaster`, `gateways`, `errands` and `flows` belong to the event loop: ask them from `async`
    routes only.
    """

    settings: Settings
    store: Store
    places: CurrentRegistry
    registry_store: RegistryStore
    """Where changes of the registry go; its methods block."""
    keyring: Keyring
    live: Live
    feed: ZoneFeed
    flows: FlowWatch
    forecaster: Forecaster
    gateways: Gateways
    errands: Errands
    ledger: Ledger
    signer: Signer
    enroller: Enroller | None
    """Lets gateways in; None where they do not enrol themselves."""
    metrics: Metrics
    watch: Watch
    """Looks at the whole town; belongs to the event loop."""
    status: StatusNow
    """How the town does; belongs to the event loop."""
    clock: Callable[[], datetime]
    """The time now, UTC."""
    reporter: Reporter | None
    """Makes reports; None where this installation makes none."""
    problems: Callable[[], list[str]]
    """Why messages cannot come in now, in words; empty while all is well."""

    @property
    def registry(self) -> Registry:
        """The registry as it is now; take it once for one answer."""
        return self.places.now

    def picture(self) -> Picture:
        """The town's parking as last looked at, as every tongue tells of it."""
        told = self.feed.answer()
        return picture(self.settings, self.places, told.data.zones, told.last_updated)

    def end_streams(self) -> None:
        """Let the listeners of the streams go."""
        self.feed.end()
        self.flows.stream.end()
