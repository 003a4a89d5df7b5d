"""Certificates of gateways are renewed while they work, long before they end, over the broker, where each has its user.

Out go commands, in come signing requests, which are signed for the user that the gateway is enrolled as and for nobody
else. A new end is written down once the broker has let the gateway in with the new certificate; what is interrupted is
begun again an hour later. Several replicas may do the same: a certificate too many harms nothing.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Final

from msgspec import Struct

from cloud_api.provisioning.certificates import GOOD_FOR, Authority, SigningRequestError
from cloud_api.provisioning.errands import NO_EPOCH
from cloud_api.registry.invitations import Invitation, InvitationStore, accesses
from edge.messages import Command, CommandResult

log = logging.getLogger(__name__)

ACTION: Final = "renew-certificate"
BEFORE_ITS_END: Final = GOOD_FOR / 3
"""Months: a gateway that is off line over a winter comes back in time."""
WORTH_IT: Final = timedelta(days=30)
"""A new certificate ends later by at least so much; where the authority itself ends soon, none does."""
LOOK_EVERY: Final = timedelta(seconds=5)
ASK_EVERY: Final = timedelta(hours=1)
"""A gateway that is off line does not hear it."""


class _Asked(Struct, frozen=True):
    """A command that is under way."""

    invitation: Invitation
    at: datetime
    ends_at: datetime | None = None
    """Of the certificate that was sent; None until the gateway has asked for it."""


class Renewals:
    """Guards that a certificate is signed for the machine that is enrolled now and was asked, and for no other."""

    def __init__(self, authority: Authority, invitations: InvitationStore, clock: Callable[[], datetime]) -> None:
        self._authority = authority
        self._invitations = invitations
        self._clock = clock
        self._asked: dict[str, _Asked] = {}
        """By the command's id."""
        self._results: SimpleQueue[CommandResult] = SimpleQueue()
        self._looked_at: datetime | None = None

    def take(self, result: CommandResult) -> bool:
        """Take in what a gateway answered; False when it was not asked from here."""
        asked = self._asked.get(result.id)
        if asked is None or asked.invitation.gateway != result.gateway:
            return False
        self._results.put(result)
        return True

    def due(self) -> Iterator[Command]:
        """What is to be sent now. Blocks. Raises `RegistryError`."""
        while not self._results.empty():
            yield from self._answer(self._results.get(), self._clock())
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            yield from self._begin(now)

    def _begin(self, now: datetime) -> Iterator[Command]:
        self._asked = {id_: asked for id_, asked in self._asked.items() if now - asked.at < ASK_EVERY}
        waiting = {asked.invitation.id for asked in self._asked.values()}
        for invitation in self._enrolled().values():
            if invitation.id not in waiting and is_due(invitation.certificate_ends_at, self._authority, now):
                id_ = secrets.token_hex(8)
                self._asked[id_] = _Asked(invitation, now)
                yield _command(id_, invitation)

    def _answer(self, result: CommandResult, now: datetime) -> Iterator[Command]:
        asked = self._asked.get(result.id)
        if asked is None:
            return
        gateway = asked.invitation.gateway
        if not result.done:
            log.warning("gateway %s keeps its certificate, it is asked again later: %s", gateway, result.text)
        elif result.csr is not None:
            yield from self._sign(result.id, asked, result.csr, now)
        elif asked.ends_at is not None and self._invitations.renew(
            asked.invitation, ends_at=asked.ends_at, by=f"gateway {gateway}", at=now
        ):
            log.info("certificate renewed gateway=%s ends=%s", gateway, asked.ends_at.date())

    def _sign(self, id_: str, asked: _Asked, request: str, now: datetime) -> Iterator[Command]:
        invitation = asked.invitation
        if self._enrolled().get(invitation.gateway) != invitation:
            log.warning("gateway %s is given no certificate: its access is not what it was", invitation.gateway)
            return
        try:
            certificate = self._authority.sign(request, invitation.user, now)
        except SigningRequestError as error:
            log.warning("gateway %s is given no certificate, its request is none: %s", invitation.gateway, error)
            return
        self._asked[id_] = _Asked(invitation, asked.at, self._authority.end_of(now))
        yield _command(id_, invitation, certificate)

    def _enrolled(self) -> dict[str, Invitation]:
        """What the access of each gateway hangs on."""
        last = accesses(self._invitations.all())
        return {gateway: each for gateway, each in last.items() if each.revoked_at is None}


def is_due(ends_at: datetime | None, authority: Authority, now: datetime) -> bool:
    """Whether a certificate is to be renewed; never where none was given."""
    return ends_at is not None and ends_at - now < BEFORE_ITS_END and authority.end_of(now) - ends_at > WORTH_IT


def _command(id_: str, invitation: Invitation, certificate: str | None = None) -> Command:
    return Command(
        gateway=invitation.gateway,
        epoch=NO_EPOCH,
        id=id_,
        action=ACTION,
        target=invitation.user,
        certificate=certificate,
    )
