"""Invitations of gateways: made once, shown once, kept as a digest, good for one machine; all in the audit trail.

An invitation that was used stands for the access that it gave: the newest one that was used is the gateway's, unless
it is revoked. Its broker user bears its id, so that the machine before and the one after are never the same user.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from cloud_api.registry.codes import Code, new_code
from cloud_api.registry.database import reading, writing
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.tables import AUDIT, ENTRIES, INVITATION

SECRETS: Final = ("digest", "machine")
"""What the audit trail does not tell."""


class Why(StrEnum):
    """Why a code lets nobody in."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NotInvitedError(RegistryError):
    """A code that lets nobody in."""

    def __init__(self, why: Why, at: datetime | None) -> None:
        self.why = why
        self.at = at
        """When it was used or revoked, or expired; None for a code that nobody knows."""
        super().__init__(f"the code is {why}")


class InvitationRefusedError(RegistryError):
    """An invitation or a revocation that makes no sense: why, and what to do instead."""


class UnknownGatewayError(InvitationRefusedError):
    """There is no such gateway."""


class Invitation(Struct, frozen=True, kw_only=True):
    """What is kept of an invitation."""

    id: str
    gateway: str
    digest: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    """When the code, or the access that it gave, came to an end before its time."""
    machine: str | None = None
    """A digest of what the machine that used it calls itself: it may ask again when the answer was lost."""
    certificate_ends_at: datetime | None = None
    """When the certificate ends that this machine was given; None where it was given none."""

    @property
    def user(self) -> str:
        """The broker's user that it makes."""
        return f"{self.gateway}.{self.id}"

    def is_open(self, instant: datetime) -> bool:
        """Whether its code lets a machine in."""
        return self.used_at is None and self.revoked_at is None and instant < self.expires_at


class Access(StrEnum):
    """Whether a gateway has a way in at the broker."""

    NONE = "none"
    """It was never enrolled."""
    ENROLLED = "enrolled"
    REVOKED = "revoked"


def accesses(invitations: Sequence[Invitation]) -> dict[str, Invitation]:
    """By gateway, the invitation that its access hangs on: the last that was used. Revoked, it gives none."""
    used = sorted(
        (each for each in invitations if each.used_at is not None), key=lambda each: each.used_at or each.created_at
    )
    return {each.gateway: each for each in used}


def access_of(gateway: str, invitations: Sequence[Invitation]) -> Access:
    """Whether a gateway has a way in."""
    last = accesses(invitations).get(gateway)
    if last is None:
        return Access.NONE
    return Access.ENROLLED if last.revoked_at is None else Access.REVOKED


def digest_of(secret: str) -> str:
    """What is kept of a secret text: 75 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


class InvitationStore:
    """The invitations in the registry's database. Methods block and raise `RegistryError`; safe for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Invitation]:
        """Every invitation that ever was, oldest first."""
        with reading(self._engine) as connection:
            return _all(connection)

    def users_to_expel(self) -> frozenset[str]:
        """The broker's users that were let in once and are to be no longer."""
        with reading(self._engine) as connection:
            known, invitations = _gateways(connection), _all(connection)
        last = accesses(invitations)
        return frozenset(
            each.user
            for each in invitations
            if each.used_at is not None
            and (each.revoked_at is not None or each.gateway not in known or last[each.gateway] != each)
        )

    def users(self) -> dict[str, str]:
        """The broker's user of each gateway that is enrolled."""
        return {gateway: each.user for gateway, each in accesses(self.all()).items() if each.revoked_at is None}

    def invite(self, gateway: str, *, by: str, at: datetime, expires_at: datetime) -> tuple[Invitation, Code]:
        """A code for a gateway that has no access; codes of its that are still open are good no longer.

        Raises `InvitationRefusedError`.
        """
        with writing(self._engine) as connection:
            if _access(connection, gateway) is Access.ENROLLED:
                raise InvitationRefusedError(
                    f"gateway {gateway} is enrolled: `passerelle gateway replace {gateway}` lets another machine take "
                    f"its place, `passerelle gateway revoke {gateway}` ends its access"
                )
            return _add(connection, gateway, by, at, expires_at)

    def replace(self, gateway: str, *, by: str, at: datetime, expires_at: datetime) -> tuple[Invitation, Code]:
        """A code with which another machine takes an enrolled gateway's place; until then the present one stays.

        Raises `InvitationRefusedError`.
        """
        with writing(self._engine) as connection:
            if _access(connection, gateway) is not Access.ENROLLED:
                raise InvitationRefusedError(
                    f"gateway {gateway} is not enrolled: `passerelle gateway invite {gateway}` lets a machine in"
                )
            return _add(connection, gateway, by, at, expires_at)

    def renew(self, invitation: Invitation, *, ends_at: datetime, by: str, at: datetime) -> bool:
        """The machine that used it has another certificate now; False when its access is not what it was."""
        with writing(self._engine) as connection:
            if invitation.revoked_at is not None or accesses(_all(connection)).get(invitation.gateway) != invitation:
                return False
            _change(connection, invitation, replace(invitation, certificate_ends_at=ends_at), by, at)
            return True

    def revoke(self, gateway: str, *, by: str, at: datetime) -> list[Invitation]:
        """End a gateway's access and all its codes. Raises `InvitationRefusedError` when there is neither."""
        with writing(self._engine) as connection:
            revoked = _revoke(connection, gateway, by, at)
            if not revoked and gateway not in _gateways(connection):
                raise _unknown(gateway)
            if not revoked:
                raise InvitationRefusedError(f"gateway {gateway} has neither access nor an open code")
            return revoked

    @contextmanager
    def redeem(
        self, code: Code, machine: str, *, by: str, at: datetime, certificate_ends_at: datetime | None = None
    ) -> Iterator[Invitation]:
        """Use an invitation, once: it is used when the `with` ends well, and untouched when it does not.

        While the code would be good, the machine that used it may use it again: its answer may have been lost. Others
        who come at the same time wait, and are told that it is used. Raises `NotInvitedError`.
        """
        with writing(self._engine) as connection:
            found = _by_code(connection, code)
            again = _redeemable(found, _all(connection), machine, at)
            used = found if again else replace(found, used_at=at, machine=digest_of(machine))
            used = replace(used, certificate_ends_at=certificate_ends_at)
            yield used
            _change(connection, found, used, by, at)


