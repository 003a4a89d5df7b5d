"""What a device in a box may be, by what it sends and what its network server calls it."""

import msgspec
import pytest

from edge.drivers.devices import catalogue
from edge.drivers.model import LinkKind
from edge.messages import MAX_MESSAGE_BYTES, Epoch, GatewayName, Models, encode
from edge.readings import DeviceAddress, Frame
from edge.recognition import is_named, known_models, recognise
from tests.contract.cases import FOLDER, Case

LORAWAN = [model.name for model in catalogue().values() if LinkKind.LORAWAN in model.links]
ALIKE = {
    "milesight-vs132": {"milesight-vs133", "milesight-vs135"},
    "milesight-vs133": {"milesight-vs135"},
    "milesight-vs135": {"milesight-vs133"},
    "bosch-tps110": {"nwave-nps310", "nwave-nps405"},
}
"""What no frame of the cases tells apart."""


def frames_of(model: str) -> list[Frame]:
    cases = msgspec.json.decode((FOLDER / f"{model}.json").read_bytes(), type=list[Case])
    return [each.frame for each in cases if each.readings is not None and each.port is not None]


@pytest.mark.parametrize("model", LORAWAN)
def test_a_sensor_in_its_box_is_recognised_by_what_it_sends(model: str) -> None:
    thought: tuple[str, ...] = ()
    for frame in frames_of(model):
        thought = recognise(frame, thought)

    assert model in thought
    assert set(thought) - {model} <= ALIKE.get(model, set())


def test_the_network_servers_word_decides_between_those_that_read_a_frame() -> None:
    frame = Frame(
        device=DeviceAddress("a1"), payload=bytes.fromhex("01"), port=1, hint="Bosch TPS-110 (EU868) place 12"
    )

    assert recognise(frame)[0] == "bosch-tps110"
    assert is_named(catalogue()["milesight-vs133"], "milesight VS133")
    assert not is_named(catalogue()["milesight-vs133"], "milesight")
    assert not is_named(catalogue()["milesight-vs133"], None)


def test_a_frame_that_no_known_model_reads_is_nobodys() -> None:
    assert recognise(Frame(device=DeviceAddress("a1"), payload=b"\xff" * 51, port=222)) == ()


def test_one_odd_frame_does_not_undo_what_was_thought() -> None:
    frame = Frame(device=DeviceAddress("a1"), payload=b"\xff" * 51, port=222)

    assert recognise(frame, ("bosch-tps110",)) == ("bosch-tps110",)


def test_all_models_fit_into_one_message() -> None:
    models = Models(gateway=GatewayName("mairie"), epoch=Epoch("0" * 16), version="1.0", models=known_models())

    assert len(encode(models)) < MAX_MESSAGE_BYTES / 4
    assert len(models.models) == len(catalogue())
