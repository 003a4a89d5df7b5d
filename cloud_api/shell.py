"""What the commands that provision have in common: where the registry is, who asks, plans carried out or rehearsed.

In comes an action, out come its words on the terminal. The command that puts the packages together gives the models of
this version as the context's object, for the cloud knows no drivers.
"""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from cloud_api.existing import existing_registry
from cloud_api.exits import USAGE, end, mistakes_in_words
from cloud_api.provisioning.carrying_out import Action, carry_out, rehearse
from cloud_api.provisioning.fitting import Told, fitting
from cloud_api.provisioning.plan import NotPossibleError, Plan
from cloud_api.registry import Registry
from cloud_api.registry.change import Merged
from cloud_api.registry.radio_keys import NO_RADIO_KEYS, RadioKeys
from cloud_api.registry.refusals import RefusedChangeError
from cloud_api.registry.store import RegistryStore
from edge.messages import Models

RegistryUrl = Annotated[str, typer.Option(help="The registry: a file, sqlite:///FILE or postgresql://….")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")]
TimeZone = Annotated[str, typer.Option(help="The town's time zone.")]
WIDTH: Final = 120
"""Of a list, in characters."""
NO_EPOCH: Final = "0" * 16


def act(
    context: typer.Context,
    registry: str,
    action: Action,
    *,
    dry_run: bool,
    keys: Mapping[str, RadioKeys] = NO_RADIO_KEYS,
) -> None:
    """Carry an action out, or rehearse it, and tell what it does. Ends the command in words where it cannot be."""
    at, by = datetime.now(UTC), f"{context.command_path} ({getpass.getuser()})"

    def fit(town: Registry) -> Plan:
        return fitting(action(town), town, this_version(context, town))

    with opened(registry) as store:
        done = rehearse(store, fit, by=by, at=at) if dry_run else carry_out(store, fit, by=by, at=at, keys=keys)
    for line in done.words:
        typer.echo(line)
    typer.echo(outcome(done.merged, dry_run=dry_run))


@contextmanager
def opened(registry: str) -> Iterator[RegistryStore]:
    """A registry for the length of a `with`; what it or an action refuses ends the command in words."""
    with (
        mistakes_in_words(misuses=(RefusedChangeError, NotPossibleError)),
        closing(existing_registry(registry)) as store,
    ):
        yield store


def this_version(context: typer.Context, town: Registry) -> Told:
    """What gateways can read if they run this version: the shell cannot ask them."""
    known = context.obj() if callable(context.obj) else None
    if known is None:
        return Told({}, {})
    models = {
        name: Models(gateway=name, epoch=NO_EPOCH, version="this version", models=known) for name in town.gateways
    }
    return Told(models, {})


def outcome(merged: Merged, *, dry_run: bool) -> str:
    """How much was done, in one line."""
    parts = [
        f"{len(names)} {verb}"
        for names, verb in ((merged.added, "added"), (merged.changed, "changed"), (merged.removed, "removed"))
        if names
    ]
    done = ", ".join(parts) or "nothing to do"
    return f"dry run, nothing is done: {done}" if dry_run else done


def options_of(pairs: list[str]) -> dict[str, bool | int | float | str]:
    """`NAME=VALUE` settings of a model. Ends the command in words at one without `=`."""
    options: dict[str, bool | int | float | str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            end(USAGE, f"--option {pair!r}: NAME=VALUE expected")
        options[name] = _value(value)
    return options


def _value(text: str) -> bool | int | float | str:
    if text in {"true", "false"}:
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
