"""The command `passerelle quarantine`: facts that the store refused, shown, tried again, or given up.

In come a ledger's file and numbers of facts, out come lines for a person and an exit status. A fact leaves the
quarantine only when the store has committed it, or when a person says by its number that it shall be dropped.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cloud_api.exits import FAILURE, mistakes_in_words
from cloud_api.ledger import Ledger, Quarantined
from cloud_api.stores import open_store
from cloud_api.stores.address import SqliteAddress, parse_store_url
from cloud_api.stores.base import Fact, RefusedFactError, Store, StoredFlow, StoreError

BATCH = 500
"""Facts offered to the store at once."""

quarantine = typer.Typer(
    help="Facts that the store refused: list, show, retry, drop.", no_args_is_help=True, rich_markup_mode="markdown"
)

LedgerFile = Annotated[
    Path, typer.Option("--ledger", help="The API's ledger: NAME.ledger.db beside an SQLite store NAME.db.")
]
Numbers = Annotated[list[int] | None, typer.Argument(metavar="[ID…]", help="Facts, as `list` numbers them.")]
All = Annotated[bool, typer.Option("--all", help="Every fact in quarantine.")]


class MisuseError(Exception):
    """What was asked for makes no sense: what, and what to ask instead."""


@quarantine.command("list")
def list_facts(ledger: LedgerFile) -> None:
    """List the facts in quarantine, one a line, the one held longest first.

    Examples:

        passerelle quarantine list --ledger history.ledger.db
    """
    with _opened(ledger) as opened:
        held = opened.refused()
    for each in held:
        typer.echo(f"{each.id:>6}  {each.at:%Y-%m-%d %H:%M:%SZ}  {_in_words(each.fact)}: {each.reason}")
    typer.echo(f"{_facts(len(held))} in quarantine")


@quarantine.command()
def show(number: Annotated[int, typer.Argument(metavar="ID")], ledger: LedgerFile) -> None:
    """Show one fact whole: when and why it was refused, then the fact itself as JSON.

    Examples:

        passerelle quarantine show 12 --ledger history.ledger.db
    """
    with _opened(ledger) as opened:
        held = _chosen(opened, [number], everything=False)[0]
    typer.echo(f"refused  {held.at:%Y-%m-%d %H:%M:%SZ}")
    typer.echo(f"reason   {held.reason}")
    typer.echo(f"fact     {_in_words(held.fact)}")
    typer.echo(msgspec.json.format(msgspec.json.encode(held.fact), indent=2).decode())


@quarantine.command()
def retry(
    ledger: LedgerFile,
    store: Annotated[str, typer.Option(help="The API's store: sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE.")],
    numbers: Numbers = None,
    everything: All = False,
) -> None:
    """Offer facts to the store once more; those it takes leave the quarantine.

    Exit status 1 when it refuses some of them again.

    Examples:

        passerelle quarantine retry 12 13 --ledger history.ledger.db --store sqlite:///history.db

        passerelle quarantine retry --all --ledger history.ledger.db --store influxdb://passerelle@db.example/town
    """
    with _opened(ledger) as opened, _existing(store) as target:
        chosen = _chosen(opened, numbers, everything=everything)
        refusals = retry_facts(opened, target, chosen)
    for number, reason in refusals:
        typer.echo(f"{number:>6}  refused again: {reason}")
    typer.echo(f"{_facts(len(chosen) - len(refusals))} stored, {len(refusals)} refused again")
    if refusals:
        raise typer.Exit(FAILURE)


@quarantine.command()
def drop(
    ledger: LedgerFile,
    numbers: Numbers = None,
    everything: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give facts up for good: what they say will be missing in history. Asks first.

    Examples:

        passerelle quarantine drop 12 13 --ledger history.ledger.db

        passerelle quarantine drop --all --yes --ledger history.ledger.db
    """
    with _opened(ledger) as opened:
        chosen = _chosen(opened, numbers, everything=everything)
        for each in chosen:
            typer.echo(f"{each.id:>6}  {_in_words(each.fact)}: {each.reason}")
        if chosen and not yes:
            typer.confirm(f"Drop {_facts(len(chosen))} for good?", abort=True)
        typer.echo(f"{_facts(opened.release([each.id for each in chosen]))} dropped")


def retry_facts(ledger: Ledger, store: Store, held: Sequence[Quarantined]) -> list[tuple[int, str]]:
    """Write held facts to the store and release what it committed; the numbers and reasons of those it refused.

    Raises `StoreError` when the store commits nothing; what was not released by then is still held.
    """
    refusals: list[tuple[int, str]] = []
    for first in range(0, len(held), BATCH):
        batch = held[first : first + BATCH]
        reasons = _write(store, [each.fact for each in batch])
        refused = [(each.id, reasons[each.fact]) for each in batch if each.fact in reasons]
        ledger.refuse_again(refused)
        ledger.release(each.id for each in batch if each.fact not in reasons)
        refusals += refused
    return refusals


def _write(store: Store, facts: Sequence[Fact]) -> dict[Fact, str]:
    """Why each fact was refused that was; all others were part of a write that the store committed whole."""
    reasons: dict[Fact, str] = {}
    rest = list(facts)
    while rest:
        try:
            store.write(rest)
        except RefusedFactError as error:
            if error.fact not in rest:
                raise StoreError(f"the store refuses a fact that it was not given: {error}") from error
            reasons |= {refusal.fact: refusal.reason for refusal in (error, *error.others)}
            rest = [fact for fact in rest if fact not in reasons]
        else:
            break
    return reasons


def _chosen(ledger: Ledger, numbers: Sequence[int] | None, *, everything: bool) -> list[Quarantined]:
    if bool(numbers) is everything:
        raise MisuseError("say which facts: their numbers, as `passerelle quarantine list` shows them, or --all")
    held = {each.id: each for each in ledger.refused()}
    if everything:
        return list(held.values())
    wanted = dict.fromkeys(numbers or ())
    missing = [str(number) for number in wanted if number not in held]
    if missing:
        raise MisuseError(f"not in quarantine: {', '.join(missing)}")
    return [held[number] for number in wanted]


@contextmanager
def _opened(file: Path) -> Iterator[Ledger]:
    """The ledger, never a new one; what goes wrong meanwhile ends the command in one line."""
    with mistakes_in_words(misuses=(MisuseError,)):
        _check_there("--ledger", file)
        with closing(Ledger(file)) as ledger:
            yield ledger


@contextmanager
def _existing(url: str) -> Iterator[Store]:
    """The store, never a new one: facts that went into a file nobody reads would be lost."""
    address = parse_store_url(url)
    if isinstance(address, SqliteAddress):
        _check_there("--store", address.path)
    with closing(open_store(url)) as store:
        store.ready()
        yield store


def _check_there(option: str, file: Path) -> None:
    if not file.is_file():
        raise MisuseError(f"{option}: there is no file {file}")


def _in_words(fact: Fact) -> str:
    if isinstance(fact, StoredFlow):
        each = fact.interval
        counts = f"in {each.in_}" if each.out is None else f"in {each.in_}, out {each.out}"
        channel = f"{each.channel}/{each.mode}" if each.mode else each.channel
        return f"flow {fact.gateway} {each.device} {channel} {each.start.isoformat()} part {each.part} ({counts})"
    state = fact.state
    return f"space {fact.gateway} {state.device} {state.channel} {state.at.isoformat()} ({_presence(state.occupied)})"


def _presence(occupied: bool) -> str:
    return "occupied" if occupied else "free"


def _facts(count: int) -> str:
    return "1 fact" if count == 1 else f"{count} facts"