def _redeemable(found: Invitation, invitations: Sequence[Invitation], machine: str, at: datetime) -> bool:
    """Whether it is used again by the machine that used it before. Raises `NotInvitedError`."""
    if found.revoked_at is not None:
        raise NotInvitedError(Why.REVOKED, found.revoked_at)
    again = found.machine == digest_of(machine) and accesses(invitations).get(found.gateway) == found
    if found.used_at is not None and not again:
        raise NotInvitedError(Why.USED, found.used_at)
    if at >= found.expires_at:
        raise NotInvitedError(*((Why.USED, found.used_at) if again else (Why.EXPIRED, found.expires_at)))
    return again


def _all(connection: Connection) -> list[Invitation]:
    rows = connection.execute(select(INVITATION).order_by(INVITATION.c.created_at, INVITATION.c.id)).mappings()
    return [_invitation(row) for row in rows]


def _by_code(connection: Connection, code: Code) -> Invitation:
    row = connection.execute(select(INVITATION).where(INVITATION.c.digest == digest_of(code))).mappings().first()
    if row is None:
        raise NotInvitedError(Why.UNKNOWN, None)
    return _invitation(row)


def _invitation(row: RowMapping) -> Invitation:
    return Invitation(**{name: row[name] for name in Invitation.__struct_fields__})


def _gateways(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(select(ENTRIES["gateway"].c.key)).scalars())


def _access(connection: Connection, gateway: str) -> Access:
    if gateway not in _gateways(connection):
        raise _unknown(gateway)
    return access_of(gateway, _all(connection))


def _unknown(gateway: str) -> UnknownGatewayError:
    return UnknownGatewayError(f"the registry has no gateway {gateway!r}: `passerelle gateway add {gateway}` adds it")


def _add(connection: Connection, gateway: str, by: str, at: datetime, expires_at: datetime) -> tuple[Invitation, Code]:
    for each in _of(connection, gateway):
        if each.is_open(at):
            _change(connection, each, replace(each, revoked_at=at), by, at)
    code = new_code()
    made = Invitation(
        id=secrets.token_hex(4), gateway=gateway, digest=digest_of(code), created_at=at, expires_at=expires_at
    )
    connection.execute(insert(INVITATION).values(msgspec.structs.asdict(made)))
    connection.execute(insert(AUDIT).values(_trace(by, at, None, made)))
    return made, code


def _revoke(connection: Connection, gateway: str, by: str, at: datetime) -> list[Invitation]:
    revoked = []
    for each in _of(connection, gateway):
        if each.revoked_at is None and (each.used_at is not None or each.is_open(at)):
            ended = replace(each, revoked_at=at)
            _change(connection, each, ended, by, at)
            revoked.append(ended)
    return revoked


def _of(connection: Connection, gateway: str) -> list[Invitation]:
    return [each for each in _all(connection) if each.gateway == gateway]


def _change(connection: Connection, before: Invitation, after: Invitation, by: str, at: datetime) -> None:
    """A use again leaves its trace too."""
    here = INVITATION.c.id == after.id
    changing = ("used_at", "revoked_at", "machine", "certificate_ends_at")
    values = {name: getattr(after, name) for name in changing}
    connection.execute(update(INVITATION).where(here).values(values))
    connection.execute(insert(AUDIT).values(_trace(by, at, before, after)))


def _trace(by: str, at: datetime, before: Invitation | None, after: Invitation) -> dict[str, Any]:
    return {
        "at": at,
        "who": by,
        "kind": "invitation",
        "key": after.gateway,
        "before": None if before is None else _shown(before),
        "after": _shown(after),
    }


def _shown(invitation: Invitation) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(invitation)
    return {name: value for name, value in shown.items() if name not in SECRETS}
