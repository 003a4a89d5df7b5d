"""The three files of the Schéma comptage mobilités, against etalab's own schemas."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from frictionless import Resource, Schema
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from cloud_api import examples
from cloud_api.flows import HourlyFlows, LocalHour
from cloud_api.formats import comptage
from cloud_api.registry import Counter, Installation
from cloud_api.trust import Trust
from tests.pictures import HERE, TOWN
from tests.standards import sample

COUNTER = Counter(
    id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie", insee="2A004"
)
MARCH, JUNE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def installation(mode: str = "pedestrian", start: datetime = MARCH, end: datetime | None = None) -> Installation:
    return Installation(
        place=COUNTER.id, device=f"d-{mode}-{start:%m}", channel="line1", mode=mode, start=start, end=end
    )


def hour(in_: int | None, out: int | None, coverage: float = 1.0, trust: Trust = Trust.FRESH) -> LocalHour:
    return structs.replace(examples.HOURLY.hours[0], in_=in_, out=out, coverage=coverage, trust=trust)


def flows(*hours: LocalHour, counter: str = "rue-haute") -> HourlyFlows:
    following = (structs.replace(each, start=each.start + timedelta(hours=n)) for n, each in enumerate(hours))
    return structs.replace(examples.HOURLY, counter=counter, hours=tuple(following))


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def channels(*serving: Installation) -> list[dict[str, str]]:
    return rows(comptage.write_channels(TOWN, [(COUNTER, serving)]))


def counts(*of: HourlyFlows) -> list[str]:
    return [row["count"] for row in rows(comptage.write_measures(of, head=True))]


def assert_fits(body: bytes, name: str) -> None:
    """The file is what etalab's schema of this name wants, its fields in their order."""
    published = sample(f"comptage_{name}_schema.json")
    if published is None:
        return
    schema = Schema.from_descriptor(json.loads(published))
    report = Resource(data=body, format="csv", schema=schema).validate()
    assert report.flatten(["rowNumber", "fieldName", "message"]) == []


known = st.integers(0, 20_000)
hours = st.builds(
    hour, st.none() | known, st.none() | known, st.floats(0, 1), st.sampled_from([Trust.FRESH, Trust.IMPLAUSIBLE])
)


@given(st.lists(hours, max_size=3))
def test_measures_fit_their_schema(of_one: Sequence[LocalHour]) -> None:
    assert_fits(comptage.write_measures([flows(*of_one)], head=True), "measure")


def test_sites_and_channels_fit_their_schemas() -> None:
    served = [(COUNTER, [installation(end=JUNE), installation("bicycle", JUNE)])]

    assert_fits(comptage.write_sites([COUNTER]), "site")
    assert_fits(comptage.write_channels(TOWN, served), "channel")


@pytest.mark.parametrize("name", ["site", "channel", "measure"])
def test_our_schemas_accept_the_published_examples_and_refuse_a_file_without_a_field(name: str) -> None:
    published = sample(f"comptage_{name}_exemple.csv")
    if published is None:
        return

    assert_fits(published, name)
    with pytest.raises(AssertionError):
        assert_fits(published.partition(b",")[2], name)


def test_nobody_is_0_and_what_nobody_measured_is_empty() -> None:
    assert counts(flows(hour(0, 0), hour(None, None, 0.0, Trust.UNKNOWN))) == ["0", "0", "", ""]


@pytest.mark.parametrize(
    "doubtful", [hour(9, 9, coverage=0.89), hour(90_000, 1, trust=Trust.IMPLAUSIBLE)], ids=["in part", "implausible"]
)
def test_a_count_that_would_mislead_is_empty(doubtful: LocalHour) -> None:
    assert counts(flows(doubtful)) == ["", ""]


def test_a_direction_that_is_not_counted_is_empty() -> None:
    assert counts(flows(hour(7, None))) == ["7", ""]


def test_all_channels_of_an_hour_come_before_the_next_hour_in_utc() -> None:
    body = comptage.write_measures(
        [flows(hour(1, 2), hour(3, 4)), flows(hour(5, 6), hour(7, 8), counter="quai")], head=True
    )

    assert [(row["channel_id"], row["start_datetime"], row["count"]) for row in rows(body)] == [
        ("rue-haute-in", "2026-11-21T08:00:00Z", "1"),
        ("rue-haute-out", "2026-11-21T08:00:00Z", "2"),
        ("quai-in", "2026-11-21T08:00:00Z", "5"),
        ("quai-out", "2026-11-21T08:00:00Z", "6"),
        ("rue-haute-in", "2026-11-21T09:00:00Z", "3"),
        ("rue-haute-out", "2026-11-21T09:00:00Z", "4"),
        ("quai-in", "2026-11-21T09:00:00Z", "7"),
        ("quai-out", "2026-11-21T09:00:00Z", "8"),
    ]


def test_pieces_of_a_file_make_one_file() -> None:
    first, second = flows(hour(1, 2)), flows(hour(3, 4))

    pieces = comptage.write_measures([first], head=True) + comptage.write_measures([second], head=False)

    assert [row["count"] for row in rows(pieces)] == ["1", "2", "3", "4"]


def test_each_direction_is_a_channel_in_the_town_s_words() -> None:
    told: list[dict[str, Any]] = list(channels(installation()))

    assert [(row["channel_id"], row["provider_direction_code"], row["provider_direction_name"]) for row in told] == [
        ("rue-haute-in", "IN", "vers la gare"),
        ("rue-haute-out", "OUT", "vers la mairie"),
    ]
    assert {(row["site_id"], row["mobility_type"], row["time_step"]) for row in told} == {
        ("rue-haute", "PEDESTRIAN", "3600")
    }


def test_a_channel_lasts_through_a_change_of_sensors_and_ends_with_the_last() -> None:
    lasting = channels(installation(end=JUNE), installation(start=JUNE))[0]
    ended = channels(installation(end=JUNE))[0]

    assert (lasting["started_at"], lasting["ended_at"]) == ("2026-03-01T00:00:00Z", "")
    assert ended["ended_at"] == "2026-06-01T00:00:00Z"


def test_who_is_counted_is_said_where_the_sensor_says_it() -> None:
    assert channels(installation(""))[0]["mobility_type"] == ""
    assert channels(installation(), installation("bicycle"))[0]["mobility_type"] == "BIKE,PEDESTRIAN"


def test_a_counter_that_nothing_ever_served_has_no_channel() -> None:
    assert channels() == []
