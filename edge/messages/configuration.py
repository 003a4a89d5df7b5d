"""Which devices a gateway shall own, which it owns, and which models it could read."""

from typing import Annotated

from msgspec import Meta, Struct, field

from edge.messages.base import Message, Name, Number, Whole


class DeviceSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One adopted device: what the registry says and what the gateway's configuration file says, in the same words."""

    address: Name
    """devEUI or DevAddr in lower-case hexadecimal, BLE address in upper case with colons, or a name on a wire."""
    model: Name
    link: str | None = None
    """The link that it hangs on: there a Modbus unit is asked. All others are read whichever link brings them."""
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
    revision: Whole
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
    revision: Number
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
