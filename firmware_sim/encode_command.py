"""The command `passerelle devices encode`: one frame as a simulated device would send it, for trying a decoder.

In come a model, a message and values, out comes one line of hexadecimal; how to decode it again goes to standard error.
"""

from typing import Annotated

import typer

from firmware_sim.samples import SAMPLES, Messages, Sample, SampleError

MISUSED = 2


def encode(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model name, as `devices list` shows it.")],
    message: Annotated[
        str | None, typer.Argument(metavar="MESSAGE", help="Which message; the model's usual one by default.")
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A value of the message; may be repeated.")
    ] = None,
    messages: Annotated[bool, typer.Option("--messages", help="Only show the model's messages and values.")] = False,
) -> None:
    """Print one frame in hexadecimal, made by the simulator from the model's sheet and not by the decoder.

    An unknown model, message or value, or a value that does not fit: exit status 2.

    Examples:

        passerelle devices encode parametric-pcr2

        passerelle devices encode parametric-pcr2 counts_v4 --value ltr=7 --value total_ltr=65535

        passerelle devices encode nwave-nps405 --messages
    """
    known = SAMPLES.get(model)
    if known is None:
        raise _misused(f"no simulated {model!r}; expected one of {', '.join(SAMPLES)}")
    if messages:
        for name, sample in known.items():
            typer.echo(f"{name} {sample.written}".rstrip())
        return
    sample = _sample(known, model, message)
    try:
        payload = sample.payload(_pairs(value or []))
    except SampleError as error:
        raise _misused(str(error)) from error
    typer.echo(payload.hex())
    port = "" if sample.port is None else f" --port {sample.port}"
    typer.echo(f"decode it: passerelle devices decode {model}{port} {payload.hex()}", err=True)


def _sample(known: Messages, model: str, message: str | None) -> Sample:
    name = message or next(iter(known))
    if name not in known:
        raise _misused(f"{model} has no message {name!r}; expected one of {', '.join(known)}")
    return known[name]


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise _misused(f"--value: expected NAME=VALUE, got {text!r}")
        pairs[name] = value
    return pairs


def _misused(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(MISUSED)
