"""The dashboard and the alert rules that we give away name what `/metrics` serves, and Prometheus takes both."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.broker import Mosquitto
from tests.watched_town import watched_town

FOLDER = Path(__file__).parents[2] / "deploy/monitoring"
RULES = FOLDER / "passerelle-alerts.yml"
DASHBOARD = FOLDER / "passerelle-dashboard.json"
NAME = re.compile(r"\bpasserelle_[a-z_]+")
EXPRESSION = re.compile(r"^ +expr: (.*)$", re.MULTILINE)
DAY_S: Final = 86_400
BAD: Final[Mapping[str, str]] = {
    'passerelle_gateway_online{gateway="off"}': "0",
    'passerelle_gateway_online{gateway="bad"}': "1",
    'passerelle_gateway_status_timestamp_seconds{gateway="bad"}': "-10",
    'passerelle_gateway_queued_messages{gateway="bad"}': "2000+1x120",
    'passerelle_gateway_dropped_passages_total{gateway="bad", direction="in"}': "0+1x120",
    "passerelle_quarantine_facts": "1",
    'passerelle_ingest_flood_messages_total{gateway="bad"}': "0+1500x120",
    'passerelle_disk_free_bytes{file="store"}': "9",
    'passerelle_disk_size_bytes{file="store"}': "100",
    'passerelle_gateway_disk_free_bytes{gateway="bad"}': "9",
    'passerelle_gateway_disk_size_bytes{gateway="bad"}': "100",
    'passerelle_gateway_clock_ahead_seconds{gateway="bad"}': "-61",
    'passerelle_gateway_clock_trusted{gateway="bad"}': "0",
    'passerelle_broker_connected{connection="live"}': "0",
    "passerelle_store_up": "0",
    "passerelle_registry_up": "0",
    "passerelle_backup_timestamp_seconds": f"{-2 * DAY_S}",
    'passerelle_certificate_end_timestamp_seconds{certificate="broker_ca"}': f"{29 * DAY_S}",
    'passerelle_gateway_certificate_end_timestamp_seconds{gateway="bad"}': f"{89 * DAY_S}",
    'passerelle_sensors{kind="space", trust="stale"}': "3",
    'passerelle_sensors{kind="space", trust="fresh"}': "10",
}
"""What a town in every trouble tells for two hours, from the first second of Unix time on: one sample a minute."""
GOOD: Final[Mapping[str, str]] = {
    'passerelle_gateway_online{gateway="good"}': "1",
    'passerelle_gateway_status_timestamp_seconds{gateway="good"}': "0+60x120",
    'passerelle_gateway_queued_messages{gateway="good"}': "2000-1x120",
    'passerelle_gateway_dropped_passages_total{gateway="good", direction="in"}': "5",
    "passerelle_quarantine_facts": "0",
    'passerelle_ingest_flood_messages_total{gateway="good"}': "0+60x120",
    'passerelle_disk_free_bytes{file="ledger"}': "11",
    'passerelle_disk_size_bytes{file="ledger"}': "100",
    'passerelle_gateway_disk_free_bytes{gateway="good"}': "11",
    'passerelle_gateway_disk_size_bytes{gateway="good"}': "100",
    'passerelle_gateway_clock_ahead_seconds{gateway="good"}': "-59",
    'passerelle_gateway_clock_trusted{gateway="good"}': "1",
    'passerelle_broker_connected{connection="ingest"}': "1",
    "passerelle_store_up": "1",
    "passerelle_registry_up": "1",
    "passerelle_backup_timestamp_seconds": f"{-1 * DAY_S}",
    'passerelle_certificate_end_timestamp_seconds{certificate="broker_ca"}': f"{31 * DAY_S}",
    'passerelle_gateway_certificate_end_timestamp_seconds{gateway="good"}': f"{91 * DAY_S}",
    'passerelle_sensors{kind="space", trust="stale"}': "2",
    'passerelle_sensors{kind="space", trust="fresh"}': "10",
}
"""What a town tells that is well, barely."""


@pytest.fixture(scope="module")
def served(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with watched_town(mosquitto, tmp_path_factory.mktemp("monitored")) as town:
        yield town.metrics()


def test_each_alert_comes_for_who_is_in_trouble_once_however_many_tell_of_it_and_for_nobody_else(
    tmp_path: Path,
) -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    troubled = {each: "off" if each == "PasserelleGatewaySilent" else "bad" for each in alerts if "Gateway" in each}
    expected = [labels(alertname=each, **({"gateway": troubled[each]} if each in troubled else {})) for each in alerts]
    firing = 'ALERTS{alertstate="firing"}'
    of_gateways = 'count by (alertname, gateway) (ALERTS{alertstate="firing", gateway!=""})'
    cases = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            town(BAD, {f"group by (alertname, gateway) ({firing})": expected, f"{of_gateways} > 1": []}),
            town(GOOD, {firing: []}),
        ],
    }
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases))
    promtool("test", "rules", str(file))


def test_every_alert_is_told_with_what_to_do_and_every_one_that_is_told_is_there() -> None:
    guide = (FOLDER.parents[1] / "docs/operations.md").read_text()
    assert set(re.findall(r"`(Passerelle\w+)`", guide)) == set(re.findall(r"- alert: (\w+)", RULES.read_text()))


def test_prometheus_understands_every_question_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"asked:{number}", "expr": each} for number, each in enumerate(questions())]
    file = tmp_path / "asked.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def test_prometheus_finds_nothing_to_say_against_the_metrics(served: str) -> None:
    promtool("check", "metrics", said=served)


def test_the_alert_rules_name_only_what_is_served(served: str) -> None:
    named = {name for expression in EXPRESSION.findall(RULES.read_text()) for name in NAME.findall(expression)}

    assert named
    assert named <= names_served(served)


def test_the_dashboard_names_only_what_is_served_and_no_panel_covers_another(served: str) -> None:
    named = {name for question in questions() for name in NAME.findall(question)}
    cells = [cell for panel in panels() for cell in cells_of(panel["gridPos"])]

    assert named
    assert named <= names_served(served)
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels()}) == len(panels())


def promtool(*words: str, said: str | None = None) -> str:
    """What Prometheus's own tool answers; it must be content."""
    ran = subprocess.run(["promtool", *words], check=False, input=said, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def town(series: Mapping[str, str], answers: Mapping[str, list[str]]) -> dict[str, Any]:
    """A test for `promtool`: what two processes of a town's API tell alike, and what the questions give after 2 h."""
    return {
        "interval": "1m",
        "input_series": [
            {"series": told_by(process, name), "values": values if "x" in values else f"{values}+0x120"}
            for process in ("1", "2")
            for name, values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": question,
                "eval_time": "2h",
                "exp_samples": [{"labels": each, "value": 1} for each in expected],
            }
            for question, expected in answers.items()
        ],
    }


def told_by(process: str, series: str) -> str:
    """A series with the process of the API that was asked, as Prometheus adds it."""
    name, _, own = series.removesuffix("}").partition("{")
    return f'{name}{{instance="{process}"{", " if own else ""}{own}}}'


def labels(**names: str) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in names.items()) + "}"


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def questions() -> list[str]:
    """What the dashboard asks Prometheus."""
    return [target["expr"] for panel in panels() for target in panel["targets"]]


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
