"""A store's address, as an operator writes it on a command line: text in, typed parts out, or one `StoreUrlError`.

A password may be named by the file that holds it. Neither an error nor a `repr` ever shows one.
"""

from dataclasses import dataclass, field
from pathlib import Path
from re import fullmatch
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cloud_api.stores.base import StoreUrlError

INFLUX_PORT = 8086
INFLUX_OPTIONS = ("password_file", "ca_file")


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """The file of an embedded store."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxAddress:
    """Where an InfluxDB server is, and who we are to it."""

    host: str
    port: int
    database: str
    user: str = ""
    """Empty where the server asks for nobody. To 2.x and 3 any name will do: there the password is the token."""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""

    def __str__(self) -> str:
        return f"{'influxdbs' if self.tls else 'influxdb'}://{self.host}:{self.port}/{self.database}"


def parse_store_url(url: str) -> SqliteAddress | InfluxAddress:
    """What an address says. Raises `StoreUrlError`.

    `sqlite:///folder/history.db` is relative to the working directory, `sqlite:////var/lib/history.db` is absolute.
    `influxdb://user:password@host:8086/database`, or `influxdbs://` over TLS; `?password_file=` names a file whose
    first line is the password, `?ca_file=` one of certificates to trust.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreUrlError(f"not an address ({error}); {_EXPECTED}") from None
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in ("influxdb", "influxdbs"):
        return _influx(parts)
    raise StoreUrlError(f"{f'unknown kind {parts.scheme!r}' if parts.scheme else 'no kind is named'}; {_EXPECTED}")


_EXPECTED = "expected sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE?password_file=FILE"


def _sqlite(parts: SplitResult) -> SqliteAddress:
    if parts.netloc or len(parts.path) < 2 or parts.path.endswith("/"):
        raise StoreUrlError("a SQLite address needs three slashes and a file: sqlite:///history.db")
    if parts.query or parts.fragment:
        raise StoreUrlError("a SQLite address takes no options")
    return SqliteAddress(Path(unquote(parts.path[1:])))


def _influx(parts: SplitResult) -> InfluxAddress:
    if not parts.hostname:
        raise StoreUrlError(f"no host named; {_EXPECTED}")
    options = _options(parts.query)
    user, password = unquote(parts.username or ""), _password(parts, options.get("password_file"))
    if password and not user:
        raise StoreUrlError("a password without a user")
    return InfluxAddress(
        host=parts.hostname,
        port=_port(parts),
        database=_database(parts.path),
        user=user,
        password=password,
        tls=parts.scheme == "influxdbs",
        ca_file=_ca_file(options.get("ca_file")),
    )


def _options(query: str) -> dict[str, str]:
    options = parse_qsl(query, keep_blank_values=True)
    for name, _ in options:
        if name not in INFLUX_OPTIONS:
            raise StoreUrlError(f"unknown option {name!r}, expected {' or '.join(INFLUX_OPTIONS)}")
    return dict(options)


def _password(parts: SplitResult, file: str | None) -> str:
    if file is None:
        return unquote(parts.password or "")
    if parts.password is not None:
        raise StoreUrlError("both a password and a password_file: give one")
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreUrlError(f"password_file: {error}") from error
    if not lines or not lines[0]:
        raise StoreUrlError(f"password_file: {file} has no first line")
    return lines[0]


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or INFLUX_PORT
    except ValueError:
        raise StoreUrlError(
            "the port is not a number from 1 to 65535; is an @ in the password not written %40?"
        ) from None


def _database(path: str) -> str:
    name = unquote(path.removeprefix("/"))
    if not fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise StoreUrlError(f"database {name!r}: expected 1 to 64 letters, digits, hyphens and underscores")
    return name


def _ca_file(name: str | None) -> Path | None:
    if name is None:
        return None
    if not Path(name).is_file():
        raise StoreUrlError(f"ca_file: {name} is not a file")
    return Path(name)
