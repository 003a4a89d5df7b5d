"""The page on the wire: small, kept where it is known already, letting nothing foreign in, and fit to be installed."""

import json
import re
from urllib.parse import urljoin

import httpx
import pytest
from selenium.webdriver import Chrome

from tests.browser.looking import open_live
from tests.browser.market_town import ServedPage
from tests.loopback import HTTP

WIRE_LIMIT = 150_000


def test_the_page_lets_nothing_foreign_in(page: ServedPage) -> None:
    answer = HTTP.get(page.address)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert httpx.head(page.address).status_code == 200


def test_an_unknown_asset_is_a_problem_document(page: ServedPage) -> None:
    for path in ("none.js", "0/none.js", "0/../routes.py", "0/%2e%2e/routes.py", "0/leaflet/leaflet-src.js"):
        answer = HTTP.get(f"{page.address}/static/{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_all_that_a_first_visit_fetches_is_small_over_the_wire(browser: Chrome, page: ServedPage) -> None:
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    open_live(browser, page.address)
    loaded = browser.execute_script(
        "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter((each) => !each.name.endsWith('/stream')).map((each) => [each.name, each.transferSize])"
    )
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})
    names = {name for name, _ in loaded}
    installing = [f"{page.address}/manifest.webmanifest", *(f"{page.address}/{path}" for path in icon_addresses(page))]

    assert {f"{page.address}/{path}" for path in asset_addresses(page) if path.endswith((".js", ".css"))} <= names
    first_visit = sum(size for _, size in loaded)
    assert 0 < first_visit + sum(len(HTTP.get(each).content) for each in installing) < WIRE_LIMIT


def icon_addresses(page: ServedPage) -> list[str]:
    """The pictures that the manifest names."""
    manifest = HTTP.get(f"{page.address}/manifest.webmanifest").json()
    return [icon["src"] for icon in manifest["icons"]]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_app_can_be_installed_with_its_name_and_pictures(browser: Chrome, page: ServedPage, lang: str) -> None:
    browser.get(f"{page.address}/?lang={lang}")
    told = browser.execute_cdp_cmd("Page.getAppManifest", {})
    errors = browser.execute_cdp_cmd("Page.getInstallabilityErrors", {})["installabilityErrors"]

    assert told["errors"] == []
    manifest = json.loads(told["data"])
    assert (manifest["name"], manifest["lang"]) == ("Saint-Aubin-sur-Cisse", lang)
    opened = HTTP.get(urljoin(told["url"], manifest["start_url"]))
    assert f'<html lang="{lang}">' in opened.text
    assert [each["errorId"] for each in errors] in ([], ["in-incognito"])
    types = {HTTP.get(f"{page.address}/{path}").headers["content-type"] for path in icon_addresses(page)}
    assert types == {"image/png", "image/svg+xml"}


def asset_addresses(page: ServedPage) -> list[str]:
    """The page's own files, as its HTML names them."""
    return re.findall(r'(?:src|href)="(static/[^"]+)"', HTTP.get(page.address).text)


def test_an_asset_is_kept_for_ever_under_an_address_that_changes_with_it(page: ServedPage) -> None:
    for path in asset_addresses(page):
        answer = HTTP.get(f"{page.address}/{path}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] in {"br", "gzip"}

    edition = asset_addresses(page)[0].split("/")[1]
    of_another_release = HTTP.get(f"{page.address}/static/{'0' * len(edition)}/page.js")
    assert of_another_release.headers["cache-control"] == "no-cache"
    again = HTTP.get(
        f"{page.address}/static/{edition}/page.js", headers={"If-None-Match": of_another_release.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_whose_figures_are_the_same_is_not_sent_again(page: ServedPage) -> None:
    first = HTTP.get(page.address)

    again = HTTP.get(page.address, headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
