"""What the town tells in other tongues over HTTP."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.town import serving, town_api


@pytest.fixture(scope="module")
def client(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("tongues")
    with (
        closing(open_store(f"sqlite:///{folder}/history.db")) as store,
        serving(town_api(mosquitto, store, folder, worker="tongues")) as address,
        httpx.Client(base_url=address) as opened,
    ):
        yield opened


def test_parkapi_lists_the_town_and_its_lots(client: httpx.Client) -> None:
    (city,) = client.get("/parkapi/v1/").json()["cities"].values()

    lots = client.get(f"/parkapi/v1/{city}").json()["lots"]

    assert [lot["id"] for lot in lots] == ["marche", "gare"]
    assert {lot["state"] for lot in lots} == {"nodata"}


def test_parkapi_knows_no_other_town(client: httpx.Client) -> None:
    assert client.get("/parkapi/v1/nulle-part").status_code == 404
