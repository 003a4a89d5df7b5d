"""History: facts go in, hours come out. `open_store` picks the implementation by its address."""

from cloud_api.stores.address import SqliteAddress, parse_store_url
from cloud_api.stores.base import Clock, utc_now
from cloud_api.stores.lasting import LastingStore
from cloud_api.stores.sqlite import SqliteStore


def open_store(url: str, clock: Clock = utc_now) -> LastingStore:
    """The store at an address (`parse_store_url` tells how one is written); `clock` dates what it commits.

    Raises `StoreUrlError` for a faulty address and `StoreError` for a file that cannot be opened. An InfluxDB server
    need not be up yet: `Store.ready` tells.
    """
    address = parse_store_url(url)
    if isinstance(address, SqliteAddress):
        return SqliteStore(address.path, clock)

    from cloud_api.stores.influx import InfluxStore  # its client takes a second to import: SQLite need not wait for it

    return InfluxStore(address, clock)
