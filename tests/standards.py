"""Schemas and samples that others publish, where this checkout has them beside it; without them nothing is checked."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[1].parent / "shared" / "standards"


def sample(name: str) -> bytes | None:
    """A file as its publisher wrote it; None where this checkout does not have it."""
    file = FOLDER / name
    return file.read_bytes() if file.exists() else None


def assert_fits_fiware(entity: Any) -> None:
    """A simplified entity is what the JSON schema of its model wants."""
    schema, common = sample(f"fiware_{entity['type']}_schema.json"), sample("fiware_common-schema.json")
    if schema is None or common is None:
        return
    shared = json.loads(common)
    registry: Registry[Any] = Registry().with_resource(shared["$id"], Resource.from_contents(shared))
    errors = Draft202012Validator(json.loads(schema), registry=registry).iter_errors(entity)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
