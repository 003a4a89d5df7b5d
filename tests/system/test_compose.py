"""`deploy/platform/compose` by hand: its own command lines, its own configuration files, its own health checks.

Debian's mosquitto, PostgreSQL and Caddy stand where the images' are, InfluxDB 1.x where 2 is. What differs are ports,
addresses, and the folder that stands for each container's root. `api-2` is away: the front does without it.
"""

import dataclasses
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from cloud_api.authority import create_authority
from cloud_api.backup_commands import app as backup_app
from cloud_api.ca_commands import ca as ca_command
from cloud_api.gateway_commands import gateway as gateway_command
from cloud_api.registry import Gateway
from cloud_api.registry.codes import new_code
from cloud_api.registry.store import open_registry
from cloud_api.settings import Broker
from cloud_api.store_commands import store as store_command
from edge.enrolling import EnrolmentError, Invitation, ask
from tests.broker import HOST, free_port
from tests.certificates import Authority
from tests.compose import COMPOSE, Kind, Root, Service, services
from tests.influx import InfluxServer
from tests.influx import influx as influx
from tests.platform_files import environment_of
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres
from tests.stores import fresh_name
from tests.system.programs import START_S, running
from tests.town import NOW, REGISTRY, gateway, until

SITE = "localhost"
HALLES = "halles"
CADDYS_OWN = {"XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data", "HOME": "/"}
"""What the image of Caddy tells it, and Docker to a user without a name."""
ELSEWHERE = "127.0.0.9"
MOST_LINES = 100
"""Of a stream, until what is waited for must have come."""
GOOD_FOR = timedelta(days=30)
"""A certificate that has ended."""
CODES_AT_ONCE = 10
"""That one address may try."""
ASKED = {
    "code": str(new_code()),
    "machine": "c6f1d0a94be24f8f9c1b7a5e3d208f64",
    "hostname": "pi",
    "version": "1",
}
"""What a machine asks with; nobody was invited with this code."""


@dataclass(frozen=True)
class Ports:
    """Where on loopback each listens."""

    front: int
    alive: int
    api: int
    tls: int
    plain: int
    registry: int
    """PostgreSQL's."""

    @property
    def changes(self) -> dict[str, str]:
        """What cannot be as in the files."""
        return {
            "admin off\n": f"admin off\n\thttps_port {self.front}\n\tdefault_bind {HOST}\n",
            "http://127.0.0.1:2080": f"http://127.0.0.1:{self.alive}",
            "api-1:8000": f"{HOST}:{self.api}",
            "api-2:8000": f"{HOST}:{free_port()}",
            "listener 1883 127.0.0.1": f"listener {self.plain} {HOST}",
            "listener 8883\n": f"listener {self.tls} {HOST}\n",
            "http://127.0.0.1:8000": f"http://{HOST}:{self.api}",
            "-p 1883": f"-p {self.plain}",
            "5432": str(self.registry),
        }


@dataclass(frozen=True)
class Machine:
    """Where Docker would run: the folder of compose.yaml, and the roots of its containers."""

    folder: Path
    ports: Ports
    told: Mapping[str, Service]
    roots: Mapping[str, Root]

    def words(self, name: str) -> list[str]:
        """A service's command line, with paths that lead into its root."""
        return [self.roots[name].inside(word) for word in self.told[name].words]

    def health(self, name: str) -> int:
        """The status that a service's own health check ends with."""
        words = [self._here(word) for word in self.told[name].health]
        words[0] = sys.executable if words[0] == "python" else words[0]
        return subprocess.run(words, capture_output=True, timeout=START_S, check=False).returncode

    def file(self, name: str) -> Path:
        """A file that bootstrap made."""
        return self.folder / name

    @property
    def ca(self) -> Path:
        return self.file("certificates/ca.pem")

    @property
    def site(self) -> str:
        return f"https://{SITE}:{self.ports.front}"

    def asks(self, ca: Path | None = None, local_address: str | None = None) -> httpx.Client:
        """Somebody who believes an authority, at an address of loopback."""
        believed = ssl.create_default_context(cafile=str(ca or self.ca))
        transport = httpx.HTTPTransport(verify=believed, local_address=local_address)
        return httpx.Client(base_url=self.site, transport=transport, timeout=START_S)

    def registry(self) -> str:
        words = self.words("api-1")
        return words[words.index("--registry") + 1]

    def _here(self, word: str) -> str:
        for there, here in self.ports.changes.items():
            word = word.replace(there, here)
        return word


