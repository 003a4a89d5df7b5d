"""What holds for every operation: it is described with examples, and what goes wrong is a problem document."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud_api.app import Api
from cloud_api.stores.base import Channel, Hour, StoreError
from cloud_api.stores.sqlite import SqliteStore
from tests.broker import Mosquitto
from tests.town import serving, town_api

Json = dict[str, Any]
"""An answer as a caller reads it."""
HOURLY = "/v1/flows/hourly?counter=rue-haute&from=2026-11-21&to=2026-11-22"


class FaultyStore(SqliteStore):
    """A real store whose reading fails in the ways that a test asks for."""

    failure: Exception | None = None

    def hours(self, channels: Sequence[Channel], start: Any, end: Any, as_of: Any = None) -> list[Hour]:
        if self.failure is not None:
            raise self.failure
        return super().hours(channels, start, end, as_of)

    def ready(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("description")


@pytest.fixture(scope="module")
def sound_store(folder: Path) -> Iterator[FaultyStore]:
    with closing(FaultyStore(folder / "history.db")) as opened:
        yield opened


@pytest.fixture(scope="module")
def api(mosquitto: Mosquitto, sound_store: FaultyStore, folder: Path) -> Api:
    return town_api(mosquitto, sound_store, folder, worker="description")


@pytest.fixture(scope="module")
def client(api: Api) -> Iterator[httpx.Client]:
    with serving(api) as address, httpx.Client(base_url=address) as opened:
        yield opened


@pytest.fixture
def store(sound_store: FaultyStore) -> Iterator[FaultyStore]:
    """The store behind `client`, which may fail until the end of a test."""
    yield sound_store
    sound_store.failure = None


def assert_problem(answer: httpx.Response, status: int, name: str) -> Json:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Json = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:passerelle:problem:{name}"
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/nowhere", 404, "not-found"),
        ("/v1/parking/zones/nowhere", 404, "unknown-zone"),
        ("/v1/parking/zones/" + "x" * 64, 422, "invalid-parameter"),
        ("/v1/flows/hourly?counter=nowhere&from=2026-11-21&to=2026-11-22", 404, "unknown-counter"),
        ("/v1/flows/hourly?counter=rue-haute&from=2026-11-21", 422, "invalid-parameter"),
        ("/v1/flows/hourly?counter=rue-haute&from=2026-11-21&to=2026-11-20", 422, "invalid-parameter"),
    ],
)
def test_every_refusal_is_a_problem_document(client: httpx.Client, path: str, status: int, name: str) -> None:
    problem = assert_problem(client.get(path), status, name)

    assert problem["instance"] == path.partition("?")[0]


def test_a_wrong_parameter_is_named_as_the_caller_wrote_it(client: httpx.Client) -> None:
    problem = client.get("/v1/flows/hourly?counter=rue-haute&from=soon&to=2026-11-20").json()

    assert problem["errors"][0]["field"] == "from"
    assert "expected" in problem["errors"][0]["reason"]


def test_a_method_that_is_not_served_is_a_problem_that_names_those_that_are(client: httpx.Client) -> None:
    answer = client.post("/v1/parking/zones")

    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_an_address_that_leads_nowhere_says_where_all_are_described(client: httpx.Client) -> None:
    assert "/v1/openapi.json" in client.get("/v1/parking").json()["detail"]


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/v1/openapi.json", "/v1/parking/zones", HOURLY, "/nowhere", "/static/0/page.css"]
)
def test_head_says_what_get_would_and_sends_no_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["content-length"] == get.headers["content-length"]


def test_head_of_the_stream_ends_with_its_headers(client: httpx.Client) -> None:
    head = client.head("/v1/parking/stream")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


def test_what_everybody_may_ask_changes_nothing_and_is_described_once(api: Api) -> None:
    described = [(name.partition(" ")[0], operation["tags"]) for name, operation in operations(api.openapi())]

    assert {method for method, tags in described if not {"provisioning", "reports"} & set(tags)} == {"get"}
    assert "head" not in {method for method, _ in described}


def test_a_store_that_is_away_is_a_passing_problem(client: httpx.Client, store: FaultyStore) -> None:
    store.failure = StoreError("connection to db-7.internal refused")

    problem = assert_problem(client.get(HOURLY), 503, "unavailable")

    assert "db-7" not in problem["detail"]
    assert_problem(client.get("/readyz"), 503, "unavailable")
    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize(
    "path",
    [
        "/opendata/comptage/measure.csv?from=2026-11-21&to=2026-11-22",
        "/ngsi-ld/v1/entities?type=CrowdFlowObserved",
    ],
)
def test_counts_in_other_tongues_pass_on_that_the_store_is_away(
    client: httpx.Client, store: FaultyStore, path: str
) -> None:
    store.failure = StoreError("connection to db-7.internal refused")

    assert_problem(client.get(path), 503, "unavailable")


def test_an_unexpected_error_shows_nothing_of_itself(client: httpx.Client, store: FaultyStore) -> None:
    store.failure = ZeroDivisionError("secret detail")

    answer = client.get(HOURLY)

    assert_problem(answer, 500, "unexpected")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def operations(described: Json) -> list[tuple[str, Json]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_an_example_of_each_parameter_and_answer(api: Api) -> None:
    described = api.openapi()

    for name, operation in operations(described):
        assert operation["summary"], name
        for parameter in operation.get("parameters", []):
            assert parameter["examples"], (name, parameter["name"])
        for status, response in operation["responses"].items():
            for content in response["content"].values():
                assert "example" in content or "examples" in content, (name, status)
                assert content["schema"], (name, status)


def test_every_operation_that_wants_a_key_says_what_another_key_is_told(api: Api) -> None:
    guarded = {
        name: set(operation["responses"])
        for name, operation in operations(api.openapi())
        if "key-needed" in str(operation["responses"].get("401"))
    }

    assert len(guarded) > 20
    assert [name for name, statuses in guarded.items() if "403" not in statuses] == []


def test_every_reference_of_the_description_leads_somewhere(api: Api) -> None:
    described = api.openapi()

    for reference in references(described):
        target: Any = described
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, reference
            target = target[step]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("path", ["/v1/parking/zones", "/v1/parking/zones/marche", "/v1/flows/counters", HOURLY])
def test_an_answer_has_the_fields_that_its_description_requires(client: httpx.Client, api: Api, path: str) -> None:
    described = api.openapi()
    route = path.partition("?")[0].replace("/marche", "/{id}")
    content = described["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]
    schema = described["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]

    assert set(client.get(path).json()) == set(schema["required"]) == set(schema["properties"])
