"""What the InfluxDB store does when the server is away, mistaken, or set up in another way than ours."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from cloud_api.stores import open_store
from cloud_api.stores.base import RefusedFactError, StoreError
from cloud_api.stores.influx import LINES_PER_WRITE, InfluxStore
from cloud_api.stores.influx_points import line_of
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, correction, day, flow, space, summed
from tests.influx import InfluxServer, without
from tests.influx import influx as influx
from tests.stores import fresh_name

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def own_influx(tmp_path: Path) -> Iterator[InfluxServer]:
    """A server of this test alone, to be stopped and started."""
    server = InfluxServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database() -> str:
    return fresh_name()


def test_a_stopped_server_is_a_store_error_and_all_is_there_when_it_is_back(own_influx: InfluxServer) -> None:
    facts = day()
    with closing(open_store(own_influx.url("history"))) as store:
        store.write(facts[:144])
        own_influx.stop()
        for attempt in (
            lambda: store.write(facts),
            lambda: store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY),
            store.channels,
            store.last_states,
            store.ready,
        ):
            with pytest.raises(StoreError, match=f"127.0.0.1:{own_influx.port}/history"):
                attempt()

        own_influx.start()
        store.write(facts)

        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == summed(facts)


def test_a_store_may_be_opened_before_its_server_is_up(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path)
    with closing(open_store(server.url("history"))) as store:
        with pytest.raises(StoreError):
            store.ready()
        server.start()
        try:
            store.ready()
        finally:
            server.stop()


def test_a_wrong_password_is_told_and_not_shown(influx: InfluxServer, database: str) -> None:
    url = f"influxdb://passerelle:not-the-word@127.0.0.1:{influx.port}/{database}"
    with closing(open_store(url)) as store, pytest.raises(StoreError, match=r"401.*authorization failed") as error:
        store.ready()

    assert "not-the-word" not in str(error.value)


def test_a_database_dropped_under_our_feet_is_made_again(influx: InfluxServer, database: str) -> None:
    with closing(open_store(influx.url(database))) as store:
        store.write([flow()])
        influx.query(f'DROP DATABASE "{database}"')

        with pytest.raises(StoreError, match="database not found"):
            store.write([flow()])
        store.write([flow()])

        assert store.channels() == [CHANNEL]


def test_our_database_forgets_nothing(influx: InfluxServer, database: str) -> None:
    with closing(open_store(influx.url(database))) as store:
        store.write([flow(LONG_AGO)])

        assert [hour.start for hour in store.hours([CHANNEL], LONG_AGO, LONG_AGO + DAY)] == [LONG_AGO]


def test_a_database_that_forgets_is_not_ready(influx: InfluxServer, database: str) -> None:
    influx.query(f'CREATE DATABASE "{database}" WITH DURATION 7d')

    with closing(open_store(influx.url(database))) as store, pytest.raises(StoreError, match="168h0m0s only"):
        store.ready()


def test_a_database_that_begins_to_forget_is_no_fault_of_the_facts(influx: InfluxServer, database: str) -> None:
    with closing(open_store(influx.url(database))) as store:
        store.ready()
        influx.query(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION 7d SHARD DURATION 1d')

        with pytest.raises(StoreError, match="beyond retention policy") as error:
            store.write([flow(LONG_AGO)])

    assert not isinstance(error.value, RefusedFactError)


def test_facts_that_the_server_refuses_are_named_and_the_rest_is_kept(influx: InfluxServer, database: str) -> None:
    facts = day()
    refused = [flow(LONG_AGO), flow(LONG_AGO + timedelta(minutes=5))]
    with closing(open_store(influx.url(database))) as store:
        store.ready()
        influx.write(database, f"flow,device=foreign in=1.5 {int(LONG_AGO.timestamp())}000000000")

        with pytest.raises(RefusedFactError, match="field type conflict") as refusal:
            store.write([*facts[:100], refused[0], *facts[100:], refused[1]])

        assert [refusal.value.fact, *(other.fact for other in refusal.value.others)] == refused
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == summed(facts)


def test_more_facts_than_one_batch_are_all_written(influx: InfluxServer, database: str) -> None:
    with closing(open_store(influx.url(database))) as store:
        store.write([flow(part=part, in_=1, out=None) for part in range(LINES_PER_WRITE + 1)])

        assert [hour.in_ for hour in store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY)] == [LINES_PER_WRITE + 1]


def test_tls_trusts_the_certificates_it_is_given(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    server = InfluxServer(tmp_path, certificate)
    server.start()
    try:
        with closing(open_store(server.url("history"))) as store:
            store.write([flow()])
            assert store.channels() == [CHANNEL]
        distrustful = server.url("history").partition("?")[0]
        with closing(open_store(distrustful)) as store, pytest.raises(StoreError, match="certificate verify failed"):
            store.ready()
    finally:
        server.stop()


def test_a_server_without_tls_is_never_spoken_to_in_clear(influx: InfluxServer, database: str) -> None:
    url = influx.url(database).replace("influxdb://", "influxdbs://")

    with closing(open_store(url)) as store, pytest.raises(StoreError, match=r"SSL"):
        store.ready()


def self_signed(folder: Path) -> Path:
    """A private key and its certificate for 127.0.0.1, in one file, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "influx of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "influx.pem"
    file.write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return file


@pytest.mark.parametrize("field", ["occupied", "source", "gateway"])
def test_a_state_that_is_being_written_is_not_there_yet(influx: InfluxServer, database: str, field: str) -> None:
    known, coming = space(), space(MIDNIGHT + HOUR, occupied=False)
    with closing(opened(influx, database)) as store:
        store.write([known])
        influx.write(database, without(field, line_of(coming, LONG_AGO)))

        assert store.last_states() == [known]
        assert [each.fact for each in store.states("5a11", "1", MIDNIGHT, MIDNIGHT + DAY)] == [known]


@pytest.mark.parametrize("field", ["occupied", "cause", "note"])
def test_a_correction_that_is_being_written_is_not_there_yet(influx: InfluxServer, database: str, field: str) -> None:
    known, coming = replace(correction(), note=""), correction(MIDNIGHT + HOUR)
    with closing(opened(influx, database)) as store:
        store.correct([known])
        influx.write(database, without(field, line_of(coming, LONG_AGO)))

        assert store.corrections("halles", MIDNIGHT, MIDNIGHT + DAY) == store.every_correction() == [known]


@pytest.mark.parametrize("field", ["in", "seconds", "covered_s"])
def test_a_part_that_is_being_written_is_in_no_interval_yet(influx: InfluxServer, database: str, field: str) -> None:
    known, coming = flow(), flow(part=1)
    with closing(opened(influx, database)) as store:
        store.write([known])
        influx.write(database, without(field, line_of(coming, LONG_AGO)))

        (passed,) = store.intervals([CHANNEL], MIDNIGHT, MIDNIGHT + DAY)
        assert (passed.in_, passed.out) == (known.interval.in_, known.interval.out)


def opened(influx: InfluxServer, database: str) -> InfluxStore:
    """The store, with its database made."""
    store = open_store(influx.url(database))
    assert isinstance(store, InfluxStore)
    store.ready()
    return store
