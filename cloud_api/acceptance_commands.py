"""The command `passerelle acceptance`: whether a record of a test on the spot is what the platform signed.

In comes the record's file as the API gives it, out comes a line for a person and an exit status. No platform is asked:
the record names its key, and who trusts that key needs nothing else.
"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from cloud_api.exits import FAILURE, end, mistakes_in_words
from cloud_api.provisioning.acceptance_record import from_text
from cloud_api.provisioning.signing import is_signed, open_signer
from cloud_api.settings import ConfigError

acceptance = typer.Typer(help="Records of tests on the spot.", no_args_is_help=True, rich_markup_mode="markdown")


class Given(Struct, frozen=True):
    """What is needed of a record's file (`GET /v1/acceptances/ID`)."""

    signed: str
    signature: str


@acceptance.callback()
def acceptances() -> None:
    """Records of tests on the spot."""


@acceptance.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A record as GET /v1/acceptances/ID gives it.")],
    key: Annotated[
        Path | None, typer.Option(help="The platform's signing key; without it the record's own key is believed.")
    ] = None,
) -> None:
    """Check that a record is, to the byte, what was signed; exit status 1 when it is not.

    Examples:

        passerelle acceptance verify record.json

        passerelle acceptance verify record.json --key /var/lib/passerelle/signing.key
    """
    with mistakes_in_words():
        given = _given(file)
        record = from_text(given.signed)
        public = record.key if key is None else open_signer(key).public
    if not is_signed(given.signed.encode(), given.signature, public):
        end(FAILURE, f"{file}: changed since it was signed, or signed by another key than {public}")
    typer.echo(
        f"good: {record.device} at {record.place_name}, tested by {record.who} on {record.at:%Y-%m-%d %H:%MZ}: "
        f"{record.judgement.verdict}"
    )
    typer.echo(f"signed by {public}")


def _given(file: Path) -> Given:
    try:
        given = msgspec.json.decode(file.read_bytes(), type=Given)
        from_text(given.signed)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: no record of a test: {error}") from error
    return given
