"""Sensors moved by hand: what somebody lets happen is what the gateway makes of their frames, and nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.aggregator.tracking import Tracks, follow
from edge.drivers.devices import catalogue
from edge.readings import DeviceAddress, Frame, Knowledge, Range, Track
from firmware_sim.by_hand import SCENES, Passages, Scene
from firmware_sim.by_hand_command import simulate
from firmware_sim.radar import FRAME_MS

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


def passages(shown: Sequence[bytes]) -> list[str]:
    tracks, found = Tracks(), list[str]()
    for number, payload in enumerate(shown):
        targets = [
            (reading.x_mm, reading.y_mm)
            for reading in catalogue()["hlk-ld2450"].decode(frame("hlk-ld2450", payload), Knowledge())
            if isinstance(reading, Track)
        ]
        tracks, more = follow(tracks, np.array(targets, dtype=np.float64).reshape(-1, 2), number * FRAME_MS)
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


@settings(max_examples=25)
@given(pressed_ms=st.lists(st.integers(0, 8_000), min_size=1, max_size=5).map(sorted))
@example(pressed_ms=[0, 0])
@example(pressed_ms=[0, 0, 1])
def test_whoever_walks_by_is_counted_once_however_quickly_enter_is_pressed(pressed_ms: list[int]) -> None:
    scene, told = Passages(), ""
    shown = []
    for at_ms in range(0, pressed_ms[-1] + 15_000, FRAME_MS):
        for each in (each for each in pressed_ms if at_ms - FRAME_MS < each <= at_ms):
            told = scene.happen(NOON + timedelta(milliseconds=each))
        shown.append(scene.frame(NOON + timedelta(milliseconds=at_ms)))

    found = passages(shown)
    assert told.endswith(f": {found.count('in')} in, {found.count('out')} out")
    assert len(found) == len(pressed_ms)


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
