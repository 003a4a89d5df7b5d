"""After a fire: the API on a restored machine tells what it told, and what gateways still hold is counted once."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from cloud_api.app import create_app
from cloud_api.backup_commands import app
from cloud_api.registry.store import open_registry
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores.sqlite import SqliteStore
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import NOW, REGISTRY, Clock, counted, gateway, interval, kept, serving, until

FLOWS = f"/v1/flows/hourly?counter=rue-haute&from={NOW:%Y-%m-%d}&to={NOW + timedelta(days=1):%Y-%m-%d}"


def told(address: str, secret: str) -> object:
    """What the API tells who holds a key; nobody else is told anything."""
    assert HTTP.get(f"{address}{FLOWS}").status_code == 401
    answer = HTTP.get(f"{address}{FLOWS}", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_restored_platform_tells_the_same_and_takes_in_what_it_had_not_answered_for(
    own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    before, after, file = tmp_path / "before", tmp_path / "after", tmp_path / "town.zip"
    before.mkdir()
    after.mkdir()
    with closing(kept(REGISTRY, before)) as registry:
        _, secret = registry.keys.create("office", [Scope.READ_FLOWS], by="test", at=NOW)

    with gateway(own_mosquitto) as edge:
        with on(own_mosquitto, before) as address:
            edge.publish(*(edge.flow(seq, interval(seq)) for seq in (1, 2, 3)))
            until(lambda: edge.confirmed() == {1, 2, 3})
            taken = CliRunner().invoke(app, ["backup", "--to", str(file), "--store", f"sqlite:///{before}/history.db"])
            assert taken.exit_code == 0, taken.output
            as_it_was = told(address, secret)
        shutil.rmtree(before)
        restored = CliRunner().invoke(app, ["restore", str(file), "--store", f"sqlite:///{after}/history.db"])
        assert restored.exit_code == 0, restored.output

        with on(own_mosquitto, after) as address:
            assert told(address, secret) == as_it_was
            edge.publish(*(edge.flow(seq, interval(seq)) for seq in (3, 4)))
            until(lambda: edge.confirmed() == {1, 2, 3, 4})

    with closing(SqliteStore(after / "history.db")) as store:
        assert counted(store) == (4, 8)


@contextmanager
def on(broker: Mosquitto, folder: Path) -> Iterator[str]:
    """The town's API on what a folder holds, flows for holders of a key only."""
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port),
        ledger=folder / "history.ledger.db",
        everyone_may=frozenset(),
    )
    with (
        closing(SqliteStore(folder / "history.db")) as store,
        closing(open_registry(str(folder / "registry.db"))) as registry,
        serving(create_app(settings, store=store, registry=registry, clock=Clock())) as address,
    ):
        yield address
