"""How tests look at the page: find, count, wait on conditions; the browser's size, colours and console."""

from collections.abc import Callable

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from cloud_api.access import COOKIE

PATIENCE_S = 15


def wait_until(browser: Chrome, condition: Callable[[Chrome], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds."""
    WebDriverWait(browser, patience_s, ignored_exceptions=[StaleElementReferenceException]).until(condition, what)


def wait_for(browser: Chrome, selector: str, text: str) -> None:
    """Wait until an element says what is expected."""
    wait_until(browser, lambda it: find(it, selector).text == text, f"{selector}: {text}")


def find(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def count(browser: Chrome, selector: str) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, selector))


def open_signed_in(browser: Chrome, address: str, key: str) -> None:
    """Open a page as somebody who signed in with a key; the console begins anew."""
    browser.execute_cdp_cmd("Network.setCookie", {"name": COOKIE, "value": key, "url": address})
    complaints(browser)
    browser.get(address)


def open_live(browser: Chrome, address: str) -> None:
    """Open a page and wait until it hears the stream."""
    browser.get(address)
    wait_for_state(browser, "live")


def wait_for_state(browser: Chrome, state: str) -> None:
    wait_until(browser, lambda it: find(it, "#status").get_attribute("data-state") == state, f"state {state}")


def resize(browser: Chrome, width: int, height: int = 844) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(browser: Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def complaints(browser: Chrome) -> list[str]:
    """What the console holds since it was last asked."""
    return [entry["message"] for entry in browser.execute("getLog", {"type": "browser"})["value"]]


def zone_texts(browser: Chrome) -> list[str]:
    cards = browser.find_elements(By.CSS_SELECTOR, "#zones > li, #summary .free")
    return [" ".join(card.text.split()) for card in cards]
