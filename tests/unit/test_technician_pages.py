"""What the technicians' pages say: every refusal in both tongues, what a plan changes, who is heard best."""

from datetime import UTC, datetime, timedelta
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import asdict

from cloud_api.provisioning.actions import adopt, retire
from cloud_api.provisioning.gateways import By, Sighting
from cloud_api.provisioning.heard import heard_devices
from cloud_api.provisioning.installing import install, turn_round
from cloud_api.provisioning.plan import REFUSALS, NotPossibleError
from cloud_api.registry import Counter, Device, Installation, Position, Registry
from cloud_api.registry.places import Gateway
from cloud_api.web.technician.changes import plan_lines, why_not
from cloud_api.web.technician.english import ENGLISH
from cloud_api.web.technician.french import FRENCH
from cloud_api.web.technician.hearing import HeardLine, heard_lines
from cloud_api.web.technician.testing import Progress
from cloud_api.web.technician.words import Words
from edge.messages import HeardDevice

NOW = datetime(2026, 11, 27, 9, 20, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
EUI = "70b3d5e75e001a2b"
STREET = Counter(
    id="rue-haute", name="Rue Haute", position=Position(lat=47.4, lon=0.98), in_="vers la gare", out="vers la mairie"
)
HALLES = Gateway(name="gw-halles", label="Les Halles", managed=True)
SENSOR = Device(address=EUI, model="parametric-pcr2", gateway="gw-halles", label="Rue Haute nord")
SERVES = Installation(
    place="rue-haute", device=EUI, channel="line1", mode="pedestrian", start=datetime(2026, 11, 1, tzinfo=UTC)
)


def town(*, devices: tuple[Device, ...] = (), installations: tuple[Installation, ...] = ()) -> Registry:
    return Registry(counters=[STREET], gateways=[HALLES], devices=devices, installations=installations)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("words", [FRENCH, ENGLISH])
def test_every_refusal_has_words_that_know_its_facts(words: Words) -> None:
    assert set(words.refusals) == set(REFUSALS)
    for name, said in words.refusals.items():
        assert placeholders(said) <= placeholders(REFUSALS[name]), name


def test_both_tongues_name_the_same_figures() -> None:
    french, english = asdict(FRENCH), asdict(ENGLISH)
    for name, text in french.items():
        if isinstance(text, str):
            assert placeholders(text) == placeholders(english[name]), name


def test_a_battery_is_told_with_the_comma_of_the_language() -> None:
    assert FRENCH.measured(3.6, "V") == "3,6\N{NO-BREAK SPACE}V"
    assert ENGLISH.measured(3.6, "V") == "3.6\N{NO-BREAK SPACE}V"


def test_an_adoption_says_who_listens_and_how_frames_are_read() -> None:
    lines = plan_lines(town(), adopt(town(), SENSOR), FRENCH, PARIS)

    assert lines == [
        "Rue Haute nord est écouté par la passerelle Les Halles",
        "Ses trames sont lues comme celles du modèle parametric-pcr2",
    ]


def test_an_installation_says_which_way_is_which_by_the_towns_clock() -> None:
    known = town(devices=(SENSOR,))
    plan = install(known, device=EUI, channel="line1", mode="pedestrian", place="rue-haute", at=NOW, reversed_=True)

    assert plan_lines(known, plan, ENGLISH, PARIS) == [
        "Rue Haute nord serves Rue Haute from 27/11 10:00 on",
        "Its first direction: “vers la mairie”; its second: “vers la gare”",
    ]


def test_turning_round_and_retiring_say_what_they_do() -> None:
    known = town(devices=(SENSOR,), installations=(SERVES,))

    assert plan_lines(known, turn_round(known, EUI, NOW), ENGLISH, PARIS) == [
        "Its first direction: “vers la mairie”; its second: “vers la gare”"
    ]
    assert plan_lines(known, retire(known, EUI, NOW), ENGLISH, PARIS) == [
        "Rue Haute nord is out of service for good",
        "Rue Haute nord serves Rue Haute no more after 27/11 11:00",
    ]


def test_a_refusal_calls_places_and_gateways_as_people_do() -> None:
    error = NotPossibleError("adopted-elsewhere", "gateway", device=EUI, gateway="gw-halles")

    assert why_not(town(), error, FRENCH).startswith(f"{EUI} appartient à la passerelle Les Halles")


def test_a_sensor_is_shown_once_where_it_is_heard_best_and_only_while_nobody_adopted_it() -> None:
    def sighting(gateway: str, rssi_dbm: float) -> Sighting:
        device = HeardDevice(device=EUI, link="lora", at=NOW - timedelta(seconds=5), rssi_dbm=rssi_dbm)
        return Sighting(gateway=gateway, device=device, first_at=NOW, frames=2)

    both = {By(EUI, name): sighting(name, rssi_dbm) for name, rssi_dbm in (("gw-far", -115), ("gw-halles", -80))}

    def lines(it: Registry, now: datetime = NOW, wanted: str = "") -> list[HeardLine]:
        return heard_lines(heard_devices(it, both, now), it, FRENCH, now, wanted=wanted)

    (line,) = lines(town(), wanted="1A2B")
    assert (line.gateway_label, line.signal.bars, line.others, line.age) == ("Les Halles", 3, 1, "il y a 5 s")
    assert lines(town(devices=(SENSOR,))) == []
    assert lines(town(), wanted="ffff") == []
    assert lines(town(), NOW + timedelta(hours=7)) == []


@pytest.mark.parametrize("since", ["soon", "9" * 15, "9" * 30, "9" * 400])
def test_a_test_whose_address_is_nonsense_begins_anew(since: str) -> None:
    assert Progress.read({"channel": "line1", "since": since}) == Progress()
