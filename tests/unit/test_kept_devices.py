"""The devices that the cloud wants, kept over a restart: those of the file serve where what was kept cannot be read."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edge.config import GatewayConfig, GatewaySection
from edge.desired import DESIRED
from edge.gateway import Gateway
from edge.messages import Desired, DeviceSettings, Epoch
from edge.outbox import Outbox
from edge.publisher import BrokerConfig
from tests.clocks import ManualClock

OF_THE_FILE = DeviceSettings(address="0004a30b00000001", model="parametric-pcr2")
OF_THE_CLOUD = DeviceSettings(address="0004a30b00000002", model="bosch-tps110")
KEPT = Desired(gateway="mairie", epoch=Epoch("0" * 16), revision=7, devices=(OF_THE_CLOUD,))


@pytest.mark.parametrize(
    ("kept", "device"),
    [
        (None, OF_THE_FILE),
        (msgspec.json.encode(KEPT), OF_THE_CLOUD),
        (b'{"gateway":"mairie","revision":"seven"}', OF_THE_FILE),
        (b"\xff", OF_THE_FILE),
    ],
)
def test_what_was_kept_is_in_force_where_it_can_be_read(
    tmp_path: Path, kept: bytes | None, device: DeviceSettings
) -> None:
    if kept is not None:
        with closing(Outbox(tmp_path / "outbox.db", "mairie")) as outbox:
            outbox.remember(DESIRED, kept)
    section = GatewaySection(name="mairie", data=tmp_path)
    config = GatewayConfig(gateway=section, broker=BrokerConfig(host="localhost"), device=(OF_THE_FILE,))
    gateway = Gateway(config, ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))
    assert gateway.intake.devices == (device.address,)
