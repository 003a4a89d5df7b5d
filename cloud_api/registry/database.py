"""The registry's database: from an address to tables of the newest version, and transactions on them.

An address is a SQLite file (`registry.db`, `sqlite:///registry.db`; opened anew for each transaction) or
`postgresql://USER@HOST:PORT/DATABASE`. What
the database reports comes out as `RegistryError`, a mistake in the address as `ConfigError`; neither shows a password.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from cloud_api.registry.errors import RegistryError
from cloud_api.registry.tables import HEAD, REVISION
from cloud_api.settings import ConfigError

EXPECTED: Final = "a file, sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE?password_file=FILE expected"
BUSY_TIMEOUT_MS: Final = 10_000
MIGRATION_LOCK: Final = 0x7061_7373
"""Any number, the same in every process: one of them migrates at a time."""


def parse_registry_url(address: str) -> URL:
    """What an address says. Raises `ConfigError`."""
    if "://" not in address:
        return URL.create("sqlite", database=address)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ConfigError(f"--registry: not an address; {EXPECTED}") from None
    if url.drivername == "sqlite" and url.database and not url.host:
        return url
    if url.drivername in {"postgresql", "postgres"} and url.host and url.database:
        return _with_password(url).set(drivername="postgresql+psycopg")
    raise ConfigError(f"--registry {url.render_as_string(hide_password=True)!r}: {EXPECTED}")


def _with_password(url: URL) -> URL:
    file = url.query.get("password_file")
    if file is None:
        return url
    try:
        password = Path(str(file)).read_text(encoding="utf-8").splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise ConfigError(f"--registry: the password file {file} cannot be read: {error}") from error
    return url.difference_update_query(["password_file"]).set(password=password)


def open_database(address: str) -> Engine:
    """The database at an address, its tables brought to the newest version.

    Raises `ConfigError`, or `RegistryError` where the database does not answer or is of a newer version.
    """
    engine = connect(address)
    with ExitStack() as on_failure:
        on_failure.callback(engine.dispose)
        with writing(engine) as connection:
            if table_version(connection) != HEAD:
                migrate(connection)
        on_failure.pop_all()
    return engine


def connect(address: str) -> Engine:
    """The database at an address, as it is. Raises `ConfigError`."""
    url = parse_registry_url(address)
    try:
        engine = create_engine(
            url,
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
            **({"poolclass": NullPool} if url.host is None else {"pool_pre_ping": True}),
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ConfigError(f"--registry: {error}; pip install 'passerelle[postgres]'") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes nothing. Raises `RegistryError`."""
    with _told(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction, committed when the `with` ends well; one at a time on a database. Raises `RegistryError`."""
    with _told(engine), engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        yield connection


def revision(connection: Connection) -> int:
    """How many changes were committed so far."""
    number: int = connection.execute(select(REVISION.c.number)).scalar_one()
    return number


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise RegistryError(f"the registry {where}: {_in_a_line(error)}") from error


def _in_a_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """No write-ahead log: changes are rare, and switching to it does not wait for others that open the file."""
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the tables to a version. Raises `RegistryError` where they, or it, are newer than this program."""
    from alembic import command  # its seconds are for those alone whose tables are old
    from alembic.config import Config
    from alembic.util import CommandError

    configuration = Config()
    configuration.set_main_option("script_location", "cloud_api.registry:migrations")
    configuration.attributes["connection"] = connection
    try:
        command.upgrade(configuration, to)
    except CommandError as error:
        where = connection.engine.url.render_as_string(hide_password=True)
        raise RegistryError(f"the registry {where} is of a newer version ({error}): upgrade this program") from error


def table_version(connection: Connection) -> str | None:
    """The migration that made the tables; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
