"""Serial link: one device on one port, its byte stream cut into frames by its model.

In comes a port (a path that survives re-plugging, or USB ids), out come frames, one `Refused` per run of rubbish, and
`Health` when the device falls silent or speaks again. It never decodes a frame and never outlives its port.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from edge.drivers.devices import catalogue
from edge.drivers.links.base import Arrival, Inbox, Link, Monotonic, Refused, Report
from edge.drivers.links.stream_cutter import Piece, Rubbish, StreamCutter
from edge.drivers.links.tty import Tty, open_tty
from edge.drivers.model import Framing
from edge.readings import DeviceAddress, Frame, Health

SILENCE_MS = 1_000
"""A device that talks by itself and says nothing valid for so long has a fault."""
DEFAULT_BAUD = 115_200
FASTEST_BAUD = 4_000_000


class SerialConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="serial"
):
    """A `[[link]]` section of kind `serial`. A model that is none, or has no byte stream, is refused on reading."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    port: Annotated[str, Meta(min_length=1)]
    """A path, best one under /dev/serial/by-id, or `usb:VID:PID[:SERIAL]`."""
    model: str
    device: Annotated[str, Meta(min_length=1, max_length=128)]
    """The address that the device on this wire shall have."""
    baud: Annotated[int, Meta(ge=1_200, le=FASTEST_BAUD)] | None = None
    """Symbols per second; the model's own when None."""

    def __post_init__(self) -> None:
        """Raise ValueError (which msgspec reports with its place) unless the model can hang on a serial port."""
        model = catalogue().get(self.model)
        if model is None:
            raise ValueError(f"unknown model {self.model!r}: `passerelle devices list` shows them all")
        if model.framing is None:
            known = ", ".join(name for name, other in catalogue().items() if other.framing is not None)
            raise ValueError(f"model {self.model!r} does not send on a serial port by itself; expected one of {known}")


class Voice:
    """Whether a device speaks. It says so once each time that changes, and at the first frame."""

    def __init__(self, now_ms: int) -> None:
        self._heard_ms = now_ms
        self._silent: bool | None = None

    def heard(self, now_ms: int) -> Health | None:
        """A valid frame came."""
        self._heard_ms = now_ms
        if self._silent is False:
            return None
        self._silent = False
        return Health()

    def listen(self, now_ms: int) -> Health | None:
        """Time went by."""
        if self._silent or now_ms - self._heard_ms < SILENCE_MS:
            return None
        self._silent = True
        return Health(fault="silent", note=f"no valid frame for {SILENCE_MS / 1000:g} s: check power, wiring and baud")


class SerialLink(Link):
    """One port. A pulled cable ends `run` with `LinkError`; run again, it opens the port anew."""

    kind = "serial"

    def __init__(self, config: SerialConfig, clock: Monotonic) -> None:
        super().__init__(config.name)
        model = catalogue()[config.model]
        self._port = config.port
        self._baud = config.baud or model.baud or DEFAULT_BAUD
        self._device = DeviceAddress(config.device)
        self._framing = _framing(config.model)
        self._clock = clock

    async def run(self, inbox: Inbox) -> None:
        """See `Link.run`."""
        async with open_tty(self.name, self._port, self._baud) as tty:
            self.opened.set()
            await self._listen(tty, inbox)

    async def _listen(self, tty: Tty, inbox: Inbox) -> None:
        cutter = StreamCutter(self._framing)
        voice = Voice(self._clock.monotonic_ms())
        while True:
            data = await tty.read()
            self.alive()
            now_ms = self._clock.monotonic_ms()
            pieces = cutter.feed(data, now_ms) if data else cutter.quiet(now_ms)
            spoke = any(isinstance(piece, bytes) for piece in pieces)
            news = voice.heard(now_ms) if spoke else voice.listen(now_ms)
            if news is not None:
                await inbox(Arrival(Report(device=self._device, readings=(news,), heard_ms=now_ms)))
            for piece in pieces:
                await inbox(Arrival(self._item(piece, now_ms)))

    def _item(self, piece: Piece, now_ms: int) -> Frame | Refused:
        if isinstance(piece, Rubbish):
            return _refused(piece, self._device)
        return Frame(device=self._device, payload=piece, heard_ms=now_ms)


def _framing(model: str) -> Framing:
    framing = catalogue()[model].framing
    if framing is None:
        raise ValueError(f"model {model!r} has no framing")
    return framing


def _refused(rubbish: Rubbish, device: DeviceAddress) -> Refused:
    reason = rubbish.problem or "no frame header"
    return Refused(
        name="noise" if rubbish.problem is None else "bad-frame",
        reason=f"stream byte {rubbish.offset}: {reason}; {rubbish.length} bytes skipped",
        data=rubbish.data,
        device=device,
    )
