"""Who is heard and not read: new devices, and those that have an owner already."""

from datetime import UTC, datetime, timedelta

from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.heard import Belongs, HeardView, heard_devices
from cloud_api.registry import Device, Gateway, Registry
from edge.messages import HeardDevice

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TOWN = Registry(
    gateways=[Gateway(name="halles", label="Halles"), Gateway(name="gare", label="Gare")],
    devices=[
        Device(address="read", model="bosch-tps110", gateway="halles"),
        Device(address="stored", model="bosch-tps110"),
        Device(address="retired", model="bosch-tps110", retired=NOW),
    ],
)


def heard(*said: tuple[str, HeardDevice]) -> tuple[HeardView, ...]:
    known = Gateways()
    for gateway, device in said:
        known.remember(gateway, device)
    return heard_devices(TOWN, known.heard, NOW)


def device(
    address: str, *, rssi_dbm: float = -90.0, models: tuple[str, ...] = (), minutes: int = 0, hint: str | None = None
) -> HeardDevice:
    at = NOW - timedelta(minutes=minutes)
    return HeardDevice(device=address, link="lora", at=at, rssi_dbm=rssi_dbm, models=models, hint=hint)


def test_a_device_that_several_gateways_hear_is_one_with_the_best_signal_first() -> None:
    (new,) = heard(("halles", device("new", rssi_dbm=-110)), ("gare", device("new", rssi_dbm=-70, minutes=5)))

    assert [each.gateway for each in new.by] == ["gare", "halles"]
    assert (new.belongs, new.first_at, new.last_at) == (Belongs.NOBODY, NOW - timedelta(minutes=5), NOW)


def test_the_gateway_that_thinks_of_fewest_models_knows_best() -> None:
    both = ("bosch-tps110", "nwave-nps310")
    (new,) = heard(
        ("halles", device("new", models=both, hint="bay 7")), ("gare", device("new", models=both[:1], minutes=1))
    )

    assert (new.models, new.hint) == (("bosch-tps110",), "bay 7")


def test_what_a_gateway_reads_is_not_heard_by_it_and_marked_where_another_hears_it() -> None:
    (other,) = heard(("halles", device("read")), ("gare", device("read")))

    assert (other.belongs, other.gateway) == (Belongs.ELSEWHERE, "halles")
    assert [each.gateway for each in other.by] == ["gare"]


def test_new_ones_come_before_those_with_an_owner_and_who_was_heard_last_before_the_others() -> None:
    found = heard(
        *(("gare", device(address, minutes=minutes)) for address, minutes in (("read", 0), ("old", 9), ("stored", 3))),
        ("gare", device("retired", minutes=4)),
    )

    assert [(each.address, each.belongs) for each in found] == [
        ("stored", Belongs.STORE_ROOM),
        ("retired", Belongs.RETIRED),
        ("old", Belongs.NOBODY),
        ("read", Belongs.ELSEWHERE),
    ]


def test_who_was_not_heard_for_a_day_is_forgotten() -> None:
    assert heard(("gare", device("gone", minutes=24 * 60))) == ()
