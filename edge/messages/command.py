"""What the cloud asks once, and what became of it."""

from typing import Annotated

from msgspec import Meta, Struct

from edge.messages.base import MAX_BATCH, Message, Name, Number, Utc

Pem = Annotated[str, Meta(max_length=10_000)]
ACTIONS = "recalibrate|capture|restart-link|renew-certificate"


class Command(Message, frozen=True, kw_only=True):
    """Cloud to edge: one thing to do once."""

    kind = "command"
    id: Name
    action: Annotated[str, Meta(pattern=f"^({ACTIONS})$")]
    target: Name
    """A device address, or a link's name; of certificates, the broker's user that it is for."""
    certificate: Pem | None = None
    """PEM, to be used from now on; for the key of the last signing request."""


class CapturedFrame(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One frame of a device, as it came and as it was read."""

    at: Utc | None = None
    """When it was heard; None before the clock is trusted."""
    link: Name
    payload: Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", max_length=1200)] = ""
    """Its first 600 bytes in hexadecimal."""
    port: Number | None = None
    """LoRaWAN fPort."""
    counter: Number | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    readings: Annotated[tuple[str, ...], Meta(max_length=MAX_BATCH)] = ()
    """What it says, each reading one line of JSON, as `passerelle devices decode` prints it."""
    problem: str | None = None
    """Why it says nothing."""


class CommandResult(Message, frozen=True, kw_only=True):
    """What became of a command. A capture is answered once for every frame, with `more`, then once at its end."""

    kind = "result"
    id: Name
    done: bool
    text: str = ""
    frame: CapturedFrame | None = None
    more: bool = False
    """Further results of the same command follow."""
    csr: Pem | None = None
    """PEM (PKCS #10): a certificate is asked for, for a new key that never leaves the gateway."""
