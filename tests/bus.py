"""A private message bus for tests: a real `dbus-daemon`, taken for the system bus while the test runs."""

from collections.abc import Iterator

import pytest

from firmware_sim.links.bluez import PrivateBus, start_private_bus


@pytest.fixture
def bus(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    """A bus of one test's own. Without `dbus-daemon` the test fails: BLE must not go untested in silence."""
    private = start_private_bus(tmp_path_factory.mktemp("bus"))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", private.address)
    yield private
    private.stop()
