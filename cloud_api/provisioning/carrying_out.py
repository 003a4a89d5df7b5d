"""Plans carried out against the registry: whole or not at all, and never over what somebody else changed meanwhile.

In come an action, the version that its caller last saw, who he is and when, out comes what was done, in words. Blocks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Registry
from cloud_api.registry.change import Merged
from cloud_api.registry.radio_keys import NO_RADIO_KEYS, RadioKeys
from cloud_api.registry.refusals import ChangedMeanwhileError
from cloud_api.registry.store import RegistryStore
from cloud_api.registry.views import View

Action: TypeAlias = Callable[[Registry], Plan]
"""What is to be done, given the registry as it is then. Raises `NotPossibleError`."""


class Seen(NamedTuple):
    """An entry, and its version when it was last looked at; 0 where it must not be there yet."""

    kind: str
    key: str
    version: int


class SeenDevice(NamedTuple):
    """A device with what it serves, and its edition when both were last looked at."""

    address: str
    edition: str


def edition_of(view: View, address: str) -> str:
    """The version of a device, then those of its installations: another one, whenever either changes."""
    serves = sorted(
        (each.start, view.version_of(each)) for each in view.registry.installations if each.device == address
    )
    return ".".join(map(str, (view.versions.get(("device", address), 0), *(version for _, version in serves))))


class Done(Struct, frozen=True):
    """What an action did, or would do."""

    words: tuple[str, ...]
    """One line each."""
    merged: Merged


def carry_out(
    store: RegistryStore,
    action: Action,
    *,
    by: str,
    at: datetime,
    seen: Seen | SeenDevice | None = None,
    keys: Mapping[str, RadioKeys] = NO_RADIO_KEYS,
) -> Done:
    """Do it. Raises `NotPossibleError`, `ChangedMeanwhileError`, `RefusedChangeError` and `RegistryError`."""
    view, plan = _planned(store, action, seen)
    return Done(plan.words, store.merge(plan.entries, gone=plan.gone, seen=view, keys=keys, by=by, at=at))


def rehearse(
    store: RegistryStore, action: Action, *, by: str, at: datetime, seen: Seen | SeenDevice | None = None
) -> Done:
    """What `carry_out` would do, refusals included; nothing is done."""
    view, plan = _planned(store, action, seen)
    return Done(plan.words, store.rehearse(plan.entries, gone=plan.gone, seen=view, by=by, at=at))


def _planned(store: RegistryStore, action: Action, seen: Seen | SeenDevice | None) -> tuple[View, Plan]:
    view = store.view()
    match seen:
        case Seen(kind, key, version):
            _refuse_other(kind, key, version, view.versions.get((kind, key), 0))
        case SeenDevice(address, edition):
            _refuse_other("device", address, edition, edition_of(view, address))
    return view, action(view.registry)


def _refuse_other(kind: str, key: str, seen: int | str, now: int | str) -> None:
    if seen != now:
        raise ChangedMeanwhileError(kind, key, seen, now)
