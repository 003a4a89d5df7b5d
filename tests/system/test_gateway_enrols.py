"""From an invitation to a revocation, with the real programs, a real broker and certificates on both sides."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from cloud_api.authority import create_authority
from cloud_api.gateway_commands import gateway as gateway_command
from cloud_api.registry import Device, Gateway
from cloud_api.registry.store import open_registry
from edge.messages import Reported, decode
from tests.broker import free_port
from tests.broker_people import Person, person
from tests.dynamic_broker import DynamicBroker, running_dynamic_broker
from tests.system.programs import Program, running
from tests.town import until

SENSOR = "0004a30b00ff0001"
DONE_S = 60.0
OWN_LINES = '[gateway]\ndata = "outbox"\nclock = "system"\n\n# A sensor net.\n[[link]]\nkind = "ble"\nname = "air"\n'


@dataclass(frozen=True)
class Town:
    """A platform, its broker, and a folder."""

    folder: Path
    broker: DynamicBroker
    url: str

    def code(self, *words: str) -> str:
        """What `passerelle gateway …` prints."""
        registry = ["--registry", str(self.folder / "registry.db")]
        said = CliRunner().invoke(gateway_command, [*words, *registry], env={"PASSERELLE_URL": self.url})
        assert said.exit_code == 0, said.output
        return said.stdout.strip()

    def enrol(self, machine: str, code: str) -> Path:
        """Make a machine a gateway: its configuration."""
        config = self.folder / machine / "gateway.toml"
        config.parent.mkdir()
        config.write_text(OWN_LINES)
        assert self.run(machine, "edge", "enrol", code, "--url", self.url, "--config", str(config)) == 0
        return config

    def certificate_of_the_last(self) -> datetime | None:
        """When the certificate ends that the platform knows of the last machine that it let in."""
        with closing(open_registry(str(self.folder / "registry.db"))) as registry:
            return registry.invitations.all()[-1].certificate_ends_at

    def let_the_certificate_end(self, ends_at: datetime) -> None:
        """Let the platform believe that the certificate of the machine that it let in ends then."""
        with closing(open_registry(str(self.folder / "registry.db"))) as registry:
            (invitation,) = registry.invitations.all()
            assert registry.invitations.renew(invitation, ends_at=ends_at, by="test", at=datetime.now(UTC))

    def run(self, machine: str, *words: str) -> int:
        """The exit status of `passerelle WORDS`."""
        with running(words, self.folder / machine) as program:
            return program.status(DONE_S)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    now, port = datetime.now(UTC), free_port()
    authority = create_authority(tmp_path / "ca", "Town", now)
    certificate, key = authority.server("broker", ["127.0.0.1"], now)
    ca, signing = tmp_path / "ca" / "ca.pem", tmp_path / "gateways"
    create_authority(signing, "Gateways", now)
    listener = (
        f"listener {port} 127.0.0.1\ncafile {signing}/ca.pem\n"
        f"certfile {certificate}\nkeyfile {key}\nrequire_certificate true"
    )
    with closing(open_registry(str(tmp_path / "registry.db"))) as registry:
        mairie = Gateway(name="mairie", label="Mairie", managed=True)
        registry.merge([mairie, Device(address=SENSOR, model="bosch-tps110", gateway="mairie")], by="test", at=now)
    with running_dynamic_broker(tmp_path / "broker", settings=listener) as broker:
        options = {
            "store": f"sqlite:///{tmp_path}/history.db",
            "registry": tmp_path / "registry.db",
            "port": 0,
            "broker": f"mqtt://api@127.0.0.1:{broker.mosquitto.port}",
            "password-file": broker.passwords / "broker-api-password",
            "broker-admin-password-file": broker.passwords / "broker-admin-password",
            "gateway-broker": f"mqtts://127.0.0.1:{port}",
            "gateway-ca-file": ca,
            "gateway-signing-ca-file": signing / "ca.pem",
            "gateway-signing-key-file": signing / "ca.key",
        }
        words = ["api", *(f"--{name}={value}" for name, value in options.items())]
        with running(words, tmp_path) as api:
            yield Town(tmp_path, broker, api.says(r"Serving (http://\S+)/ ")[1])


def end_of(certificate: Path) -> datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


@contextmanager
def listening_api(broker: DynamicBroker) -> Iterator[Person]:
    """Who hears all that gateways say."""
    password = (broker.passwords / "broker-api-password").read_text()
    with person(broker.mosquitto, "api", password) as api:
        api.subscribe("passerelle/1/+/config/reported")
        yield api


def applies_what_is_desired(api: Person) -> bool:
    """Whether a gateway has said since the last look that it listens to the sensor."""
    heard = [api.heard.get() for _ in range(api.heard.qsize())]
    return any(
        SENSOR in report.devices
        for report in (decode(each.topic, bytes(each.payload)) for each in heard)
        if isinstance(report, Reported)
    )


def gateway_at(config: Path) -> AbstractContextManager[Program]:
    return running(["edge", "--config", str(config)], config.parent)


@pytest.mark.slow
def test_a_machine_becomes_a_gateway_is_given_another_certificate_is_replaced_and_revoked(town: Town) -> None:
    with listening_api(town.broker) as api:
        first = town.enrol("first", town.code("invite", "mairie"))
        assert "# A sensor net.\n[[link]]" in first.read_text()
        assert {path.name for path in first.parent.glob("broker*")} == {
            "broker-password",
            "broker-ca.pem",
            "broker.pem",
            "broker.key",
        }
        assert town.certificate_of_the_last() == end_of(first.with_name("broker.pem"))
        with gateway_at(first) as old:
            until(lambda: applies_what_is_desired(api))

            soon = datetime.now(UTC) + timedelta(days=30)
            town.let_the_certificate_end(soon)
            until(lambda: town.certificate_of_the_last() != soon)
            first.with_name("broker.key").unlink()

            impostor = first.with_name("impostor.toml")
            impostor.write_text(first.read_text().replace('name = "mairie"', 'name = "gare"'))
            with running(["doctor", "--config", str(impostor)], first.parent) as doctor:
                doctor.says("we may not publish on passerelle/1/gare/heard")
            with running(["doctor", "--config", str(first)], first.parent) as doctor:
                doctor.says("ok       broker: takes what mairie publishes")

            second = town.enrol("second", town.code("replace", "mairie"))
            old.says("the broker refuses this gateway")
        with gateway_at(second) as new:
            until(lambda: applies_what_is_desired(api))
            town.code("revoke", "mairie")
            new.says("the broker refuses this gateway")
