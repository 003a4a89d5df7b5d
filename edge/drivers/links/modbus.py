"""Modbus RTU link: sensors on an RS-485 pair, asked in turn.

In come the settings of the adopted devices that name this link, out come frames (whole RTU answers, refusals among
them), health of what does not answer, and `Refused` for rubbish. It never decodes a frame and never writes a register.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from edge.drivers.devices import modbus_register
from edge.drivers.formats.modbus_rtu import read_answer
from edge.drivers.links.base import Arrival, Inbox, Link, Monotonic, Refused, Report, Roster
from edge.drivers.links.modbus_plan import Ask, Outcome, Plan
from edge.readings import DecodeError, Frame

if TYPE_CHECKING:
    from edge.drivers.links.modbus_bus import Bus, Exchange

KEPT_BYTES = 600
LOOK_MS = 500
"""So often at least the link looks whether devices were adopted or changed."""


class ModbusConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="modbus"):
    """A `[[link]]` section of kind `modbus`. The units are adopted devices: `link` names this section, `options` the
    unit's address and registers (`passerelle devices show modbus-register`)."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    port: Annotated[str, Meta(min_length=1)]
    """A path, best one under /dev/serial/by-id, or `usb:VID:PID[:SERIAL]`."""
    baud: Annotated[int, Meta(ge=1_200, le=115_200)] = 9_600
    parity: Literal["N", "E", "O"] = "N"
    """None, even or odd; there are 8 data bits."""
    stop_bits: Literal[1, 2] = 1
    poll_s: Annotated[float, Meta(ge=0.05, le=3_600)] = 1.0
    """Seconds between two polls of a unit that has no option `poll_s`."""
    timeout_s: Annotated[float, Meta(ge=0.02, le=10)] = 1.0
    """So long a unit may take to answer; meanwhile the pair waits."""


class ModbusLink(Link):
    """One pair. A pulled cable ends `run` with `LinkError`; run again, it opens the port anew."""

    kind = "modbus"

    def __init__(self, config: ModbusConfig, clock: Monotonic, roster: Roster) -> None:
        super().__init__(config.name)
        self._config = config
        self._clock = clock
        self._roster = roster
        self._plan = Plan(round(config.poll_s * 1000))

    async def run(self, inbox: Inbox) -> None:
        """See `Link.run`. pymodbus is loaded here: a gateway without a Modbus link does without."""
        from edge.drivers.links.modbus_bus import Line, open_bus

        config = self._config
        line = Line(
            link=self.name,
            port=config.port,
            baud=config.baud,
            parity=config.parity,
            stop_bits=config.stop_bits,
            timeout_s=config.timeout_s,
        )
        async with open_bus(line) as bus:
            self.opened.set()
            while True:
                await self._turn(bus, inbox)
                self.alive()

    async def _turn(self, bus: "Bus", inbox: Inbox) -> None:
        """Poll whose time has come, or wait a little."""
        now_ms = self._clock.monotonic_ms()
        for refused in self._plan.revise(self._roster.on_link(self.name), now_ms):
            await inbox(Arrival(refused))
        ask = self._plan.next(now_ms)
        if ask is None:
            await bus.rest(self._plan.wait_ms(now_ms, LOOK_MS) / 1000)
            return
        exchange = await bus.ask(ask)
        heard_ms = self._clock.monotonic_ms()
        health = self._plan.settle(ask, exchange.outcome, heard_ms)
        if health is not None:
            await inbox(Arrival(Report(device=ask.device, readings=(health,), heard_ms=heard_ms)))
        for item in _items(ask, exchange, heard_ms):
            await inbox(Arrival(item))


def _items(ask: Ask, exchange: "Exchange", heard_ms: int) -> Iterator[Frame | Refused]:
    if exchange.stray:
        reason = f"{len(exchange.stray)} bytes that answer nothing, until unit {ask.unit} was asked"
        yield Refused(name="noise", reason=reason, data=exchange.stray[:KEPT_BYTES])
    frame = Frame(device=ask.device, payload=exchange.payload, heard_ms=heard_ms)
    match exchange.outcome:
        case Outcome.ANSWER | Outcome.REFUSAL:
            yield frame
        case Outcome.NOISE:
            data = exchange.payload[:KEPT_BYTES]
            yield Refused(name="bad-answer", reason=_problem(ask, frame), data=data, device=ask.device)
        case Outcome.SILENCE:
            yield Refused(name="no-answer", reason=f"unit {ask.unit} did not answer in time", device=ask.device)


def _problem(ask: Ask, frame: Frame) -> str:
    """What is wrong with what was heard instead of an answer."""
    try:
        read_answer(modbus_register.NAME, frame, ask.unit, ask.function, ask.count)
    except DecodeError as error:
        return str(error)
    return f"unit {ask.unit}: an answer among other bytes, or too late"
