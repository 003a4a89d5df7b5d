"""What tests of every room may ask for: a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Mosquitto, running_mosquitto


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """An anonymous broker on loopback, shared by the session: use client names and gateways of your own."""
    with running_mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """An anonymous broker of this test alone, to be stopped, killed and started at will."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with running_mosquitto(folder) as broker:
        yield broker
