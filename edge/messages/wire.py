"""Messages as bytes, and back."""

from typing import Any

import msgspec
from msgspec import Struct

from edge.messages.base import MAX_MESSAGE_BYTES, SCHEMA
from edge.messages.topics import KINDS, AnyMessage, MessageError, parse_topic

_DECODERS: dict[type[AnyMessage], msgspec.json.Decoder[Any]] = {
    message: msgspec.json.Decoder(message) for message in KINDS
}
_ENCODER = msgspec.json.Encoder()


class _Version(Struct):
    schema: int = 0


_VERSION = msgspec.json.Decoder(_Version)


def encode(message: AnyMessage) -> bytes:
    """A message as JSON."""
    return _ENCODER.encode(msgspec.structs.replace(message, schema=SCHEMA))


def decode(topic: str, body: bytes) -> AnyMessage:
    """The message that came on a topic. Raises `MessageError`; never anything else."""
    if len(body) > MAX_MESSAGE_BYTES:
        raise MessageError("too-large", topic, f"{len(body)} bytes, at most {MAX_MESSAGE_BYTES} expected")
    gateway, kind = parse_topic(topic)
    try:
        version = _VERSION.decode(body).schema
    except msgspec.ValidationError as error:
        raise MessageError("invalid", topic, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError("not-json", topic, str(error)) from error
    if version > SCHEMA:
        raise MessageError("newer-schema", topic, f"schema {version}; this version reads up to {SCHEMA}: upgrade it")
    try:
        message: AnyMessage = _DECODERS[kind].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError("invalid", topic, str(error)) from error
    if message.gateway != gateway:
        raise MessageError("wrong-sender", topic, f"the message names gateway {message.gateway!r}")
    return message
