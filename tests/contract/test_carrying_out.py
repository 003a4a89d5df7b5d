"""Plans carried out: whole or not at all, with radio keys, and never over what somebody else changed meanwhile."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloud_api.provisioning import actions
from cloud_api.provisioning.carrying_out import Seen, carry_out, rehearse
from cloud_api.provisioning.installing import install
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Device, Gateway, Registry
from cloud_api.registry.radio_keys import RadioKeys
from cloud_api.registry.refusals import ChangedMeanwhileError, RefusedChangeError
from cloud_api.registry.store import RegistryStore
from tests.town import NOW, REGISTRY, kept

PUCK = Device(address="0004a30b00ff0001", model="bosch-tps110", gateway="halles")
KEYS = {PUCK.address: RadioKeys(nwk_skey="a" * 32, app_skey="b" * 32)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RegistryStore]:
    with closing(kept(REGISTRY, tmp_path)) as opened:
        opened.merge([Gateway(name="halles", label="Les halles", managed=True)], by="test", at=NOW)
        yield opened


def adopt_puck(town: Registry) -> Plan:
    return actions.adopt(town, PUCK)


def test_a_device_and_its_radio_keys_are_kept_together(store: RegistryStore) -> None:
    done = carry_out(store, adopt_puck, by="Anne", at=NOW, keys=KEYS)

    assert done.merged.added == (f"device {PUCK.address}",)
    assert store.radio_keys.all() == KEYS
    assert [(each.who, each.kind) for each in store.trail(key=PUCK.address)] == [
        ("Anne", "radio_keys"),
        ("Anne", "device"),
    ]


def test_a_refused_change_keeps_no_radio_keys_either(store: RegistryStore) -> None:
    with pytest.raises(RefusedChangeError):
        store.merge([replace(PUCK, gateway="nowhere")], keys=KEYS, by="Anne", at=NOW)

    assert store.radio_keys.all() == {}


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(store: RegistryStore) -> None:
    before = store.revision()

    done = rehearse(store, adopt_puck, by="Anne", at=NOW)

    assert done.merged.added == (f"device {PUCK.address}",)
    assert store.revision() == before
    assert store.find(Device, PUCK.address) is None


def test_of_two_technicians_who_looked_at_the_same_version_the_second_is_told_to_look_again(
    store: RegistryStore,
) -> None:
    carry_out(store, adopt_puck, by="Anne", at=NOW)
    seen = Seen("device", PUCK.address, 1)
    carry_out(store, partial(actions.invert_presence, address=PUCK.address), by="Anne", at=NOW, seen=seen)

    with pytest.raises(ChangedMeanwhileError, match=r"seen as version 1, now version 2.*look again"):
        carry_out(store, partial(actions.retire, address=PUCK.address, at=NOW), by="Bruno", at=NOW, seen=seen)

    found = store.find(Device, PUCK.address)
    assert found is not None
    assert found.entry.invert_presence
    assert found.entry.retired is None


def test_what_changes_between_the_plan_and_its_commit_is_refused_whole(store: RegistryStore) -> None:
    """The other technician commits while this one's plan is being made."""
    carry_out(store, adopt_puck, by="Anne", at=NOW)

    def slowly(town: Registry) -> Plan:
        carry_out(store, partial(actions.invert_presence, address=PUCK.address), by="Anne", at=NOW)
        return actions.retire(town, PUCK.address, NOW)

    with pytest.raises(ChangedMeanwhileError):
        carry_out(store, slowly, by="Bruno", at=NOW)


def test_two_technicians_who_install_at_the_same_space_at_once_are_not_both_believed(store: RegistryStore) -> None:
    spare = replace(PUCK, address="0004a30b00ff0002")
    store.merge([PUCK, spare], by="test", at=NOW)
    free = store.find(Device, PUCK.address)
    assert free is not None
    at_m1 = partial(install, channel="1", place="m1", at=NOW)
    store.merge([replace(each, end=NOW) for each in REGISTRY.installations if each.place == "m1"], by="test", at=NOW)

    def slowly(town: Registry) -> Plan:
        carry_out(store, lambda now: at_m1(now, device=PUCK.address), by="Anne", at=NOW)
        return at_m1(town, device=spare.address)

    with pytest.raises(RefusedChangeError, match="'m1' is served by another device in the same period"):
        carry_out(store, slowly, by="Bruno", at=NOW)
