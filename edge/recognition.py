"""What a device that nobody adopted may be: the models whose codecs read everything it sent. Pure.

In comes a frame and what was thought before, out come names of models. One frame of one byte may be many things; after
two or three of a model there is seldom more than one left. The operator's own word for it comes first.
"""

from collections.abc import Iterable, Sequence

from edge.drivers.devices import catalogue
from edge.drivers.model import LinkKind, Model
from edge.messages import CountedLine, ModelInfo
from edge.readings import DecodeError, Frame, Knowledge

FRESH = Knowledge()


def recognise(frame: Frame, before: Sequence[str] = ()) -> tuple[str, ...]:
    """Models that this may be, the likeliest first; none where no codec reads it."""
    models = catalogue()
    possible = [models[name] for name in before] or [each for each in models.values() if _may_arrive(each, frame)]
    readable = [each for each in possible if _reads(each, frame)] or (possible if before else [])
    return tuple(each.name for each in sorted(readable, key=lambda each: not is_named(each, frame.hint)))


def is_named(model: Model, hint: str | None) -> bool:
    """Whether an operator's word for a device (`Bosch TPS110 v2`) is this model's product or name."""
    said = _letters(hint or "")
    return bool(said) and (_letters(model.name) in said or any(_letters(each) in said for each in _products(model)))


def known_models() -> tuple[ModelInfo, ...]:
    """All models of this version in the contract's words."""
    return tuple(
        ModelInfo(
            name=model.name,
            maker=model.maker,
            product=model.product,
            kind=model.kind,
            links=tuple(sorted(model.links)),
            lines=tuple(
                CountedLine(name=each.name, mode=each.mode or "", first=each.first, second=each.second)
                for each in model.channels
            ),
            options=dict(model.options),
            period_s=model.reporting_period_s,
            mounting=model.mounting,
        )
        for model in catalogue().values()
    )


def _may_arrive(model: Model, frame: Frame) -> bool:
    """Only LoRaWAN frames come from devices that nobody adopted and say nothing of their format."""
    return frame.port is not None and LinkKind.LORAWAN in model.links


def _reads(model: Model, frame: Frame) -> bool:
    try:
        model.decode(frame, FRESH)
    except DecodeError:
        return False
    return True


def _products(model: Model) -> Iterable[str]:
    """The words of a product's name that are like no other word: they hold a digit."""
    return (word for word in model.product.replace("/", " ").split() if any(each.isdigit() for each in word))


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())
