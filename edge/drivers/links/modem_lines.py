"""What RAK3172 and RAK811 modems say, line by line: packets, events, answers to commands.

In come bytes from the port, out come typed lines; a line that is cut or garbled is a `BadLine` with its character
position. Pure. A shortened payload is never passed on.
Source: RAKwireless AT command manuals (RUI3, deprecated RAK3172 up to 1.0.4, RAK811).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST_LINE = 600
SECOND_LINE_MS = 1_000
"""So long the first line of an old-form packet waits for its second."""
WEAKEST_RSSI_DBM, STRONGEST_RSSI_DBM = -200.0, 20.0
WORST_SNR_DB, BEST_SNR_DB = -50.0, 50.0

EVENT = "+EVT:"
PACKET_STARTS = ("+EVT:RXP2P:", "+EVT:RXP2P,", "at+recv=")
RUI3_PACKET = re.compile(r"\+EVT:RXP2P:(?P<rssi>[^:]*):(?P<snr>[^:]*):(?P<hex>.*)")
RAK811_PACKET = re.compile(r"at\+recv=(?P<rssi>[^,]*),(?P<snr>[^,]*),(?P<length>[^:]*):(?P<hex>.*)")
OLD_PACKET = re.compile(r"\+EVT:RXP2P, RSSI (?P<rssi>[^,]*), SNR (?P<snr>.*)")
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
FAILURE = re.compile(r"(AT_[A-Z_]+|ERROR: ?-?\d+)")
BANNER = re.compile(r"RAKwireless|Current Work Mode|LoRa \(R\)|Initialization OK", re.IGNORECASE)


class Note(StrEnum):
    """Events without a payload."""

    RECEIVE_TIMEOUT = "RXP2P RECEIVE TIMEOUT"
    RECEIVE_ERROR = "RXP2P RECEIVE ERROR"
    SENT = "TXP2P DONE"


NOTES = {EVENT + note: note for note in Note}


@dataclass(frozen=True, slots=True)
class Packet:
    """One radio packet."""

    rssi_dbm: float
    snr_db: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class PacketHead:
    """The first of the two lines in which old firmware tells a packet."""

    text: str
    rssi_dbm: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event that is none of the known: the second line of an old-form packet, or something new."""

    text: str

    @property
    def body(self) -> str:
        """What follows `+EVT:`."""
        return self.text.removeprefix(EVENT)


@dataclass(frozen=True, slots=True)
class Done:
    """A command was carried out."""

    text: str
    """What RAK811 adds behind its OK; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A command was refused."""

    code: str
    """`AT_BUSY_ERROR`, `AT_PARAM_ERROR`, …; RAK811 gives `ERROR: n`."""


@dataclass(frozen=True, slots=True)
class Banner:
    """A line that the modem prints when it starts."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Any other line: the value that a query asked for, an echo, or noise."""

    text: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that began as a packet and is none."""

    text: str
    position: int
    """0-based position of the first wrong character; the length of the line where something is missing."""
    reason: str


Line = Packet | PacketHead | Note | OtherEvent | Done | Failed | Banner | Text | BadLine


class LineCutter:
    """Cuts bytes into lines at CR and LF, empty ones dropped. What is overlong is cut off, so that it is refused."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that these bytes complete."""
        *lines, rest = re.split("[\r\n]", self._rest + data.decode("ascii", errors="replace"))
        self._rest = rest[: LONGEST_LINE + 1]
        return [line[: LONGEST_LINE + 1] for line in lines if line.strip()]


