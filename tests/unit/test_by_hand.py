"""Sensors moved by hand: what somebody lets happen is what the gateway makes of their frames, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer

from edge.aggregator.tracking import Tracks, follow
from edge.drivers.devices import catalogue
from edge.readings import DeviceAddress, Frame, Knowledge, Range, Track
from firmware_sim.by_hand import SCENES, Passages, Scene
from firmware_sim.by_hand_command import simulate

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
BAYS = [model for model in SCENES if model.startswith("benewake")]


def frames(scene: Scene, begin: datetime, seconds: int) -> list[tuple[datetime, bytes]]:
    moments = [begin + number * scene.every for number in range(int(timedelta(seconds=seconds) / scene.every))]
    return [(moment, scene.frame(moment)) for moment in moments]


def frame(model: str, payload: bytes) -> Frame:
    return Frame(device=DeviceAddress(model), payload=payload, heard_ms=0)


def distances(model: str, scene: Scene, begin: datetime) -> list[int]:
    readings = [catalogue()[model].decode(frame(model, payload), Knowledge()) for _, payload in frames(scene, begin, 5)]
    return [reading.mm for all_ in readings for reading in all_ if isinstance(reading, Range)]


def passages(scene: Scene, begin: datetime, seconds: int) -> list[str]:
    tracks, found = Tracks(), list[str]()
    for number, (_, payload) in enumerate(frames(scene, begin, seconds)):
        targets = [
            (reading.x_mm, reading.y_mm)
            for reading in catalogue()["hlk-ld2450"].decode(frame("hlk-ld2450", payload), Knowledge())
            if isinstance(reading, Track)
        ]
        tracks, more = follow(tracks, np.array(targets, dtype=np.float64).reshape(-1, 2), number * 100)
        found += more
    return found


@pytest.mark.parametrize("model", BAYS)
def test_a_car_comes_and_goes_under_the_lidar(model: str) -> None:
    scene = SCENES[model]()
    empty = distances(model, scene, NOON)
    assert scene.happen(NOON) == "a car has come: occupied"
    taken = distances(model, scene, NOON)
    assert scene.happen(NOON) == "the car has gone: free"

    assert len(empty) == len(taken) == 50
    assert max(taken) < 1_300 < 2_500 < min(empty)
    assert min(distances(model, scene, NOON)) > 2_500


def test_who_walks_by_is_counted_once_in_and_once_out() -> None:
    scene = Passages()
    assert scene.happen(NOON) == "somebody walks in: 1 in, 0 out"
    assert scene.happen(NOON + timedelta(milliseconds=300)) == "somebody walks out: 1 in, 1 out"

    assert sorted(passages(scene, NOON, 12)) == ["in", "out"]
    assert passages(scene, NOON + timedelta(seconds=12), 12) == []


def test_a_model_that_cannot_be_moved_is_refused_with_those_that_can(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        simulate("bosch-tps110", Path("bay"))

    assert ended.value.exit_code == 2
    assert "MODEL 'bosch-tps110': one of benewake-tf-luna" in capsys.readouterr().err


def test_a_file_is_never_replaced_by_a_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bay").write_text("a letter")
    with pytest.raises(typer.Exit) as ended:
        simulate("hlk-ld2450", tmp_path / "bay")

    assert ended.value.exit_code == 2
    assert "there is a file of that name" in capsys.readouterr().err
    assert (tmp_path / "bay").read_text() == "a letter"
