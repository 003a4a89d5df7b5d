"""The API's own description: schemas made from the very types that are answered, examples that are values of them.

In come example values, out go OpenAPI fragments. An example that does not fit its schema cannot be written.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from msgspec import Struct

from cloud_api.access import key_needed, scope_missing
from cloud_api.problems import MEDIA_TYPE, Problem, ProblemError
from cloud_api.scopes import Scope

JSON: Final = "application/json"
SCHEMA: Final = "#/components/schemas/{name}"
EXAMPLE: Final = "#/components/examples/"

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI takes as `responses` of an operation."""


def answer(
    example: Struct, description: str, media_type: str = JSON, *, status: HTTPStatus = HTTPStatus.OK
) -> Responses:
    """The response (200) of an operation, with its schema; the example itself is among `DescribedApi`'s."""
    name = type(example).__name__
    content = {"schema": {"$ref": SCHEMA.format(name=name)}, "examples": {"example": {"$ref": EXAMPLE + name}}}
    return {status.value: {"description": description, "content": {media_type: content}}}


def list_answer(example: Struct, description: str) -> Responses:
    """The response 200 of an operation that answers with a bare list of such values. The example has no null."""
    schema = {"type": "array", "items": {"$ref": SCHEMA.format(name=type(example).__name__)}}
    return {
        200: {
            "description": description,
            "content": {JSON: {"schema": schema, "example": [msgspec.to_builtins(example)]}},
        }
    }


def text_answer(media_type: str, example: str, description: str) -> Responses:
    """The response 200 of an operation that answers with text."""
    content = {"schema": {"type": "string"}, "example": example}
    return {200: {"description": description, "content": {media_type: content}}}


def document_answer(media_type: str, example: Any, description: str) -> Responses:
    """The response 200 of an operation that answers with JSON of somebody else's making, which has no null."""
    kind = "array" if isinstance(example, list) else "object"
    return {200: {"description": description, "content": {media_type: {"schema": {"type": kind}, "example": example}}}}


def refusal(error: ProblemError, path: str) -> Responses:
    """The response of an operation that is refused, as a problem document; `path` is what was asked for."""
    content = {
        "schema": {"$ref": SCHEMA.format(name=Problem.__name__)},
        "example": msgspec.to_builtins(error.document(path)),
    }
    return {error.status.value: {"description": error.title, "content": {MEDIA_TYPE: content}}}


def key_refusals(scope: Scope, path: str) -> Responses:
    """What an operation answers to who shows no key, and to whose key does not open it."""
    return {**refusal(key_needed(scope), path), **refusal(scope_missing(scope), path)}


def parameter(example: str | float, summary: str) -> dict[str, Any]:
    """The example of a parameter, as FastAPI's `openapi_examples`."""
    return {"example": {"summary": summary, "value": example}}


class DescribedApi(FastAPI):
    """A FastAPI application whose description holds the schemas and examples of what it answers with."""

    def __init__(self, *, answers: Sequence[Struct], **settings: Any) -> None:
        """`answers`: one example of each type that is answered."""
        self._answers = answers
        super().__init__(**settings)

    def openapi(self) -> dict[str, Any]:
        """The description, with our schemas and examples. (FastAPI would drop every null from an example.)"""
        described = super().openapi()
        types = [*(type(example) for example in self._answers), Problem]
        _, schemas = msgspec.json.schema_components(types, ref_template=SCHEMA)
        examples = {type(each).__name__: {"value": msgspec.to_builtins(each)} for each in self._answers}
        components = described.setdefault("components", {})
        components.setdefault("schemas", {}).update(schemas)
        components["examples"] = examples
        return described
