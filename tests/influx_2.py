"""A stand-in for InfluxDB 2, which Debian does not have: what is documented of setup, buckets, `/write` and `/query`.

It keeps no points. It answers as `http/legacy` and `v1/coordinator` of the server's source do (2.7), and as its API's
description says of `/api/v2/setup` and `/api/v2/buckets`. Nothing here proves what a real one does.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

USER: Final = "passerelle"
CONFLICT: Final = (
    "failure writing points to database: partial write: field type conflict: "
    'input field "in" on measurement "flow" is type integer, already exists as type float dropped=1'
)


@dataclass
class Influx2:
    """What one server knows, and what it was asked."""

    port: int = 0
    first: dict[str, Any] = field(default_factory=dict)
    """What it was set up with; empty before."""
    rival: dict[str, Any] = field(default_factory=dict)
    """What somebody else sets it up with as soon as anybody has looked."""
    refusal: str = ""
    """What it answers to every write that comes with it, instead of 204."""
    lines: list[str] = field(default_factory=list)
    is_locked: bool = False
    """Whether its token may not delete buckets."""

    def url(self, database: str, password_file: Path) -> str:
        """The address of a bucket, as `open_store` takes it."""
        return f"influxdb://{USER}@127.0.0.1:{self.port}/{database}?password_file={password_file}"

    def answer(self, method: str, path: str, login: str | None, body: bytes) -> tuple[int, Any]:
        """The status and body of one answer."""
        parts = urlsplit(path)
        if parts.path == "/api/v2/setup":
            return self._setup(method, body)
        if parts.path.startswith("/api/v2/buckets") and login == f"Token {self.first.get('token')}":
            return self._buckets(method, parts.path.removeprefix("/api/v2/buckets"), parse_qs(parts.query))
        if not self.first or login != self._login:
            return 401, {"code": "unauthorized", "message": "unauthorized access"}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/write":
            return self._write(query["db"], body.decode())
        return 200, {"results": [{"statement_id": 0, "series": [self._policies(query["q"])]}]}

    @property
    def _login(self) -> str:
        """Basic authentication, in which the token is the password."""
        return "Basic " + b64encode(f"{USER}:{self.first['token']}".encode()).decode()

    def _setup(self, method: str, body: bytes) -> tuple[int, Any]:
        if method == "GET":
            allowed, self.first = not self.first, self.first or self.rival
            return 200, {"allowed": allowed}
        if self.first:
            return 422, {"code": "conflict", "message": "onboarding has already been completed"}
        self.first = json.loads(body)
        return 201, {"auth": {"token": self.first["token"]}}

    def _buckets(self, method: str, bucket_id: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """One bucket, whose id is its name in hexadecimal digits."""
        bucket = self.first["bucket"]
        known = {"id": bucket.encode().hex(), "name": bucket, "retentionRules": []}
        if method == "GET":
            return 200, {"buckets": [known] if query["name"] == [bucket] else []}
        if self.is_locked:
            return 403, {"code": "forbidden", "message": "insufficient permissions for delete"}
        if bucket_id != f"/{known['id']}":
            return 404, {"code": "not found", "message": "bucket not found"}
        self.first["bucket"] = ""
        return 204, None

    def _write(self, database: str, lines: str) -> tuple[int, Any]:
        if database != self.first["bucket"]:
            return 404, {"code": "not found", "message": "no dbrp mapping found"}
        if self.refusal:
            return 422, {"code": "unprocessable entity", "message": self.refusal}
        self.lines += lines.splitlines()
        return 204, None

    def _policies(self, statement: str) -> dict[str, Any]:
        columns = {"columns": ["name", "duration", "shardGroupDuration", "replicaN", "default"]}
        if statement != f'SHOW RETENTION POLICIES ON "{self.first["bucket"]}"':
            return columns
        return {**columns, "values": [["autogen", "0s", "168h0m0s", 1, True]]}


@contextmanager
def running_influx_2() -> Iterator[Influx2]:
    """A server for the length of a `with`, on loopback."""
    server = Influx2()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def do_DELETE(self) -> None:
            self._respond()

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = server.answer(self.command, self.path, self.headers.get("Authorization"), body)
            words = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("X-Influxdb-Version", "v2.7.12")
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.port = http.server_port
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
