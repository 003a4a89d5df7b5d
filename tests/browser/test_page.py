"""The page as people meet it: in a real browser, from a real server, with news over a real broker."""

from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from tests.broker import Mosquitto
from tests.browser.looking import (
    complaints,
    count,
    find,
    open_live,
    prefer,
    resize,
    wait_for,
    wait_for_state,
    wait_until,
    zone_texts,
)
from tests.browser.market_town import (
    PARKINGS,
    STREETS,
    TILES_THAT_FAIL,
    Parking,
    ServedPage,
    device,
    market_town,
)
from tests.town import NOW, gateway

SMALLEST_TARGET_PX = 44
CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text(encoding="utf-8")


def test_the_list_says_free_spaces_age_trust_and_cause_without_javascript(
    browser_without_scripts: Chrome, page: ServedPage
) -> None:
    browser_without_scripts.get(page.address)

    market, tanneurs, quai, church, station, all_zones = (
        zone_texts(browser_without_scripts)[i] for i in (1, 2, 4, 5, 3, 0)
    )
    assert market == (
        "Place du Marché 5 places libres à jour il y a 2 min sur 12 · 7 occupées Pas encore d’historique pour prévoir"
    )
    assert "1 place sur 8 sans nouvelles sûres" in tanneurs
    assert quai.startswith("Quai de la Cisse inconnu nombre de places libres ancien il y a 5 h sur 6 · 6 inconnues")
    assert church.startswith("Parvis de l’église 0 place libre, complet")
    assert "inconnu" in station
    assert "0 place" not in station
    assert all_zones == "8 places libres sur 33 · 11 inconnues"
    assert not find(browser_without_scripts, "#map-panel").is_displayed()


def test_the_bars_tell_unknown_hours_from_quiet_ones_without_javascript(
    browser_without_scripts: Chrome, page: ServedPage
) -> None:
    browser_without_scripts.get(page.address)

    for street in STREETS:
        chart = f"#counter-{street.id} .chart"
        assert count(browser_without_scripts, f"{chart} .bar") == 24
        assert count(browser_without_scripts, f"{chart} .bar[data-kind=unknown]") == 24 - street.known_hours
    assert count(browser_without_scripts, "#counter-rue-haute .chart .bar[data-kind=partial]") == 1
    assert count(browser_without_scripts, "#counter-rue-haute .chart .bar[data-kind=running]") == 1
    unmeasured = find(browser_without_scripts, "#counter-mail").text
    assert "0 heure mesurée sur 24" in unmeasured
    assert "inconnu" in unmeasured


def test_the_table_gives_every_hour_as_text(browser_without_scripts: Chrome, page: ServedPage) -> None:
    browser_without_scripts.get(page.address)

    find(browser_without_scripts, "#figures-pont summary").click()

    rows = [row.text for row in browser_without_scripts.find_elements(By.CSS_SELECTOR, "#figures-pont tbody tr")]
    assert len(rows) == 24
    assert rows[0].startswith("11 h ")
    assert rows[0].endswith("en cours")
    assert rows[-1] == "12 h inconnu inconnu inconnu inconnu"


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_browser_rewrites_exactly_what_the_server_wrote(
    browser: Chrome, browser_without_scripts: Chrome, page: ServedPage, lang: str
) -> None:
    browser_without_scripts.get(f"{page.address}/?lang={lang}")
    open_live(browser, f"{page.address}/?lang={lang}")

    assert zone_texts(browser) == zone_texts(browser_without_scripts)


