"""The contract: every message that crosses MQTT, its topic and its schema. The cloud imports this and nothing else.

In come bytes and topics, out come frozen values, or one `MessageError` that names what is wrong. All times are UTC.
A fact is never changed: (gateway, epoch, device, channel, mode, start, part) names a flow part for ever.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NewType

import msgspec
from msgspec import Meta, Struct, field

SCHEMA = 1
"""The schema version this code writes. A reader refuses newer ones by name."""
ROOT = f"passerelle/{SCHEMA}"
MAX_MESSAGE_BYTES = 256 * 1024
"""No message is larger; a reader refuses what is, unread."""
MAX_BATCH = 500
"""At most so many facts in one message."""
FLOWS_PER_MESSAGE = 200
"""A gateway puts no more flow intervals in one: with the longest names they stay below `MAX_MESSAGE_BYTES`."""
HOUR_S = 3600

MOST_UNCONFIRMED = 200
"""So many messages of a gateway may be out without `stored`. Ingest lets go of what is beyond, without an answer."""

GatewayName = NewType("GatewayName", str)
"""Lower-case letters, digits and hyphens, at most 63: it is part of topics."""
Epoch = NewType("Epoch", str)
"""16 hexadecimal digits drawn when an outbox file is created: with `seq` it names a message for ever."""

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Count = Annotated[int, Meta(ge=0, le=2**40)]
Utc = Annotated[datetime, Meta(tz=True)]
"""A time with its zone; we write UTC."""
IntervalSeconds = Annotated[int, Meta(ge=60, le=HOUR_S)]


class TimeSource(StrEnum):
    """Whose clock dated a value."""

    DEVICE = "device"
    NETWORK = "network"
    GATEWAY = "gateway"


class Flag(StrEnum):
    """What one must know to believe a part of an interval."""

    SPLIT = "split"
    """A reporting period crossed interval borders and was divided in proportion to time."""
    SPREAD = "spread"
    """Reports were missed; a later total recovered the passages and they were spread over the gap."""
    LATE = "late"
    """It arrived after the interval was closed and published."""
    RESET = "reset"
    """The sensor's counter stepped back: what it counted in between is unknown."""
    LOST = "lost"
    """Reports of a device without totals are known to be missing here."""
    CLOCK = "clock"
    """The gateway's clock was not synchronised, or stepped; the time is the best known."""
    DISAGREES = "disagrees"
    """The device's total and its own period counts do not agree; the total was believed."""
    MERGED = "merged"
    """Parts of one hour in one: the gateway's outbox had reached its limit. It begins where the first of them did."""


class Trimmed(StrEnum):
    """What an outbox at its limit lets go of, in this order."""

    HEALTH = "health"
    """Reports of devices' health."""
    MERGED = "merged"
    """Messages with flow intervals, whose counts are merged into hours: none is lost."""
    SPACE = "space"
    """States of spaces that a newer one in the outbox supersedes."""
    FLOW = "flow"
    """Counts."""


class Limit(StrEnum):
    """Why an outbox lets something go."""

    DAYS = "days"
    """It had waited for too many days."""
    BYTES = "bytes"
    """The outbox had grown too large."""


