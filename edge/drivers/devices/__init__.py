"""The catalogue: every module of this package declares one `MODEL`, and being here is all it takes to be known."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from edge.drivers.model import Model


@cache
def catalogue() -> dict[str, Model]:
    """All models by name, in alphabetical order."""
    modules = (import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__))
    models: list[Model] = [module.MODEL for module in modules]
    return {model.name: model for model in sorted(models, key=lambda model: model.name)}
