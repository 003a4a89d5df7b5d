"""Stands in for systemd and its `systemctl`: runs the unit that was installed, by the real notify protocol.

In goes a root into which the gateway was installed, out comes a folder for `PATH`. A start returns at READY=1, a stop
when the process has ended; what ends by itself, or lets its watchdog starve, is started again. No process outlives it.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from threading import Event, RLock, Thread
from time import monotonic

from tests.systemd import PATIENCE_S, Systemd, listening

WATCHDOG_S = 4.0
LISTEN_S = 0.1
SCRIPT = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    line.sendall(" ".join(sys.argv[1:]).encode() + b"\\n")
    status, _, words = line.makefile().read().partition("\\n")
print(words, end="")
sys.exit(int(status))
"""


class Service:
    """The gateway's service: at most one process of it runs."""

    def __init__(self, root: Path, systemd: Systemd) -> None:
        self._root = root
        self._systemd = systemd
        self._turn = RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = Event()
        self._heard_s = 0.0
        self._wanted = False
        self.restarts = 0
        self.log = root / "journal"

    @property
    def pid(self) -> int:
        """Its process; 0 when none runs."""
        process = self._process
        return 0 if process is None or process.poll() is not None else process.pid

    def start(self) -> int:
        """The exit status of `systemctl start`."""
        with self._turn:
            self._wanted = True
            self._spawn()
            while not self._ready.wait(LISTEN_S):
                if self.pid == 0:
                    return 1
        return 0

    def stop(self) -> int:
        """The exit status of `systemctl stop`."""
        with self._turn:
            self._wanted = False
            if self._process is not None:
                self._process.terminate()
                self._process.wait(PATIENCE_S)
        return 0

    def watch(self, ended: Event) -> None:
        """Hear what it tells, and start again what ends or starves, until told to end."""
        self._systemd.receiver.settimeout(LISTEN_S)
        while not ended.is_set():
            try:
                self._hear(self._systemd.receiver.recv(4096).decode())
            except TimeoutError:
                self._see_to_it()

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)

    def _hear(self, told: str) -> None:
        self._heard_s = monotonic() if "WATCHDOG=1" in told or "READY=1" in told else self._heard_s
        if "READY=1" in told:
            self._ready.set()

    def _see_to_it(self) -> None:
        if not self._turn.acquire(blocking=False):
            return
        try:
            if self.pid and self._ready.is_set() and monotonic() - self._heard_s > PATIENCE_S:
                os.kill(self.pid, signal.SIGABRT)
            if self._wanted and self.pid == 0:
                self.restarts += 1
                self._spawn()
        finally:
            self._turn.release()

    def _spawn(self) -> None:
        self._ready.clear()
        run = self._root / "run" / "passerelle"
        run.mkdir(parents=True, exist_ok=True)
        (run / "health.json").unlink(missing_ok=True)
        unit = (self._root / "etc/systemd/system/passerelle-edge.service").read_text()
        (line,) = (line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart="))
        command = [f"{self._root}{word}" if word.startswith("/") else word for word in line.split()]
        environment = {
            "PATH": os.environ["PATH"],
            "NOTIFY_SOCKET": self._systemd.address,
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1_000_000)),
            "RUNTIME_DIRECTORY": str(run),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)

    def answer(self, words: list[str]) -> tuple[int, str]:
        """Exit status and output of `systemctl WORDS`."""
        match words:
            case ["start", "passerelle-edge.service"]:
                return self.start(), ""
            case ["stop", "passerelle-edge.service"]:
                return self.stop(), ""
            case ["show", "passerelle-edge.service", "--property=MainPID", "--value"]:
                return 0, f"{self.pid}\n"
        return 1, ""


@contextmanager
def service(root: Path, folder: Path) -> Iterator[Service]:
    """The installed service, asked by the `systemctl` in `folder`, for the length of a `with`."""
    with ExitStack() as opened:
        it = Service(root, opened.enter_context(listening(folder)))

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                status, words = it.answer(self.rfile.readline().decode().split())
                self.wfile.write(f"{status}\n{words}".encode())
                self.request.shutdown(socket.SHUT_WR)

        server = opened.enter_context(ThreadingUnixStreamServer(f"{folder}/asked", Handler))
        script = folder / "systemctl"
        script.write_text(SCRIPT.format(python=sys.executable, address=f"{folder}/asked"))
        script.chmod(0o755)
        ended = Event()
        threads = [Thread(target=server.serve_forever), Thread(target=it.watch, args=(ended,))]
        for thread in threads:
            thread.start()
        try:
            yield it
        finally:
            ended.set()
            server.shutdown()
            for thread in threads:
                thread.join()
            it.kill()
