"""The contract of all codecs: their cases, what every declaration must say, and what no bytes may ever provoke."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.devices import catalogue
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Delta, Event, Frame, Health, Presence, Total
from tests.contract import cases
from tests.contract.cases import Case

MODELS = list(catalogue().values())
ALL_CASES = [
    pytest.param(model, case, id=f"{model}: {case.name}") for model in cases.models() for case in cases.cases(model)
]
GOOD_CASES = [
    pytest.param(model, case, id=f"{model}: {case.name}")
    for model in cases.models()
    for case in cases.cases(model)
    if case.error is None
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)

LONGEST_PERIOD_S = 7 * 86400
MAX_PAYLOAD = 242
"""The largest LoRaWAN application payload, in bytes."""


@pytest.mark.parametrize(("name", "case"), ALL_CASES)
def test_a_case_gives_its_readings_or_its_error(name: str, case: Case) -> None:
    model = catalogue()[name]
    if case.error is None:
        printed = cases.printed(model.decode(case.frame, case.known))
        assert printed == case.readings
        assert _exact(printed) == _exact(case.readings)
        return
    with pytest.raises(DecodeError) as refused:
        model.decode(case.frame, case.known)
    assert case.readings is None
    assert refused.value.offset == case.error.offset
    assert case.error.reason in refused.value.reason
    assert (refused.value.model, refused.value.port) == (name, case.port)


def _exact(readings: list[cases.Printed]) -> str:
    """As JSON, which tells `true` from 1, and 3.0 from 3; in Python they are equal."""
    return json.dumps(readings, sort_keys=True, indent=1)


def test_every_case_file_belongs_to_a_model() -> None:
    assert set(cases.models()) <= set(catalogue())


def test_every_module_declares_a_model_of_its_own() -> None:
    assert len({(model.maker, model.product) for model in MODELS}) == len(MODELS)


@every_model
def test_a_model_is_declared_in_full(model: Model) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", model.name)
    assert model.maker
    assert model.product
    assert model.detects
    assert model.links
    assert len(model.mounting) >= 40
    assert len(model.source) >= 10
    assert 1 <= model.reporting_period_s <= LONGEST_PERIOD_S
    assert all(1 <= port <= 255 and meaning for port, meaning in model.ports.items())
    assert all(meaning for meaning in model.options.values())
    assert (model.framing is not None) == (LinkKind.SERIAL in model.links)
    assert (model.baud is not None) == (LinkKind.SERIAL in model.links)
    assert model.channels or model.kind is not Kind.COUNTER


@every_model
def test_a_model_has_good_and_refused_cases(model: Model) -> None:
    errors = [case.error for case in cases.cases(model.name)]
    assert None in errors
    assert any(errors)


@pytest.mark.parametrize(("name", "case"), GOOD_CASES)
def test_a_count_comes_on_a_declared_channel_within_its_width(name: str, case: Case) -> None:
    model = catalogue()[name]
    channels = {(channel.name, channel.mode): channel for channel in model.channels}
    for reading in model.decode(case.frame, case.known):
        if isinstance(reading, Total | Delta | Event):
            _check_channel(reading, channels[reading.channel, reading.mode])


def _check_channel(reading: Total | Delta | Event, channel: Channel) -> None:
    if isinstance(reading, Total):
        assert channel.bits is not None
        assert reading.bits <= channel.bits
    if channel.second is None and not isinstance(reading, Event):
        assert reading.out is None


@every_model
def test_a_model_sends_what_it_declares(model: Model) -> None:
    readings = [
        reading
        for case in cases.cases(model.name)
        if case.error is None
        for reading in model.decode(case.frame, case.known)
    ]
    sent = {(reading.channel, reading.mode) for reading in readings if isinstance(reading, Total | Delta | Event)}
    widths: dict[tuple[str, str | None], int] = {}
    for total in (reading for reading in readings if isinstance(reading, Total)):
        widths[total.channel, total.mode] = max(total.bits, widths.get((total.channel, total.mode), 0))
    declared = {(channel.name, channel.mode) for channel in model.channels}
    assert sent == (declared if model.signal is None else set())
    assert widths == {
        (channel.name, channel.mode): channel.bits for channel in model.channels if channel.bits is not None
    }
    if model.kind is Kind.PARKING:
        assert any(isinstance(reading, Presence) for reading in readings)


@every_model
@given(data=st.data())
def test_any_bytes_give_possible_readings_or_one_decode_error(model: Model, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases.cases(model.name)), label="case")
    ports = st.sampled_from([case.port, *model.ports]) | st.none() | st.integers(1, 255)
    frame = Frame(
        device=case.frame.device,
        payload=data.draw(st.binary(max_size=MAX_PAYLOAD) | damaged(case.frame.payload), label="payload"),
        port=data.draw(ports, label="port"),
    )
    try:
        readings = model.decode(frame, case.known)
    except DecodeError as error:
        _check_error(error, model, frame)
        return
    for reading in readings:
        _check_possible(reading)


@st.composite
def damaged(draw: st.DrawFn, payload: bytes) -> bytes:
    """A real payload, cut, patched and lengthened."""
    kept = payload[: draw(st.integers(0, len(payload)))] if draw(st.booleans()) else payload
    place = draw(st.integers(0, len(kept)))
    patch = draw(st.binary(max_size=4))
    return kept[:place] + patch + kept[place + len(patch) * draw(st.booleans()) :] + draw(st.binary(max_size=3))


def _check_error(error: DecodeError, model: Model, frame: Frame) -> None:
    assert error.offset is None or 0 <= error.offset <= len(frame.payload)
    assert (error.model, error.port) == (model.name, frame.port)
    assert error.reason


def _check_possible(reading: AnyReading) -> None:
    if reading.at is not None:
        offset = reading.at.utcoffset()
        assert offset is not None
        assert not offset
    if isinstance(reading, Total | Delta):
        _check_counts(reading)
    if isinstance(reading, Health):
        _check_health(reading)


def _check_counts(reading: Total | Delta) -> None:
    limit = 2**reading.bits if isinstance(reading, Total) else 2**32
    assert all(0 <= count < limit for count in (reading.in_, reading.out) if count is not None)


def _check_health(health: Health) -> None:
    assert health.temperature_c is None or -60 <= health.temperature_c <= 125
    assert health.battery_pct is None or 0 <= health.battery_pct <= 100
    assert health.battery_v is None or 0 <= health.battery_v <= 50
