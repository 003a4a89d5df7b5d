"""A gateway's certificate is renewed while it works: a new key, a request, and the certificate that comes for it.

In come the platform's commands, out go a signing request and, in the data folder, one file with key and certificate. It
stands for the certificate that the configuration names, and for no other: whoever is enrolled anew begins with his own.
Until the broker has let the gateway in with a new pair, the one before is used; what is interrupted is asked for again.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.broker_probe import door, refusal
from edge.publisher import BrokerConfig
from edge.whole_file import SECRET, move, place

if TYPE_CHECKING:
    from edge.signing_request import Key

CLIENT_ID = "passerelle-renewal-{}"
"""A name of its own: the connection at work stays."""
DIGEST_DIGITS = 16
RENEWED = "broker-{}.pem"


class RenewalError(Exception):
    """The certificate stays as it is: why."""


def in_force(broker: BrokerConfig, data: Path) -> BrokerConfig:
    """How to come to the broker: by the pair that was renewed last, or as configured where there is none."""
    file = _renewed(broker, data)
    if file is None or not os.path.lexists(file):
        return broker
    return replace(broker, certificate_file=file, key_file=file)


def let_in(gateway: str) -> Callable[[BrokerConfig], str | None]:
    """What says why a gateway's broker does not let it in; None when it does. Blocks for some seconds at most."""
    return lambda broker: refusal(door(broker, CLIENT_ID.format(gateway)))


class Renewal:
    """Guards one invariant: a pair is in force only after the broker let the gateway in with it."""

    def __init__(self, broker: BrokerConfig, data: Path, refused: Callable[[BrokerConfig], str | None]) -> None:
        """`refused` says why the broker does not let the gateway in, or None."""
        self._broker = broker
        self._data = data
        self._refused = refused
        self._key: Key | None = None
        """Waits for its certificate; forgotten with the process, for the platform asks again."""
        self._turn = Lock()

    def present(self) -> BrokerConfig:
        """How to come to the broker now."""
        return in_force(self._broker, self._data)

    def request(self, user: str) -> str:
        """A signing request (PEM) for a new key. Blocks. Raises `RenewalError`."""
        from edge.signing_request import new_key  # years pass without it, and it takes megabytes

        with self._turn:
            self._file_of(user)
            self._key = self._key or new_key()
            return self._key.request()

    def use(self, user: str, certificate: str) -> None:
        """Use a certificate (PEM) from the next connection on, once it is seen to work. Raises `RenewalError`.

        Blocks for some seconds at most.
        """
        with self._turn:
            file = self._file_of(user)
            if self._key is None:
                raise RenewalError("no certificate was asked for since the start; ask again")
            trial = file.with_suffix(".trial")
            try:
                place(trial, self._key.private() + certificate.encode(), SECRET)
                self._prove(trial)
                move(trial, file)
                self._key = None
                self._sweep(file)
            except OSError as error:
                raise RenewalError(f"{error.filename or file} cannot be written: {error.strerror}") from error

    def _file_of(self, user: str) -> Path:
        """Where the pair goes. Raises `RenewalError` where it would be somebody else's."""
        file = _renewed(self._broker, self._data)
        if file is None:
            raise RenewalError("no certificate is shown to this broker, or it cannot be read")
        if user != self._broker.username:
            raise RenewalError(f"this gateway comes as {self._broker.username!r}, not as {user!r}")
        return file

    def _prove(self, pair: Path) -> None:
        problem = self._refused(replace(self._broker, certificate_file=pair, key_file=pair))
        if problem is not None:
            pair.unlink()
            raise RenewalError(f"with the new certificate: {problem}")

    def _sweep(self, file: Path) -> None:
        """Forget the pairs that stood for certificates of former configurations."""
        for old in self._data.glob(RENEWED.format("*")):
            if old != file:
                old.unlink(missing_ok=True)


def _renewed(broker: BrokerConfig, data: Path) -> Path | None:
    """The file that stands for the configured certificate; None where there is none to stand for."""
    if broker.certificate_file is None:
        return None
    try:
        configured = broker.certificate_file.read_bytes()
    except OSError:
        return None
    return data / RENEWED.format(sha256(configured).hexdigest()[:DIGEST_DIGITS])
