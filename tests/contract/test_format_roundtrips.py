"""What we write in each tongue, our own reader of that tongue reads as it was meant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given

from cloud_api.counts import Counts
from cloud_api.feeds import datex2 as datex2_reader
from cloud_api.feeds import ngsi as ngsi_reader
from cloud_api.feeds import opendatasoft
from cloud_api.feeds import parkapi_v1 as parkapi_v1_reader
from cloud_api.feeds.lots import Lot, LotState, Reader
from cloud_api.formats import datex2, ngsi_ld, parkapi_v1, parking_records
from cloud_api.formats.picture import Picture, ZoneNow
from cloud_api.trust import Trust
from tests.pictures import pictures


@dataclass(frozen=True, slots=True)
class Tongue:
    """A writer and the reader of the same."""

    write: Callable[[Picture], bytes]
    read: Reader
    one_time: bool = False
    """It tells one time for all zones."""
    for_everybody: bool = False
    """Its figures are without the spaces that are kept for some."""

    def counts(self, zone: ZoneNow) -> Counts:
        return zone.public if self.for_everybody else zone.now

    def time(self, picture: Picture, zone: ZoneNow) -> datetime | None:
        return picture.newest_at if self.one_time else zone.now.measured_at


def ngsi_in_full(picture: Picture) -> bytes:
    return ngsi_ld.write([ngsi_ld.parking(picture.town, zone) for zone in picture.zones])


def ngsi_simplified(picture: Picture) -> bytes:
    return ngsi_ld.write([ngsi_ld.simplified(ngsi_ld.parking(picture.town, zone)) for zone in picture.zones])


TONGUES = {
    "parkapi-v1": Tongue(parkapi_v1.write, parkapi_v1_reader.read, one_time=True, for_everybody=True),
    "ngsi-ld": Tongue(ngsi_in_full, ngsi_reader.read),
    "ngsi-ld simplified": Tongue(ngsi_simplified, ngsi_reader.read),
    "datex2": Tongue(datex2.write_status, datex2_reader.read),
    "lille": Tongue(parking_records.write_json, opendatasoft.reader(opendatasoft.LILLE)),
}


@pytest.mark.parametrize("tongue", TONGUES.values(), ids=TONGUES)
@given(picture=pictures())
def test_free_capacity_and_time_survive_being_written_and_read(tongue: Tongue, picture: Picture) -> None:
    reading = tongue.read(tongue.write(picture))

    lots = {lot.id.rpartition(":")[2]: lot for lot in reading.lots}
    assert reading.refused == ()
    assert lots.keys() == {zone.place.id for zone in picture.zones}
    for zone in picture.zones:
        told, meant = lots[zone.place.id], tongue.counts(zone)
        assert (told.capacity, told.free) == (meant.capacity, meant.free)
        assert_told(told, zone)
        if meant.free is not None:
            assert told.at == tongue.time(picture, zone)


def assert_told(lot: Lot, zone: ZoneNow) -> None:
    assert (lot.state is LotState.CLOSED) == (zone.now.trust is Trust.CLOSED)
    assert lot.name in {None, zone.place.name}
