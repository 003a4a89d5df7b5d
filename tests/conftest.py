"""What tests of every room may ask for: a real broker. The slow ones come first, so that all workers end together."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import wheels
from tests.broker import Mosquitto, running_mosquitto

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, dealt out so that each worker's share holds as many."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    middle = len(quick) // 2
    items[:] = [*slow[::2], *quick[:middle], *slow[1::2], *quick[middle:]]


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


@pytest.fixture(scope="session")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A USB stick: a folder with this tree's wheel and those of what the gateway needs."""
    folder = tmp_path_factory.mktemp("stick")
    wheels.build(folder)
    return folder
