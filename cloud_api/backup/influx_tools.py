"""InfluxDB's own tools, which alone copy a server's files: `influxd backup -portable` (1.x) and `influx backup` (2.x).

In come an address and a folder, out come the tool's files in it, or a database made from them. A token never stands in
a command line, where every user of the machine could read it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from urllib3.exceptions import HTTPError

from cloud_api.backup.archive import BackupError, Kind
from cloud_api.stores.address import InfluxAddress
from cloud_api.stores.base import StoreError
from cloud_api.stores.influx_server import InfluxServer, NoDatabaseError

DEFAULT_RPC: Final = "127.0.0.1:8088"
"""Where a 1.x server listens for its tool; it asks for no password there, so it listens to its own machine only."""
WORDS_KEPT: Final = 500


def tool_of(address: InfluxAddress) -> Kind:
    """Whose files the server's tool writes. Raises `BackupError` or `StoreError`."""
    server = InfluxServer(address)
    try:
        version = server.version()
    finally:
        server.close()
    match version.removeprefix("v")[:2]:
        case "1.":
            return Kind.INFLUX_1
        case "2.":
            return Kind.INFLUX_2
    raise BackupError(
        f"{address} is InfluxDB {version or 'of an unknown version'}, which has no backup tool: copy its folder or "
        "bucket of objects while it is stopped, and take the rest with --without-store"
    )


def is_there(address: InfluxAddress) -> bool:
    """Whether the server has a database of this name: 1.x says that it has not, 2.x tells no policies of it.

    Raises `StoreError`.
    """
    from cloud_api.stores.influx_queries import POLICIES  # InfluxDB's client takes a second to import

    server = InfluxServer(address)
    try:
        policies = server.query(f'SHOW RETENTION POLICIES ON "{address.database}"', POLICIES)
    except NoDatabaseError:
        return False
    finally:
        server.close()
    return any(series.values for series in policies)


def backup_influx(address: InfluxAddress, rpc: str, kind: Kind, folder: Path) -> None:
    """Let the server's tool write the database into a folder. Raises `BackupError`."""
    if kind is Kind.INFLUX_1:
        _run(["influxd", "backup", "-portable", "-host", rpc, "-database", address.database, str(folder)])
    else:
        _run(["influx", "backup", "--bucket", address.database, str(folder)], _login(address))


def restore_influx(address: InfluxAddress, rpc: str, kind: Kind, folder: Path, was: str) -> None:
    """Let the server's tool make the database, which is not there, from a folder. Raises `BackupError`.

    `was`: its name when it was backed up.
    """
    if kind is Kind.INFLUX_1:
        names = ["-db", was, *(["-newdb", address.database] if was != address.database else [])]
        _run(["influxd", "restore", "-portable", "-host", rpc, *names, str(folder)])
    else:
        names = ["--bucket", was, *(["--new-bucket", address.database] if was != address.database else [])]
        _run(["influx", "restore", *names, str(folder)], _login(address))


def dropping(address: InfluxAddress, kind: Kind) -> Callable[[object, BaseException | None, object], None]:
    """Takes away what was restored in part, at the end of a `with` that fails (`ExitStack.push`)."""

    def drop_what_came(_type: object, failure: BaseException | None, _trace: object) -> None:
        try:
            if is_there(address):
                _drop(address, kind)
        except StoreError as error:
            says = f"{failure}; what came of it is still in {address}, delete it by hand: {error}"
            raise BackupError(says) from failure

    return drop_what_came


def _drop(address: InfluxAddress, kind: Kind) -> None:
    if kind is Kind.INFLUX_2:
        _delete_bucket(address)
        return
    server = InfluxServer(address)
    try:
        server.create(f'DROP DATABASE "{address.database}"')
    finally:
        server.close()


def _delete_bucket(address: InfluxAddress) -> None:
    """2.x knows no DROP DATABASE. Source: InfluxDB OSS v2 API, `/api/v2/buckets`."""
    from influxdb_client.client.influxdb_client import InfluxDBClient  # takes a second to import
    from influxdb_client.rest import ApiException

    ca_file = None if address.ca_file is None else str(address.ca_file)
    try:
        with InfluxDBClient(_server_url(address), address.password, ssl_ca_cert=ca_file) as client:
            buckets = client.buckets_api()
            buckets.delete_bucket(buckets.find_bucket_by_name(address.database))
    except (ApiException, HTTPError) as error:
        raise StoreError(f"{address}: its bucket is not deleted: {error}") from error


def _server_url(address: InfluxAddress) -> str:
    return f"{'https' if address.tls else 'http'}://{address.host}:{address.port}"


def _login(address: InfluxAddress) -> dict[str, str]:
    login = {"INFLUX_HOST": _server_url(address), "INFLUX_TOKEN": address.password}
    return login if address.ca_file is None else {**login, "SSL_CERT_FILE": str(address.ca_file)}


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise BackupError(
            f"{command[0]} is not on the path of this machine: install InfluxDB's own tool, or run on its server "
            f"`{' '.join(command)}` and take the rest with --without-store"
        )
    done = subprocess.run(
        [program, *command[1:]], env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())[-WORDS_KEPT:]
        raise BackupError(f"`{' '.join(command)}` ended with status {done.returncode}: {words}")
