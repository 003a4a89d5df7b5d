"""Sends files by mail, over one SMTP server, encrypted and its certificate checked unless the settings say otherwise.

In come settings from a TOML file, a subject, words and files; out goes one message. A password stands in a file of its
own and is never shown.
"""

import mimetypes
import smtplib
import ssl
import tomllib
from collections.abc import Sequence
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from cloud_api.settings import ConfigError

TIMEOUT_S: Final = 60.0


class Encryption(StrEnum):
    """How the way to the server is kept private."""

    STARTTLS = "starttls"
    """The connection begins in the clear and goes on encrypted, or not at all (port 587)."""
    TLS = "tls"
    """Encrypted from the first byte (port 465)."""
    NONE = "none"
    """In the clear: to a server on the same machine."""


Address = Annotated[str, Meta(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$", max_length=254)]


class Mail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where mail goes, and to whom."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    encryption: Encryption = Encryption.STARTTLS
    user: str | None = None
    password_file: str | None = None
    """Its first line is the password."""
    ca_file: str | None = None
    """Certificates (PEM) to trust instead of the system's."""
    sender: Address = field(name="from")
    to: Annotated[list[Address], Meta(min_length=1)]


class MailError(Exception):
    """Mail that was not taken: what the server, or the way to it, said."""


def load_mail(file: Path) -> Mail:
    """The settings of a file. Raises `ConfigError`."""
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Mail)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"--mail {file}: {error}") from error


def send(mail: Mail, subject: str, words: str, files: Sequence[Path]) -> None:
    """Hand one message to the server. Raises `MailError`, and `ConfigError` for a password that cannot be read."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, mail.sender, ", ".join(mail.to)
    message.set_content(words)
    for file in files:
        main, _, sub = (mimetypes.guess_type(file.name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    password = _password(mail)
    try:
        with _connected(mail) as server:
            if mail.user is not None:
                server.login(mail.user, password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"{mail.host}:{mail.port} did not take the mail: {error}") from error


def _connected(mail: Mail) -> smtplib.SMTP:
    trusted = ssl.create_default_context(cafile=mail.ca_file)
    if mail.encryption is Encryption.TLS:
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=trusted)
    server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
    if mail.encryption is Encryption.STARTTLS:
        server.starttls(context=trusted)
    return server


def _password(mail: Mail) -> str:
    if mail.password_file is None:
        return ""
    try:
        lines = Path(mail.password_file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"password_file: {error}") from error
    return lines[0] if lines else ""
