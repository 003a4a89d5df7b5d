"""`passerelle doctor`: every fault a technician meets on a street is named, with what to do, and no secret is shown."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge import bluetooth_probe, doctor
from edge.aggregator.device import DeviceState
from edge.clock import ClockTrust
from edge.drivers.links.ble import PLUG_IN, SWITCH_ON
from edge.entries import Waiting
from edge.findings import Finding, Verdict
from edge.messages import DeviceHealth, Dropped, Epoch, HealthReport, Limit, Trimmed
from edge.outbox import Outbox
from edge.publisher import BrokerConfig
from firmware_sim.links.bluez import Bluez, PrivateBus
from firmware_sim.links.pty import SerialPeer
from passerelle import app
from tests.broker import Credentials, Mosquitto, free_port, running_mosquitto
from tests.bus import bus
from tests.certificates import Authority
from tests.system.programs import REPOSITORY, running

__all__ = ["bus"]
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CREDENTIALS = Credentials("mairie", "rue-haute-1847")
ADDRESS = "0004a30b00000002"
CONFIG = """
[gateway]
name = "mairie"
data = "data"
clock = "system"
[broker]
host = "127.0.0.1"
port = {port}
username = "mairie"
password_file = "password"
"""
DEVICE = f'[[device]]\naddress = "{ADDRESS}"\nmodel = "bosch-tps110"\n'
SERIAL = '[[link]]\nkind = "serial"\nname = "passage"\nport = "{port}"\nmodel = "hlk-ld2450"\ndevice = "radar"\n'


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with guarded(tmp_path) as it:
        yield it


def guarded(folder: Path, settings: str = "", user: str = "mairie") -> AbstractContextManager[Mosquitto]:
    """A broker that lets in one user with its password, under the rules that are shipped."""
    home = folder / "broker"
    home.mkdir()
    rules = home / "acl"
    rules.write_text((REPOSITORY / "deploy" / "mosquitto" / "acl").read_text())
    rules.chmod(0o600)
    credentials = Credentials(user, CREDENTIALS.password)
    return running_mosquitto(home, credentials=credentials, settings=f"acl_file {rules}\n{settings}")


def gateway_file(folder: Path, port: int, *, broker: str = "", more: str = "") -> Path:
    """A gateway's configuration; `broker` are further lines of that section, `more` further sections."""
    secret = folder / "password"
    secret.write_text(CREDENTIALS.password)
    secret.chmod(0o600)
    path = folder / "gateway.toml"
    path.write_text(f"{CONFIG.format(port=port)}{broker}\n{more}")
    return path


def found(path: Path, what: str, now: datetime = NOW) -> list[Finding]:
    """What is found of one thing."""
    return [finding for finding in doctor.examine(path, now) if finding.what == what]


def worst(findings: list[Finding]) -> Finding:
    return max(findings, key=lambda finding: list(Verdict).index(finding.verdict))


def with_message(folder: Path, at: datetime, *, gateway: str = "mairie") -> None:
    """An outbox with one message and one checkpoint, both of a device heard at that time."""
    health = DeviceHealth(device=ADDRESS, model="bosch-tps110", at=at, period_s=600)
    with closing(Outbox(folder / "data" / "outbox.db", gateway)) as outbox:
        report = HealthReport(gateway=gateway, epoch=Epoch("0" * 16), health=health)
        outbox.commit({ADDRESS: DeviceState(health=health)}, [report])


def test_a_broker_that_lets_us_in_and_takes_our_messages_is_ok(tmp_path: Path, broker: Mosquitto) -> None:
    findings = found(gateway_file(tmp_path, broker.port), "broker")

    assert Verdict.WRONG not in {finding.verdict for finding in findings}
    assert [finding.says for finding in findings][:2] == [
        "reached on this machine, without TLS",
        "lets us in as 'mairie'",
    ]
    assert findings[-1].says == "we may publish, but nobody listens"


def test_a_wrong_password_is_named_and_not_shown(tmp_path: Path, broker: Mosquitto) -> None:
    path = gateway_file(tmp_path, broker.port)
    (tmp_path / "password").write_text("rue-basse-1848")
    result = CliRunner().invoke(app, ["doctor", "--config", str(path)])

    assert result.exit_code == 1
    assert "wrong    broker: it does not let us in as 'mairie': Not authorized -> check `username`" in result.output
    assert "rue-basse-1848" not in result.output


