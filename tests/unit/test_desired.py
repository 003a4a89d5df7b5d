"""What gateways are told and what is made of their answers: one owner a device, every difference with its reason."""

from datetime import UTC, datetime, timedelta

from cloud_api.provisioning.desired import desired_devices, holders_of
from cloud_api.provisioning.gateways import MOST_GATEWAYS, MOST_HEARD, By, Gateways
from cloud_api.provisioning.standing import DeviceStanding, Standing, device_standing, gateway_standing
from cloud_api.registry import Device, Gateway, Registry
from cloud_api.registry.radio_keys import RadioKeys
from edge.messages import Desired, Heard, HeardDevice, RefusedSetting, Reported, Status

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
EPOCH = "0" * 16
HALLES, GARE = Gateway(name="halles", label="Les halles", managed=True), Gateway(name="gare", label="Gare")
BAY = Device(address="0004a30b00ff0001", model="bosch-tps110", gateway="halles", invert_presence=True)
LINE = Device(address="0004a30b00ff0002", model="parametric-pcr2", gateway="gare", options={"mode": "x"})
TOWN = Registry(gateways=[HALLES, GARE], devices=[LINE, BAY])
KEYS = {BAY.address: RadioKeys(nwk_skey="a" * 32, app_skey="b" * 32)}


def reported(gateway: str, *devices: str, revision: int = 1, refused: tuple[RefusedSetting, ...] = ()) -> Reported:
    return Reported(gateway=gateway, epoch=EPOCH, revision=revision, devices=devices, refused=refused)


def told(*messages: Status | Desired | Reported) -> Gateways:
    known = Gateways()
    for message in messages:
        known.take(message)
    return known


def test_a_gateway_is_told_its_own_devices_with_their_keys_and_nobody_elses() -> None:
    (device,) = desired_devices(TOWN, KEYS, {}, "halles")

    assert device.address == BAY.address
    assert device.invert_presence
    assert device.nwk_skey == "a" * 32


def test_a_device_that_moved_is_told_to_its_new_gateway_once_the_old_one_has_let_go() -> None:
    still_there = {"gare": reported("gare", BAY.address)}
    gone = {"gare": reported("gare")}

    assert desired_devices(TOWN, {}, holders_of(TOWN, still_there), "halles") == ()
    assert len(desired_devices(TOWN, {}, holders_of(TOWN, gone), "halles")) == 1


def test_a_gateway_that_left_the_registry_holds_nothing() -> None:
    assert holders_of(TOWN, {"thrown-away": reported("thrown-away", BAY.address)}) == {}


def test_the_owner_of_a_device_does_not_hold_it_from_itself() -> None:
    assert holders_of(TOWN, {"halles": reported("halles", BAY.address)}) == {}


def test_a_device_stands_as_its_gateway_answered() -> None:
    desired = Desired(gateway="halles", epoch=EPOCH, revision=5, devices=())
    online = Status(gateway="halles", epoch=EPOCH, online=True, at=NOW)
    why = RefusedSetting(where=BAY.address, reason="unknown model")

    def standing(*answers: Status | Desired | Reported, device: Device = BAY) -> DeviceStanding:
        known = told(*answers)
        holders = holders_of(TOWN, known.reported)
        return device_standing(device, TOWN.gateways.get(device.gateway or ""), known, holders)

    assert standing(desired).reason == "gateway halles has never been on line"
    assert standing(desired, online, reported("halles", revision=4)).standing is Standing.WAITING
    assert standing(desired, online, reported("halles", BAY.address, revision=5)).standing is Standing.APPLIED
    assert standing(desired, reported("halles", revision=5, refused=(why,))).reason == "unknown model"
    assert standing(desired, reported("gare", BAY.address)).standing is Standing.HELD
    assert standing(device=LINE).standing is Standing.UNMANAGED
    assert standing(device=Device(address="x", model="y")).standing is Standing.NONE


def test_a_gateway_is_settled_when_it_has_in_force_what_it_is_told() -> None:
    desired = Desired(gateway="halles", epoch=EPOCH, revision=5, devices=())

    assert not gateway_standing(HALLES, told(desired)).settled
    assert gateway_standing(HALLES, told(desired, reported("halles", revision=5))).settled
    assert gateway_standing(GARE, told()).settled


def test_who_was_heard_is_kept_with_the_newest_word_and_all_frames() -> None:
    known = Gateways()
    for at, rssi, frames in ((NOW, -80.0, 2), (NOW - timedelta(minutes=1), -60.0, 1)):
        device = HeardDevice(device="a1", link="lora", at=at, rssi_dbm=rssi, frames=frames)
        known.take(Heard(gateway="halles", epoch=EPOCH, devices=(device,)))

    sighting = known.heard[By("a1", "halles")]
    assert sighting.frames == 3
    assert sighting.device.rssi_dbm == -80.0


def test_what_comes_from_the_broker_takes_bounded_memory() -> None:
    known = Gateways()
    for number in range(MOST_HEARD + 1):
        known.remember("halles", HeardDevice(device=f"a{number}", link="lora", at=NOW))
    for number in range(MOST_GATEWAYS + 1):
        known.take(reported(f"gw-{number}"))

    assert len(known.heard) == MOST_HEARD
    assert By("a0", "halles") not in known.heard
    assert len(known.reported) == MOST_GATEWAYS
