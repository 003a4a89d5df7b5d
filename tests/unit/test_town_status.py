"""What wants attention in a town, and that nothing does while all is well."""

from datetime import timedelta

from msgspec.structs import replace

from cloud_api.glance import SensorKind, SensorsGlance
from cloud_api.routes.status import EXAMPLE
from cloud_api.town_status import status_of
from cloud_api.trust import Trust

WELL = EXAMPLE.glance
GATEWAY = WELL.gateways[0]


def test_nothing_wants_attention_while_all_is_well() -> None:
    assert status_of("Nantes", WELL, 0, None).attention == ()


def test_each_thing_that_is_wrong_is_one_line_and_the_store_comes_before_a_link() -> None:
    wrong = replace(
        WELL,
        gateways=(
            replace(GATEWAY, links_down=("ble",), queued=5000),
            replace(GATEWAY, name="gw-mute", told_at=WELL.at - timedelta(hours=3)),
            replace(GATEWAY, name="gw-gone", online=False, told_at=WELL.at - timedelta(days=3)),
        ),
        sensors=(
            SensorsGlance(kind=SensorKind.SPACE, trust=Trust.FRESH, sensors=7),
            SensorsGlance(kind=SensorKind.SPACE, trust=Trust.FROZEN, sensors=3),
        ),
        disks=(replace(WELL.disks[0], free_bytes=1_000_000_000),),
        connections=(replace(WELL.connections[0], problem="the broker cannot be reached"),),
        certificates=(replace(WELL.certificates[0], ends_at=WELL.at + timedelta(days=3)),),
    )

    assert status_of("Nantes", wrong, 4, "locked").attention == (
        "broker, connection ingest: the broker cannot be reached",
        "disk of the store: 1.0 GB of 64.0 GB free",
        f"certificate broker_ca: ends on {WELL.at + timedelta(days=3):%Y-%m-%d}",
        "store: locked",
        "quarantine: 4 facts refused by the store wait (passerelle quarantine list)",
        "gateway gw-halles: 5000 messages wait in its outbox",
        "gateway gw-halles: link ble is not up",
        "gateway gw-mute: on line, and has said nothing of itself for 3 h",
        "gateway gw-gone: off line, last heard 3 days ago",
        "sensors: 3 of 10 of kind space are stale, frozen or faulty (GET /v1/visits)",
    )
