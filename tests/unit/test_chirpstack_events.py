"""ChirpStack documents: fields left out, both server forms, and every way a document can be wrong."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.links.base import Refused, Report
from edge.drivers.links.chirpstack_events import parse_event
from edge.drivers.links.envelope import Note, Parsed
from edge.readings import DeviceAddress, Frame, Health
from firmware_sim.links import chirpstack as server

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "network-servers"
DEV_EUI = "0101010101010101"
TOPIC = f"application/17c82e96/device/{DEV_EUI}/event/"
AT = datetime(2026, 11, 22, 10, 10, 0, 123456, tzinfo=UTC)


def _parse(event: str, fields: Mapping[str, object], dev_eui: str = DEV_EUI) -> Parsed:
    body = {"deviceInfo": {"devEui": dev_eui}, "time": "2022-07-18T09:34:15.775023942+00:00", **fields}
    return _only(parse_event(TOPIC + event, json.dumps(body).encode()))


def _only(parsed: list[Parsed]) -> Parsed:
    [item] = parsed
    return item


def _refused(parsed: Parsed) -> Refused:
    assert isinstance(parsed, Refused), parsed
    return parsed


def _frame(parsed: Parsed) -> Frame:
    assert isinstance(parsed, Frame), parsed
    return parsed


def test_what_is_left_out_is_zero_and_time_is_cut_to_microseconds() -> None:
    radio = [{"gatewayId": "a", "rssi": -36, "snr": 10.5}]
    assert _parse("up", {"devAddr": "00189440", "fPort": 1, "data": "qg==", "rxInfo": radio}) == Frame(
        device=DeviceAddress(DEV_EUI),
        payload=b"\xaa",
        port=1,
        counter=0,
        session="00189440",
        network_time=datetime(2022, 7, 18, 9, 34, 15, 775023, tzinfo=UTC),
        rssi_dbm=-36,
        snr_db=10.5,
    )


@pytest.mark.parametrize("old_server", [True, False])
def test_both_server_forms_say_the_same(*, old_server: bool) -> None:
    device = server.EndDevice(DEV_EUI, old_server=old_server)
    document = server.uplink(device, counter=0, port=14, payload=b"\x01\x02", at=AT)
    assert ("fCnt" in json.loads(document.body)) is not old_server
    frame = _frame(_only(parse_event(document.topic, document.body, heard_ms=5)))
    assert (frame.payload, frame.port, frame.counter, frame.heard_ms) == (b"\x01\x02", 14, 0, 5)
    assert frame.network_time == AT


def test_the_best_gateway_is_the_one_with_the_highest_snr_and_no_rssi_is_unknown() -> None:
    gateways = [{"rssi": -50, "snr": -3.0}, {"snr": 0.5}, {"rssi": -40}]
    frame = _frame(_parse("up", {"fPort": 1, "data": "qg==", "rxInfo": gateways}))
    assert (frame.rssi_dbm, frame.snr_db) == (None, 0.5)
    unheard = _frame(_parse("up", {"fPort": 1, "data": "qg==", "rxInfo": None}))
    assert (unheard.rssi_dbm, unheard.snr_db) == (None, None)


def test_upper_case_digits_name_the_same_device() -> None:
    body = {"deviceInfo": {"devEui": "ABCDEF0123456789"}, "fPort": 1, "data": "qg=="}
    [frame] = parse_event("eu868/application/a/device/abcdef0123456789/event/up", json.dumps(body).encode())
    assert _frame(frame).device == "abcdef0123456789"


@pytest.mark.parametrize(
    "fields", [{}, {"fPort": 0, "data": "qg=="}, {"fPort": None, "data": None}, {"fPort": 14, "data": ""}]
)
def test_a_frame_for_the_network_alone_is_a_sign_of_life(fields: Mapping[str, object]) -> None:
    report = _parse("up", fields)
    assert isinstance(report, Report)
    assert (report.device, report.readings) == (DEV_EUI, ())


@pytest.mark.parametrize("fields", [{"fPort": 14}, {"fPort": 14, "data": None}])
def test_a_document_without_data_is_refused_and_still_a_sign_of_life(fields: Mapping[str, object]) -> None:
    body = json.dumps({"deviceInfo": {"devEui": DEV_EUI}, **fields}).encode()
    refused, report = parse_event(TOPIC + "up", body)
    assert _refused(refused).name == "no-data"
    assert isinstance(report, Report)


def _health(parsed: Parsed) -> Health:
    assert isinstance(parsed, Report), parsed
    [health] = parsed.readings
    assert isinstance(health, Health)
    return health


def test_join_status_and_log_are_health() -> None:
    assert _health(_parse("join", {"devAddr": "00189440"})) == Health(reset="rejoin")
    full = _health(_parse("status", {"margin": 10, "batteryLevel": 88.3}))
    assert full == Health(battery_pct=88.3, diagnostics={"margin_db": 10, "external_power": False})
    assert _health(_parse("status", {})).battery_pct == 0
    assert _health(_parse("status", {"batteryLevelUnavailable": True})).battery_pct is None
    assert _health(_parse("status", {"externalPowerSource": True})).battery_pct is None
    note = _health(_parse("log", {"level": "ERROR", "code": "UPLINK_F_CNT_RESET", "description": "counter"})).note
    assert note == "network server: ERROR UPLINK_F_CNT_RESET counter"


@pytest.mark.parametrize("event", ["ack", "txack", "location", "integration", "brand-new"])
def test_other_events_are_left_alone_with_a_note(event: str) -> None:
    assert isinstance(_parse(event, {}), Note)


@pytest.mark.parametrize(
    ("fields", "name", "reason"),
    [
        ({"fCnt": -1}, "invalid-field", "$.fCnt"),
        ({"fCnt": 1.5}, "invalid-field", "$.fCnt"),
        ({"fPort": 256}, "invalid-field", "$.fPort"),
        ({"fPort": "one"}, "invalid-field", "$.fPort"),
        ({"fPort": 1, "data": "q!=="}, "bad-base64", "data, character 1: '!'"),
        ({"fPort": 1, "data": "qg="}, "bad-base64", "data, character 2"),
        ({"fPort": 1, "data": "q"}, "bad-base64", "data, character 1"),
        ({"fPort": 1, "data": "qg==", "joinServerContext": {"sessionKeyId": "x"}}, "still-encrypted", "joinServer"),
        ({"deviceInfo": None}, "no-dev-eui", "deviceInfo.devEui is missing"),
        ({"deviceInfo": {}}, "no-dev-eui", "deviceInfo.devEui is missing"),
        ({"deviceInfo": {"devEui": "01"}}, "no-dev-eui", "expected 16 hexadecimal digits"),
        ({"deviceInfo": {"devEui": "ff" * 8}}, "wrong-dev-eui", "the topic names 0101010101010101"),
        ({"time": "yesterday"}, "bad-time", "'yesterday' is no RFC 3339 time"),
        ({"time": "2026-11-22T10:00:00"}, "bad-time", "has no offset"),
    ],
)
def test_a_wrong_document_is_refused_by_name_and_field(fields: Mapping[str, object], name: str, reason: str) -> None:
    refused = _refused(_parse("up", fields))
    assert refused.name == name
    assert reason in refused.reason
    assert refused.data


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b'{"fCnt": x}', "byte 9"), (b"", "of 0 bytes"), (b"\x0a\x24abc", "set json=true"), (b'{"a":', "of 5 bytes")],
)
def test_what_is_no_json_says_where_and_hints_at_protobuf(body: bytes, reason: str) -> None:
    refused = _refused(_only(parse_event(TOPIC + "up", body)))
    assert refused.name == "not-json"
    assert reason in refused.reason


def test_a_topic_that_is_none_of_chirpstacks_is_refused() -> None:
    assert _refused(_only(parse_event("v3/app/devices/x/up", b"{}"))).name == "unknown-topic"


@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.text()).map(lambda fields: json.dumps(fields).encode()))
def test_any_body_is_parsed_or_refused(body: bytes) -> None:
    assert all(isinstance(item, Frame | Report | Refused) for item in parse_event(TOPIC + "up", body))


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("chirpstack-v4-*.json")), ids=lambda path: path.stem)
def test_the_documentations_own_samples_are_understood(sample: Path) -> None:
    event = sample.stem.removeprefix("chirpstack-v4-")
    parsed = _only(parse_event(TOPIC.replace(DEV_EUI, _dev_eui(sample)) + event, sample.read_bytes()))
    expected = {"up": Frame, "join": Report, "status": Report, "log": Report}.get(event, Note)
    assert isinstance(parsed, expected)


def _dev_eui(sample: Path) -> str:
    dev_eui: str = json.loads(sample.read_text())["deviceInfo"]["devEui"]
    return dev_eui