class FlowInterval(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Passages counted on one channel in one closed interval: one part of it, to be added to the others."""

    device: Name
    """Hardware address of the sensor."""
    channel: Name
    """The counted line (`line1`)."""
    mode: str = ""
    """`pedestrian`, `bicycle`, `vehicle`, …; empty where the device does not tell."""
    start: Utc = field()
    """Start of the interval, UTC, a multiple of `seconds` within its hour; where `merged`, that of its first part."""
    seconds: IntervalSeconds = field()
    """Length of the interval, 60 to 900 and a divisor of 3600; where `merged`, up to the end of its last part. In a
    store, up to 3600 where it came from another system's export."""
    part: Annotated[int, Meta(ge=0, lt=1_000_000)] = 0
    """0 for what was known when the interval closed, 1, 2, … for what came later."""
    in_: Count = field(name="in")
    """Persons (or vehicles) in the device's first direction."""
    out: Count | None = None
    """In its second direction; None where it counts one direction only."""
    covered_s: Annotated[int, Meta(ge=0, le=HOUR_S)] = field()
    """Seconds of the interval that this part measured; the coverage of an hour is the sum over its parts."""
    flags: tuple[Flag, ...] = ()
    """Sorted, without repeats."""
    source: TimeSource = TimeSource.GATEWAY
    """Whose clock dated it."""


class SpaceState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a parking sensor said of one space (or one region it watches)."""

    device: Name
    """Hardware address of the sensor."""
    channel: Name
    """The space or region among those it watches; `1` where it watches one."""
    occupied: bool
    """True when something stands on it."""
    at: Utc
    """When the sensor said so (a heartbeat counts)."""
    since: Utc | None = None
    """Since when it is so; None when the change itself was not seen."""
    source: TimeSource = TimeSource.GATEWAY
    """Whose clock dated it."""


class DeviceHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last that is known of a device itself; None where it never said."""

    device: Name
    model: Name
    at: Utc
    """When it was last heard."""
    period_s: Annotated[int, Meta(ge=1, le=7 * 86_400)]
    """How often it is expected to report: what `stale` is measured against."""
    battery_v: float | None = None
    battery_pct: float | None = None
    battery_low: bool | None = None
    temperature_c: float | None = None
    fault: str | None = None
    reset: str | None = None
    tamper: bool | None = None
    firmware: str | None = None
    note: str | None = None
    diagnostics: dict[str, int | float | bool | str] | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    lost_frames: Annotated[int, Meta(ge=0)] = 0
    """Gaps in its frame counter since the gateway first heard it."""
    source: TimeSource = TimeSource.GATEWAY
    """Whose clock dated it."""


class HeardDevice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device that this gateway hears and has not adopted."""

    device: Name
    link: Name
    at: Utc
    frames: Annotated[int, Meta(ge=1)] = 1
    """How often it was heard since it was last told."""
    rssi_dbm: float | None = None
    hint: str | None = None
    """What the link knows of it: a name, a profile, `needs a key`."""
    models: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()
    """Models that read all that it sent, the likeliest first; empty where none does or none was tried."""


class LinkHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one link does."""

    name: Name
    kind: str
    state: str
    """`up`, `starting`, or `down: ` and why."""
    frames: int = 0
    """Frames taken in since the gateway started."""
    restarts: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """What was refused since the gateway started, counted by the name of the error."""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every message carries."""

    kind: ClassVar[str]
    schema: int = field(default=0)
    """The schema version of the writer."""
    gateway: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")] = field()
    """Whose message it is (or whom it is for): the same as in the topic, which the broker's ACL guards."""
    epoch: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")] = field()
    """16 hexadecimal digits drawn when the gateway's outbox file was created."""
    seq: Annotated[int, Meta(ge=0)] = 0
    """Place in the outbox of that epoch, from 1; 0 for what does not go through it."""


class Flow(Message, frozen=True, kw_only=True):
    """A batch of interval parts that were committed together."""

    kind = "flow"
    intervals: Annotated[tuple[FlowInterval, ...], Meta(max_length=MAX_BATCH)]
    """What was committed together, each interval part once."""


class Space(Message, frozen=True, kw_only=True):
    """The states of all the spaces one sensor watches."""

    kind = "space"
    states: Annotated[tuple[SpaceState, ...], Meta(min_length=1, max_length=MAX_BATCH)]
    """Of one device; never empty."""


class HealthReport(Message, frozen=True, kw_only=True):
    """The last that is known of a device itself."""

    kind = "health"
    health: DeviceHealth
    """Of one device."""


class Heard(Message, frozen=True, kw_only=True):
    """Devices that nobody adopted; each at most once a minute."""

    kind = "heard"
    devices: Annotated[tuple[HeardDevice, ...], Meta(max_length=MAX_BATCH)]


class Dropped(Message, frozen=True, kw_only=True):
    """What the gateway let go of because its outbox had reached a limit."""

    kind = "dropped"
    what: Trimmed
    why: Limit
    messages: Annotated[int, Meta(ge=1)]
    """So many messages fewer in the outbox."""
    in_: Annotated[int, Meta(ge=0)] = field(name="in", default=0)
    """Passages lost in the devices' first direction."""
    out: Annotated[int, Meta(ge=0)] = 0
    """Passages lost in their second direction, where it is counted."""
    start: Utc = field(name="from")
    """The earliest moment that was told of."""
    end: Utc = field(name="to")
    """The latest."""
    perhaps_stored: Annotated[int, Meta(ge=0)] = 0
    """So many of the messages had been handed to the broker: what they tell may be stored nevertheless."""


class Status(Message, frozen=True, kw_only=True):
    """How the gateway does; its `online: false` twin is the last will."""

    kind = "status"
    online: bool
    at: Utc | None = None
    """When it was written; None in the last will and before the clock is trusted."""
    version: str = ""
    clock: str = "unknown"
    """`trusted`, or why it is not."""
    queued: int = 0
    """Messages in the outbox that the store has not confirmed."""
    disk_free_bytes: Annotated[int, Meta(ge=0)] | None = None
    """Free on the disk of the outbox; None where that cannot be told."""
    disk_size_bytes: Annotated[int, Meta(ge=0)] | None = None
    """Size of that disk."""
    links: tuple[LinkHealth, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    """Further counts since the gateway started, by name (`duplicates`, `heard`, `publish_refused`, …)."""


class DeviceSettings(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One adopted device: what the registry says and what the gateway's configuration file says, in the same words."""

    address: Name
    """devEUI or DevAddr in lower-case hexadecimal, BLE address in upper case with colons, or a name on a wire."""
    model: Name
    link: str | None = None
    """The link that this device hangs on; None when any link may bring it."""
    period_s: Annotated[int, Meta(ge=1, le=7 * 86_400)] | None = None
    """Expected reporting period; the model's own when None."""
    key: Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$")] | None = None
    """Payload key, 16 bytes in hexadecimal (BTHome bind key)."""
    nwk_skey: Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$")] | None = None
    """LoRaWAN ABP network session key, for devices heard without a network server."""
    app_skey: Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$")] | None = None
    """LoRaWAN ABP application session key."""
    invert_presence: bool = False
    """The sensor says occupied for free."""
    debounce_s: Annotated[int, Meta(ge=0, le=600)] | None = None
    """A change of presence is told once it has stood for so many seconds, dated at its first sight; at once when None.
    Where presence is made of raw distances, the model's own option `debounce_s` does this."""
    ignored_channels: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    """Counted lines, regions or spaces whose readings are left out (a line across a shop's door, say)."""
    line_mm: tuple[int, int, int, int] | None = None
    """Counting line x1, y1, x2, y2 of a radar in its own coordinates; crossing from its left to its right is `in`."""
    options: dict[str, bool | int | float | str] = field(default_factory=dict)
    """Settings of the model, as `passerelle devices show MODEL` lists them."""

    def __repr__(self) -> str:
        """Without its keys: settings are logged."""
        return f"DeviceSettings({self.address}, {self.model})"


class Desired(Message, frozen=True, kw_only=True):
    """Cloud to edge: the devices this gateway owns."""

    kind = "desired"
    revision: Annotated[int, Meta(ge=0)]
    """Grows with every change in the registry."""
    devices: Annotated[tuple[DeviceSettings, ...], Meta(max_length=1000)]
    """All of them: what is not listed is no longer this gateway's."""


class RefusedSetting(Struct, frozen=True, kw_only=True):
    """One setting that was not applied."""

    where: str
    """Device address and field."""
    reason: str


class Reported(Message, frozen=True, kw_only=True):
    """Which revision is applied, and what of it was refused and why."""

    kind = "reported"
    revision: int
    devices: tuple[str, ...] = ()
    """Addresses in force."""
    refused: tuple[RefusedSetting, ...] = ()


class CountedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel of a model on which passages are counted."""

    name: Name
    mode: str = ""
    """Empty where it does not tell what passes."""
    first: str
    """The device's own word for `in`."""
    second: str | None = None
    """Its word for `out`; None where it counts one direction only."""


class ModelInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One device model that a gateway can read."""

    name: Name
    maker: str
    product: str
    kind: str
    """`counter`, `parking`, `presence` or `distance`."""
    links: tuple[str, ...]
    """How its bytes arrive: `lorawan`, `serial`, `ble`, `modbus`."""
    lines: tuple[CountedLine, ...] = ()
    """Empty where it counts no passages."""
    options: dict[str, str] = field(default_factory=dict)
    """Its settings, and what each means."""
    period_s: Annotated[int, Meta(ge=1, le=7 * 86_400)]
    """How often it reports at the maker's default."""
    mounting: str = ""
    """What a technician must know."""


class Models(Message, frozen=True, kw_only=True):
    """What this gateway's version can read: a device of another model would be refused."""

    kind = "models"
    version: str
    models: Annotated[tuple[ModelInfo, ...], Meta(max_length=1000)]


class SeqRange(Struct, frozen=True, array_like=True):
    """Sequence numbers from `first` to `last`, both included."""

    first: Annotated[int, Meta(ge=1)]
    last: Annotated[int, Meta(ge=1)]


class Stored(Message, frozen=True, kw_only=True):
    """Cloud to edge: what of this epoch the store has committed. Only then does the outbox forget."""

    kind = "stored"
    ranges: Annotated[tuple[SeqRange, ...], Meta(max_length=MAX_BATCH)]


class Command(Message, frozen=True, kw_only=True):
    """Cloud to edge: one thing to do once."""

    kind = "command"
    id: Name
    action: Annotated[str, Meta(pattern="^(recalibrate|capture|restart-link)$")]
    target: Name
    """A device address, or a link's name."""


class CapturedFrame(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One frame of a device, as it came and as it was read."""

    at: Utc | None = None
    """When it was heard; None before the clock is trusted."""
    link: Name
    payload: Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", max_length=1200)] = ""
    """Its first 600 bytes in hexadecimal."""
    port: int | None = None
    """LoRaWAN fPort."""
    counter: int | None = None
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


OutboxMessage = Flow | Space | HealthReport | Heard | Dropped
"""What ingest takes in. All but `Heard` go through the outbox and are forgotten only when stored; who was heard and not
adopted is told again soon enough, and spares the SD card (its `seq` is 0)."""
AnyMessage = OutboxMessage | Status | Models | Desired | Reported | Stored | Command | CommandResult

_SUFFIXES: dict[str, type[AnyMessage]] = {
    "status": Status,
    "models": Models,
    "flow": Flow,
    "space": Space,
    "health": HealthReport,
    "heard": Heard,
    "dropped": Dropped,
    "config/desired": Desired,
    "config/reported": Reported,
    "stored": Stored,
    "command": Command,
    "result": CommandResult,
}
_PER_DEVICE = {"space", "health"}
RETAINED: frozenset[type[AnyMessage]] = frozenset({Status, Models, Space, HealthReport, Desired, Reported})
_DECODERS: dict[type[AnyMessage], msgspec.json.Decoder[Any]] = {
    message: msgspec.json.Decoder(message) for message in _SUFFIXES.values()
}
_ENCODER = msgspec.json.Encoder()


class MessageError(Exception):
    """A message that is not what the contract says."""

    def __init__(self, name: str, topic: str, reason: str) -> None:
        self.name = name
        """What it counts under: `not-json`, `newer-schema`, `unknown-topic`, `too-large`, `invalid`, `wrong-sender`."""
        self.topic = topic
        self.reason = reason
        super().__init__(f"{name} on {topic}: {reason}")


class _Version(Struct):
    schema: int = 0


_VERSION = msgspec.json.Decoder(_Version)


def topic_of(message: AnyMessage) -> str:
    """The topic a message travels on."""
    suffix = next(suffix for suffix, type_ in _SUFFIXES.items() if type_ is type(message))
    return topic(message.gateway, suffix, _device_of(message))


def topic(gateway: str, suffix: str, device: str | None = None) -> str:
    """`passerelle/1/{gateway}/{suffix}[/{device}]`; `+` is welcome in either place for subscriptions."""
    tail = "" if device is None else "/" + (device if device == "+" else _level(device))
    return f"{ROOT}/{gateway}/{suffix}{tail}"


def gateway_of(topic: str) -> str:
    """Whose a topic is, or for whom; of any that a subscription to the contract's topics brings."""
    return topic.split("/", 3)[2]


def kind_of(topic: str) -> type[AnyMessage]:
    """What kind of message travels on a topic. Raises `MessageError` where none does."""
    return _parse_topic(topic)[1]


def _device_of(message: AnyMessage) -> str | None:
    if isinstance(message, Space):
        return message.states[0].device
    if isinstance(message, HealthReport):
        return message.health.device
    return None


def _level(device: str) -> str:
    """A device address as one topic level: what MQTT reserves is written as a hyphen."""
    return "".join("-" if character in "/+#" else character for character in device)


def encode(message: AnyMessage) -> bytes:
    """A message as JSON."""
    return _ENCODER.encode(msgspec.structs.replace(message, schema=SCHEMA))


def decode(topic: str, body: bytes) -> AnyMessage:
    """The message that came on a topic. Raises `MessageError`; never anything else."""
    if len(body) > MAX_MESSAGE_BYTES:
        raise MessageError("too-large", topic, f"{len(body)} bytes, at most {MAX_MESSAGE_BYTES} expected")
    gateway, kind = _parse_topic(topic)
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


def _parse_topic(topic: str) -> tuple[str, type[AnyMessage]]:
    levels = topic.split("/")
    if "/".join(levels[:2]) != ROOT or len(levels) < 4:
        raise MessageError("unknown-topic", topic, f"expected {ROOT}/GATEWAY/…")
    suffix = levels[3] if levels[3] in _PER_DEVICE and len(levels) == 5 else "/".join(levels[3:])
    kind = _SUFFIXES.get(suffix)
    if kind is None or (suffix in _PER_DEVICE and len(levels) != 5):
        raise MessageError("unknown-topic", topic, "no such message in the contract")
    return levels[2], kind