def test_a_user_who_may_not_write_under_the_gateways_name_is_told_of_the_acl(tmp_path: Path) -> None:
    with guarded(tmp_path, user="theatre") as broker:
        path = gateway_file(tmp_path, broker.port)
        path.write_text(path.read_text().replace('username = "mairie"', 'username = "theatre"'))
        finding = worst(found(path, "broker"))

    assert finding.says == "we may not publish on passerelle/1/mairie/heard: Not authorized"
    assert "ACL" in finding.advice


def test_a_gateway_at_work_keeps_its_connection(tmp_path: Path, broker: Mosquitto) -> None:
    path = gateway_file(tmp_path, broker.port)
    with running(["edge", "--config", str(path)], tmp_path) as program:
        program.says("connected to the broker")
        assert worst(found(path, "broker")).verdict is Verdict.WARNING
        assert found(path, "outbox")[0].verdict is Verdict.OK
        assert "the broker is away" not in program.words
    assert broker.log.count("as passerelle-edge-mairie ") == 1


@pytest.mark.parametrize(
    ("days", "verdict", "says"),
    [(365, Verdict.OK, "TLS, its certificate is good for 36"), (5, Verdict.WARNING, "its certificate ends in")],
)
def test_over_tls_the_end_of_the_certificate_is_told(tmp_path: Path, days: int, verdict: Verdict, says: str) -> None:
    authority = Authority(tmp_path, "authority")
    with guarded(tmp_path, tls_settings(authority, days)) as broker:
        path = gateway_file(tmp_path, broker.port, broker=f'ca_file = "{authority.file}"')
        first = found(path, "broker", datetime.now(UTC))[0]

    assert first.verdict is verdict
    assert says in first.says


@pytest.mark.parametrize(
    ("days", "verdict", "says"),
    [(365, Verdict.OK, "is good for 365 days"), (80, Verdict.WARNING, "ends in 80 days, and was not renewed")],
)
def test_the_end_of_the_gateways_own_certificate_is_told(
    tmp_path: Path, days: int, verdict: Verdict, says: str
) -> None:
    authority, now = Authority(tmp_path, "town"), datetime.now(UTC)
    certificate, key = authority.sign(days=days)
    way = BrokerConfig(host="broker", ca_file=authority.file, certificate_file=certificate, key_file=key)
    (finding,) = doctor.own_certificate(way, now)
    assert (finding.verdict, says in finding.says) == (verdict, True)


