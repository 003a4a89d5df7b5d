"""What the registry's store promises, on SQLite and on a real PostgreSQL server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from cloud_api.registry import Closure, Counter, Device, Gateway, Installation, Position, Registry, Space, Zone
from cloud_api.registry.acceptances import SignedRecord
from cloud_api.registry.database import parse_registry_url
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.kinds import key_of, kind_of
from cloud_api.registry.office_events import INSTANT, EditedMeanwhileError
from cloud_api.registry.places import Entry
from cloud_api.registry.refusals import ChangedMeanwhileError, RefusedChangeError
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.settings import ConfigError
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HERE = Position(lat=47.2137, lon=-1.5562)
MARKET = Zone(id="marche", name="Place du Marché", position=HERE)
SPACE = Space(id="m1", zone="marche")
COUNTER = Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")
WORKS = Closure(id="works-1", place="m1", start=NOW, end=NOW + HOUR, reason="travaux")
TOWN: list[Entry] = [
    MARKET,
    SPACE,
    COUNTER,
    Gateway(name="halles", label="Les halles"),
    Device(address="0004a30b00ff0001", model="bosch-tps110", gateway="halles"),
    Installation(place="m1", device="0004a30b00ff0001", channel="1", start=NOW - HOUR, end=NOW + HOUR),
    WORKS,
]


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a registry that nobody has used."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.new_database())


@pytest.fixture
def store(address: str) -> Iterator[RegistryStore]:
    with closing(open_registry(address)) as opened:
        yield opened


def told(store: RegistryStore) -> RegistryStore:
    store.merge(TOWN, by="test", at=NOW)
    return store


def all_of(registry: Registry) -> set[tuple[str, str]]:
    return {(kind_of(each), key_of(each)) for each in registry.entries}


def test_a_new_registry_is_empty(store: RegistryStore) -> None:
    assert store.revision() == 0
    assert not all_of(store.snapshot())
    assert store.trail() == []


def test_what_was_put_in_comes_out_the_same(store: RegistryStore) -> None:
    told(store)

    assert all_of(store.snapshot()) == {(kind_of(each), key_of(each)) for each in TOWN}
    for each in TOWN:
        found = store.find(type(each), key_of(each))
        assert found is not None
        assert found.entry == each
        assert found.version == 1


def test_what_was_put_in_is_there_after_a_restart(store: RegistryStore, address: str) -> None:
    told(store).close()

    with closing(open_registry(address)) as again:
        assert all_of(again.snapshot()) == {(kind_of(each), key_of(each)) for each in TOWN}


def test_who_has_a_very_long_name_changes_something_all_the_same(store: RegistryStore) -> None:
    store.add(MARKET, by="key 9f3a6b01 (" + "x" * 200 + ")", at=NOW)

    assert store.trail()[0].who == "key 9f3a6b01 (" + "x" * 186


def test_places_keep_the_order_in_which_they_came(store: RegistryStore) -> None:
    names = ["place-z", "place-a", "place-m"]
    store.merge([replace(MARKET, id=name) for name in names], by="test", at=NOW)
    store.merge([replace(MARKET, id="place-z", name="Autre")], by="test", at=NOW)

    assert list(store.snapshot().zones) == names


def test_a_merge_adds_what_is_new_changes_what_differs_and_leaves_the_rest(store: RegistryStore) -> None:
    told(store)
    other = replace(COUNTER, name="Rue Basse")

    merged = store.merge([MARKET, other, replace(SPACE, id="m2")], by="test", at=NOW)

    assert (merged.added, merged.changed, merged.same) == (("space m2",), ("counter rue-haute",), 1)
    assert len(store.snapshot().closures) == 1


def test_a_merge_removes_what_is_gone_and_leaves_it_in_the_trail(store: RegistryStore) -> None:
    told(store)
    (installation,) = store.snapshot().installations

    merged = store.merge([], gone=[installation, WORKS, SPACE], by="test", at=NOW)

    assert merged.removed == (f"installation {key_of(installation)}", "closure works-1", "space m1")
    assert not store.snapshot().spaces
    assert store.trail(key="m1")[0].after is None
    assert store.merge([], gone=[SPACE], by="test", at=NOW).removed == (), "it is gone already"


def test_a_merge_that_leaves_something_dangling_removes_nothing(store: RegistryStore) -> None:
    with pytest.raises(RefusedChangeError, match="installation"):
        told(store).merge([], gone=[SPACE], by="test", at=NOW)

    assert len(store.snapshot().spaces) == 1


def test_opening_hours_that_nobody_can_read_are_refused(store: RegistryStore) -> None:
    with pytest.raises(RefusedChangeError, match="zone marche, opening_hours"):
        store.add(replace(MARKET, opening_hours="9h-18h"), by="test", at=NOW)


def test_a_merge_that_changes_nothing_leaves_no_trace(store: RegistryStore) -> None:
    told(store)
    before = store.revision(), store.trail()

    store.merge(TOWN, by="test", at=NOW)

    assert (store.revision(), store.trail()) == before


def test_a_rehearsal_tells_what_a_merge_would_do_and_does_nothing(store: RegistryStore) -> None:
    assert len(store.rehearse(TOWN, by="test", at=NOW).added) == len(TOWN)

    assert store.revision() == 0
    assert not all_of(store.snapshot())
    with pytest.raises(RefusedChangeError):
        store.rehearse([SPACE], by="test", at=NOW)


def test_each_change_is_in_the_trail_with_who_when_and_from_what_to_what(store: RegistryStore) -> None:
    store.add(MARKET, by="passerelle places import", at=NOW)
    renamed = replace(MARKET, name="Place de la République")
    store.replace(renamed, seen=1, by="Anne", at=NOW + HOUR)
    store.remove(renamed, seen=2, by="Luc", at=NOW + 2 * HOUR)

    newest, middle, oldest = store.trail(key="marche")
    assert [each.who for each in (oldest, middle, newest)] == ["passerelle places import", "Anne", "Luc"]
    assert [each.at for each in (oldest, middle, newest)] == [NOW, NOW + HOUR, NOW + 2 * HOUR]
    assert oldest.before is None
    assert middle.before is not None
    assert middle.before["name"] == "Place du Marché"
    assert middle.after is not None
    assert middle.after["name"] == "Place de la République"
    assert newest.after is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_nobody_rewrites_the_trail(store: RegistryStore, address: str, statement: str) -> None:
    told(store)
    engine = create_engine(parse_registry_url(address))

    with pytest.raises(DBAPIError, match="only added to"), engine.begin() as connection:
        connection.execute(text(statement))

    engine.dispose()
    assert len(store.trail()) == len(TOWN)


def test_of_two_who_edit_at_once_the_second_is_told(store: RegistryStore) -> None:
    store.add(MARKET, by="Anne", at=NOW)
    store.replace(replace(MARKET, name="d’Anne"), seen=1, by="Anne", at=NOW)

    with pytest.raises(ChangedMeanwhileError, match="seen as version 1, now version 2"):
        store.replace(replace(MARKET, name="de Luc"), seen=1, by="Luc", at=NOW)

    assert store.snapshot().zones["marche"].name == "d’Anne"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (MARKET, "zone marche: there already"),
        (Space(id="x1", zone="nowhere"), "space x1, zone: no zone 'nowhere'"),
        (Space(id="rue-haute", zone="marche"), "counter rue-haute, id: 'rue-haute' is taken already"),
        (replace(WORKS, id="works-2", place="x"), "closure works-2, place: no place 'x'"),
        (Device(address="d9", model="m", gateway="nobody"), "device d9, gateway: no gateway 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_nothing_is_done(store: RegistryStore, wrong: Entry, words: str) -> None:
    before = told(store).revision(), store.trail()

    with pytest.raises(RefusedChangeError) as caught:
        store.add(wrong, by="test", at=NOW)

    assert words in str(caught.value)
    assert (store.revision(), store.trail()) == before


def test_a_zone_that_is_needed_cannot_be_removed(store: RegistryStore) -> None:
    with pytest.raises(RefusedChangeError, match="space m1, zone"):
        told(store).remove(MARKET, seen=1, by="test", at=NOW)

    assert "marche" in store.snapshot().zones


def test_a_merge_with_one_impossible_entry_does_nothing(store: RegistryStore) -> None:
    with pytest.raises(RefusedChangeError):
        store.merge([MARKET, Space(id="x1", zone="nowhere")], by="test", at=NOW)

    assert not all_of(store.snapshot())


def test_a_closure_is_ended_and_stays_known(store: RegistryStore) -> None:
    told(store).end_closure("works-1", end=NOW + HOUR / 2, by="Anne", at=NOW)

    registry = store.snapshot()
    assert "m1" in registry.closures_at(NOW)
    assert not registry.closures_at(NOW + HOUR / 2)
    assert len(registry.closures) == 1


def test_a_closure_that_has_not_begun_is_called_off(store: RegistryStore) -> None:
    told(store).end_closure("works-1", end=NOW - HOUR, by="Anne", at=NOW - HOUR)

    assert not store.snapshot().closures_at(NOW)


def test_ending_a_closure_that_is_not_there_is_refused(store: RegistryStore) -> None:
    with pytest.raises(RefusedChangeError, match="closure works-9: not there"):
        store.end_closure("works-9", end=NOW, by="Anne", at=NOW)


def test_another_replica_sees_the_change_by_its_revision(store: RegistryStore, address: str) -> None:
    with closing(open_registry(address)) as replica:
        before = replica.revision()
        store.add(MARKET, by="test", at=NOW)

        assert replica.revision() == before + 1
        assert "marche" in replica.snapshot().zones


def test_changes_of_many_at_once_all_arrive(store: RegistryStore) -> None:
    told(store)

    def add(number: int) -> None:
        store.add(Space(id=f"x{number}", zone="marche"), by=f"writer {number}", at=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(20)))

    assert len(store.snapshot().spaces_of("marche")) == 21
    assert store.revision() == 21


def test_two_who_open_a_new_registry_at_once_make_it_once(address: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        stores = list(pool.map(open_registry, [address] * 3))

    assert [each.revision() for each in stores] == [0, 0, 0]
    for each in stores:
        each.close()


def test_a_registry_of_a_newer_version_is_refused(address: str) -> None:
    open_registry(address).close()
    engine = create_engine(parse_registry_url(address))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(RegistryError, match="of a newer version"):
        open_registry(address)


def test_editions_of_events_are_only_added_to(store: RegistryStore, address: str) -> None:
    events, body = store.office_events, {"name": "Foire", "from": "2026-11-07", "to": "2026-11-08"}
    written = [
        events.write("3f0a5c2d9b1e4477", body, seen=0, by="Claire", at=NOW),
        events.write("3f0a5c2d9b1e4477", None, seen=1, by="Paul", at=NOW - HOUR),
    ]

    assert list(events.all()) == written
    assert [(each.who, each.at, each.body) for each in events.all()] == [
        ("Claire", NOW, body),
        ("Paul", NOW + INSTANT, None),
    ]
    with pytest.raises(EditedMeanwhileError, match="look again"):
        events.write("3f0a5c2d9b1e4477", body, seen=1, by="Claire", at=NOW)
    engine = create_engine(parse_registry_url(address))
    for statement in ("DELETE FROM office_event", "UPDATE office_event SET who = 'x'"):
        with pytest.raises(DBAPIError, match="only added to"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize(
    "address", ["mysql://h/d", "postgresql://user:secret@host", "sqlite://", "postgresql://u@h/d?password_file=missing"]
)
def test_a_wrong_address_is_told_without_its_password(address: str) -> None:
    with pytest.raises(ConfigError, match="--registry") as caught:
        open_registry(address)

    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(RegistryError, match=r"/nowhere/at/all\.db"):
        open_registry("sqlite:////nowhere/at/all.db")
    with pytest.raises(RegistryError) as caught:
        open_registry("postgresql://u:secret@127.0.0.1:1/d")
    assert "secret" not in str(caught.value)


def test_records_of_tests_are_kept_to_the_byte_and_found_by_device(store: RegistryStore) -> None:
    text = '{"note": "à 3,2 m", "found":10.0}'
    first, second = (
        SignedRecord(id=name, device="d1", place="m1", at=at, who="Anne", body=text, signature="c2ln")
        for name, at in (("r1", NOW), ("r2", NOW + HOUR))
    )
    store.acceptances.add(first)
    store.acceptances.add(second)

    assert store.acceptances.find("r1") == first
    assert store.acceptances.of_device("d1") == [second, first]
    assert store.acceptances.of_device("d2") == []
    assert store.acceptances.find("r9") is None
