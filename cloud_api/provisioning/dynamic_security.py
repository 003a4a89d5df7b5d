"""Lets gateways in at the broker and out again, while it runs, through mosquitto's dynamic security plugin.

In come users and roles, out go commands on the plugin's control topic (MQTT 5). Each batch has a connection of its own
and waits for the plugin's answer; what it refuses, or does not answer in time, is a `BrokerControlError`.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic
from typing import Final

import msgspec
from msgspec import Struct

from cloud_api.mqtt import Connection, Delivery, Subscription
from cloud_api.provisioning.broker_rules import CONTROL, Login, Rule, gateway_role
from cloud_api.settings import Broker

RESPONSES: Final = f"{CONTROL}/response"
ANSWER_S: Final = 4.0
"""So long the broker may take to let us in, and again to answer. Others may wait for the registry meanwhile."""
LOOK_S: Final = 0.02
WINDOW: Final = 10
DONE_BEFORE: Final = frozenset({"Role already exists", "Client not found"})
"""What the plugin says when what was asked for is so already."""


class BrokerControlError(Exception):
    """The broker cannot be told who is let in: what it said, or that it said nothing."""


def _command_name(type_name: str) -> str:
    return type_name[0].lower() + type_name[1:]


class Command(Struct, frozen=True, kw_only=True, tag_field="command", tag=_command_name):
    """What the plugin is told."""


class CreateRole(Command, frozen=True, rename={"name": "rolename", "rules": "acls"}):
    """Add a role."""

    name: str
    rules: tuple[Rule, ...]


class ModifyRole(Command, frozen=True, rename={"name": "rolename", "rules": "acls"}):
    """Give a role other rules."""

    name: str
    rules: tuple[Rule, ...]


class RoleName(Struct, frozen=True, rename={"name": "rolename"}):
    """Names a role."""

    name: str


class CreateClient(Command, frozen=True):
    """Add a user."""

    username: str
    password: str
    roles: tuple[RoleName, ...]


class DeleteClient(Command, frozen=True):
    """Remove a user; its connection ends at once."""

    username: str


class DisableClient(Command, frozen=True):
    """Let a user in no longer, and keep it; its connection ends at once."""

    username: str


class EnableClient(Command, frozen=True):
    """Let a user in again."""

    username: str


class Request(Struct, frozen=True):
    """A batch, done in order; one that fails does not keep the next from being done."""

    commands: tuple[Command, ...]


class Answer(Struct, frozen=True):
    """What became of one command."""

    command: str
    error: str | None = None


class Answers(Struct, frozen=True):
    """What became of a batch."""

    responses: tuple[Answer, ...]


class BrokerControl:
    """The broker's users. Methods block for seconds at most, and raise `BrokerControlError`."""

    def __init__(self, administrator: Broker, *, patience_s: float = ANSWER_S) -> None:
        """The broker, with the user who may control it. Raises `ConfigError` when his password cannot be read."""
        self._broker = administrator
        self._patience_s = patience_s
        self._connection(lambda _: None)

    def admit(self, gateway: str, login: Login) -> None:
        """Let a user in who may do what this gateway may; a user of this name who is there already is replaced."""
        role = gateway_role(gateway)
        self.run(
            CreateRole(name=role.name, rules=role.rules),
            ModifyRole(name=role.name, rules=role.rules),
            DeleteClient(username=login.user),
            CreateClient(username=login.user, password=login.password, roles=(RoleName(role.name),)),
        )

    def expel(self, users: Sequence[str]) -> None:
        """Let users in no longer; whoever is connected as one of them is cut off."""
        self.run(*(DeleteClient(username=user) for user in users))

    def hold_off(self, users: Iterable[str]) -> None:
        """Let users in no longer, until `let_back`; whoever is connected as one of them is cut off."""
        self.run(*(DisableClient(username=user) for user in users))

    def let_back(self, users: Iterable[str]) -> None:
        """Let users in again."""
        self.run(*(EnableClient(username=user) for user in users))

    def run(self, *commands: Command) -> None:
        """Have all of this done; what is so already is well."""
        heard: SimpleQueue[Delivery] = SimpleQueue()
        connection = self._connection(heard.put)
        connection.start()
        try:
            _wait_for(connection, self._patience_s)
            if not connection.publish(CONTROL, msgspec.json.encode(Request(commands))):
                raise BrokerControlError("the broker went away before it could be told")
            answers = _answers(heard, self._patience_s)
        finally:
            connection.stop()
        refused = [each for each in answers if each.error is not None and each.error not in DONE_BEFORE]
        if refused:
            raise BrokerControlError("; ".join(f"the broker refuses {each.command}: {each.error}" for each in refused))

    def _connection(self, on_message: Callable[[Delivery], None]) -> Connection:
        name = f"passerelle-control-{secrets.token_hex(8)}"
        return Connection(self._broker, Subscription(client_id=name, topics=(RESPONSES,), window=WINDOW), on_message)


def _wait_for(connection: Connection, patience_s: float) -> None:
    until, pause = monotonic() + patience_s, Event()
    while (problem := connection.problem) is not None:
        if monotonic() > until:
            raise BrokerControlError(f"{problem}; check that its dynamic security plugin is loaded and its password")
        pause.wait(LOOK_S)


def _answers(heard: SimpleQueue[Delivery], patience_s: float) -> tuple[Answer, ...]:
    """The plugin answers on this connection alone, and it was asked once."""
    try:
        return msgspec.json.decode(heard.get(timeout=patience_s).body, type=Answers).responses
    except Empty:
        says = f"the broker does not answer within {patience_s:g} s: is its dynamic security plugin loaded?"
        raise BrokerControlError(says) from None
    except msgspec.DecodeError as error:
        raise BrokerControlError(f"the broker's answer is not understood: {error}") from error