def test_a_wrong_authority_is_named(tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with guarded(tmp_path, tls_settings(Authority(tmp_path, "authority"), 365)) as broker:
        path = gateway_file(tmp_path, broker.port, broker=f'ca_file = "{other.file}"')
        (finding,) = found(path, "broker")

    assert finding.verdict is Verdict.WRONG
    assert "is not believed: unable to get local issuer certificate" in finding.says
    assert "ca_file" in finding.advice


def test_a_broker_that_expects_tls_is_told_from_one_that_is_away(tmp_path: Path) -> None:
    with guarded(tmp_path, tls_settings(Authority(tmp_path, "authority"), 365)) as broker:
        finding = worst(found(gateway_file(tmp_path, broker.port), "broker"))
    assert finding.says.startswith("it ended the connection without a word")
    assert "ca_file" in finding.advice

    (finding,) = found(gateway_file(tmp_path, free_port()), "broker")
    assert finding.says.endswith("does not answer: Connection refused")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_holds_no_authority_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    (finding,) = found(gateway_file(tmp_path, free_port(), broker=f'ca_file = "{file}"'), "broker")

    assert finding.verdict is Verdict.WRONG
    assert finding.says.startswith(f"ca_file {file} cannot be used")


def test_tls_to_a_broker_that_speaks_none_is_named(tmp_path: Path, broker: Mosquitto) -> None:
    authority = Authority(tmp_path, "authority")
    (finding,) = found(gateway_file(tmp_path, broker.port, broker=f'ca_file = "{authority.file}"'), "broker")

    assert finding.verdict is Verdict.WRONG
    assert "8883" in finding.advice


def test_a_password_that_others_may_read_is_told(tmp_path: Path, broker: Mosquitto) -> None:
    path = gateway_file(tmp_path, broker.port)
    (tmp_path / "password").chmod(0o644)
    first = found(path, "broker")[0]
    assert (first.verdict, first.advice) == (Verdict.WARNING, f"chmod 600 {tmp_path}/password")

    (tmp_path / "password").unlink()
    assert (
        found(path, "broker")[0].says == f"password_file {tmp_path}/password cannot be read: No such file or directory"
    )


def tls_settings(authority: Authority, days: int) -> str:
    certificate, key = authority.sign(days=days)
    return f"certfile {certificate}\nkeyfile {key}"


def test_a_port_is_tried_as_its_link_would(tmp_path: Path) -> None:
    with closing(SerialPeer()) as peer:
        path = gateway_file(tmp_path, free_port(), more=SERIAL.format(port=peer.path))
        (finding,) = found(path, "link passage")
    assert finding.verdict is Verdict.OK

    path = gateway_file(tmp_path, free_port(), more=SERIAL.format(port="/dev/ttyUSB99"))
    (finding,) = found(path, "link passage")
    assert finding == Finding(
        "link passage",
        Verdict.WRONG,
        "port /dev/ttyUSB99 is not there",
        "plug it in; `passerelle devices ports` shows those there are",
    )


def test_a_port_that_another_program_holds_is_not_touched_and_the_program_is_named(tmp_path: Path) -> None:
    hold = "import sys; port = open(sys.argv[1], 'rb', buffering=0); print('open', flush=True); sys.stdin.read()"
    with closing(SerialPeer()) as peer:
        command = [sys.executable, "-c", hold, peer.path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"open\n"
            path = gateway_file(tmp_path, free_port(), more=SERIAL.format(port=peer.path))
            (finding,) = found(path, "link passage")
            other.communicate()

    assert finding.verdict is Verdict.WRONG
    assert f"{peer.path} is open in process {other.pid} (python" in finding.says


def test_a_port_that_the_gateway_holds_is_as_it_should_be(tmp_path: Path, broker: Mosquitto) -> None:
    with closing(SerialPeer()) as peer:
        path = gateway_file(tmp_path, broker.port, more=SERIAL.format(port=peer.path))
        with running(["edge", "--config", str(path), "--log-level", "debug"], tmp_path) as program:
            program.says("connected to the broker")
            (finding,) = found(path, "link passage")

    assert finding.verdict is Verdict.OK
    assert "is open in the gateway, process" in finding.says


@pytest.mark.parametrize(
    ("adapter", "powered", "verdict", "advice"),
    [
        (None, True, Verdict.OK, ""),
        ("hci0", True, Verdict.OK, ""),
        ("hci7", True, Verdict.WRONG, PLUG_IN),
        (None, False, Verdict.WRONG, SWITCH_ON),
    ],
)
def test_bluetooth_is_asked_for_its_adapter_and_its_power(
    bus: PrivateBus, adapter: str | None, powered: bool, verdict: Verdict, advice: str
) -> None:
    async def asked() -> Finding:
        bluez = Bluez(powered=powered)
        await bluez.start(bus.address)
        try:
            return await asyncio.to_thread(bluetooth_probe.probe, "link bluetooth", adapter)
        finally:
            await bluez.stop()

    finding = asyncio.run(asked())
    assert (finding.verdict, finding.advice) == (verdict, advice)


def test_bluetooth_without_bluetoothd_or_without_a_bus_is_named(bus: PrivateBus) -> None:
    assert "bluetoothd does not run" in bluetooth_probe.probe("link bluetooth", None).says

    bus.stop()
    assert "message bus cannot be reached" in bluetooth_probe.probe("link bluetooth", None).says


@pytest.mark.parametrize(
    ("trust", "is_synchronised", "verdict"),
    [
        (ClockTrust.NTP, True, Verdict.OK),
        (ClockTrust.NTP, False, Verdict.WRONG),
        (ClockTrust.SYSTEM, False, Verdict.OK),
    ],
)
def test_a_clock_that_is_not_synchronised_holds_counts_back(
    trust: ClockTrust, is_synchronised: bool, verdict: Verdict
) -> None:
    assert doctor.clock(trust, is_synchronised=is_synchronised).verdict is verdict


def test_a_folder_that_cannot_be_written_is_named() -> None:
    finding = doctor.disk(Path("/proc/self"), outbox_bytes=512 * doctor.MEGABYTE)

    assert finding.verdict is Verdict.WRONG
    assert finding.says.startswith("/proc/self cannot be written")


@pytest.mark.parametrize(("free_mb", "verdict"), [(10, Verdict.WRONG), (300, Verdict.WARNING), (5_000, Verdict.OK)])
def test_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, verdict: Verdict) -> None:
    class Usage:
        free = free_mb * doctor.MEGABYTE

    monkeypatch.setattr("edge.doctor.shutil.disk_usage", lambda _folder: Usage)

    finding = doctor.disk(tmp_path / "data", outbox_bytes=512 * doctor.MEGABYTE)

    assert finding.verdict is verdict
    assert (verdict is Verdict.WARNING) == ("the outbox may grow by 512 MB" in finding.says)


def test_an_outbox_that_waits_long_is_told_with_its_oldest_message(tmp_path: Path) -> None:
    path = gateway_file(tmp_path, free_port())
    assert found(path, "outbox")[0].verdict is Verdict.WARNING
    assert not (tmp_path / "data").exists()

    with_message(tmp_path, NOW - timedelta(seconds=30))
    assert found(path, "outbox")[0].verdict is Verdict.OK
    (finding,) = found(path, "outbox", NOW + timedelta(hours=5))
    assert finding.verdict is Verdict.WARNING
    assert finding.says.startswith("1 message not confirmed as stored, 0.")
    assert finding.says.endswith("the oldest of 5 h ago")


def test_passages_lost_at_the_outboxs_limit_are_told_until_the_platform_knows(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "data" / "outbox.db", "mairie")) as outbox:
        lost = Dropped(
            gateway="mairie",
            epoch=outbox.epoch,
            what=Trimmed.FLOW,
            why=Limit.BYTES,
            messages=3,
            in_=30,
            out=12,
            start=NOW,
            end=NOW,
        )
        outbox.commit({}, [lost])

    (finding,) = found(gateway_file(tmp_path, free_port()), "outbox")

    assert finding.verdict is Verdict.WRONG
    assert finding.says.endswith("MB of 512 MB at most; it had reached its limit, passages lost: 42")


