"""Who may do what on the city's broker, in the words of mosquitto's dynamic security plugin. Pure.

Out come roles, the same rules as `deploy/mosquitto/acl`, and the plugin's first state: an administrator, who may do
nothing but let users in and out, and the API. Nobody else is let in, and what no rule allows is refused.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from edge.messages import ROOT

ADMIN: Final = "admin"
API: Final = "api"
"""The users that there are from the start; each has the role of its name."""
CONTROL: Final = "$CONTROL/dynamic-security/v1"
GATEWAY_WRITES: Final = (
    "status",
    "models",
    "flow",
    "space/+",
    "health/+",
    "heard",
    "dropped",
    "config/reported",
    "result",
)
GATEWAY_READS: Final = ("stored", "config/desired", "command")
API_WRITES: Final = ("stored", "config/desired", "command")
SHARES: Final = ("ingest",)
"""Names of shared subscriptions: the plugin holds them against the rules with their prefix."""
HASH_ROUNDS: Final = 101
"""As mosquitto makes them: a password of 32 random bytes needs no more."""
SALT_BYTES: Final = 12

Deed = Literal["publishClientSend", "publishClientReceive", "subscribeLiteral", "subscribePattern"]


class Rule(Struct, frozen=True, rename={"deed": "acltype"}):
    """One thing that is allowed."""

    deed: Deed
    topic: str
    allow: bool = True


class Role(Struct, frozen=True, rename={"name": "rolename", "rules": "acls"}):
    """What somebody may do."""

    name: str
    rules: tuple[Rule, ...]


class Login(Struct, frozen=True):
    """A user's name and password."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"Login({self.user!r})"


def gateway_role(gateway: str) -> Role:
    """A gateway writes under its own name only, and reads only what the cloud tells it."""
    own = f"{ROOT}/{gateway}"
    return Role(
        name=f"gateway {gateway}",
        rules=(
            *_all("publishClientSend", (f"{own}/{each}" for each in GATEWAY_WRITES)),
            *_all("publishClientReceive", (f"{own}/{each}" for each in GATEWAY_READS)),
            *_all("subscribeLiteral", (f"{own}/{each}" for each in GATEWAY_READS)),
        ),
    )


def api_role() -> Role:
    """The API reads all gateways and answers them."""
    every = f"{ROOT}/#"
    return Role(
        name=API,
        rules=(
            *_all("publishClientSend", (f"{ROOT}/+/{each}" for each in API_WRITES)),
            Rule("publishClientReceive", every),
            *_all("subscribePattern", (every, *(f"$share/{share}/{every}" for share in SHARES))),
        ),
    )


def admin_role() -> Role:
    """The administrator lets users in and out; he hears and says nothing else."""
    deeds: tuple[Deed, ...] = ("publishClientSend", "publishClientReceive", "subscribePattern")
    return Role(name=ADMIN, rules=tuple(Rule(deed, f"{CONTROL}/#") for deed in deeds))


def first_state(admin_password: str, api_password: str, salts: tuple[bytes, bytes]) -> bytes:
    """The plugin's file as it is before any gateway is let in."""
    logins = (Login(ADMIN, admin_password), Login(API, api_password))
    state = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [_user(login, salt) for login, salt in zip(logins, salts, strict=True)],
        "groups": [],
        "roles": [admin_role(), api_role()],
    }
    return msgspec.json.format(msgspec.json.encode(state), indent=2)


def _all(deed: Deed, topics: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(Rule(deed, topic) for topic in topics)


def _user(login: Login, salt: bytes) -> dict[str, object]:
    digest = hashlib.pbkdf2_hmac("sha512", login.password.encode(), salt, HASH_ROUNDS)
    return {
        "username": login.user,
        "password": b64encode(digest).decode(),
        "salt": b64encode(salt).decode(),
        "iterations": HASH_ROUNDS,
        "roles": [{"rolename": login.user}],
    }
