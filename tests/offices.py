"""A town whose API makes reports: months of counts, a calendar with one event, and a key that opens reports."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cloud_api.app import create_app
from cloud_api.reports.making import Source
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, SchoolZone, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.reporting import BEGAN, NOW, REGISTRY, fill, parked
from tests.town import Clock, kept, serving

AGENDA = """
[[event]]
name = "Fête de la rue"
from = 2026-11-14
to = 2026-11-14
hours = "10:00-20:00"
places = ["rue-haute"]
"""


@dataclass(frozen=True)
class Office:
    """Where the API is, and keys to it."""

    address: str
    secret: str
    """Opens reports."""
    technician: str
    """Opens none."""
    invitation: str
    """Signs Claire Martin of the office in, once."""
    clock: Clock


def write_history(folder: Path) -> None:
    """A store, a registry and a calendar in a folder."""
    (folder / "agenda.toml").write_text(AGENDA, encoding="utf-8")
    with closing(open_store(f"sqlite:///{folder}/history.db", Clock(BEGAN))) as store:
        fill(store)
        parked(store)
    kept(REGISTRY, folder).close()


@contextmanager
def office_at(mosquitto: Mosquitto, folder: Path, scratch: Path, worker: str) -> Iterator[Office]:
    """The API on a folder with its history for the length of a `with`; `scratch` is its own folder."""
    settings = Settings(
        broker=Broker(host=mosquitto.host, port=mosquitto.port), ledger=scratch / "ledger.db", worker=worker
    )
    registry = kept(REGISTRY, scratch)
    source = Source(
        store=f"sqlite:///{folder}/history.db",
        name="Saint-Aubin",
        time_zone="Europe/Paris",
        school_zone=SchoolZone.B,
        calendar=str(folder / "agenda.toml"),
    )
    secret, technician = (registry.keys.create(who, [scope], by="test", at=NOW)[1] for who, scope in KEYS)
    registry.people.add("Claire Martin", scopes=[Scope.REPORT], by="test", at=NOW)
    until = NOW + timedelta(days=1)
    _, invitation = registry.people.invite("claire-martin", code=False, by="test", at=NOW, expires_at=until)
    clock = Clock(NOW)
    with closing(open_store(source.store)) as store:
        api = create_app(settings, store=store, registry=registry, clock=clock, reports_from=source)
        with serving(api) as address:
            yield Office(address, secret, technician, invitation, clock)
    registry.close()


KEYS = (("office", Scope.REPORT), ("Anne", Scope.PROVISION))
