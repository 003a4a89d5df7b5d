"""Asks the town's platform to make this machine a gateway, over HTTPS.

In come an invitation and what this machine is, out comes an identity; what the platform refuses comes out in its words.
"""

import http.client
import json
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Struct

PATH = "/v1/enrolments"
LINK_PATH = "/enrol"
ANSWER_S = 60.0
"""The platform lets the broker answer first."""
LARGEST = 200_000
CREATED = 201


class EnrolmentError(Exception):
    """This machine is no gateway yet: why, and what to do. The invitation may still be good."""


class InvitationError(ValueError):
    """What was typed is no invitation: why."""


class Invitation(Struct, frozen=True):
    """A code, and the platform that knows it."""

    platform: str
    """`https://HOST[:PORT]`."""
    code: str

    def __repr__(self) -> str:
        """Without the code."""
        return f"Invitation({self.platform!r})"


class BrokerAddress(Struct, frozen=True, kw_only=True):
    """Where the broker is."""

    host: str
    port: int
    tls: bool
    ca: str | None = None
    """Certificates (PEM) to check its against; None where the system's do."""


class Identity(Struct, frozen=True, kw_only=True):
    """What makes a machine a gateway."""

    gateway: str
    broker: BrokerAddress
    user: str
    password: str
    certificate: str | None = None
    """PEM, for the key of the signing request; None where the broker asks for none."""
    managed: bool = True
    """Whether the platform tells it its devices."""
    devices: int = 0
    """How many wait for it."""

    def __repr__(self) -> str:
        """Without the password."""
        return f"Identity({self.gateway!r}, user={self.user!r})"


class Refusal(Struct, frozen=True):
    """A problem document (RFC 9457)."""

    title: str
    detail: str = ""


def read_invitation(typed: str, url: str | None) -> Invitation:
    """A code with the platform's address, or the whole link of the QR code. Raises `InvitationError`."""
    parts = urlsplit(typed)
    if parts.scheme:
        platform, code = typed.partition("#")[0].removesuffix(LINK_PATH), parts.fragment
    else:
        platform, code = url or "", typed
    if not platform:
        raise InvitationError("--url: the platform's address expected, https://HOST; or the whole link of the QR code")
    if not code.strip():
        raise InvitationError("CODE: the invitation's code expected, or the whole link of the QR code with its #")
    where = urlsplit(platform)
    if where.scheme not in {"https", "http"} or not where.hostname:
        raise InvitationError(f"--url {platform!r}: https://HOST[:PORT] expected")
    return Invitation(platform.rstrip("/"), code.strip())


def is_private(invitation: Invitation) -> bool:
    """Whether nobody can read along: TLS, or this very machine."""
    parts = urlsplit(invitation.platform)
    return parts.scheme == "https" or _is_this_machine(str(parts.hostname))


def ask(invitation: Invitation, machine: str, csr: str, version: str, ca_file: Path | None) -> Identity:
    """Become a gateway. `machine` is a random text of this machine's own. Blocks. Raises `EnrolmentError`."""
    shown = {
        "code": invitation.code,
        "machine": machine,
        "hostname": socket.gethostname(),
        "version": version,
        "csr": csr,
    }
    status, body = _post(urlsplit(invitation.platform), json.dumps(shown), ca_file)
    if status != CREATED:
        raise EnrolmentError(_refused(status, body, invitation.platform))
    try:
        return msgspec.json.decode(body, type=Identity)
    except msgspec.DecodeError as error:
        raise EnrolmentError(f"{invitation.platform} answers what is no identity: {error}; upgrade this") from error


def _post(platform: SplitResult, body: str, ca_file: Path | None) -> tuple[int, bytes]:
    connection = _connection(platform, ca_file)
    try:
        connection.request("POST", f"{platform.path}{PATH}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST)
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {platform.netloc} is not believed: {error.verify_message}"
        raise EnrolmentError(f"{says}; check the clock, and give --ca-file where the town has its own") from error
    except (OSError, http.client.HTTPException) as error:
        says = f"{platform.netloc} does not answer: {error}"
        raise EnrolmentError(f"{says}; check the address and the network, then give the same command again") from error
    finally:
        connection.close()


def _connection(platform: SplitResult, ca_file: Path | None) -> http.client.HTTPConnection:
    host = str(platform.hostname)
    if platform.scheme == "http":
        return http.client.HTTPConnection(host, platform.port, timeout=ANSWER_S)
    try:
        trusted = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise EnrolmentError(f"--ca-file {ca_file}: cannot be used: {error.strerror or error}") from error
    return http.client.HTTPSConnection(host, platform.port, timeout=ANSWER_S, context=trusted)


def _refused(status: int, body: bytes, platform: str) -> str:
    try:
        refusal = msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        return f"{platform} answers with status {status} and is no platform of ours; check the address"
    return f"{refusal.title}: {refusal.detail}"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
