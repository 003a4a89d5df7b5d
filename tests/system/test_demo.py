"""`passerelle demo` as a person starts it: soon alive, stopped by Ctrl-C, continued by a second start."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from firmware_sim.saint_aubin import saint_aubin
from tests.broker import free_port
from tests.guide import Block, blocks, chapters, keeps, walking
from tests.system.programs import Program, processes_that_name, running
from tests.town import until

PARIS = ZoneInfo("Europe/Paris")
FIRST_HOUR = Path(__file__).parents[2] / "docs" / "first-hour.md"
FIRST_FIGURE_S = 60
PREPARED_S = 300
STOPPED_S = 60
"""A loaded machine is slow to end twenty tasks, and does not wait for the history, which takes longer by far."""
TOWN = "ma ville [d'été]"
"""A folder's name as people write them: nothing that starts in it may stumble over blanks and accents."""
OPTIONS = ("--port", "--data", "--seed", "--speed", "--days", "--broker")


@contextmanager
def demo(folder: Path, *options: str, path: str | None = None) -> Iterator[tuple[Program, httpx.Client]]:
    """The demo in a folder, and a client of its API, once it says what to open."""
    port = free_port()
    environment = {} if path is None else {"PATH": path}
    with (
        running(["demo", "--port", str(port), "--data", TOWN, *options], folder, environment) as program,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        program.says("Ctrl-C stops everything")
        yield program, client


def free(client: httpx.Client) -> dict[str, int | None]:
    zones = client.get("/v1/parking/zones").raise_for_status().json()["data"]["zones"]
    return {zone["id"]: zone["free"] for zone in zones}


def signs_in(program: Program, client: httpx.Client) -> None:
    """Follow the link that the demo prints, and open the pages behind it."""
    link = program.says(r"Sign in (?P<address>\S+)")["address"]
    origin = {"Origin": str(client.base_url).rstrip("/")}
    client.post("/technician/sign-in", data={"secret": link.rpartition("/")[2]}, headers=origin)
    assert "Tournée du jour" in client.get("/technician").text
    assert "Choisissez un sujet" in client.get("/bureau").text
    assert "aucune n’a encore été faite" in client.get("/operations").text, "of a demo no backup was made"


def follows_the_guide(program: Program, client: httpx.Client, folder: Path) -> None:
    """The first chapter of the first hour, with this demo instead of `make demo`."""
    start, promised, *rest = blocks(chapters(FIRST_HOUR.read_text())[0])
    assert start == Block("sh", {"terminal": "demo"}, "make demo\n")
    assert keeps(promised.text, program.words)
    (folder / "demo-data").symlink_to(TOWN)
    with walking(folder, {"8000": str(client.base_url.port)}) as walk:
        walk.follow(rest)


def is_fresh(client: httpx.Client) -> bool:
    zones = client.get("/v1/parking/zones").raise_for_status().json()["data"]["zones"]
    return all(zone["trust"] == "fresh" and zone["unknown"] == 0 for zone in zones)


def page_says_what_is_free(client: httpx.Client) -> bool:
    """The page is written once a second at most: for so long it may say what was free before."""
    page = client.get("/").raise_for_status().text
    return any(f">{number}<" in page for number in free(client).values())


def is_forecast(client: httpx.Client, zone: str) -> bool:
    answer = client.get(f"/v1/parking/zones/{zone}/forecast").raise_for_status().json()
    return all(each["probability"] is not None for each in answer["data"]["forecasts"])


def people_of_yesterday(client: httpx.Client) -> list[int]:
    """How many passed each counter in the day until now."""
    counters = client.get("/v1/flows/counters").raise_for_status().json()["counters"]
    return [
        sum((hour["in"] or 0) + (hour["out"] or 0) for hour in hours_since_yesterday(client, counter["id"]))
        for counter in counters
    ]


def hours_since_yesterday(client: httpx.Client, counter: str) -> list[dict[str, Any]]:
    now = datetime.now(PARIS)
    span = {"from": (now - timedelta(days=1)).date().isoformat(), "to": (now + timedelta(days=1)).date().isoformat()}
    answer = client.get("/v1/flows/hourly", params={"counter": counter, **span}).raise_for_status()
    hours: list[dict[str, Any]] = answer.json()["hours"]
    return hours


def stop(program: Program, folder: Path) -> None:
    """As at a terminal; nothing that it started may be left."""
    program.interrupt()
    assert program.status(STOPPED_S) == 0
    assert "Traceback" not in program.words
    assert processes_that_name(folder) == []


def epoch(folder: Path) -> str:
    with closing(sqlite3.connect(folder / TOWN / "gateway" / "outbox.db")) as outbox:
        found: str = outbox.execute("SELECT epoch FROM identity").fetchone()[0]
    return found


def is_told(folder: Path) -> bool:
    """Whether the whole history is in the store."""
    return '"told":true' in (folder / TOWN / "past.json").read_text()


def path_without(folder: Path, missing: str) -> str:
    """A PATH that leads to every program of ours but one."""
    bin_ = folder / "bin"
    bin_.mkdir()
    for program in ("mosquitto", "dbus-daemon"):
        found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
        if program != missing and found:
            (bin_ / program).symlink_to(found)
    return str(bin_)


@pytest.mark.slow
def test_it_is_soon_alive_does_not_make_ctrl_c_wait_and_goes_on_with_its_data_on_either_broker(tmp_path: Path) -> None:
    with demo(tmp_path, "--days", "1") as (program, client):
        assert "(ble, chirpstack, rak3172, serial)" in program.words
        until(lambda: sum(people_of_yesterday(client)) > 0, PREPARED_S)
        stop(program, tmp_path)
    assert not is_told(tmp_path)
    first_epoch = epoch(tmp_path)

    with demo(tmp_path, "--days", "1") as (program, client):
        until(lambda: is_fresh(client), FIRST_FIGURE_S)
        until(lambda: page_says_what_is_free(client), FIRST_FIGURE_S)
        signs_in(program, client)
        until(lambda: is_forecast(client, "place-du-marche"), FIRST_FIGURE_S)
        until(lambda: is_told(tmp_path), PREPARED_S)
        check_every_hour(client)
        follows_the_guide(program, client, tmp_path)
        stop(program, tmp_path)

    with demo(tmp_path, "--days", "1", "--broker", "iotcore") as (program, client):
        assert "rumqttd" in program.words
        until(lambda: is_fresh(client), FIRST_FIGURE_S)
        assert min(people_of_yesterday(client)) > 0
        stop(program, tmp_path)
        assert "Preparing history" not in program.words
    assert epoch(tmp_path) == first_epoch


@pytest.mark.slow
def test_without_a_message_bus_it_leaves_bluetooth_out_and_says_so(tmp_path: Path) -> None:
    path = path_without(tmp_path, "dbus-daemon")
    with demo(tmp_path, "--days", "0", path=path) as (program, client):
        assert "Bluetooth sensors are left out: dbus-daemon is not installed" in program.words
        until(lambda: free(client)["place-du-marche"] is not None, FIRST_FIGURE_S)
        stop(program, tmp_path)


def check_every_hour(client: httpx.Client) -> None:
    """Each whole hour that the API knows of the past day is the town's truth."""
    town, now = saint_aubin(seed=1), datetime.now(UTC)
    checked = 0
    for counter in town.counters:
        for hour in hours_since_yesterday(client, counter.id):
            begin = datetime.fromisoformat(hour["start"]).astimezone(UTC)
            if now - timedelta(hours=22) < begin < now - timedelta(hours=2):
                assert (hour["in"], hour["out"]) == town.truth_hour(counter.id, begin)
                checked += 1
    assert checked == 20 * len(town.counters)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(["demo", "--port", port, "--data", TOWN], tmp_path) as program:
            assert program.status(60) == 1
    assert f"port {port} is taken" in program.words
    assert "--port" in program.words
    assert "Traceback" not in program.words


def test_help_explains_every_option(tmp_path: Path) -> None:
    with running(["demo", "--help"], tmp_path, {"COLUMNS": "120"}) as program:
        assert program.status(60) == 0
    assert [option for option in OPTIONS if option not in program.words] == []
