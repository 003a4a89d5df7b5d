"""How the cloud's commands end: 0 done, 1 failed, 2 asked in a wrong way; a failure says in one line what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import typer

from cloud_api.registry.errors import RegistryError
from cloud_api.settings import ConfigError
from cloud_api.stores.base import StoreError, StoreUrlError

FAILURE: Final = 1
USAGE: Final = 2


Errors = tuple[type[Exception], ...]


@contextmanager
def mistakes_in_words(*, misuses: Errors = (), failures: Errors = ()) -> Iterator[None]:
    """End the command in words on mistakes in options and files (2), and on what fails at run time (1).

    `misuses` and `failures` are further errors of either sort that a command knows.
    """
    misused: Errors = (ConfigError, StoreUrlError, *misuses)
    failed: Errors = (StoreError, RegistryError, *failures)
    try:
        yield
    except misused as error:
        end(USAGE, str(error))
    except failed as error:
        end(FAILURE, str(error))


def end(status: int, message: str) -> NoReturn:
    """End the command with a message on standard error."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(status)
