"""A delivery's list: all of it is taken, or every mistake is told with its line and nothing is."""

from datetime import UTC, datetime

import pytest

from cloud_api.provisioning.delivery import Delivery, DeliveryError, read_delivery
from cloud_api.provisioning.fitting import Told
from cloud_api.registry import Device, Gateway, Registry
from edge.messages import Models
from edge.recognition import known_models

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OURS = Device(address="0004a30b00ff0001", model="bosch-tps110", gateway="halles", debounce_s=5)
TOWN = Registry(
    gateways=[Gateway(name="halles", label="Halles", managed=True), Gateway(name="gare", label="Gare")], devices=[OURS]
)
TOLD = Told({"halles": Models(gateway="halles", epoch="0" * 16, version="1.4.0", models=known_models())}, {})
HEADER = "devEUI,model,label,nwk_skey,app_skey,key,gateway"
NWK, APP = "0123456789abcdef" * 2, "fedcba9876543210" * 2


def read(*lines: str, header: str = HEADER) -> Delivery:
    return read_delivery("\n".join((header, *lines)), TOWN, TOLD)


def mistakes(*lines: str, header: str = HEADER) -> list[str]:
    with pytest.raises(DeliveryError) as caught:
        read(*lines, header=header)
    return [str(each) for each in caught.value.mistakes]


def line(number: int) -> str:
    return f"0004A30B00FF{number:04X},bosch-tps110,bay {number},{NWK},{APP},,halles"


def test_a_delivery_becomes_devices_and_keys() -> None:
    delivery = read(line(0x10), line(0x11), "")

    first, second = (each for each in delivery.plan.entries if isinstance(each, Device))
    assert (first.address, first.gateway, first.label) == ("0004a30b00ff0010", "halles", "bay 16")
    assert delivery.keys[second.address].names == ("nwk_skey", "app_skey")


def test_what_was_set_by_hand_of_a_device_that_is_here_already_stays() -> None:
    (device,) = read(line(1)).plan.entries

    assert isinstance(device, Device)
    assert (device.debounce_s, device.label) == (5, "bay 1")


def test_a_french_spreadsheets_semicolons_and_mark_are_read() -> None:
    delivery = read("0004a30b00ff0010;bosch-tps110", header="\ufeffDevEUI;Model")

    assert len(delivery.plan.entries) == 1


def test_a_broken_line_37_is_told_by_its_number_and_nothing_is_taken() -> None:
    lines = [line(number) for number in range(0x10, 0x40)]
    lines[35] = lines[35].replace("FF0033", "FF003")

    assert mistakes(*lines) == [
        "line 37, address: '0004A30B00FF003' is no address of a device; 16 hexadecimal digits, not 15, expected"
    ]


def test_every_mistake_is_told_and_no_key_is_shown() -> None:
    told = mistakes(
        line(0x10),
        line(0x10),
        "0004a30b00ff0011,bosch-tps111,,,,,halles",
        f"0004a30b00ff0012,bosch-tps110,,{NWK[:-1]},{APP},,halles",
        f"0004a30b00ff0013,bosch-tps110,,{NWK},,,halles",
        "0004a30b00ff0014,bosch-tps110,,,,,hales",
        "0004a30b00ff0001,bosch-tps110,,,,,gare",
        "0004a30b00ff0015,,,,,,halles",
        "0004a30b00ff0016,bosch-tps110",
    )

    assert told == [
        "line 3, address: 0004a30b00ff0010 is in line 2 already",
        "line 4, model: gateway halles (1.4.0) knows no model bosch-tps111; choose another, or upgrade the gateway;"
        " bosch-tps110 may be meant",
        "line 5, nwk_skey: 32 hexadecimal digits expected, got 31 characters",
        "line 6, app_skey: missing; nwk_skey and app_skey belong together",
        "line 7, gateway: there is no gateway hales; `passerelle gateway list` names them all; halles may be meant",
        "line 8, gateway: 0004a30b00ff0001 belongs to gateway halles; hand it over, or take it from there first",
        "line 9, model: a model expected, as `passerelle devices list` names them",
        "line 10, columns: 7 cells expected, got 2",
    ]
    assert not any(NWK[:20] in each or APP[:20] in each for each in told)


def test_columns_that_nobody_knows_or_that_are_missing_are_told() -> None:
    assert mistakes(header="devEUI,modell,label") == [
        "line 1, modell: no such column; address, model, label, gateway, link, nwk_skey, app_skey, key expected;"
        " model may be meant",
        "line 1, model: this column is missing",
    ]
    assert mistakes(header="devEUI,address,model")[0] == "line 1, address: this column is there twice"
    assert len(mistakes(header="")) == 2
