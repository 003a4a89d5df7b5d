"""The Things Stack's documents: fields left out, time cut, and every way a document can be wrong."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.aggregator.admission import Admission, Arrived, admit
from edge.drivers.links.base import Refused, Report
from edge.drivers.links.envelope import Note, Parsed
from edge.drivers.links.things_stack_events import parse_event
from edge.readings import DeviceAddress, Frame, Health
from firmware_sim.links import things_stack as server

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "network-servers"
DEVICE = server.EndDevice(device_id="bay-7", dev_eui="0004A30B001C0530")
ADDRESS = DeviceAddress("0004a30b001c0530")
TOPIC = "v3/street@town/devices/bay-7/"
AT = datetime(2026, 11, 22, 10, 10, 0, 123456, tzinfo=UTC)
IDS = {"device_id": "bay-7", "dev_eui": "0004A30B001C0530", "application_ids": {"application_id": "street"}}
GOOD = {"f_port": 1, "frm_payload": "qg=="}


def _parse(event: str, fields: Mapping[str, object]) -> Parsed:
    body = {"end_device_ids": IDS, **fields}
    return _only(parse_event(TOPIC + event, json.dumps(body).encode()))


def _up(fields: Mapping[str, object]) -> Parsed:
    return _parse("up", {"uplink_message": fields})


def _only(parsed: list[Parsed]) -> Parsed:
    [item] = parsed
    return item


def _refused(parsed: Parsed) -> Refused:
    assert isinstance(parsed, Refused), parsed
    return parsed


def _frame(parsed: Parsed) -> Frame:
    assert isinstance(parsed, Frame), parsed
    return parsed


def _report(parsed: Parsed) -> Report:
    assert isinstance(parsed, Report), parsed
    return parsed


def test_what_is_left_out_is_zero_and_time_is_cut_to_microseconds() -> None:
    document = server.uplink(DEVICE, counter=0, port=14, payload=b"\x01\x02", at=AT, snr_db=0)
    assert b"f_cnt" not in document.body
    assert b"snr" not in document.body
    assert parse_event(document.topic, document.body, 5) == [
        Frame(
            device=ADDRESS,
            payload=b"\x01\x02",
            port=14,
            counter=0,
            session=DEVICE.session_key_id,
            heard_ms=5,
            network_time=AT,
            rssi_dbm=-87,
            snr_db=0,
            hint="bay-7",
        )
    ]


def test_the_network_servers_time_goes_before_the_application_servers() -> None:
    late, early = "2026-11-22T10:10:09.000000001Z", "2026-11-22T10:10:00.123456789Z"
    both = {"uplink_message": {**GOOD, "received_at": early}, "received_at": late}
    assert _frame(_parse("up", both)).network_time == AT
    one = {"uplink_message": GOOD, "received_at": early}
    assert _frame(_parse("up", one)).network_time == AT
    assert _frame(_up(GOOD)).network_time is None


def test_a_reception_that_tells_no_strength_is_never_the_best() -> None:
    gateways = [{"rssi": -50, "snr": -3.0}, {"gateway_ids": {"gateway_id": "packetbroker"}}, {"rssi": -60, "snr": -7}]
    frame = _frame(_up({**GOOD, "rx_metadata": gateways}))
    assert (frame.rssi_dbm, frame.snr_db) == (-50, -3)
    unheard = _frame(_up({**GOOD, "rx_metadata": [{}]}))
    assert (unheard.rssi_dbm, unheard.snr_db) == (None, None)


def test_a_device_without_dev_eui_is_named_by_application_and_device() -> None:
    device = server.EndDevice(device_id="abp-1", dev_eui=None)
    document = server.uplink(device, counter=3, port=1, payload=b"\x01", at=AT)
    assert _frame(_only(parse_event(document.topic, document.body))).device == "street/abp-1"


@pytest.mark.parametrize("fields", [{}, {"frm_payload": "qg=="}, {"f_port": 0, "frm_payload": "qg=="}, {"f_port": 14}])
def test_an_uplink_with_nothing_to_decode_is_a_sign_of_life(fields: Mapping[str, object]) -> None:
    report = _report(_up(fields))
    assert (report.device, report.readings) == (ADDRESS, ())


def test_a_simulated_uplink_is_counted_among_the_refused_and_never_read() -> None:
    document = server.uplink(DEVICE, counter=1, port=1, payload=b"\x01", at=AT, simulated=True)
    refused = _refused(_only(parse_event(document.topic, document.body)))
    assert (refused.name, refused.device) == ("simulated", ADDRESS)


def test_a_join_is_a_reset_of_the_radio_alone() -> None:
    document = server.join(DEVICE, AT)
    report = _report(_only(parse_event(document.topic, document.body)))
    assert report == Report(device=ADDRESS, readings=(Health(reset="rejoin"),), network_time=AT)


def test_a_document_delivered_twice_is_a_repeat_and_a_new_session_may_begin_at_zero() -> None:
    first, second = (server.uplink(DEVICE, counter=7, port=1, payload=b"\x01", at=AT) for _ in range(2))
    assert first.body != second.body
    rejoined = server.uplink(DEVICE.rejoined(), counter=0, port=1, payload=b"\x01", at=AT)
    memory, arrived = Admission(), []
    for document in (first, second, rejoined):
        memory, how = admit(memory, _frame(_only(parse_event(document.topic, document.body))))
        arrived.append(how)
    assert arrived == [Arrived.IN_ORDER, Arrived.REPEAT, Arrived.IN_ORDER]


@pytest.mark.parametrize(
    "event",
    ["down/queued", "down/sent", "down/ack", "down/nack", "down/failed", "down/push", "service/data", "brand-new"],
)
def test_other_messages_are_left_alone_with_a_note(event: str) -> None:
    assert isinstance(_parse(event, {}), Note)


@pytest.mark.parametrize(
    ("fields", "name", "reason"),
    [
        ({}, "no-uplink-message", "uplink_message is missing"),
        ({"uplink_message": {"f_cnt": -1}}, "invalid-field", "$.uplink_message.f_cnt"),
        ({"uplink_message": {"f_cnt": 1.5}}, "invalid-field", "$.uplink_message.f_cnt"),
        ({"uplink_message": {"f_cnt": 2**32}}, "invalid-field", "$.uplink_message.f_cnt"),
        ({"uplink_message": {"f_port": 256}}, "invalid-field", "$.uplink_message.f_port"),
        ({"uplink_message": {"f_port": "1"}}, "invalid-field", "$.uplink_message.f_port"),
        ({"uplink_message": {"frm_payload": "q!=="}}, "bad-base64", "uplink_message.frm_payload, character 1: '!'"),
        ({"uplink_message": {"frm_payload": "qg="}}, "bad-base64", "uplink_message.frm_payload, character 2"),
        ({"uplink_message": {**GOOD, "app_s_key": {}}}, "still-encrypted", "app_s_key"),
        ({"uplink_message": {**GOOD, "received_at": "soon"}}, "bad-time", "'soon' is no RFC 3339 time"),
        ({"uplink_message": GOOD, "end_device_ids": None}, "no-device-ids", "end_device_ids is missing"),
        ({"end_device_ids": {**IDS, "device_id": "bay-8"}}, "wrong-device-id", "'bay-8', but the topic names 'bay-7'"),
        ({"end_device_ids": {**IDS, "dev_eui": "00"}}, "no-dev-eui", "dev_eui '00', expected 16 hexadecimal digits"),
        ({"end_device_ids": {"device_id": "bay-7"}}, "no-dev-eui", "neither dev_eui nor application_ids"),
    ],
)
def test_a_wrong_document_is_refused_by_name_and_field(fields: Mapping[str, object], name: str, reason: str) -> None:
    refused = _refused(_parse("up", fields))
    assert refused.name == name
    assert reason in refused.reason
    assert refused.data


def test_a_join_without_its_acceptance_is_refused() -> None:
    assert _refused(_parse("join", {})).name == "no-join-accept"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"uplink_message": x}', "byte 19"),
        (b"", "of 0 bytes"),
        (b'{"a":', "of 5 bytes"),
        (b'{"a":' + 100_000 * b"[", "of 100005 bytes"),
    ],
)
def test_what_is_no_json_says_where(body: bytes, reason: str) -> None:
    refused = _refused(_only(parse_event(TOPIC + "up", body)))
    assert refused.name == "not-json"
    assert reason in refused.reason
    assert len(refused.data) <= 600


@pytest.mark.parametrize("topic", ["v3/app/devices/x", "application/1/device/x/event/up", "v3/devices/x/up", ""])
def test_a_topic_that_is_none_of_the_things_stacks_is_refused(topic: str) -> None:
    assert _refused(_only(parse_event(topic, b"{}"))).name == "unknown-topic"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("f_port", "f_cnt", "frm_payload", "rx_metadata", "received_at", "session_key_id", "app_s_key")
UPLINKS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)).map(
    lambda uplink: json.dumps({"end_device_ids": IDS, "uplink_message": uplink}).encode()
)


@given(st.sampled_from(["up", "join"]), st.binary(max_size=200) | JSON.map(lambda any_: json.dumps(any_).encode()))
def test_any_body_is_parsed_or_refused(event: str, body: bytes) -> None:
    assert all(isinstance(item, Frame | Report | Refused) for item in parse_event(TOPIC + event, body))


@given(UPLINKS)
def test_any_uplink_is_parsed_or_refused(body: bytes) -> None:
    assert all(isinstance(item, Frame | Report | Refused) for item in parse_event(TOPIC + "up", body))


def _sample(name: str) -> list[Parsed]:
    kind = name.rpartition("-")[2]
    event = {"join_accept": "join", "downlink_ack": "down/ack", "downlink_failed": "down/failed"}.get(kind, "up")
    path = SAMPLES / f"{name}.json"
    return parse_event(f"v3/app1@tenant1/devices/dev1/{event}", path.read_bytes()) if path.exists() else []


def test_the_documentations_own_uplinks_are_understood() -> None:
    for parsed in _sample("tts-v3-1-uplink_message"):
        alive = _report(parsed)
        assert (alive.device, alive.readings) == ("0004a30b001c0530", ())
        assert alive.network_time == datetime(2020, 2, 12, 15, 15, 45, 789585, tzinfo=UTC)
    for parsed in _sample("tts-v3-mqttdoc-up-1"):
        frame = _frame(parsed)
        assert (frame.device, frame.port, frame.counter) == ("4200000000000000", 15, 0)
        assert frame.payload == b"Temperature = 0.0"
        assert (frame.rssi_dbm, frame.snr_db, frame.network_time) == (-35, 5, None)


def test_the_documentations_own_join_and_downlink_events_are_understood() -> None:
    for parsed in _sample("tts-v3-0-join_accept"):
        assert _report(parsed).network_time == datetime(2020, 2, 17, 7, 49, 9, 736532, tzinfo=UTC)
    for name in ("tts-v3-2-downlink_ack", "tts-v3-3-downlink_failed"):
        assert all(isinstance(parsed, Note) for parsed in _sample(name))
