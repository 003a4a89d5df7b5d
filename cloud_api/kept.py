"""What files and databases say of how a town is run: quarantine, losses, backups, gateways' certificates.

In come the store, the ledger and the registry, which may not answer; out comes one value that says so. Blocks.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from cloud_api.ledger import Ledger
from cloud_api.registry.backups import LastBackup
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.invitations import accesses
from cloud_api.registry.store import RegistryStore
from cloud_api.stores.base import Store, StoreError

RECENT: Final = timedelta(days=1)
"""For so long what was lost is told of."""


class Lost(Struct, frozen=True, kw_only=True):
    """Passages that a gateway let go of within the last day, because its outbox was full."""

    gateway: str
    passages: int
    until: datetime
    """The latest moment that was lost, UTC."""


class Kept(Struct, frozen=True, kw_only=True):
    """What was found; what could not be asked is empty, and its problem is told."""

    quarantined: int | None = None
    """Facts that the store refused and that are held; null where that cannot be read."""
    store_problem: str | None = None
    """Why the store, or the ledger beside it, does not answer; null while it does."""
    lost: tuple[Lost, ...] = ()
    registry_problem: str | None = None
    """Why the registry does not answer; null while it does."""
    backup: LastBackup | None = None
    """The last that `passerelle backup` made of this town; null where it never did."""
    gateway_certificates: dict[str, datetime] = {}
    """By enrolled gateway, when the certificate ends that it was given, UTC; those that were given one."""


def look_at_kept(store: Store, ledger: Ledger, registry: RegistryStore, now: datetime) -> Kept:
    """How all of them are now."""
    quarantined, lost, store_problem = _look_at_ledger(store, ledger, now)
    try:
        backup, invitations = registry.backups.last(), registry.invitations.all()
    except RegistryError as error:
        return Kept(quarantined=quarantined, lost=lost, store_problem=store_problem, registry_problem=str(error))
    enrolled = {name: each for name, each in accesses(invitations).items() if each.revoked_at is None}
    return Kept(
        quarantined=quarantined,
        lost=lost,
        store_problem=store_problem,
        backup=backup,
        gateway_certificates={
            name: each.certificate_ends_at
            for name, each in sorted(enrolled.items())
            if each.certificate_ends_at is not None
        },
    )


def _look_at_ledger(store: Store, ledger: Ledger, now: datetime) -> tuple[int | None, tuple[Lost, ...], str | None]:
    try:
        quarantined, lost = ledger.quarantined(), _lost(ledger, now)
    except StoreError as error:
        return None, (), str(error)
    try:
        store.ready()
    except StoreError as error:
        return quarantined, lost, str(error)
    return quarantined, lost, None


def _lost(ledger: Ledger, now: datetime) -> tuple[Lost, ...]:
    recent = [each for each in ledger.dropped() if each.end > now - RECENT and each.in_ + each.out]
    return tuple(
        Lost(
            gateway=gateway,
            passages=sum(each.in_ + each.out for each in recent if each.gateway == gateway),
            until=max(each.end for each in recent if each.gateway == gateway),
        )
        for gateway in sorted({each.gateway for each in recent})
    )
