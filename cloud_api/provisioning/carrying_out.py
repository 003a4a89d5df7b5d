"""Plans carried out against the registry: whole or not at all, and never over what somebody else changed meanwhile.

In come an action, the version that its caller last saw, who he is and when, out comes what was done, in words. Blocks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Registry
from cloud_api.registry.radio_keys import RadioKeys
from cloud_api.registry.store import NO_RADIO_KEYS, ChangedMeanwhileError, Merged, RegistryStore, View

Action: TypeAlias = Callable[[Registry], Plan]
"""What is to be done, given the registry as it is then. Raises `NotPossibleError`."""


class Seen(NamedTuple):
    """An entry, and its version when it was last looked at; 0 where it must not be there yet."""

    kind: str
    key: str
    version: int


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
    seen: Seen | None = None,
    keys: Mapping[str, RadioKeys] = NO_RADIO_KEYS,
) -> Done:
    """Do it. Raises `NotPossibleError`, `ChangedMeanwhileError`, `RefusedChangeError` and `RegistryError`."""
    view, plan = _planned(store, action, seen)
    return Done(plan.words, store.merge(plan.entries, gone=plan.gone, seen=view, keys=keys, by=by, at=at))


def rehearse(store: RegistryStore, action: Action, *, by: str, at: datetime, seen: Seen | None = None) -> Done:
    """What `carry_out` would do, refusals included; nothing is done."""
    view, plan = _planned(store, action, seen)
    return Done(plan.words, store.rehearse(plan.entries, gone=plan.gone, seen=view, by=by, at=at))


def _planned(store: RegistryStore, action: Action, seen: Seen | None) -> tuple[View, Plan]:
    view = store.view()
    if seen is not None:
        version = view.versions.get((seen.kind, seen.key), 0)
        if version != seen.version:
            raise ChangedMeanwhileError(seen.kind, seen.key, seen.version, version)
    return view, action(view.registry)
