"""One run: a town lives while the conductor breaks what carries its news; then all is healed and held to the truth.

In come a scenario, a seed and a length, out comes a `Run`. Nothing outlives it but its folder, when it failed.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx

from tests.chaos.air import Air, Fate
from tests.chaos.faults import MOST_STEP_S, Conductor
from tests.chaos.page import Row
from tests.chaos.scenarios import Scenario
from tests.chaos.scripts import SPEAKERS, STORIES, Told
from tests.chaos.sensors import make_town
from tests.chaos.site import BEAT_S, GATEWAY, Site, running_site, until
from tests.chaos.verdict import Verdict, judge

AHEAD_S = MOST_STEP_S + 3600
HEALED_WITHIN_S = 600.0
"""The gateway sends again what was not confirmed after at most five minutes."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a run."""

    scenario: Scenario
    seed: str
    seconds: float
    faults: Counter[str]
    frames: int
    verdict: Verdict
    measured: str
    """What the story measured, in words."""
    ended: datetime

    def row(self, code: str) -> Row:
        """As the page shows it, run on that commit."""
        found = self.verdict
        return Row(
            scenario=self.scenario.name,
            faults=self.faults,
            frames=self.frames,
            sent=found.sent,
            stored=found.stored,
            missing=found.missing,
            twice=found.twice,
            swallowed=found.swallowed,
            flagged_hours=found.flagged_hours,
            verdict=found.words,
            measured=self.measured,
            seed=self.seed,
            seconds=round(self.seconds),
            code=code,
            date=f"{self.ended:%Y-%m-%d}",
        )


async def run(scenario: Scenario, seed: str, seconds: float, folder: Path) -> Run:
    """Run it. Raises `TimeoutError` when what was broken does not heal, `UnsoundFileError` for a broken file."""
    beats = scenario.messages // SPEAKERS or int(seconds / BEAT_S)
    began = time.monotonic()
    town = make_town(datetime.now(UTC), beats, aerial=scenario.clock)
    air = Air(seed, rough=scenario.rough_air)
    draws = Random(f"{seed}/town")
    async with running_site(town, air, draws, folder, scenario) as site:
        await site.first_words()
        conductor = Conductor(site, scenario, seed)
        told = Told(Counter())
        if scenario.messages:
            told = await STORIES[scenario.name](site, scenario.messages)
            seconds = time.monotonic() - began
        else:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(site.live(beats))
                tasks.create_task(conductor.conduct(seconds))
        await _heal(site)
        verdict = await _judged(site)
        air_faults = {str(fate): count for fate, count in air.fates.items() if fate is not Fate.ARRIVES}
        faults = conductor.done + told.faults + Counter(air_faults)
        measured = "; ".join(filter(None, (told.measured, *site.measured(faults))))
        return Run(scenario, seed, seconds, faults, town.frames(), verdict, measured, _now())


async def _heal(site: Site) -> None:
    """Let all that is under way arrive, everybody speak once more, and the outbox empty."""
    site.publish(site.air.clear())
    site.clock.put_right()
    site.publish([sensor.report(site.draws) for sensor in site.town.networked])
    await until(lambda: f"Sending SUBACK to {GATEWAY}" in site.field.log, "the gateway's subscription")
    await until(lambda: not site.unheard(), "every counter's last frame in the gateway", HEALED_WITHIN_S)
    if site.town.aerial:
        site.every_bay_speaks()
    async with asyncio.timeout(HEALED_WITHIN_S):
        await site.everybody_says_something()
    await _end_of_all_intervals(site)
    await until(lambda: site.queued() == 0, "an empty outbox", HEALED_WITHIN_S)


async def _end_of_all_intervals(site: Site) -> None:
    """Where the clock is the rig's, intervals may be open that began while it was hours ahead: it goes ahead again."""
    site.clock.set(AHEAD_S)
    await until(lambda: not site.counting(), "the end of every interval", HEALED_WITHIN_S)
    site.clock.put_right()


async def _judged(site: Site) -> Verdict:
    """What the API tells now, and tells again when it was killed once more: the worse of both."""
    verdicts = []
    for _ in range(2):
        await site.answering()
        async with httpx.AsyncClient(base_url=site.address, timeout=60) as client:
            verdicts.append(await judge(client, site.town, site.air))
        for api in site.apis.values():
            await api.kill()
            api.start()
    return max(verdicts, key=lambda verdict: len(verdict.complaints))


def _now() -> datetime:
    return datetime.now(UTC)
