"""A real InfluxDB 1.x server for tests: authentication on, free loopback ports, all it writes in one folder.

Import the fixture `influx` in a test module, or run a server of one's own with `InfluxServer` to stop and start it.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote, urlencode

import pytest
import urllib3

from tests.broker import free_port

USER = "passerelle"
START_TIMEOUT_S = 30
POLL_S = 0.05

_CONFIGURATION = """
reporting-disabled = true
bind-address = "{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = true
log-enabled = false
https-enabled = {tls}
https-certificate = "{certificate}"
[monitor]
store-enabled = false
[logging]
level = "error"
suppress-logo = true
"""


class InfluxServer:
    """One influxd process over one folder; stopped and started again it has the same ports and data."""

    def __init__(self, folder: Path, certificate: Path | None = None) -> None:
        """Start nothing yet. With a certificate (and its key, in one file) the server speaks TLS only."""
        self.folder = folder
        self.certificate = certificate
        self.port = free_port()
        self.rpc = f"127.0.0.1:{free_port()}"
        """Where its backup tool finds it."""
        self._password = f"pont d'Arcole: 100 % {token_hex(8)}"
        self._http = urllib3.PoolManager(retries=False, timeout=5, ca_certs=certificate and str(certificate))
        self._process: subprocess.Popen[bytes] | None = None
        configuration = _CONFIGURATION.format(
            folder=folder,
            port=self.port,
            rpc=self.rpc,
            tls="true" if certificate else "false",
            certificate=certificate or "",
        )
        (folder / "influxdb.conf").write_text(configuration, encoding="utf-8")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """It, while it runs."""
        assert self._process is not None
        return self._process

    def url(self, database: str) -> str:
        """The address of a database, as `open_store` takes it."""
        login = f"{USER}:{quote(self._password, safe='')}"
        if self.certificate is None:
            return f"influxdb://{login}@127.0.0.1:{self.port}/{database}"
        return f"influxdbs://{login}@127.0.0.1:{self.port}/{database}?ca_file={self.certificate}"

    def start(self) -> None:
        """Start the server and return when it serves its administrator."""
        executable = shutil.which("influxd")
        assert executable is not None, "influxd is not installed; .ci/system-packages installs it"
        with (self.folder / "influxd.log").open("ab") as log:
            command = [executable, "run", "-config", str(self.folder / "influxdb.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(round(START_TIMEOUT_S / POLL_S)):
            if self._serves():
                password = self._password.replace("'", r"\'")
                self.query(f"CREATE USER \"{USER}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
                return
            self._let_it_run()
        self.stop()
        raise AssertionError(f"influxd does not answer: {self._log()}")

    def stop(self) -> None:
        """Stop the server; its data stays."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_TIMEOUT_S)
            self._process = None
        self._http.clear()

    def kill(self) -> None:
        """End the server as a power cut does; what it answered for stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_TIMEOUT_S)
            self._process = None
        self._http.clear()

    def query(self, statement: str) -> bytes:
        """Run a statement as administrator; the answer as it comes."""
        return self._post(f"/query?{urlencode({'q': statement})}")

    def write(self, database: str, lines: str) -> None:
        """Write lines, times in nanoseconds, as another client of the database might."""
        self._post(f"/write?{urlencode({'db': database})}", lines.encode())

    def _post(self, path: str, body: bytes | None = None) -> bytes:
        headers = urllib3.make_headers(basic_auth=f"{USER}:{self._password}")
        answer = self._http.request("POST", f"{self._base}{path}", headers=headers, body=body)
        return answer.data

    @property
    def _base(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def _serves(self) -> bool:
        try:
            return self._http.request("GET", f"{self._base}/ping").status == 204
        except urllib3.exceptions.HTTPError:
            return False

    def _let_it_run(self) -> None:
        """Wait a moment, and no longer once the process has died."""
        assert self._process is not None
        try:
            status = self._process.wait(timeout=POLL_S)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"influxd ended with status {status}: {self._log()}")

    def _log(self) -> str:
        return (self.folder / "influxd.log").read_text(encoding="utf-8", errors="replace")[-2000:]


def without(field: str, line: str) -> str:
    """A line of line protocol as a reader sees its point for a moment while it is written: field by field."""
    its = rf'{field}=(?:".*?"|[^, ]+)'
    rest, found = re.subn(rf",{its}|(?<= ){its},", "", line)
    assert found == 1
    return rest


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A running server, shared; each test takes a database of its own."""
    server = InfluxServer(tmp_path_factory.mktemp("influx"))
    server.start()
    yield server
    server.stop()
