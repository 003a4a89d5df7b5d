"""What wants attention in a town, in which order, and that nothing does while all is well."""

import asyncio
import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from cloud_api.app import create_app
from cloud_api.concerns import Verdict, What
from cloud_api.kept import Lost
from cloud_api.pulse import Pulse
from cloud_api.routes.status import EXAMPLE
from cloud_api.sensor_glance import SensorKind, SensorsGlance
from cloud_api.settings import Broker, Settings
from cloud_api.status_command import line_of
from cloud_api.stores import open_store
from cloud_api.town_status import StatusNow, TownStatus, status_of
from cloud_api.trust import Trust
from tests.town import NOW, REGISTRY, Clock, kept

WELL = EXAMPLE.glance
GATEWAY = WELL.gateways[0]
KEPT = replace(EXAMPLE.kept, quarantined=0)
DAY = timedelta(days=1)


def lines(told: TownStatus) -> list[str]:
    return [line_of(each, told.glance) for each in told.attention]


def test_nothing_wants_attention_while_all_is_well() -> None:
    told = status_of("Nantes", replace(WELL, sensors=replace(WELL.sensors, doubtful=(), doubted=0)), KEPT)

    assert (told.attention, told.verdict) == ((), Verdict.WELL)


def test_sensors_for_the_technicians_round_are_no_alarm() -> None:
    told = status_of("Nantes", WELL, KEPT)

    assert (told.attention, told.verdict) == ((), Verdict.ROUND)


def test_each_thing_that_is_wrong_is_one_line_and_the_store_comes_before_a_link() -> None:
    wrong = replace(
        WELL,
        gateways=(
            replace(GATEWAY, links_down=("ble",), queued=5000, disk_free_bytes=1_000_000_000),
            replace(GATEWAY, name="gw-mute", told_at=WELL.at - timedelta(hours=3), clock_ahead_s=-400.0),
            replace(GATEWAY, name="gw-lost", label="gw-lost", online=False, told_at=None, clock=None),
            replace(GATEWAY, name="gw-gone", online=False, told_at=WELL.at - 3 * DAY),
            replace(GATEWAY, name="gw-new", clock="not synchronised"),
            replace(GATEWAY, name="gw-flood", held_off_until=WELL.at + timedelta(minutes=9)),
        ),
        sensors=replace(
            WELL.sensors,
            tallies=(
                SensorsGlance(kind=SensorKind.SPACE, trust=Trust.FRESH, sensors=7),
                SensorsGlance(kind=SensorKind.SPACE, trust=Trust.FROZEN, sensors=3),
            ),
        ),
        disks=(replace(WELL.disks[0], free_bytes=1_000_000_000),),
        ingest=replace(WELL.ingest, flooding=("gw-mad",)),
        connections=(replace(WELL.connections[0], problem="the broker cannot be reached"),),
        certificates=(replace(WELL.certificates[0], ends_at=WELL.at + 3 * DAY),),
    )
    kept = replace(
        KEPT,
        quarantined=4,
        store_problem="locked",
        lost=(Lost(gateway="gw-halles", passages=12, until=WELL.at - timedelta(hours=2)),),
        backup=None,
        gateway_certificates={"gw-gone": WELL.at + 89 * DAY, "gw-halles": WELL.at + 91 * DAY},
    )
    told = status_of("Nantes", wrong, kept)

    assert told.verdict is Verdict.ACT
    assert lines(told) == [
        "store: locked",
        "broker, connection ingest: the broker cannot be reached",
        "disk of the store: 1.0 GB of 64.0 GB free",
        "gateway gw-halles: passages lost within a day, its outbox being full: 12",
        "quarantine: facts refused by the store that wait: 4",
        "gateway gw-flood: held off the broker, which it floods with messages",
        "gateway gw-mad: floods the server with messages",
        f"certificate broker_ca: its certificate ends on {WELL.at + 3 * DAY:%Y-%m-%d}",
        f"gateway Les halles (gw-gone): its certificate ends on {WELL.at + 89 * DAY:%Y-%m-%d}",
        "gateway Les halles (gw-gone): off line, for 3 days",
        "gateway gw-lost: off line, never heard here",
        "gateway Les halles (gw-mute): on line, and says nothing, for 3 h",
        "gateway Les halles (gw-halles): 5000 messages wait in its outbox",
        "gateway Les halles (gw-mute): its clock is 6 min behind",
        "gateway Les halles (gw-new): clock: not synchronised",
        "gateway Les halles (gw-halles): disk: 1.0 GB of 31.0 GB free",
        "gateway Les halles (gw-halles): link ble is not up",
        "sensors of spaces: 3 of 10 are stale, frozen or faulty",
        "backup: none was made yet",
    ]
    assert {each.what for each in told.attention} == set(What)


