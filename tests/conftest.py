"""What tests of every room may ask for: a real broker. The slow ones come first, so that all workers end together."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings

from tests import wheels
from tests.broker import Mosquitto, running_mosquitto

settings.register_profile("quick", deadline=None, max_examples=40)
settings.register_profile("deep", deadline=None, max_examples=2000)
settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, dealt out so that each worker's share holds as many; the other tests stay in their order."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ends = [len(quick) * number // workers for number in range(workers + 1)]
    items[:] = [
        item
        for number, (begin, end) in enumerate(pairwise(ends))
        for item in (*slow[number::workers], *quick[begin:end])
    ]


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
