"""A real mosquitto with its dynamic security plugin, set up as an operator does it: nobody is let in but the platform.

In goes a folder, out comes a broker, and where the platform's passwords are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from cloud_api.broker_commands import broker as broker_command
from cloud_api.provisioning.broker_rules import ADMIN, API
from cloud_api.provisioning.dynamic_security import BrokerControl
from cloud_api.settings import Broker
from tests.broker import Mosquitto, running_mosquitto

PLUGIN: Final = "mosquitto_dynamic_security.so"


@dataclass(frozen=True, slots=True)
class DynamicBroker:
    """A broker that lets in whom it is told to."""

    mosquitto: Mosquitto
    passwords: Path
    """The folder of the platform's passwords."""
    state: Path
    """What the plugin remembers."""

    def login(self, user: str) -> Broker:
        """How the platform connects as one of its own two users."""
        file = self.passwords / f"broker-{user}-password"
        return Broker(host=self.mosquitto.host, port=self.mosquitto.port, username=user, password_file=file)

    @property
    def api(self) -> Broker:
        """The API's way in."""
        return self.login(API)

    @property
    def control(self) -> BrokerControl:
        """Lets gateways in and out."""
        return BrokerControl(self.login(ADMIN))


@contextmanager
def running_dynamic_broker(folder: Path, *, settings: str = "") -> Iterator[DynamicBroker]:
    """A broker for the length of a `with`; `settings` are further lines of mosquitto's configuration."""
    folder.mkdir()
    state = folder / "dynamic-security.json"
    made = CliRunner().invoke(broker_command, ["init", "--state", str(state), "--passwords", str(folder)])
    assert made.exit_code == 0, made.output
    lines = (
        "allow_anonymous false",
        f"plugin {plugin()}",
        f"plugin_opt_config_file {state}",
        settings,
    )
    with running_mosquitto(folder, settings="\n".join(lines)) as running:
        yield DynamicBroker(running, folder, state)


def plugin() -> Path:
    """Where this machine has the plugin."""
    return next(Path("/usr/lib").glob(f"*/{PLUGIN}"))