class PacketJoiner:
    """Puts the two lines of an old-form packet together, whatever comes between them."""

    def __init__(self) -> None:
        self._head: PacketHead | None = None
        self._since_ms = 0

    def take(self, line: Line, now_ms: int) -> list[Line]:
        """What this line completes or was already; a first line is kept back, one that nothing followed is bad."""
        late = self.expire(now_ms)
        if isinstance(line, PacketHead):
            late = late or self._forget("another packet came before its second line")
            self._head, self._since_ms = line, now_ms
            return late
        if isinstance(line, OtherEvent) and self._is_second(line):
            return [*late, self._join(line)]
        return [*late, line]

    def expire(self, now_ms: int) -> list[Line]:
        """The kept first line, as a bad one, when its second has not come in time."""
        if now_ms - self._since_ms < SECOND_LINE_MS:
            return []
        return self._forget(f"no second line within {SECOND_LINE_MS} ms")

    def _is_second(self, line: OtherEvent) -> bool:
        """With a first line waiting anything that starts like hex digits is its payload, however garbled it ends."""
        return line.body[:1] in HEX_DIGITS and (self._head is not None or HEX_DIGITS.issuperset(line.body))

    def _join(self, line: OtherEvent) -> Line:
        head, self._head = self._head, None
        if head is None:
            return BadLine(line.text, 0, "a payload without its first line")
        payload = _hex_bytes(line.text, len(EVENT), line.body)
        return payload if isinstance(payload, BadLine) else Packet(head.rssi_dbm, head.snr_db, payload)

    def _forget(self, reason: str) -> list[Line]:
        head, self._head = self._head, None
        return [] if head is None else [BadLine(head.text, len(head.text), reason)]


def parse_line(text: str) -> Line:
    """One line without its end."""
    if len(text) > LONGEST_LINE:
        return BadLine(text, LONGEST_LINE, f"longer than {LONGEST_LINE} characters")
    text = text.rstrip()
    if text in NOTES:
        return NOTES[text]
    if text.startswith(PACKET_STARTS):
        return _packet(text)
    if text.startswith(EVENT):
        return OtherEvent(text)
    return _answer(text.strip())


def _answer(text: str) -> Line:
    if text == "OK" or text.startswith("OK "):
        return Done(text.removeprefix("OK").strip())
    if FAILURE.fullmatch(text):
        return Failed(text)
    return Banner(text) if BANNER.search(text) else Text(text)


def _packet(text: str) -> Packet | PacketHead | BadLine:
    match = RUI3_PACKET.fullmatch(text) or RAK811_PACKET.fullmatch(text) or OLD_PACKET.fullmatch(text)
    if match is None:
        return BadLine(text, len(text), "a field is missing")
    rssi = _number(match, "rssi", WEAKEST_RSSI_DBM, STRONGEST_RSSI_DBM)
    snr = _number(match, "snr", WORST_SNR_DB, BEST_SNR_DB)
    if isinstance(rssi, BadLine):
        return rssi
    if isinstance(snr, BadLine):
        return snr
    if match.re is OLD_PACKET:
        return PacketHead(text, rssi, snr)
    payload = _payload(match)
    return payload if isinstance(payload, BadLine) else Packet(rssi, snr, payload)


def _number(match: re.Match[str], field: str, least: float, greatest: float) -> float | BadLine:
    text, position = match[field], match.start(field)
    if not NUMBER.fullmatch(text):
        return BadLine(match.string, position, f"{field} {text!r} is no number")
    if not least <= float(text) <= greatest:
        return BadLine(match.string, position, f"{field} {text}, expected {least:g} to {greatest:g}")
    return float(text)


def _payload(match: re.Match[str]) -> bytes | BadLine:
    length = match.groupdict().get("length")
    if length is not None and length != str(len(match["hex"]) // 2):
        reason = f"length {length!r}, but {len(match['hex'])} hex digits follow"
        return BadLine(match.string, match.start("length"), reason)
    return _hex_bytes(match.string, match.start("hex"), match["hex"])


def _hex_bytes(line: str, position: int, digits: str) -> bytes | BadLine:
    wrong = next((index for index, digit in enumerate(digits) if digit not in HEX_DIGITS), None)
    if wrong is not None:
        return BadLine(line, position + wrong, f"{digits[wrong]!r} is no hex digit")
    if not digits or len(digits) % 2:
        return BadLine(line, position + len(digits), f"{len(digits)} hex digits, expected a whole number of bytes")
    return bytes.fromhex(digits)
