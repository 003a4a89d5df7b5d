"""What invitations promise, on SQLite and on a real PostgreSQL server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from cloud_api.registry import Gateway
from cloud_api.registry.codes import Code, new_code
from cloud_api.registry.invitations import (
    Access,
    InvitationRefusedError,
    NotInvitedError,
    Why,
    access_of,
)
from cloud_api.registry.store import RegistryStore, open_registry
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OLD, NEW = "old machine", "new machine"
MAIRIE = Gateway(name="mairie", label="Mairie", managed=True)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RegistryStore]:
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/registry.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        address = server.url(server.new_database())
    with closing(open_registry(address)) as opened:
        opened.add(MAIRIE, by="test", at=NOW)
        yield opened


def invite(store: RegistryStore, at: datetime = NOW) -> Code:
    return store.invitations.invite("mairie", by="Anne", at=at, expires_at=at + HOUR)[1]


def replacement(store: RegistryStore, at: datetime) -> Code:
    return store.invitations.replace("mairie", by="Anne", at=at, expires_at=at + HOUR)[1]


def use(store: RegistryStore, code: Code, machine: str = OLD, at: datetime = NOW + MINUTE) -> str:
    """The user that a machine becomes."""
    with store.invitations.redeem(code, machine, by=machine, at=at) as invitation:
        return invitation.user


def refusal(store: RegistryStore, code: Code, machine: str = OLD, at: datetime = NOW + MINUTE) -> Why:
    with pytest.raises(NotInvitedError) as refused:
        use(store, code, machine, at)
    return refused.value.why


def test_a_code_lets_one_machine_in(store: RegistryStore) -> None:
    code = invite(store)
    assert use(store, code).startswith("mairie.")
    assert refusal(store, code, NEW) is Why.USED
    assert access_of("mairie", store.invitations.all()) is Access.ENROLLED


def test_of_machines_that_come_at_once_one_is_let_in(store: RegistryStore) -> None:
    code, together = invite(store), Barrier(4)

    def come(machine: str) -> str:
        together.wait()
        try:
            return use(store, code, machine)
        except NotInvitedError as refused:
            return refused.why

    with ThreadPoolExecutor(4) as crowd:
        became = sorted(crowd.map(come, "abcd"))
    assert became[1:] == [Why.USED] * 3
    assert became[0].startswith("mairie.")


def test_a_machine_whose_answer_was_lost_is_let_in_again_while_the_code_would_be_good(store: RegistryStore) -> None:
    code = invite(store)
    assert use(store, code) == use(store, code, at=NOW + 2 * MINUTE)
    assert refusal(store, code, OLD, NOW + HOUR) is Why.USED


def test_a_code_that_could_not_be_honoured_stays_good(store: RegistryStore) -> None:
    code = invite(store)
    with pytest.raises(OSError, match="broker"), store.invitations.redeem(code, OLD, by="x", at=NOW):
        raise OSError("the broker is away")
    assert use(store, code, NEW)


def test_a_code_ends_with_its_hour_when_it_is_revoked_and_when_another_is_made(store: RegistryStore) -> None:
    former, code = invite(store), invite(store, NOW + MINUTE)
    assert refusal(store, former, at=NOW + MINUTE) is Why.REVOKED
    store.invitations.revoke("mairie", by="Anne", at=NOW + 2 * MINUTE)
    assert refusal(store, code, at=NOW + 2 * MINUTE) is Why.REVOKED
    late = invite(store, NOW + HOUR)
    assert refusal(store, late, at=NOW + 2 * HOUR) is Why.EXPIRED
    assert refusal(store, new_code()) is Why.UNKNOWN


def test_the_old_machine_stays_until_the_new_one_is_let_in(store: RegistryStore) -> None:
    old = use(store, invite(store))
    code = replacement(store, NOW + HOUR)
    assert store.invitations.users_to_expel() == set()
    new = use(store, code, NEW, NOW + HOUR + MINUTE)
    assert store.invitations.users_to_expel() == {old}
    assert new != old


def test_whose_place_was_taken_cannot_take_it_back_with_the_former_code(store: RegistryStore) -> None:
    code = invite(store)
    use(store, code)
    use(store, replacement(store, NOW + 2 * MINUTE), NEW, NOW + 3 * MINUTE)
    assert refusal(store, code, OLD, NOW + 4 * MINUTE) is Why.USED


def test_a_revoked_gateway_is_to_be_let_out_and_may_be_invited_anew(store: RegistryStore) -> None:
    old = use(store, invite(store))
    store.invitations.revoke("mairie", by="Anne", at=NOW + 2 * MINUTE)
    assert store.invitations.users_to_expel() == {old}
    assert access_of("mairie", store.invitations.all()) is Access.REVOKED
    new = use(store, invite(store, NOW + 3 * MINUTE), NEW, NOW + 4 * MINUTE)
    assert store.invitations.users_to_expel() == {old}
    assert new != old


def test_who_leaves_the_registry_is_let_out(store: RegistryStore) -> None:
    user = use(store, invite(store))
    store.remove(MAIRIE, seen=1, by="Anne", at=NOW)
    assert store.invitations.users_to_expel() == {user}


def test_what_makes_no_sense_is_refused_with_what_to_do_instead(store: RegistryStore) -> None:
    with pytest.raises(InvitationRefusedError, match="no gateway 'gare': `passerelle gateway add gare`"):
        store.invitations.invite("gare", by="Anne", at=NOW, expires_at=NOW + HOUR)
    with pytest.raises(InvitationRefusedError, match="not enrolled: `passerelle gateway invite mairie`"):
        replacement(store, NOW)
    with pytest.raises(InvitationRefusedError, match="neither access nor an open code"):
        store.invitations.revoke("mairie", by="Anne", at=NOW)
    use(store, invite(store))
    with pytest.raises(InvitationRefusedError, match="is enrolled: `passerelle gateway replace mairie`"):
        invite(store)


def test_the_audit_trail_tells_who_invited_who_came_and_no_secret(store: RegistryStore) -> None:
    code = invite(store)
    use(store, code)
    store.invitations.revoke("mairie", by="Bruno", at=NOW + 2 * MINUTE)
    trail = [each for each in store.trail(key="mairie") if each.kind == "invitation"]
    assert [each.who for each in trail] == ["Bruno", OLD, "Anne"]
    told = f"{trail}"
    secrets = (code, code.replace("-", ""), store.invitations.all()[0].digest, store.invitations.all()[0].machine)
    assert not any(str(secret) in told for secret in secrets)
