"""What the cloud asks a gateway to do once: recalibrate a sensor, restart a link, show a device's frames for a minute,
renew its certificate.

In come commands and whatever arrives, out come their results. What is shown has no effect on what is counted; it is
bounded in time and number, for a radar sends ten frames a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from edge.clock import Clock, to_datetime
from edge.drivers.links.base import Refused, Report, Stranger
from edge.messages import CapturedFrame, Command, CommandResult, Epoch
from edge.readings import AnyReading, DecodeError, Frame, to_json_line
from edge.renewal import Renewal, RenewalError

CAPTURE_MS: Final = 60_000
MOST_FRAMES: Final = 200
"""In one capture."""
MOST_CAPTURES: Final = 4
"""At a time."""
SHOWN_BYTES: Final = 600

Seen = Frame | Report | Stranger | Refused


class Obedient(Protocol):
    """What can be asked of a gateway. Each answers why it could not, or None."""

    def recalibrate(self, device: str) -> Awaitable[str | None]:
        """Let a sensor learn its empty state anew."""

    def restart_link(self, name: str) -> Awaitable[str | None]:
        """Close a link and open it again."""


@dataclass(slots=True)
class _Capture:
    command: Command
    until_ms: int
    frames: int = 0


class Errands:
    """Guards that every command is answered, and that what is shown is bounded."""

    def __init__(
        self,
        gateway: Obedient,
        clock: Clock,
        epoch: Epoch,
        *,
        explain: Callable[[Frame], tuple[AnyReading, ...]],
        tell: Callable[[CommandResult], None],
        renewal: Renewal,
    ) -> None:
        """`explain` says what a frame means and may raise `DecodeError` or `LookupError`."""
        self._gateway = gateway
        self._clock = clock
        self._epoch = epoch
        self._explain = explain
        self._tell = tell
        self._renewal = renewal
        self._captures: dict[str, _Capture] = {}

    async def run(self, command: Command) -> None:
        """Do what is asked and say what became of it; a capture goes on afterwards."""
        match command.action:
            case "capture":
                self._start_capture(command)
            case "recalibrate":
                self._answer(command, await self._gateway.recalibrate(command.target), "it learns anew from now on")
            case "renew-certificate":
                await self._renew(command)
            case _:
                self._answer(command, await self._gateway.restart_link(command.target), "it is opened again")

    def see(self, link: str, item: Seen) -> None:
        """Show what arrived, if somebody wants to see it."""
        for capture in [each for each in self._captures.values() if each.command.target == item.device]:
            capture.frames += 1
            frame = self._captured(link, item)
            self._say(capture.command, done=True, frame=frame, more=True)
            if capture.frames >= MOST_FRAMES:
                self._end(capture, f"{MOST_FRAMES} frames are enough")

    def end_due(self) -> None:
        """End the captures whose minute is over."""
        now_ms = self._clock.monotonic_ms()
        for capture in [each for each in self._captures.values() if now_ms >= each.until_ms]:
            self._end(capture, f"frames in {CAPTURE_MS // 1000} s: {capture.frames}")

    async def _renew(self, command: Command) -> None:
        try:
            if command.certificate is None:
                csr = await asyncio.to_thread(self._renewal.request, command.target)
                self._say(command, done=True, text="a new key is made", csr=csr)
            else:
                await asyncio.to_thread(self._renewal.use, command.target, command.certificate)
                self._say(command, done=True, text="its new certificate is in force")
        except RenewalError as error:
            self._say(command, done=False, text=str(error))

    def _start_capture(self, command: Command) -> None:
        if command.id in self._captures:
            return  # the broker repeats a command whose acknowledgement it missed
        if len(self._captures) >= MOST_CAPTURES:
            self._answer(command, f"{MOST_CAPTURES} captures are under way; wait a minute", "")
            return
        self._captures[command.id] = _Capture(command, self._clock.monotonic_ms() + CAPTURE_MS)

    def _end(self, capture: _Capture, text: str) -> None:
        del self._captures[capture.command.id]
        self._say(capture.command, done=True, text=text)

    def _answer(self, command: Command, problem: str | None, success: str) -> None:
        self._say(command, done=problem is None, text=success if problem is None else problem)

    def _say(
        self,
        command: Command,
        *,
        done: bool,
        text: str = "",
        frame: CapturedFrame | None = None,
        more: bool = False,
        csr: str | None = None,
    ) -> None:
        result = CommandResult(
            gateway=command.gateway,
            epoch=self._epoch,
            id=command.id,
            done=done,
            text=text,
            frame=frame,
            more=more,
            csr=csr,
        )
        self._tell(result)

    def _captured(self, link: str, item: Seen) -> CapturedFrame:
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        at = None if now_ms is None else to_datetime(now_ms)
        match item:
            case Frame():
                readings, problem = self._read(item)
                return CapturedFrame(
                    at=at,
                    link=link,
                    payload=_shown(item.payload),
                    port=item.port,
                    counter=item.counter,
                    rssi_dbm=item.rssi_dbm,
                    snr_db=item.snr_db,
                    readings=readings,
                    problem=problem,
                )
            case Report():
                return CapturedFrame(at=at, link=link, readings=tuple(map(to_json_line, item.readings)))
            case Stranger():
                hint = item.hint or "not adopted"
                return CapturedFrame(at=at, link=link, payload=_shown(item.data), rssi_dbm=item.rssi_dbm, problem=hint)
            case Refused():
                return CapturedFrame(at=at, link=link, payload=_shown(item.data), problem=item.reason)

    def _read(self, frame: Frame) -> tuple[tuple[str, ...], str | None]:
        try:
            return tuple(map(to_json_line, self._explain(frame))), None
        except DecodeError as error:
            return (), str(error)
        except LookupError:
            return (), "not adopted: its model is not known here"


def _shown(payload: bytes) -> str:
    return payload[:SHOWN_BYTES].hex()
