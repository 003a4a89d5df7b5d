"""Whatever is asked, the API answers as its own description says, and never with a server error."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis

from cloud_api.app import create_app
from cloud_api.rate_limits import Limits, Rate
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.town import NOW, REGISTRY, Clock, gateway, interval, kept, serving

GRAMMAR = "positive_data_acceptance"
"""Left out: a schema cannot say which texts are dates, and the API refuses those that are not."""
LEFT_OUT = "/stream$|^/v1/reports/"
"""What has no end, and what a town without reports says so of."""
NO_LIMIT = Rate(per_s=1e6, burst=1_000_000)
SEED = 5


@pytest.fixture
def town(own_mosquitto: Mosquitto, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The town's API with something to tell: its address, and a key that opens everything."""
    settings = Settings(
        broker=Broker(host=own_mosquitto.host, port=own_mosquitto.port),
        ledger=tmp_path / "ledger.db",
        worker="fuzzed",
        limits=Limits(address=NO_LIMIT, key=NO_LIMIT, enrolment=NO_LIMIT),
    )
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        registry = kept(REGISTRY, tmp_path)
        _, key = registry.keys.create("fuzzer", [Scope.ADMIN], by="test", at=NOW)
        api = create_app(settings, store=store, registry=registry, clock=Clock(NOW))
        with serving(api) as address, gateway(own_mosquitto) as sender:
            sender.publish(
                sender.status(),
                sender.flow(1, *(interval(index) for index in range(12))),
                sender.space(2, "d1", occupied=True),
            )
            yield address, key


@pytest.mark.slow
def test_no_answer_is_a_server_error_and_none_is_undescribed(town: tuple[str, str]) -> None:
    address, key = town
    command = Path(sys.executable).with_name("schemathesis")
    run = subprocess.run(
        [
            command,
            "run",
            f"{address}/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {key}",
            "--checks=all",
            f"--exclude-checks={GRAMMAR}",
            f"--exclude-path-regex={LEFT_OUT}",
            "--phases=examples,coverage,fuzzing",
            f"--max-examples={hypothesis().max_examples // 10}",
            f"--seed={SEED}",
            "--continue-on-failure",
            "--no-color",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
