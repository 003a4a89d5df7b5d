"""After a restart of the API the present is rebuilt from broker and store, and nothing old is ever shown as fresh."""

from pathlib import Path

from tests.broker import Mosquitto
from tests.large_town import PER_ZONE, YOUNG_PER_ZONE, ZoneNow, is_whole, leave_behind, restarted, zones
from tests.town import until

PATIENCE_S = 60.0


def test_five_thousand_spaces_come_back_and_none_older_than_its_trust_allows_ever_looks_fresh(
    own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    leave_behind(own_mosquitto, tmp_path)

    told: list[list[ZoneNow]] = []

    with restarted(own_mosquitto, tmp_path) as client:

        def whole() -> bool:
            told.append(zones(client))
            return is_whole(told[-1])

        until(whole, PATIENCE_S)

    assert all(zone.known <= YOUNG_PER_ZONE for answer in told for zone in answer)
    assert {(zone.known, zone.unknown) for zone in told[-1]} == {(YOUNG_PER_ZONE, PER_ZONE - YOUNG_PER_ZONE)}
