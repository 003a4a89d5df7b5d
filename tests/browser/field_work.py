"""A town with a technician in it: a gateway that hears a sensor in a box, and a telephone that is let in."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from cloud_api.app import Api, create_app
from cloud_api.registry import Counter, Position, Registry, Space, Zone
from cloud_api.registry.places import Gateway
from cloud_api.registry.store import RegistryStore
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from edge.messages import CapturedFrame, CommandResult, CountedLine, Heard, HeardDevice, ModelInfo, Models, Reported
from tests.broker import Mosquitto
from tests.browser.looking import resize
from tests.town import EPOCH, PATIENCE_S, PublishingGateway, kept, serving, until
from tests.town import gateway as published_gateway

HERE = Position(lat=47.4141, lon=0.9845)
EUI = "70b3d5e75e001a2b"
BAY_EUI = "0004a30b00ff0001"
PERSON = "Marie Dupont"
PHONE = (390, 844)
PCR2 = ModelInfo(
    name="parametric-pcr2",
    maker="Parametric",
    product="PCR2",
    kind="counter",
    links=("lorawan",),
    lines=(CountedLine(name="line1", mode="pedestrian", first="LTR", second="RTL"),),
    period_s=600,
)
TPS110 = ModelInfo(
    name="bosch-tps110", maker="Bosch", product="TPS110", kind="parking", links=("lorawan",), period_s=86_400
)
LIDAR = ModelInfo(
    name="benewake-tfmini-plus",
    maker="Benewake",
    product="TFmini Plus",
    kind="distance",
    links=("serial",),
    period_s=60,
)
TOWN = Registry(
    zones=[Zone(id="place-du-marche", name="Place du Marché", position=HERE)],
    spaces=[Space(id=f"marche-{number}", zone="place-du-marche") for number in range(1, 4)],
    counters=[
        Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie"),
        Counter(
            id="pont",
            name="Pont Saint-Aubin",
            position=Position(lat=47.4112, lon=0.9845),
            in_="vers le centre",
            out="vers le quai",
        ),
    ],
    gateways=[Gateway(name="gw-halles", label="Les Halles", managed=True)],
)


@dataclass(frozen=True, slots=True)
class FieldWork:
    """The town as a technician meets it."""

    address: str
    api: Api
    registry: RegistryStore
    gateway: PublishingGateway

    def invite(self) -> str:
        """A link that signs in."""
        now = datetime.now(UTC)
        expires_at = now + timedelta(hours=1)
        _, secret = self.registry.people.invite(PERSON, code=False, by="test", at=now, expires_at=expires_at)
        return f"{self.address}/technician/sign-in/{secret}"

    def switch_on(self, eui: str, *models: str, rssi_dbm: float = -87.0, hint: str | None = None) -> None:
        """A sensor in its box speaks."""
        device = HeardDevice(device=eui, link="lora", at=datetime.now(UTC), rssi_dbm=rssi_dbm, hint=hint, models=models)
        self.gateway.publish(Heard(gateway=self.gateway.name, epoch=EPOCH, devices=(device,)))

    def show_to(self, browser: Chrome, *readings: str, rssi_dbm: float = -87.0) -> None:
        """The gateway shows a frame to the page that asked for frames."""
        until(lambda: bool(self._asked_by(browser)))
        errand = self._asked_by(browser)[-1]
        frame = CapturedFrame(
            at=datetime.now(UTC),
            link="lora",
            payload="0a",
            port=14,
            rssi_dbm=rssi_dbm,
            snr_db=7.5,
            readings=readings,
        )
        result = CommandResult(gateway=self.gateway.name, epoch=EPOCH, id=errand, done=False, more=True, frame=frame)
        self.gateway.publish(result)

    def answer(self, browser: Chrome) -> None:
        """The gateway has done what the page asked it to do once."""
        (errand,) = parse_qs(urlsplit(browser.current_url).query)["asked"]
        self.gateway.publish(CommandResult(gateway=self.gateway.name, epoch=EPOCH, id=errand, done=True))

    def believe(self, *euis: str) -> None:
        """The gateway says that it does what it was told last."""
        known = self.api.services.gateways
        until(lambda: self._told() == set(euis))
        revision = known.desired[self.gateway.name].revision
        self.gateway.publish(Reported(gateway=self.gateway.name, epoch=EPOCH, revision=revision, devices=euis))

    def _asked_by(self, browser: Chrome) -> list[str]:
        """The ids of commands in a page's address."""
        query = parse_qs(urlsplit(browser.current_url).query)
        return [each for text in (*query.get("listen", ()), *query.get("errands", ())) for each in text.split("~")]

    def _told(self) -> set[str]:
        told = self.api.services.gateways.desired.get(self.gateway.name)
        return set() if told is None else {each.address for each in told.devices}


@contextmanager
def field_work(broker: Mosquitto, folder: Path, town: Registry = TOWN) -> Iterator[FieldWork]:
    """The town's API, and its gateway as the broker sees it, for the length of a `with`."""
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port), ledger=folder / "ledger.db", worker="field", tiles=None
    )
    with closing(open_store(f"sqlite:///{folder}/history.db")) as store, published_gateway(broker) as gateway:
        registry = kept(town, folder)
        registry.people.add(PERSON, by="test", at=datetime.now(UTC))
        api = create_app(settings, store=store, registry=registry, clock=lambda: datetime.now(UTC))
        with serving(api) as address:
            gateway.publish(
                gateway.status(),
                Models(gateway=gateway.name, epoch=EPOCH, version="1", models=(PCR2, TPS110, LIDAR)),
            )
            until(lambda: gateway.name in api.services.gateways.models)
            yield FieldWork(address, api, registry, gateway)


Found = TypeVar("Found")


class Phone:
    """A telephone in one hand: counts what its owner has to do."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser
        self.taps = 0
        resize(browser, *PHONE)

    def tap(self, selector: str, *, text: str = "") -> None:
        """Tap what can be seen; it must be thumb-sized."""
        element, *_ = self._wait(lambda: self._seen(selector, text), f"{selector} {text}")
        assert element.rect["height"] >= 48, f"{selector} is {element.rect['height']} px high"
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        self.taps += 1

    def wait_for(self, text: str) -> None:
        """Wait until the page says something."""
        self._wait(lambda: text in self.browser.find_element(By.TAG_NAME, "body").text, text)

    def wait_until_gone(self, text: str) -> None:
        """Wait until the page says it no more: another page has come."""
        self._wait(lambda: text not in self.browser.find_element(By.TAG_NAME, "body").text, f"{text} gone")

    def _wait(self, condition: Callable[[], Found], what: str) -> Found:
        """What a condition gives, once it is something. An element whose page has just gone is looked for again."""
        waiting = WebDriverWait(self.browser, PATIENCE_S, ignored_exceptions=[WebDriverException])
        return waiting.until(lambda _: condition(), f"{what}; at {self.browser.current_url}")

    def _seen(self, selector: str, text: str) -> list[WebElement]:
        found = self.browser.find_elements(By.CSS_SELECTOR, selector)
        return [each for each in found if each.is_displayed() and text in each.text]
