"""A real SMTP server on a free loopback port that keeps what it is given; or refuses it, where a test asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


class Postbox(ThreadingTCPServer):
    """Messages in the order in which they came."""

    daemon_threads = True

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.refuses = refuses
        self.messages: list[EmailMessage] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Dialogue(StreamRequestHandler):
    """As RFC 5321 has it, in the clear."""

    def handle(self) -> None:
        self._say("220 postbox")
        for line in iter(self.rfile.readline, b""):
            match line.split()[0].upper():
                case b"DATA":
                    self._take()
                case b"QUIT":
                    self._say("221 bye")
                    return
                case b"RCPT" if self._box.refuses:
                    self._say("550 no such person here")
                case _:
                    self._say("250 ok")

    @property
    def _box(self) -> Postbox:
        assert isinstance(self.server, Postbox)
        return self.server

    def _take(self) -> None:
        self._say("354 go on")
        lines = list(iter(self.rfile.readline, b".\r\n"))
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(message, EmailMessage)
        self._box.messages.append(message)
        self._say("250 kept")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def postbox(*, refuses: bool = False) -> Iterator[Postbox]:
    """One for the length of a `with`."""
    with Postbox(refuses=refuses) as box:
        thread = Thread(target=box.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield box
        finally:
            box.shutdown()
            thread.join()
