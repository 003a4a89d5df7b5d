"""A server serves no longer than what keeps its figures up to date works."""

from contextlib import closing
from pathlib import Path
from typing import NoReturn

from cloud_api.app import create_app
from cloud_api.server import ApiServer, listen
from cloud_api.settings import Broker, Settings
from cloud_api.stores.sqlite import SqliteStore
from tests.town import REGISTRY, Clock, kept


class FaultyStore(SqliteStore):
    """A store with a mistake that nobody expected."""

    def last_states(self) -> NoReturn:
        """Asked for in the background, at the start."""
        raise ZeroDivisionError


def test_a_server_ends_when_a_part_of_the_api_fails_instead_of_serving_figures_that_stand_still(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as nobody:
        broker = Broker(port=nobody.getsockname()[1])
    with closing(FaultyStore(tmp_path / "history.db")) as store:
        settings = Settings(broker=broker, ledger=tmp_path / "ledger.db")
        server = ApiServer(create_app(settings, store=store, registry=kept(REGISTRY, tmp_path), clock=Clock()))
        with listen("127.0.0.1", 0) as listener:
            server.run(sockets=[listener])

    assert server.failed
