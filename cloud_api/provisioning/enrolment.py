"""A gateway that shows a code becomes a user of the broker; one that is replaced or revoked is no user any more.

In come codes, what the registry says of invitations and what ingest let go of, out go users at the broker and answers.
Whoever floods is held off for a while. Several replicas may do the same: what is so already is left so.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import Annotated, Final

from msgspec import Meta, Struct

from cloud_api.provisioning.broker_rules import Login
from cloud_api.provisioning.certificates import open_authority
from cloud_api.provisioning.dynamic_security import BrokerControl, BrokerControlError
from cloud_api.provisioning.floods import Floods
from cloud_api.registry.codes import read_code
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.invitations import InvitationStore
from cloud_api.settings import Broker, ConfigError, Enrolment

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
"""So soon a gateway that is revoked, or floods, is cut off."""
PASSWORD_BYTES: Final = 32

Pem = Annotated[str, Meta(max_length=10_000)]


class EnrolmentRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a machine shows that wants to become a gateway."""

    code: Annotated[str, Meta(max_length=40)]
    """The code of its invitation."""
    machine: Annotated[str, Meta(min_length=32, max_length=128)]
    """A random text that the machine made up: whoever shows it again may ask again while the code would be good."""
    hostname: Annotated[str, Meta(max_length=253)] | None = None
    """What the machine calls itself; for the audit trail."""
    version: Annotated[str, Meta(max_length=40)] | None = None
    """Of its software."""
    csr: Pem | None = None
    """A certificate signing request, PEM; signed where the town's broker asks for certificates."""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"EnrolmentRequest(hostname={self.hostname!r}, version={self.version!r})"


class BrokerAddress(Struct, frozen=True, kw_only=True):
    """Where the town's broker is."""

    host: str
    port: int
    tls: bool
    ca: Pem | None
    """The certificates (PEM) that the broker's must lead to; null where those of any system do."""


class Admitted(Struct, frozen=True, kw_only=True):
    """What a machine is told once its code was good. The password is nowhere else."""

    gateway: str
    """Its name from now on."""
    broker: BrokerAddress
    user: str
    password: str
    certificate: Pem | None
    """For the key of its signing request; null where the broker asks for none."""

    def __repr__(self) -> str:
        """Without the password."""
        return f"Admitted({self.gateway!r}, user={self.user!r})"


class Enroller:
    """Guards that whoever is let in at the broker shows a code that is good, and that nobody stays who is revoked."""

    def __init__(
        self,
        settings: Enrolment,
        invitations: InvitationStore,
        clock: Callable[[], datetime],
        let_go: Callable[[], Mapping[str, int]],
        floods: Floods,
    ) -> None:
        """`let_go`: messages that ingest did not read because their gateway floods, by gateway, since the start.

        Raises `ConfigError` when a password, certificate or key cannot be read.
        """
        self._settings = settings
        self._invitations = invitations
        self._clock = clock
        self._control = BrokerControl(settings.administrator)
        self._address = _address(settings.broker)
        self._authority = None if settings.authority is None else open_authority(settings.authority)
        self._settling = Lock()
        self._expelled: frozenset[str] = frozenset()
        self._let_go = let_go
        self._floods = floods
        self._loud: dict[str, datetime] | None = None
        """Until when, by gateway; None before the first look, when it may be anyone, by a process that died."""
        self._held_off: Mapping[str, datetime] = {}

    @property
    def over_plain_http(self) -> bool:
        """Whether secrets may be told over HTTP without TLS."""
        return self._settings.over_plain_http

    def held_off_until(self) -> Mapping[str, datetime]:
        """Gateways that are held off the broker now because they flood, and until when, UTC."""
        return self._held_off

    def enrol(self, asked: EnrolmentRequest, address: str) -> Admitted:
        """Let a machine in. Blocks for seconds at most. `address` is where it asks from.

        Raises `CodeError`, `SigningRequestError`, `NotInvitedError`; `RegistryError` and `BrokerControlError` leave the
        code as good as it was.
        """
        code, now = read_code(asked.code), self._clock()
        who = f"{asked.hostname or 'a machine'} at {address}"
        authority = None if asked.csr is None else self._authority
        ends_at = None if authority is None else authority.end_of(now)
        with self._invitations.redeem(code, asked.machine, by=who, at=now, certificate_ends_at=ends_at) as invitation:
            login = Login(invitation.user, secrets.token_urlsafe(PASSWORD_BYTES))
            certificate = self._certificate(asked.csr, login.user, now)
            self._control.admit(invitation.gateway, login)
        log.info("gateway enrolled name=%s user=%s by=%r", invitation.gateway, login.user, who)
        return Admitted(
            gateway=invitation.gateway,
            broker=self._address,
            user=login.user,
            password=login.password,
            certificate=certificate,
        )

    def settle(self) -> None:
        """Let out who is to be in no longer. Blocks. Raises `RegistryError` or `BrokerControlError`."""
        with self._settling:
            leaving = self._invitations.users_to_expel() - self._expelled
            if leaving:
                self._control.expel(sorted(leaving))
                self._expelled |= leaving
                log.info("gateways cut off: users=%s", ",".join(sorted(leaving)))
            self._settle_floods()

    async def watch(self) -> None:
        """Let out who is to be in no longer, until cancelled."""
        trouble = ""
        while True:
            try:
                await asyncio.to_thread(self.settle)
                trouble = ""
            except (RegistryError, BrokerControlError) as error:
                if str(error) != trouble:
                    log.warning("gateways that are revoked are not cut off, it is tried again: %s", error)
                trouble = str(error)
            await asyncio.sleep(EVERY_S)

    def _settle_floods(self) -> None:
        loud = self._floods.held_off(self._let_go(), self._clock())
        if loud == self._loud:
            return
        users = self._invitations.users()
        before = dict.fromkeys(users, None) if self._loud is None else self._loud
        begin = sorted(name for name in users.keys() & loud if before.get(name) != loud[name])
        end = users.keys() & (before.keys() - loud)
        if begin:
            self._control.hold_off(users[gateway] for gateway in begin)
            log.warning(
                "gateways held off the broker for %s, they flood: %s", self._floods.limits.held_off_for, ",".join(begin)
            )
        if end:
            self._control.let_back(users[gateway] for gateway in end)
        self._loud = loud
        self._held_off = {name: loud[name] for name in users.keys() & loud}

    def _certificate(self, request: str | None, user: str, now: datetime) -> str | None:
        return None if self._authority is None or request is None else self._authority.sign(request, user, now)


def _address(broker: Broker) -> BrokerAddress:
    return BrokerAddress(
        host=broker.host,
        port=broker.port,
        tls=broker.tls or broker.ca_file is not None,
        ca=None if broker.ca_file is None else _certificates(broker),
    )


def _certificates(broker: Broker) -> str:
    """Given to gateways, which must be able to use it."""
    try:
        text = "" if broker.ca_file is None else broker.ca_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"certificate file {broker.ca_file} cannot be read: {error}") from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ConfigError(f"certificate file {broker.ca_file}: certificates (PEM) expected")
    return text