def test_what_waited_for_the_clock_in_vain_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.outbox.MOST_WAITING", 2)
    with closing(Outbox(tmp_path / "data" / "outbox.db", "mairie")) as outbox:
        outbox.commit({}, [], waiting=[Waiting("boot", number, "d", b"") for number in range(5)])

    (finding,) = found(gateway_file(tmp_path, free_port()), "outbox")

    assert finding.verdict is Verdict.WARNING
    assert finding.says.endswith("observations that wait for the clock: 2, older ones that were dropped: 3")


def test_the_outbox_of_another_gateway_or_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = gateway_file(tmp_path, free_port())
    with_message(tmp_path, NOW, gateway="theatre")
    assert "belongs to gateway 'theatre'" in found(path, "outbox")[0].says

    (tmp_path / "data" / "outbox.db").write_bytes(b"no database" * 1000)
    assert found(path, "outbox")[0].verdict is Verdict.WRONG


def test_looking_at_an_outbox_leaves_it_as_it_was(tmp_path: Path) -> None:
    with_message(tmp_path, NOW)
    path, outbox = gateway_file(tmp_path, free_port()), tmp_path / "data" / "outbox.db"
    before = outbox.read_bytes()
    found(path, "outbox")

    assert outbox.read_bytes() == before
    with closing(sqlite3.connect(outbox)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_device_is_told_with_the_time_since_it_was_heard(tmp_path: Path) -> None:
    path = gateway_file(tmp_path, free_port(), more=DEVICE)
    assert found(path, f"device {ADDRESS}")[0].says == "never heard"

    with_message(tmp_path, NOW - timedelta(minutes=12))
    (finding,) = found(path, f"device {ADDRESS}")
    assert (finding.verdict, finding.says) == (Verdict.OK, "heard 12 min ago, expected every 10 min")
    (finding,) = found(path, f"device {ADDRESS}", NOW + timedelta(hours=3))
    assert (finding.verdict, finding.says) == (Verdict.WARNING, "heard 3 h ago, expected every 10 min")


def test_a_configuration_with_a_mistake_is_the_only_finding(tmp_path: Path) -> None:
    path = gateway_file(tmp_path, free_port(), broker="prot = 1883")
    result = CliRunner().invoke(app, ["doctor", "--config", str(path)])

    assert result.exit_code == 1
    assert "wrong    configuration: " in result.output
    assert "broker.prot" in result.output
    assert result.output.splitlines()[-1] == "1 wrong, 0 to look at, 0 ok"


def test_a_gateway_that_is_well_ends_it_with_success(tmp_path: Path, broker: Mosquitto) -> None:
    with_message(tmp_path, datetime.now(UTC))
    path = gateway_file(tmp_path, broker.port, more=DEVICE)
    with running(["doctor", "--config", str(path)], tmp_path) as program:
        assert program.status(60) == 0, program.words
        assert program.words.splitlines()[-1].startswith("0 wrong, ")
        assert CREDENTIALS.password not in program.words