@contextmanager
def started(words: list[str], owner: int, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A program of another project for the length of a `with`, as its container's user where we may be another."""
    user = owner if os.geteuid() == 0 else None
    said = folder / f"{Path(words[0]).name}.out"
    with said.open("wb") as log:
        process = subprocess.Popen(
            words,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd=folder,
            env={"PATH": f"{os.environ['PATH']}:/usr/sbin", **environment},
            stdout=log,
            stderr=log,
        )
    try:
        yield
    except AssertionError as error:
        error.add_note(said.read_text())
        raise
    finally:
        process.terminate()
        process.wait(START_S)


def run_bootstrap(machine: Path, root: Root, service: Service) -> None:
    """As its service does; where we are not root, nobody can be given a file."""
    programs = root.folder / "programs"
    programs.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        shutil.copy("/bin/true", programs / "chown")
    program, *words = (root.inside(word) for word in service.words)
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [COMPOSE / program, *words], cwd=machine, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def addresses(ports: Ports, influx: InfluxServer, postgres: PostgresServer) -> dict[str, str]:
    """What stands in `.env` where broker and stores are not at their names of compose.yaml."""
    return {
        "GATEWAY_BROKER": f"mqtts://{SITE}:{ports.tls}",
        "BROKER": f"mqtts://api@{SITE}:{ports.tls}",
        "STORE": f"influxdb://passerelle@{HOST}:{influx.port}/{fresh_name()}?password_file=/run/secrets/store-token",
        "REGISTRY": f"postgresql://passerelle@{HOST}:{postgres.port}/{postgres.new_database()}"
        "?password_file=/run/secrets/registry-password",
    }


def give(machine: Machine, influx: InfluxServer, postgres: PostgresServer) -> None:
    """The servers of all tests have passwords of their own."""
    machine.file("secrets/platform/store-token").write_text(unquote(urlsplit(influx.url("any")).password or ""))
    machine.file("secrets/platform/registry-password").write_bytes(postgres.password_file.read_bytes())


def accepts(port: int) -> Callable[[], bool]:
    def tries() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    return tries


@pytest.fixture(scope="module")
def drawn(influx: InfluxServer, postgres: PostgresServer) -> Iterator[Machine]:
    """All files as bootstrap leaves them; ports are taken as late as can be."""
    own = environment_of(COMPOSE / ".env.example") | {"SITE": SITE, "BROKER_HOST": SITE}
    with TemporaryDirectory(prefix="passerelle-compose-") as name:
        folder, roots = Path(name), Path(name) / "roots"
        machine = folder / "machine"
        folder.chmod(0o755)
        machine.mkdir()
        first = services(own)["bootstrap"]
        bootstrap = Root(first, roots, machine, {})
        run_bootstrap(machine, bootstrap, first)
        ports = dataclasses.replace(Ports(*(free_port() for _ in range(6))), registry=postgres.port)
        told = services(own | addresses(ports, influx, postgres))
        others = {
            name: Root(service, roots, machine, ports.changes) for name, service in told.items() if name != first.name
        }
        yield Machine(machine, ports, told, {first.name: bootstrap, **others})


@pytest.fixture(scope="module")
def town(drawn: Machine, influx: InfluxServer, postgres: PostgresServer) -> Iterator[Machine]:
    """Broker, front and one worker, all started by their own command lines."""
    with ExitStack() as stack:
        for name, environment in (("broker", {}), ("front", CADDYS_OWN | drawn.told["front"].environment)):
            root = drawn.roots[name]
            inside = {variable: root.inside(value) for variable, value in environment.items()}
            stack.enter_context(started(drawn.words(name), drawn.told[name].owner, root.folder, inside))
        until(accepts(drawn.ports.tls), START_S)
        until(accepts(drawn.ports.alive), START_S)
        give(drawn, influx, postgres)
        with closing(open_registry(drawn.registry())) as registry:
            registry.merge([*REGISTRY.entries, Gateway(name=HALLES, label="Halles")], by="test", at=NOW)
        made = CliRunner().invoke(store_command, drawn.words("store")[1:])
        assert made.exit_code == 0, made.output
        program, *words = drawn.words("api-1")
        assert program == "passerelle"
        for option, here in (("--host", HOST), ("--port", str(drawn.ports.api)), ("--proxy", HOST)):
            words[words.index(option) + 1] = here
        stack.enter_context(running(words, drawn.folder)).says("Serving http://")
        with drawn.asks() as client:
            until(lambda: client.get("/readyz").is_success, START_S)
        yield drawn


def test_each_secret_belongs_to_the_one_who_reads_it_and_nobody_else_may(drawn: Machine) -> None:
    for service in drawn.told.values():
        for mount in service.mounts:
            if mount.kind is Kind.READ_BY_ONE:
                found = drawn.file(mount.source).stat()
                assert stat.S_IMODE(found.st_mode) == 0o600, mount
                assert os.geteuid() != 0 or found.st_uid == service.owner, mount
    assert all(
        (drawn.roots[service.name].folder / mount.target.removeprefix("/")).exists()
        for service in drawn.told.values()
        for mount in service.mounts
    ), "what is mounted is shipped, or drawn"


def test_what_is_drawn_stays_when_bootstrap_runs_again_and_what_was_taken_away_is_drawn_anew(drawn: Machine) -> None:
    token = drawn.file("secrets/platform/store-token")
    kept = {path: path.read_bytes() for path in drawn.folder.rglob("*") if path.is_file() and path != token}
    before = token.read_bytes()
    token.unlink()

    run_bootstrap(drawn.folder, drawn.roots["bootstrap"], drawn.told["bootstrap"])

    assert {path: path.read_bytes() for path in kept} == kept
    assert token.read_bytes() != before


HEALTHY = ("api-1", "broker", "front", "postgres")
"""Whose health checks can be run here: the program of InfluxDB 2 is not to be had."""


def test_every_health_check_is_content_with_who_runs_and_with_nobody_else(town: Machine) -> None:
    nobody = dataclasses.replace(town, ports=Ports(*(free_port() for _ in range(6))))

    assert {name: town.health(name) for name in HEALTHY} == dict.fromkeys(HEALTHY, 0)
    assert all(nobody.health(name) for name in HEALTHY)


def test_a_reading_by_a_gateways_own_user_over_tls_reaches_a_listener_through_the_front(town: Machine) -> None:
    """Unbuffered: the stream has not ended when the event is read."""
    code = CliRunner().invoke(gateway_command, ["invite", HALLES, "--registry", town.registry(), "--url", town.site])
    assert code.exit_code == 0, code.output
    with town.asks() as client:
        enrolled = client.post("/v1/enrolments", json=ASKED | {"code": code.stdout.strip()}).raise_for_status().json()
        assert (enrolled["broker"]["host"], enrolled["broker"]["port"]) == (SITE, town.ports.tls)
        password = town.folder / "halles-password"
        password.write_text(enrolled["password"])
        believed = town.folder / "halles-ca.pem"
        believed.write_text(enrolled["broker"]["ca"])
        login = Broker(
            host=SITE, port=town.ports.tls, ca_file=believed, username=enrolled["user"], password_file=password
        )
        with gateway(login, HALLES) as edge, client.stream("GET", "/v1/parking/stream?zones=marche") as stream:
            lines = stream.iter_lines()
            assert any('"unknown":3' in line for line in islice(lines, MOST_LINES))
            edge.publish(edge.space(1, "d1", occupied=True, at=datetime.now(UTC).replace(microsecond=0)))
            assert any('"unknown":2' in line for line in islice(lines, MOST_LINES))
            until(lambda: edge.confirmed() == {1})
        zones = {zone["id"]: zone for zone in client.get("/v1/parking/zones").json()["data"]["zones"]}
        assert zones["marche"]["occupied"] == 1


def test_who_believes_another_authority_talks_to_neither_front_nor_broker(town: Machine, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Stranger").file
    with town.asks(stranger) as client, pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        client.get("/healthz")
    believed = ssl.create_default_context(cafile=str(stranger))
    with socket.create_connection((HOST, town.ports.tls)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        believed.wrap_socket(plain, server_hostname=SITE)


def test_nobody_gives_a_code_to_a_front_of_another_name(town: Machine) -> None:
    with pytest.raises(EnrolmentError, match="alert"):
        enrol(f"https://{HOST}:{town.ports.front}", town.ca)


def test_nobody_gives_a_code_to_a_front_whose_certificate_has_ended(town: Machine) -> None:
    with (
        ended_front(town.told["front"]) as (address, ca),
        pytest.raises(EnrolmentError, match="certificate has expired; check the clock"),
    ):
        enrol(address, ca)


@contextmanager
def ended_front(told: Service) -> Iterator[tuple[str, Path]]:
    """Another front of the same files, whose certificate has ended: its address, and whom to believe."""
    ports, long_ago = Ports(*(free_port() for _ in range(6))), datetime.now(UTC) - 2 * GOOD_FOR
    with TemporaryDirectory(prefix="passerelle-ended-") as name:
        machine = Path(name)
        _, key = create_authority(machine / "certificates", "Town", long_ago).server(
            "front", [SITE], long_ago, GOOD_FOR.days
        )
        secret = machine / "secrets/front" / key.name
        secret.parent.mkdir(parents=True)
        key.rename(secret).chmod(0o644)
        for folder in (machine, machine / "certificates"):
            folder.chmod(0o755)
        root = Root(told, machine / "roots", machine, ports.changes)
        environment = {variable: root.inside(value) for variable, value in (CADDYS_OWN | told.environment).items()}
        with started([root.inside(word) for word in told.words], told.owner, root.folder, environment):
            until(accepts(ports.front), START_S)
            yield f"https://{SITE}:{ports.front}", machine / "certificates/ca.pem"


def enrol(address: str, ca: Path) -> None:
    """As `passerelle edge enrol` does."""
    ask(Invitation(address, ASKED["code"]), ASKED["machine"], "", ASKED["version"], ca)


def test_each_security_header_is_there_once(town: Machine) -> None:
    with town.asks() as client:
        headers = client.get("/").headers
    assert [
        len(headers.get_list(name))
        for name in (
            "Strict-Transport-Security",
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Permissions-Policy",
        )
    ] == [1, 1, 1, 1, 1]
    assert "Server" not in headers


def test_who_asks_is_who_came_to_the_front_whatever_he_says_himself(town: Machine) -> None:
    def tries(client: httpx.Client, says: str) -> int:
        return client.post("/v1/enrolments", json=ASKED, headers={"X-Forwarded-For": says}).status_code

    with town.asks(local_address=ELSEWHERE) as client, town.asks(local_address="127.0.0.10") as another:
        assert [tries(client, f"10.0.0.{n}") for n in range(CODES_AT_ONCE + 1)] == [404] * CODES_AT_ONCE + [429]
        assert tries(another, ELSEWHERE) == 404
    beside = httpx.HTTPTransport(local_address="127.0.0.11")
    with httpx.Client(base_url=f"http://{HOST}:{town.ports.api}", transport=beside) as client:
        told = [tries(client, f"10.0.0.{n}") for n in range(CODES_AT_ONCE + 1)]
    assert told[-1] == 429, "who comes beside the front is not believed"


def test_the_nights_backup_and_the_look_at_certificates_are_commands_that_work(
    town: Machine, influx: InfluxServer
) -> None:
    done = CliRunner().invoke(backup_app, [*town.words("backup"), "--influx-rpc", influx.rpc])
    assert done.exit_code == 0, done.output
    assert [file.suffix for file in town.file("backups").iterdir()] == [".zip"]
    looked = CliRunner().invoke(ca_command, town.words("certificates")[1:])
    assert (looked.exit_code, looked.stdout.count("days left")) == (0, 3), looked.output
