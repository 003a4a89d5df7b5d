"""A real mosquitto on a free loopback port, for every test that needs a broker.

In goes a folder for its configuration, out comes the address to connect to. It never outlives its owner and never
listens beyond loopback.
"""

import getpass
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import choice

HOST = "127.0.0.1"
START_TIMEOUT_S = 10.0
POLL_S = 0.02
PORT_ATTEMPTS = 5
SERVER_PORTS = range(20_000, 32_768)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One user that the broker lets in; nobody else is."""

    username: str
    password: str


class PortTakenError(Exception):
    """Another program took the free port before mosquitto could."""


class Mosquitto:
    """One broker process. It can be killed and started again on the same port, with or without its memory."""

    def __init__(self, folder: Path, port: int, *, credentials: Credentials | None, settings: str) -> None:
        self.host = HOST
        self.port = port
        self.credentials = credentials
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(self._text(settings))

    @property
    def log(self) -> str:
        """What the broker has logged so far."""
        path = self._folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises `PortTakenError`, or RuntimeError with its log."""
        self._process = subprocess.Popen(
            [_executable(), "-c", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _accepts(self.port):
            if _ended_within(self._process, POLL_S):
                raise (PortTakenError if "in use" in self.log else RuntimeError)(self.log)
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"mosquitto did not start within {START_TIMEOUT_S:g} s: {self.log}")

    def reload(self) -> None:
        """Let it read its configuration and its ACL again; connections stay."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it the orderly way (it saves what it remembers when told to)."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_TIMEOUT_S)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut does: what it has not written to disk is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_TIMEOUT_S)
            self._process = None

    def _text(self, settings: str) -> str:
        lines = [
            f"listener {self.port} {HOST}",
            f"user {getpass.getuser()}",
            f"log_dest file {self._folder / 'mosquitto.log'}",
            "log_type all",
            "max_queued_messages 100000",
            f"allow_anonymous {'false' if self.credentials else 'true'}",
        ]
        if self.credentials is not None:
            lines.append(f"password_file {self._write_passwords(self.credentials)}")
        return "\n".join([*lines, settings, ""])

    def _write_passwords(self, credentials: Credentials) -> Path:
        path = self._folder / "passwords"
        command = ["mosquitto_passwd", "-c", "-b", str(path), credentials.username, credentials.password]
        subprocess.run(command, check=True, capture_output=True)
        return path


@contextmanager
def running_mosquitto(
    folder: Path, *, credentials: Credentials | None = None, settings: str = ""
) -> Iterator[Mosquitto]:
    """A broker for the length of a `with`: anonymous on loopback, or for `credentials` only.

    `settings` are further lines of mosquitto's configuration (`persistence true`, `acl_file …`).
    """
    broker = _started(folder, credentials, settings)
    try:
        yield broker
    finally:
        broker.stop()


def _started(folder: Path, credentials: Credentials | None, settings: str) -> Mosquitto:
    for _ in range(PORT_ATTEMPTS):
        broker = Mosquitto(folder, free_port(), credentials=credentials, settings=settings)
        try:
            broker.start()
        except PortTakenError:
            continue
        return broker
    raise RuntimeError(f"no free port in {PORT_ATTEMPTS} attempts")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now.

    It lies below the range from which the kernel gives ports to connections (32768 to 60999): none takes it meanwhile.
    It is not drawn from `random`, which hypothesis sets alike in every process of a run.
    """
    while True:
        port = choice(SERVER_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _executable() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("mosquitto is not installed: tests need a real broker (apt-get install mosquitto)")
    return found
