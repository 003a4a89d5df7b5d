"""What Milesight's people counters put on the air: chains of records, little-endian, on fPort 85.

In come counts and states, out go records, to be joined with `frame`. Values beyond a field's width raise
`OverflowError`. Source: Milesight-IoT/SensorDecoders, vs-series.
"""

PORT = 85
EVERYBODY_FIRST_ID, CHILDREN_FIRST_ID = 0x03, 0x11


def frame(*records: bytes) -> bytes:
    """Records as one payload, in this order."""
    return b"".join(records)


def started() -> bytes:
    """The marker that a device sends after power-up."""
    return b"\xff\x0b\xff"


def line_totals(line: int, total_in: int, total_out: int, *, children: bool = False) -> bytes:
    """VS132, VS133, VS135: both totals of a line (1 to 4), two records."""
    first = _first_id(line, children)
    return bytes((first, 0xD2)) + _number(total_in, 4) + bytes((first + 1, 0xD2)) + _number(total_out, 4)


def line_period(line: int, counted_in: int, counted_out: int, *, children: bool = False) -> bytes:
    """VS132, VS133, VS135: counts of the period of a line (1 to 4)."""
    return bytes((_first_id(line, children) + 2, 0xCC)) + _number(counted_in) + _number(counted_out)


def line_history(unix_s: int, line: int, counted_in: int, counted_out: int) -> bytes:
    """VS133, VS135: counts of a past period of a line."""
    kind = _first_id(line, False) + 2
    return b"\x20\xce" + _number(unix_s, 4) + _number(kind, 1) + _number(counted_in) + _number(counted_out)


def region_people(counts: tuple[int, int, int, int]) -> bytes:
    """VS133, VS135: people in regions 1 to 4."""
    return b"\x0f\xe3" + bytes(counts)


def lens_alarm(node: int, *, raised: bool) -> bytes:
    """VS133, VS135: a lens (0 is the master's) is occluded, or free again."""
    return b"\x50\xfc\x00" + bytes((node, raised))


def passage_totals(total_in: int, total_out: int) -> bytes:
    """VS350, VS351, VS360: both totals."""
    return b"\x04\xcc" + _number(total_in) + _number(total_out)


def passage_period(counted_in: int, counted_out: int) -> bytes:
    """VS350, VS351, VS360, and VS121: counts of the period."""
    return b"\x05\xcc" + _number(counted_in) + _number(counted_out)


def passage_history(unix_s: int, counted_in: int, counted_out: int, total_in: int, total_out: int) -> bytes:
    """VS350, VS351, VS360: a past period and the totals at its end."""
    counts = _number(counted_in) + _number(counted_out) + _number(total_in) + _number(total_out)
    return b"\x20\xce" + _number(unix_s, 4) + b"\x01" + counts


def battery(percent: int) -> bytes:
    """VS350, VS351 and the VS360's main unit."""
    return b"\x01\x75" + _number(percent, 1)


def node_battery(percent: int) -> bytes:
    """The VS360's node."""
    return b"\x02\x75" + _number(percent, 1)


def temperature(celsius: float) -> bytes:
    """VS350, VS351: the housing's temperature."""
    return b"\x03\x67" + round(celsius * 10).to_bytes(2, "little", signed=True)


def cumulative(total_in: int, total_out: int) -> bytes:
    """VS121: both totals."""
    return b"\x0d\xcc" + _number(total_in) + _number(total_out)


def view(people: int, occupied_regions: frozenset[int], regions: int) -> bytes:
    """VS121: people in view, and which of its regions (1 to 16) are occupied: a big-endian mask."""
    mask = sum(1 << (region - 1) for region in occupied_regions)
    return b"\x04\xc9" + bytes((people, regions)) + mask.to_bytes(2, "big")


def measured_at(unix_s: int) -> bytes:
    """VS121: when the frame's values were measured."""
    return b"\x0f\x85" + _number(unix_s, 4)


def _first_id(line: int, children: bool) -> int:
    return (CHILDREN_FIRST_ID if children else EVERYBODY_FIRST_ID) + 3 * (line - 1)


def _number(value: int, width: int = 2) -> bytes:
    return value.to_bytes(width, "little")
