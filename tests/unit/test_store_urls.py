"""How a store's address is read, and what an operator is told of a faulty one."""

from pathlib import Path

import pytest

from cloud_api.stores import open_store
from cloud_api.stores.address import InfluxAddress, SqliteAddress, parse_store_url
from cloud_api.stores.base import StoreUrlError

AWKWARD = "p@ss/: &"
TWISTED = "t0ken=="


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///history.db", "history.db"),
        ("sqlite:///data/town%20centre.db", "data/town centre.db"),
        ("sqlite:////var/lib/passerelle/history.db", "/var/lib/passerelle/history.db"),
    ],
)
def test_a_sqlite_address_names_a_file(url: str, path: str) -> None:
    assert parse_store_url(url) == SqliteAddress(Path(path))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("influxdb://localhost/flows", InfluxAddress(host="localhost", port=8086, database="flows")),
        (
            "influxdb://town:p%40ss%2F%3A%20%26@10.0.0.2:9999/flows_2",
            InfluxAddress(host="10.0.0.2", port=9999, database="flows_2", user="town", password=AWKWARD),
        ),
        (
            "influxdbs://any:t0ken==@[::1]/flows",
            InfluxAddress(host="::1", port=8086, database="flows", user="any", password=TWISTED, tls=True),
        ),
    ],
)
def test_an_influx_address_names_server_and_database(url: str, address: InfluxAddress) -> None:
    assert parse_store_url(url) == address


def test_a_password_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{AWKWARD}\n", encoding="utf-8")

    address = parse_store_url(f"influxdb://town@localhost/flows?password_file={secret}")

    assert address == InfluxAddress(host="localhost", port=8086, database="flows", user="town", password=AWKWARD)


def test_certificates_may_be_named(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.touch()

    address = parse_store_url(f"influxdbs://localhost/flows?ca_file={certificates}")

    assert isinstance(address, InfluxAddress)
    assert address.ca_file == certificates


def test_an_address_does_not_show_its_password() -> None:
    address = parse_store_url("influxdb://town:hush@localhost/flows")

    assert "hush" not in repr(address)
    assert str(address) == "influxdb://localhost:8086/flows"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "no kind is named"),
        ("history.db", "expected sqlite:///FILE or influxdb://"),
        ("postgresql://localhost/flows", "unknown kind 'postgresql'"),
        ("sqlite://", "needs three slashes"),
        ("sqlite:///", "needs three slashes"),
        ("sqlite://history.db", "needs three slashes"),
        ("sqlite:///folder/", "needs three slashes"),
        ("sqlite:///history.db?mode=ro", "takes no options"),
        ("influxdb:///flows", "no host named"),
        ("influxdb://[::1/flows", "not an address"),
        ("influxdb://localhost", "database ''"),
        ("influxdb://localhost/a/b", "database 'a/b'"),
        ("influxdb://localhost/a%22b", "expected 1 to 64 letters"),
        ("influxdb://localhost:port/flows", "port is not a number"),
        ("influxdb://localhost:70000/flows", "port is not a number"),
        ("influxdb://localhost/flows?retention=1d", "unknown option 'retention'"),
        ("influxdb://:hush@localhost/flows", "a password without a user"),
        ("influxdb://town:hush@localhost/flows?password_file=x", "give one"),
        ("influxdb://town@localhost/flows?password_file=/nowhere", "password_file: .*/nowhere"),
        ("influxdb://town@localhost/flows?password_file=/dev/null", "has no first line"),
        ("influxdbs://localhost/flows?ca_file=/nowhere", "ca_file: /nowhere is not a file"),
    ],
)
def test_a_faulty_address_is_told_in_a_sentence(url: str, told: str) -> None:
    with pytest.raises(StoreUrlError, match=told) as error:
        open_store(url)

    assert "hush" not in str(error.value)
