"""What people choose on the page: for whom, from where; and what it tells them of the hours to come and just gone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import Select

from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from tests.broker import Mosquitto, running_mosquitto
from tests.browser.looking import count, find, open_live, resize, wait_for, wait_until, zone_texts
from tests.browser.market_town import PARKINGS, STREETS, Parking, ServedPage, device, market_town
from tests.loopback import HTTP
from tests.town import NOW, gateway

AT_THE_STATION = Position(lat=47.4161, lon=0.9818)
MARKET, TANNERS, QUAY, CHURCH, STATION = PARKINGS
WITH_AUDIENCES = (
    replace(MARKET, kept=(Audience.PMR, Audience.PMR, Audience.EV)),
    TANNERS,
    QUAY,
    replace(CHURCH, occupied=0, kept=(Audience.PMR,)),
    STATION,
)
BUSY = (replace(STREETS[0], weeks_before=8), *STREETS[1:])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A town with spaces kept for some, and a street with a past."""
    folder = tmp_path_factory.mktemp("market-town")
    with (
        running_mosquitto(folder) as broker,
        market_town(broker, folder, parkings=WITH_AUDIENCES, streets=BUSY) as served,
    ):
        yield served


def names(browser: Chrome) -> list[str]:
    """The zones in the order of the list."""
    return [each.text for each in browser.find_elements("css selector", "#zones h3")]


def stand_at(browser: Chrome, address: str, here: Position) -> None:
    """Let the page know where the telephone is, should it ask."""
    browser.execute_cdp_cmd("Browser.grantPermissions", {"origin": address, "permissions": ["geolocation"]})
    browser.execute_cdp_cmd(
        "Emulation.setGeolocationOverride", {"latitude": here.lat, "longitude": here.lon, "accuracy": 20}
    )


def test_a_badge_holder_is_told_of_pmr_bays_and_everybody_of_none_of_them(
    browser_without_scripts: Chrome, page: ServedPage
) -> None:
    browser_without_scripts.get(page.address)
    whole, church, market, *_ = zone_texts(browser_without_scripts)
    assert whole == "10 places libres sur 29 · 11 inconnues"
    assert church.startswith("Parvis de l’église 2 places libres")
    assert market.startswith("Place du Marché 5 places libres à jour il y a 6 min sur 9 · 4 occupées")

    browser_without_scripts.get(f"{page.address}/?audience=pmr")

    assert find(browser_without_scripts, "#summary .free").text.split("\n")[:2] == ["1", "place PMR libre"]
    assert names(browser_without_scripts) == ["Parvis de l’église", "Place du Marché"]
    assert "0\nplace PMR libre, complet" in find(browser_without_scripts, "#zone-place-du-marche").text
    assert find(browser_without_scripts, ".chip[aria-current]").text == "PMR"


def test_only_audiences_that_the_town_has_are_offered_and_a_bookmark_of_another_is_answered_honestly(
    browser_without_scripts: Chrome, page: ServedPage
) -> None:
    browser_without_scripts.get(f"{page.address}/?audience=season&lang=en")

    chips = [each.text for each in browser_without_scripts.find_elements("css selector", ".chip")]
    assert chips == ["Everybody", "Disabled badge", "Charging"]
    assert find(browser_without_scripts, ".empty").text == "No zone has season-ticket spaces."


def test_choosing_an_audience_changes_list_map_and_headline_without_a_reload(browser: Chrome, page: ServedPage) -> None:
    resize(browser, 1280, 900)
    open_live(browser, page.address)
    browser.execute_script("window.sameDocument = true")

    find(browser, ".chip[href*='pmr']").click()

    wait_for(browser, "#summary [data-field='label']", "place PMR libre")
    assert browser.current_url == f"{page.address}/?audience=pmr"
    assert names(browser) == ["Parvis de l’église", "Place du Marché"]
    assert count(browser, ".marker .pin:not(.counter-pin)") == 2
    assert find(browser, ".marker[title^='Parvis'] .pin").text == "1"
    assert browser.switch_to.active_element.text == "PMR"
    assert find(browser, "#status").text == "En direct"

    browser.back()
    wait_for(browser, "#summary [data-field='label']", "places libres")
    assert len(names(browser)) == len(PARKINGS)
    assert browser.execute_script("return window.sameDocument")


def test_of_two_wishes_at_once_the_later_is_shown(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)

    browser.execute_script(
        "const chips = document.querySelectorAll('.chip'); chips[1].click(); chips[2].click(); chips[1].click()"
    )

    wait_until(browser, lambda it: it.current_url.endswith("?audience=pmr"), "the later wish")
    assert find(browser, "#summary [data-field='label']").text == "place PMR libre"
    assert find(browser, ".chip[aria-current]").text == "PMR"


