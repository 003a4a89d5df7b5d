"""Another operator's web server: real HTTP on loopback, made to answer as operators do."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


@dataclass
class Operator:
    """A real web server that a test makes answer as operators do."""

    address: str = ""
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def tell(self, free: int, **more: object) -> None:
        lot = {"id": "gare", "total": 100, "free": free, "state": "open", **more}
        self.body = json.dumps({"lots": [lot]}).encode()
        self.headers = {"ETag": f'"{free}"'}


@contextmanager
def operator(certificate: tuple[Path, Path] | None = None) -> Iterator[Operator]:
    """The server for the length of a `with`; over TLS with a certificate and its key."""
    it = Operator()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.asked.append({name.lower(): value for name, value in self.headers.items()})
            known = self.headers.get("If-None-Match") == it.headers.get("ETag", "none")
            self.send_response(304 if known else it.status)
            for name, value in it.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(0 if known else len(it.body)))
            self.end_headers()
            self.wfile.write(b"" if known else it.body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            over_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            over_tls.load_cert_chain(*certificate)
            server.socket = over_tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        it.address = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/lots"
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()
