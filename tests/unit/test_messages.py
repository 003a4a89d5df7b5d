"""The contract: what is written is read again, and what is wrong is named."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.messages import (
    SCHEMA,
    Desired,
    DeviceSettings,
    Epoch,
    Flag,
    Flow,
    FlowInterval,
    GatewayName,
    MessageError,
    Space,
    SpaceState,
    Status,
    decode,
    encode,
    topic,
    topic_of,
)

EPOCH = Epoch("0123456789abcdef")
GATEWAY = GatewayName("mairie")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
STATUS = Status(gateway=GATEWAY, epoch=EPOCH, online=True)

intervals = st.builds(
    FlowInterval,
    device=st.text(min_size=1, max_size=20),
    channel=st.just("line1"),
    mode=st.sampled_from(["", "pedestrian"]),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    seconds=st.sampled_from([60, 300, 900]),
    part=st.integers(0, 999_999),
    in_=st.integers(0, 2**40),
    out=st.none() | st.integers(0, 2**40),
    covered_s=st.integers(0, 900),
    flags=st.sets(st.sampled_from(Flag)).map(lambda flags: tuple(sorted(flags))),
)


@given(parts=st.lists(intervals, max_size=5), seq=st.integers(0, 2**53))
def test_what_is_written_is_read_again(parts: list[FlowInterval], seq: int) -> None:
    message = Flow(schema=SCHEMA, gateway=GATEWAY, epoch=EPOCH, seq=seq, intervals=tuple(parts))
    assert decode(topic_of(message), encode(message)) == message


@given(body=st.binary(max_size=200))
def test_rubbish_is_one_named_error(body: bytes) -> None:
    with pytest.raises(MessageError):
        decode(topic("mairie", "flow"), body)


@pytest.mark.parametrize(
    ("name", "where", "body"),
    [
        ("not-json", "passerelle/1/mairie/flow", b"{"),
        ("newer-schema", "passerelle/1/mairie/status", b'{"schema":2,"gateway":"mairie"}'),
        ("unknown-topic", "passerelle/1/mairie/nothing", encode(STATUS)),
        ("unknown-topic", "passerelle/1/mairie/space", encode(STATUS)),
        ("invalid", "passerelle/1/mairie/flow", encode(STATUS)),
        ("wrong-sender", "passerelle/1/other/status", encode(STATUS)),
        ("too-large", "passerelle/1/mairie/status", b" " * 300_000),
    ],
)
def test_each_mistake_has_its_name(name: str, where: str, body: bytes) -> None:
    with pytest.raises(MessageError) as caught:
        decode(where, body)
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("where", "field", "value"),
    [
        ("status", "queued", "%d"),
        ("status", "counters", '{"heard":%d}'),
        ("dropped", "seq", "%d"),
        ("dropped", "in", "%d"),
        ("config/reported", "revision", "%d"),
        (
            "health/d1",
            "health",
            '{"device":"d1","model":"m","at":"2026-11-22T10:00:00Z","period_s":60,"lost_frames":%d}',
        ),
    ],
)
def test_a_number_that_no_store_can_hold_is_refused_where_it_comes_in(where: str, field: str, value: str) -> None:
    body = f'{{"gateway":"mairie","epoch":"{EPOCH}","{field}":{value % 2**63}}}'

    with pytest.raises(MessageError, match=r"9223372036854775807.*" + field):
        decode(f"passerelle/1/mairie/{where}", body.encode())


def test_what_a_newer_version_says_beside_is_left_alone() -> None:
    """So a gateway that was brought back to an older version goes on with the devices that the newer one was given."""
    desired = Desired(gateway=GATEWAY, epoch=EPOCH, revision=7, devices=(DeviceSettings(address="a", model="m"),))
    body = encode(desired).replace(b'"revision"', b'"later":1,"revision"').replace(b'"model"', b'"newer":[2],"model"')
    read = decode("passerelle/1/mairie/config/desired", body)
    assert isinstance(read, Desired)
    assert (read.revision, read.devices) == (7, desired.devices)


def test_a_device_name_cannot_leave_its_topic_level() -> None:
    state = SpaceState(device="a/b+#", channel="1", occupied=True, at=NOW)
    assert topic_of(Space(gateway=GATEWAY, epoch=EPOCH, states=(state,))) == "passerelle/1/mairie/space/a-b--"