def test_a_pmr_bay_that_is_taken_is_told_to_badge_holders_as_it_happens(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with market_town(own_mosquitto, tmp_path, parkings=WITH_AUDIENCES) as page, gateway(own_mosquitto) as edge:
        open_live(browser, f"{page.address}/?audience=pmr")
        edge.publish(edge.space(1, device(CHURCH, 0), occupied=True, at=NOW))

        wait_for(browser, "#zone-parvis .figure", "0")
        wait_for(browser, "#summary .figure", "0")
        wait_for(browser, ".marker[title^='Parvis'] .pin", "0")


def test_without_scripts_the_list_is_sorted_by_the_walk_from_a_chosen_place(
    browser_without_scripts: Chrome, page: ServedPage
) -> None:
    browser_without_scripts.get(page.address)
    assert not find(browser_without_scripts, "#near-me").is_displayed()
    find(browser_without_scripts, ".elsewhere summary").click()
    Select(find(browser_without_scripts, "#near")).select_by_visible_text("Gare, dépose-minute")

    find(browser_without_scripts, "#from button").click()

    wait_until(browser_without_scripts, lambda it: "near=gare" in it.current_url, "the chosen place")
    assert names(browser_without_scripts)[:3] == [
        "Place du Marché",
        "Rue des Tanneurs",
        "Parvis de l’église",
    ]
    assert find(browser_without_scripts, "#zone-place-du-marche .walk").text == "5 min à pied"
    assert find(browser_without_scripts, "#order").text.endswith("Gare, dépose-minute.")


def test_near_me_asks_on_a_tap_sorts_like_the_api_and_tells_nobody_where(browser: Chrome, page: ServedPage) -> None:
    stand_at(browser, page.address, AT_THE_STATION)
    open_live(browser, page.address)
    assert count(browser, ".walk:not([hidden])") == 0

    find(browser, "#near-me").click()

    wait_for(browser, "#order", "Libres d’abord, puis au plus court à pied depuis votre position.")
    answer = HTTP.get(
        f"{page.address}/v1/parking/nearby",
        params={"lat": AT_THE_STATION.lat, "lon": AT_THE_STATION.lon, "radius": 5000},
    ).json()
    near = answer["data"]["zones"]
    assert names(browser) == [each["name"] for each in near]
    walks = [each.text for each in browser.find_elements("css selector", ".walk")]
    assert walks == [f"{each['walk_min']} min à pied" for each in near]
    assert count(browser, ".you") == 1
    asked = browser.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert [each for each in asked if "47.4" in each] == []
    assert browser.execute_script("return localStorage.length + sessionStorage.length") == 0

    find(browser, ".chip[href*='pmr']").click()
    wait_until(browser, lambda it: len(names(it)) == 2, "two zones")
    assert find(browser, "#zone-parvis .walk").text == "8 min à pied"


def test_a_position_that_is_refused_leaves_the_list_and_says_what_else_to_do(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)
    browser.execute_cdp_cmd("Browser.resetPermissions", {})
    browser.execute_cdp_cmd(
        "Browser.setPermission", {"permission": {"name": "geolocation"}, "setting": "denied", "origin": page.address}
    )

    find(browser, "#near-me").click()

    wait_for(browser, "#near-why", "Votre appareil ne donne pas sa position. Choisissez plutôt un lieu.")
    assert len(names(browser)) == len(PARKINGS)


def test_a_counter_tells_its_last_hour_against_what_is_usual(browser_without_scripts: Chrome, page: ServedPage) -> None:
    browser_without_scripts.get(page.address)
    usual = find(browser_without_scripts, "#counter-rue-haute .last-hour").text

    assert usual.startswith("Dernière heure, jusqu’à 11 h 30 : ")
    assert "comme d’habitude (d’ordinaire" in usual
    assert count(browser_without_scripts, "#counter-passage-des-arts .busyness") == 0
    assert count(browser_without_scripts, "#counter-mail .last-hour") == 0


def test_where_people_counts_need_a_key_the_page_shows_none(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with market_town(own_mosquitto, tmp_path, everyone_may=frozenset()) as page:
        open_live(browser, page.address)

        assert count(browser, ".counter") == 0
        assert count(browser, ".counter-pin") == 0
        assert "Rue Haute" not in HTTP.get(page.address).text
        assert count(browser, "#zones > li") == len(PARKINGS)


def test_a_large_town_lists_every_zone_free_ones_first(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    many = tuple(
        Parking(
            id=f"rue-{number}",
            name=f"Rue n° {number:02}",
            at=Position(lat=47.41 + number / 5000, lon=0.98),
            spaces=2,
            occupied=number % 3,
        )
        for number in range(60)
    )
    with market_town(own_mosquitto, tmp_path, parkings=many, streets=()) as page:
        open_live(browser, page.address)

        free = [each for each in many if each.occupied < each.spaces]
        assert names(browser)[: len(free)] == [each.name for each in free]
        assert len(names(browser)) == count(browser, ".marker") == len(many)
