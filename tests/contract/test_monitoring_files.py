"""The dashboard and the alert rules that we give away name what `/metrics` serves, and Prometheus takes the rules."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.broker import Mosquitto
from tests.watched_town import watched_town

FOLDER = Path(__file__).parents[2] / "deploy/monitoring"
RULES = FOLDER / "passerelle-alerts.yml"
DASHBOARD = FOLDER / "passerelle-dashboard.json"
NAME = re.compile(r"\bpasserelle_[a-z_]+")
EXPRESSION = re.compile(r"^ +expr: (.*)$", re.MULTILINE)
SUBJECTS = {
    "PasserelleGatewaySilent",
    "PasserelleGatewayFloods",
    "PasserelleGatewayQueueGrowing",
    "PasserelleQuarantine",
    "PasserelleDiskFilling",
    "PasserelleCertificateEndsSoon",
    "PasserelleSensorsNotBelieved",
}


@pytest.fixture(scope="module")
def served(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    with watched_town(mosquitto, tmp_path_factory.mktemp("monitored")) as town:
        yield names_served(town.metrics())


def test_prometheus_takes_the_alert_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], check=False, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(EXPRESSION.findall(RULES.read_text()))} rules found" in checked.stdout


def test_prometheus_finds_nothing_to_say_against_the_metrics(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with watched_town(mosquitto, tmp_path) as town:
        text = town.metrics()
    checked = subprocess.run(["promtool", "check", "metrics"], check=False, input=text, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_subject_that_wants_a_rule_has_one() -> None:
    assert set(re.findall(r"- alert: (\w+)", RULES.read_text())) >= SUBJECTS


def test_the_alert_rules_name_only_what_is_served(served: set[str]) -> None:
    named = {name for expression in EXPRESSION.findall(RULES.read_text()) for name in NAME.findall(expression)}

    assert named
    assert named <= served


def test_the_dashboard_names_only_what_is_served_and_no_panel_covers_another(served: set[str]) -> None:
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    named = {name for panel in panels for target in panel["targets"] for name in NAME.findall(target["expr"])}
    cells = [cell for panel in panels for cell in cells_of(panel["gridPos"])]

    assert named
    assert named <= served
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)


def names_served(text: str) -> set[str]:
    """As queries write them: with `_total` of a counter and `_bucket` of a histogram."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    families = text_string_to_metric_families(text)
    return {family.name + ending for family in families for ending in endings.get(family.type, ("",))}


def cells_of(place: dict[str, int]) -> list[tuple[int, int]]:
    """Of Grafana's grid, 24 columns wide."""
    assert place["x"] + place["w"] <= 24
    rows = range(place["y"], place["y"] + place["h"])
    return [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in rows]
