"""An empty store for tests, once on SQLite and once on a real InfluxDB server.

Import the fixtures `url`, `store` and `influx` in a test module; each test that takes one of them runs on both.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Hour, Store
from tests.history import CHANNEL, DAY, MIDNIGHT
from tests.influx import InfluxServer
from tests.influx import influx as influx

AWKWARD_NAMES = [
    "Place de l'Étoile",
    'said "line 1"',
    "a,b=c d",
    "trailing backslash\\",
    "\\' OR 1=1; DROP MEASUREMENT flow --",
    "two\nlines\tand a tab",
    "100 %, %20 and %5C",
    "#comment",
    " spaces around ",
    "数え 🚶",
]
"""Names that a store's own language means something by."""


@pytest.fixture(params=["sqlite", "influx"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that nobody has used."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.db"
    server: InfluxServer = request.getfixturevalue("influx")
    return server.url(fresh_name())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        yield opened


def fresh_name() -> str:
    """A database that nobody has used."""
    return f"test-{uuid4().hex}"


def day_of(store: Store, channel: Channel = CHANNEL) -> list[Hour]:
    """The hours of the first day of `tests.history`."""
    return store.hours([channel], MIDNIGHT, MIDNIGHT + DAY)