def test_a_change_in_the_street_reaches_the_page_without_a_reload(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with market_town(own_mosquitto, tmp_path) as page, gateway(own_mosquitto) as edge:
        open_live(browser, page.address)
        browser.execute_script("window.sameDocument = true")

        edge.publish(edge.space(1, device(PARKINGS[0], 0), occupied=False, at=NOW))

        wait_for(browser, "#zone-place-du-marche .figure", "6")
        wait_for(browser, "#zone-place-du-marche .age", "à l’instant")
        wait_for(browser, "#summary .figure", "9")
        wait_for(browser, ".marker[title^='Place du Marché'] .pin", "6")
        assert (
            find(browser, ".marker[title^='Place du Marché']").accessible_name
            == "Place du Marché\N{NO-BREAK SPACE}: 6 places libres"
        )
        assert browser.execute_script("return window.sameDocument")


def test_a_bay_for_badge_holders_is_promised_to_nobody_else_before_and_after_the_stream(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    kept = (Audience.PMR, Audience.PMR)
    halles = Parking(id="halles", name="Halles", at=Position(lat=47.4141, lon=0.9845), spaces=6, occupied=3, kept=kept)
    with (
        market_town(own_mosquitto, tmp_path, parkings=(halles,)) as page,
        gateway(own_mosquitto, "gw-halles") as edge,
    ):
        browser.get(page.address)
        assert find(browser, "#zone-halles .figure").text == "3"
        open_live(browser, page.address)
        assert find(browser, "#zone-halles .figure").text == "3"

        edge.publish(edge.space(1, device(halles, 0), occupied=False, at=NOW))
        edge.publish(edge.space(2, device(halles, 5), occupied=True, at=NOW))

        wait_for(browser, "#zone-halles .figure", "2")
        assert "sur 4 · 2 occupées" in find(browser, "#zone-halles").text


def test_a_page_that_loses_its_server_says_so_and_comes_back(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with ExitStack() as town:
        page = town.enter_context(market_town(own_mosquitto, tmp_path))
        open_live(browser, page.address)
        complaints(browser)
        town.close()
        wait_for_state(browser, "lost")

    assert find(browser, "#status").text == "Connexion perdue : nouvel essai en cours"
    assert find(browser, "#zone-place-du-marche .figure").text == "5"
    assert len(complaints(browser)) <= 3


def test_the_page_speaks_english_when_asked_and_french_again(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)
    assert find(browser, "html").get_attribute("lang") == "fr"

    find(browser, ".language").click()

    wait_until(browser, lambda it: find(it, "html").get_attribute("lang") == "en", "English")
    wait_for(browser, "#status", "Live")
    assert browser.current_url == f"{page.address}/?lang=en"
    assert zone_texts(browser)[1] == (
        "Place du Marché 5 free spaces up to date 2 min ago of 12 · 7 occupied Too little history yet to forecast"
    )

    find(browser, ".language").click()
    wait_until(browser, lambda it: find(it, "html").get_attribute("lang") == "fr", "French")


def test_every_place_has_a_marker_though_tiles_are_off(browser: Chrome, page: ServedPage) -> None:
    resize(browser, 1280, 900)
    open_live(browser, page.address)

    assert count(browser, "#map .marker") == len(PARKINGS) + len(STREETS)
    assert count(browser, "#map .leaflet-tile") == 0
    labels = [marker.accessible_name for marker in browser.find_elements(By.CSS_SELECTOR, "#map .marker")]
    assert "Quai de la Cisse\N{NO-BREAK SPACE}: inconnu nombre de places libres" in labels
    assert "Compteur de piétons\N{NO-BREAK SPACE}: Rue Haute" in labels


def test_frozen_and_closed_zones_say_so_and_why_in_the_list_and_on_the_map(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    here = Position(lat=47.4141, lon=0.9845)
    frozen = Parking(id="mail", name="Mail", at=here, spaces=4, occupied=1, same_for_days=70)
    evening = datetime(2026, 11, 23, 17, tzinfo=UTC)
    closed = Parking(
        id="forges",
        name="Rue des Forges",
        at=here,
        spaces=3,
        occupied=1,
        closed="travaux de voirie",
        closed_until=evening,
    )
    resize(browser, 1280, 900)
    with market_town(own_mosquitto, tmp_path, parkings=(frozen, closed), streets=()) as page:
        open_live(browser, page.address)

        wait_for(browser, "#zone-mail [data-field='trust']", "figé")
        wait_for(browser, "#zone-forges [data-field='figure']", "fermé")
        assert "la même chose depuis 70 jours" in find(browser, "#zone-mail .cause").text
        told = "3 places fermées jusqu’au 23/11/2026 à 18 h 00 : travaux de voirie"
        assert find(browser, "#zone-forges .closures").text == told
        assert find(browser, ".marker[title^='Mail'] .pin").text == "?"
        assert find(browser, ".marker[title^='Rue des Forges'] .pin").text == "–"
        assert find(browser, ".marker[title^='Rue des Forges']").accessible_name.endswith("fermé")


def test_a_marker_leads_to_its_place_in_the_list(browser: Chrome, page: ServedPage) -> None:
    resize(browser, 1280, 900)
    open_live(browser, page.address)

    find(browser, ".marker[title^='Gare']").send_keys(Keys.ENTER)

    assert browser.switch_to.active_element.get_attribute("id") == "zone-gare"


def test_tiles_that_do_not_come_leave_the_markers_on_plain_ground(
    browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with market_town(own_mosquitto, tmp_path, tiles=TILES_THAT_FAIL) as page:
        open_live(browser, page.address)
        wait_until(browser, lambda it: find(it, "#map-plain").is_displayed(), "plain ground")

        assert count(browser, "#map .marker") == len(PARKINGS) + len(STREETS)
        assert not find(browser, "#map-credit").is_displayed()


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_nothing_scrolls_sideways(browser: Chrome, page: ServedPage, width: int, lang: str) -> None:
    resize(browser, width)
    open_live(browser, f"{page.address}/?lang={lang}")
    for summary in browser.find_elements(By.CSS_SELECTOR, "summary"):
        summary.click()

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_keyboard_meets_the_skip_link_first_and_then_reading_order(browser: Chrome, page: ServedPage) -> None:
    resize(browser, 1280, 900)
    open_live(browser, page.address)

    ActionChains(browser).send_keys(Keys.TAB).perform()
    skip = browser.switch_to.active_element
    assert skip.text == "Aller aux places libres"
    assert browser.execute_script("return arguments[0].getBoundingClientRect().top", skip) >= 0

    order = []
    for _ in range(6):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        order.append(
            browser.switch_to.active_element.get_attribute("class") or browser.switch_to.active_element.tag_name
        )
    assert order[:5] == ["home", "language", "button", "summary", "summary"]
    assert "leaflet-container" in order[5]

    browser.execute_script("arguments[0].focus()", skip)
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert browser.switch_to.active_element.get_attribute("id") == "parking"


def test_the_map_that_has_the_keyboard_shows_it_outside_its_frame(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)
    browser.execute_script("arguments[0].focus()", find(browser, ".legend summary"))

    ActionChains(browser).send_keys(Keys.TAB).perform()

    assert browser.execute_script("return document.activeElement.id") == "map"
    assert find(browser, ".map-frame").value_of_css_property("outline-style") == "solid"


def test_the_page_has_landmarks_one_heading_and_a_polite_voice(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)

    assert [count(browser, name) for name in ("h1", "header", "main", "nav", "footer")] == [1, 1, 1, 1, 1]
    levels = [int(each.tag_name[1]) for each in browser.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert find(browser, "#announcer").get_attribute("role") == "status"
    nameless = "return [...document.querySelectorAll('img:not([alt]), section:not([aria-labelledby])')].length"
    assert browser.execute_script(nameless) == 0
    repeated = (
        "const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); return ids.length - new Set(ids).size"
    )
    assert browser.execute_script(repeated) == 0


def test_what_is_tapped_is_large_enough(browser: Chrome, page: ServedPage) -> None:
    resize(browser, 390)
    open_live(browser, page.address)

    targets = browser.find_elements(
        By.CSS_SELECTOR, ".home, .language, .chip, .button, select, summary, footer a, .marker, .leaflet-bar a"
    )
    assert [each.get_attribute("outerHTML") for each in targets if each.size["height"] < SMALLEST_TARGET_PX] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser: Chrome, page: ServedPage, scheme: str) -> None:
    prefer(browser, scheme)
    open_live(browser, page.address)
    for summary in browser.find_elements(By.CSS_SELECTOR, "summary"):
        summary.click()

    assert browser.execute_script(CONTRASTS) == []


def test_the_console_stays_silent(browser: Chrome, page: ServedPage) -> None:
    complaints(browser)
    open_live(browser, page.address)
    wait_for(browser, "#status", "En direct")

    assert complaints(browser) == []


def test_names_are_text_and_never_markup(browser: Chrome, own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    name = """<img src=x onerror="document.title='taken'"> & 'Halles' "{{ 7 }}" """.strip()
    zone = Parking(id="halles", name=name, at=Position(lat=47.4, lon=0.9), spaces=2, occupied=1)
    with market_town(own_mosquitto, tmp_path, parkings=(zone,), streets=()) as page, gateway(own_mosquitto) as edge:
        open_live(browser, page.address)
        edge.publish(edge.space(1, device(zone, 0), occupied=False, at=NOW))
        wait_for(browser, "#zone-halles .figure", "2")

        assert find(browser, "#zone-halles h3").text == " ".join(name.split())
        assert find(browser, "#map .marker").accessible_name == f"{name}\N{NO-BREAK SPACE}: 2 places libres"
        assert count(browser, "main img") == 0
        assert "taken" not in browser.title
