"""What Dingtek's people counters DC500, DC510 and DC520 put on the air, all of it on fPort 3.

In come counts and states, out go framed big-endian bytes (head 80, tail 81, declared length). Values beyond a field's
width raise `OverflowError`. Source: Dingtek decoders of The Things Network's device repository (vendor/dingtek).
"""

PORT = 3
TOTAL_MODULUS = 65536
DC500, DC510, DC520 = 0x02, 0x15, 0x52
PERIODIC = 0x01


def dc500(people: int, centivolts: int, frame_counter: int, *, battery_low: bool = False) -> bytes:
    """A DC500's measurement, 21 bytes."""
    body = _word(people) + bytes((battery_low, 0)) + _word(centivolts) + bytes(6) + _word(frame_counter) + bytes(1)
    return _framed(DC500, body)


def dc510(
    people: int,
    celsius: int,
    centivolts: int,
    frame_counter: int,
    *,
    count_alarm: bool = False,
    battery_low: bool = False,
) -> bytes:
    """A DC510's measurement, 18 bytes."""
    temperature = celsius.to_bytes(1, "big", signed=True)
    alarms = bytes((0, 0, count_alarm << 4, battery_low))
    return _framed(DC510, _word(people) + bytes(1) + temperature + alarms + _word(centivolts) + _word(frame_counter))


def dc520(counted_in: int, counted_out: int, supply_v: int, frame_counter: int, *, error: int = 0) -> bytes:
    """A DC520's measurement, 19 bytes; the balance follows from in and out."""
    balance = (counted_in - counted_out) % TOTAL_MODULUS
    counts = _word(balance) + _word(counted_in) + _word(counted_out)
    return _framed(DC520, counts + bytes(2) + _word(supply_v) + bytes((error,)) + _word(frame_counter))


def _framed(device_type: int, body: bytes) -> bytes:
    return bytes((0x80, 0x00, device_type, PERIODIC, len(body) + 6)) + body + b"\x81"


def _word(value: int) -> bytes:
    return value.to_bytes(2, "big")
