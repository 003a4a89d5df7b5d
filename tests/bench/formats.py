"""How long it takes to write a town in each tongue, beside its zones as our own API encodes them."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
from msgspec import structs

from cloud_api import examples
from cloud_api.flows import HourlyFlows
from cloud_api.formats import comptage, datex2, geojson, ngsi_ld, parkapi_v1, parking_records
from cloud_api.formats.picture import Picture
from tests.bench.table import Row, rate
from tests.pictures import picture, shared, zone

ZONES, SPACES, TIMES = 60, 33, 20
COUNTERS, HOURS = 100, 168
MILLI = 1_000
TOWN = picture(*(shared(zone(f"zone-{number}", 12, SPACES - 12), pmr=2, ev=1) for number in range(ZONES)))

WRITERS: dict[str, Callable[[Picture], bytes]] = {
    "ParkAPI v1": parkapi_v1.write,
    "NGSI-LD": lambda town: ngsi_ld.write([ngsi_ld.parking(town.town, each) for each in town.zones]),
    "DATEX II, status": datex2.write_status,
    "DATEX II, table": datex2.write_table,
    "GeoJSON": geojson.write,
    "flat records, JSON": parking_records.write_json,
    "flat records, CSV": parking_records.write_csv,
}


def rows() -> Iterator[Row]:
    """The figures of this file."""
    bare = MILLI / rate(_writing(_own))
    for name, write in WRITERS.items():
        what = f"{name}: {ZONES} zones, {len(write(TOWN)) / 1_000:.0f} kB"
        yield Row(what, MILLI / rate(_writing(write)), "ms", bare, "the zones as msgspec encodes them")
    yield Row(f"comptage measures: {COUNTERS} counters, {HOURS} hours", rate(_measures()), "lines/s")


def _own(town: Picture) -> bytes:
    return msgspec.json.encode([each.now for each in town.zones])


def _writing(write: Callable[[Picture], bytes]) -> Callable[[], int]:
    def work() -> int:
        for _ in range(TIMES):
            write(TOWN)
        return TIMES

    return work


def _measures() -> Callable[[], int]:
    first = examples.HOURLY.hours[0]
    hours = tuple(structs.replace(first, start=first.start + timedelta(hours=number)) for number in range(HOURS))
    flows: list[HourlyFlows] = [
        structs.replace(examples.HOURLY, counter=f"counter-{number}", hours=hours) for number in range(COUNTERS)
    ]
    return lambda: comptage.write_measures(flows, head=True).count(b"\n")
