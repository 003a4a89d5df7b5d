"""The map's background is the town's choice, and the page lets in the pictures of no other server."""

import pytest

from cloud_api.commands import parse_tiles
from cloud_api.settings import IGN_PLAN, ConfigError, Credit, Tiles
from cloud_api.web.routes import page_headers

OWN = "https://tiles.example.org/plan/{z}/{x}/{y}.png"


def pictures(tiles: Tiles | None) -> str:
    policy = page_headers(tiles)["Content-Security-Policy"]
    return next(part for part in policy.split("; ") if part.startswith("img-src"))


def test_the_page_lets_in_the_pictures_of_its_tile_server_and_no_other() -> None:
    assert pictures(IGN_PLAN) == "img-src 'self' data: https://data.geopf.fr"
    assert pictures(None) == "img-src 'self' data:"


def test_a_town_may_have_its_own_background_or_none() -> None:
    assert parse_tiles("ign") is IGN_PLAN
    assert parse_tiles("none") is None
    assert parse_tiles(OWN) == Tiles(url=OWN, credit=Credit("© tiles.example.org", "https://tiles.example.org/"))
    assert parse_tiles(OWN, "© La ville") == Tiles(url=OWN, credit=Credit("© La ville", "https://tiles.example.org/"))


@pytest.mark.parametrize(
    "text",
    ["osm", "https://tiles.example.org/plan.png", "ftp://tiles.example.org/{z}/{x}/{y}", OWN.replace("{z}", "12")],
)
def test_an_address_that_is_none_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ConfigError, match="ign, none, or https"):
        parse_tiles(text)


@pytest.mark.parametrize("host", ["tiles.example.org;script-src *", "tiles.example.org 'unsafe-inline'"])
def test_an_address_cannot_widen_the_policy(host: str) -> None:
    with pytest.raises(ConfigError):
        parse_tiles(f"https://{host}/{{z}}/{{x}}/{{y}}")
