"""The files that make a machine a gateway, beside its configuration: each is there whole or not at all.

In comes an identity, out come the password, the certificates and, last, the configuration that names them. Run as root,
what is secret is given to the user who owns the outbox's folder.
"""

import secrets
from pathlib import Path

from edge.config import ConfigError, parse
from edge.enrolling import EnrolmentError, Identity
from edge.identity import UneditableError, Values, template, with_identity
from edge.ports import serial_ports
from edge.whole_file import READABLE, SECRET, place

SYSTEM_CA = Path("/etc/ssl/certs/ca-certificates.crt")
"""What Debian believes."""
DRAFT = ".enrolling"
"""What this machine calls itself until it has its identity."""
MACHINE_BYTES = 32
CONFIGURATION = 0o640
"""It may hold devices' keys: for the gateway's group, not for all."""
TRIAL = "trial"


def current_text(config: Path) -> str:
    """The configuration that an identity is to be written into, made up where there is none.

    Raises `ConfigError` where none can be written into it, `OSError` where it cannot be read.
    """
    text = config.read_text(encoding="utf-8") if config.exists() else template(serial_ports())
    try:
        parse(with_identity(text, TRIAL, {"host": TRIAL}), config)
    except UneditableError as error:
        raise ConfigError(config, str(error)) from error
    except ConfigError as error:
        raise ConfigError(config, error.reason, field=error.field) from error
    return text


def machine_name(folder: Path) -> str:
    """A random text of this machine's own, the same until it is enrolled. Raises `OSError`."""
    draft = folder / DRAFT
    if not draft.exists():
        place(draft, secrets.token_hex(MACHINE_BYTES).encode(), SECRET)
    return draft.read_text(encoding="ascii")


def write(config: Path, text: str, identity: Identity, key: bytes) -> None:
    """Write all that an identity needs, and forget what this machine was called until then.

    Raises `OSError`, and `EnrolmentError` where the identity is none.
    """
    folder = config.parent
    try:
        edited = with_identity(text, identity.gateway, _broker(identity))
        data = parse(edited, config).gateway.data
    except (UneditableError, ConfigError) as error:
        raise EnrolmentError(f"what the platform answers is no identity: {error}") from error
    place(folder / "broker-password", identity.password.encode(), SECRET, owner=data)
    if identity.broker.ca is not None:
        place(folder / "broker-ca.pem", identity.broker.ca.encode(), READABLE)
    if identity.certificate is not None:
        place(folder / "broker.pem", identity.certificate.encode(), READABLE)
        place(folder / "broker.key", key, SECRET, owner=data)
    place(config, edited.encode(), CONFIGURATION, owner=config if config.exists() else folder)
    (folder / DRAFT).unlink()


def _broker(identity: Identity) -> Values:
    where = identity.broker
    values: dict[str, str | int] = {
        "host": where.host,
        "port": where.port,
        "username": identity.user,
        "password_file": "broker-password",
    }
    if where.tls:
        values["ca_file"] = "broker-ca.pem" if where.ca is not None else str(SYSTEM_CA)
    if identity.certificate is not None:
        values |= {"certificate_file": "broker.pem", "key_file": "broker.key"}
    return values