def test_a_backup_of_three_days_ago_wants_another_and_last_nights_does_not() -> None:
    assert KEPT.backup is not None
    old = replace(KEPT, backup=replace(KEPT.backup, at=WELL.at - 3 * DAY))

    assert lines(status_of("Nantes", WELL, old)) == ["backup: the last one is old, for 3 days"]
    assert status_of("Nantes", WELL, old).verdict is Verdict.LOOK


def test_the_pulse_tells_the_last_five_whole_minutes_and_keeps_no_more() -> None:
    pulse = Pulse()
    for minute in range(90):
        pulse.beat(10, WELL.at.replace(minute=0) + timedelta(minutes=minute))
    pulse.beat(0, WELL.at + DAY)
    last = WELL.at.replace(minute=0) + timedelta(minutes=89)
    told = pulse.glance(last + timedelta(minutes=3), worker="1", refused_messages={}, refused_facts=0)

    assert (told.last_commit_at, told.facts_per_minute, told.flooding) == (last, 6.0, ())


def test_a_gateway_floods_from_twenty_messages_a_second_on_that_are_let_go() -> None:
    pulse = Pulse()
    for second in range(300):
        at = WELL.at.replace(minute=0) + timedelta(seconds=second)
        for gateway, messages in (("gw-mad", 21), ("gw-slip", 19)):
            for _ in range(messages):
                pulse.let_go(gateway, at)

    def flooding(minutes: int) -> tuple[str, ...]:
        now = WELL.at.replace(minute=0) + timedelta(minutes=minutes)
        return pulse.glance(now, worker="1", refused_messages={}, refused_facts=0).flooding

    assert (flooding(5), flooding(6)) == (("gw-mad",), ())


def test_however_many_ask_the_town_is_looked_at_once_a_second(tmp_path: Path) -> None:
    clock, monotonic = Clock(), [0.0]
    settings = Settings(broker=Broker(), ledger=tmp_path / "ledger.db")
    with closing(kept(REGISTRY, tmp_path)) as registry, closing(open_store(f"sqlite:///{tmp_path}/h.db")) as store:
        services = create_app(settings, store=store, registry=registry, clock=clock).services
        status = StatusNow(
            services.watch, store=store, ledger=services.ledger, registry=registry, monotonic=lambda: monotonic[0]
        )

        async def ask() -> list[TownStatus]:
            first = await asyncio.gather(status.look(), status.look())
            clock.now = NOW + DAY
            monotonic[0] += 0.9
            early = await status.look()
            monotonic[0] += 0.2
            return [*first, early, await status.look()]

        told = asyncio.run(ask())
        services.ledger.close()

    assert [each.glance.at for each in told] == [NOW, NOW, NOW, NOW + DAY]
    assert told[0] is told[1] is told[2]


def test_every_kind_of_trouble_and_every_alert_has_its_section() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    rules = (Path(__file__).parents[2] / "deploy" / "monitoring" / "passerelle-alerts.yml").read_text(encoding="utf-8")
    sections = re.findall(r"^### (\S+)$", page, re.MULTILINE)

    assert sections == list(What)
    for alert in re.findall(r"- alert: (\w+)", rules):
        assert f"`{alert}`" in page, alert
