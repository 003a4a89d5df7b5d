"""A LoRa modem on a serial cable: answers AT commands as a RAK3172 or RAK811 does and tells the packets it hears.

In go commands from the port and packets from the air (`transmit`), out come the lines of one of three firmwares. It can
be told to be slow, busy, or to say something at the wrong moment. Written from RAKwireless' AT command manuals.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from firmware_sim.links.pty import SerialPeer

CONTINUOUS = ("65534", "65533")
POINT_TO_POINT = "0"


class ModemFirmware(StrEnum):
    """Which module answers."""

    RUI3 = "rui3"
    """RAK3172 with RUI3: a packet is one line; it can listen continuously."""
    OLD = "old"
    """RAK3172 up to 1.0.4: a packet is two lines; it stops listening after each."""
    RAK811 = "rak811"


VERSIONS = {ModemFirmware.RUI3: "AT+VER=3.5.3-RAK3172", ModemFirmware.OLD: "V1.0.4"}


class ModemPeer:
    """One modem, powered as long as its cable is plugged. Use it within a running event loop: `start` it there."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        firmware: ModemFirmware = ModemFirmware.RUI3,
        mode: str = POINT_TO_POINT,
        late_s: float = 0.0,
        busy: int = 0,
        silent: bool = False,
        continuous: bool = True,
    ) -> None:
        """`late_s` delays every answer; the first `busy` settings are refused with AT_BUSY_ERROR; a `silent` modem
        answers nothing; one that is not `continuous` knows no AT+PRECV=65534. A `mode` of "1" is LoRaWAN: leaving it
        restarts the module."""
        self.cable = SerialPeer(path)
        self.commands: list[str] = []
        """All commands received, in order."""
        self.radio = ""
        """The radio parameters that were set, as given."""
        self._ears = asyncio.Event()
        self._firmware = firmware
        self._mode = mode
        self._late_s = late_s
        self._busy = busy
        self._silent = silent
        self._continuous = continuous
        self._once = False
        self._before_next_answer: list[str] = []
        self._partial = b""

    @property
    def path(self) -> str:
        """The port to open on the gateway's side."""
        return self.cable.path

    @property
    def listening(self) -> bool:
        """It would hear a packet now."""
        return self._ears.is_set()

    async def until_listening(self) -> None:
        """Wait until the gateway has set it up and made it listen."""
        await self._ears.wait()

    def start(self) -> None:
        """Answer commands from now on, in the running event loop."""
        self.cable.watch(self._receive)

    def close(self) -> None:
        """Stop answering and pull the cable."""
        self.cable.close()

    def transmit(self, phy: bytes, rssi_dbm: float = -80, snr_db: float = 7) -> bool:
        """A packet in the air. False when the modem was not listening: then it is lost, as in the street."""
        if not self.listening:
            return False
        self._stop_when_once()
        for line in self._packet_lines(phy.hex().upper(), f"{rssi_dbm:g}", f"{snr_db:g}"):
            self.say(line)
        return True

    def say(self, line: str) -> None:
        """Print a line of one's own on the port."""
        self.cable.send(f"{line}\r\n".encode())

    def say_before_next_answer(self, line: str) -> None:
        """Print a line between the next command and its answer."""
        self._before_next_answer.append(line)

    def restart(self) -> None:
        """Restart as after a power cut: mode and radio are kept in flash, listening is not."""
        self._ears.clear()
        self._banner()

    def time_out(self) -> None:
        """End the listening window without a packet."""
        self._stop_when_once()
        self.say("+EVT:RXP2P RECEIVE TIMEOUT")

    def _packet_lines(self, digits: str, rssi: str, snr: str) -> tuple[str, ...]:
        match self._firmware:
            case ModemFirmware.RUI3:
                return (f"+EVT:RXP2P:{rssi}:{snr}:{digits}",)
            case ModemFirmware.OLD:
                return (f"+EVT:RXP2P, RSSI {rssi}, SNR {snr}", f"+EVT:{digits}")
            case ModemFirmware.RAK811:
                return (f"at+recv={rssi},{snr},{len(digits) // 2}:{digits}",)

    def _receive(self) -> None:
        *commands, self._partial = (self._partial + self.cable.receive()).split(b"\r\n")
        for command in commands:
            self.commands.append(command.decode())
            if not self._silent:
                asyncio.get_running_loop().call_later(self._late_s, self._answer, command.decode())

    def _answer(self, command: str) -> None:
        for line in self._before_next_answer:
            self.say(line)
        self._before_next_answer.clear()
        if self._firmware is ModemFirmware.RAK811:
            self._answer_rak811(command)
        else:
            self._answer_rak3172(command)

    def _answer_rak3172(self, command: str) -> None:
        name, _, value = command.partition("=")
        if value == "?":
            self._query(name)
        elif name == "AT":
            self.say("OK")
        elif self._busy:
            self._busy -= 1
            self.say("AT_BUSY_ERROR")
        else:
            self._set(name, value)

    def _query(self, name: str) -> None:
        answers = {"AT+VER": VERSIONS.get(self._firmware, ""), "AT+NWM": f"AT+NWM={self._mode}"}
        if name not in answers:
            self.say("AT_ERROR")
            return
        self.say(answers[name])
        self.say("OK")

    def _set(self, name: str, value: str) -> None:
        settings: dict[str, Callable[[str], str]] = {
            "AT+NWM": self._set_mode,
            "AT+P2P": self._set_radio,
            "AT+PRECV": self._set_listening,
        }
        if self._firmware is ModemFirmware.RUI3:
            settings["AT+SYNCWORD"] = lambda word: "OK" if len(word) == 4 else "AT_PARAM_ERROR"
        self.say(settings[name](value) if name in settings else "AT_ERROR")

    def _set_mode(self, mode: str) -> str:
        if mode != self._mode:
            self._mode = mode
            self._banner()
        return "OK"

    def _set_radio(self, parameters: str) -> str:
        if self.listening:
            return "AT_BUSY_ERROR"
        if self._mode != POINT_TO_POINT or len(parameters.split(":")) != 6:
            return "AT_PARAM_ERROR"
        self.radio = parameters
        return "OK"

    def _set_listening(self, window: str) -> str:
        continuous = self._continuous and self._firmware is ModemFirmware.RUI3
        if window in CONTINUOUS and not continuous:
            return "AT_PARAM_ERROR"
        self._once = window not in CONTINUOUS
        if window == "0":
            self._ears.clear()
        else:
            self._ears.set()
        return "OK"

    def _stop_when_once(self) -> None:
        if self._once:
            self._ears.clear()

    def _answer_rak811(self, command: str) -> None:
        setting = command.removeprefix("at+set_config=")
        if command == setting:
            self.say("ERROR: 1")
            return
        if setting == "lora:work_mode:1":
            self._banner()
        elif setting == "lorap2p:transfer_mode:1":
            self._ears.set()
        elif setting.startswith("lorap2p:"):
            self.radio = setting.removeprefix("lorap2p:")
        self.say("OK ")

    def _banner(self) -> None:
        if self._firmware is ModemFirmware.RAK811:
            self.say("Initialization OK")
            return
        self.say("RAKwireless RAK3172 Example")
        self.say("------------------------------------------------------")
        self.say("Current Work Mode: LoRa P2P.")
