"""The conductor: draws faults from the seed, brings them about, heals them, and counts them by kind.

In come a site and a scenario, out go kills, cuts and noise until the time is over; then everything is whole again. Two
hands work at once, so that faults overlap; no two hands hold the same thing.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random

from tests.chaos.parrot import repeat_ten_times
from tests.chaos.scenarios import Scenario
from tests.chaos.site import Site

HANDS = 2
PAUSE_S = (0.5, 4.0)
DOWN_S = (0.2, 9.0)
FROZEN_S = (1.0, 8.0)
SWALLOWED_S = (2.0, 12.0)
NOISE_BYTES = 200
MOST_MORE_MB = 3
MOST_STEP_S = 6 * 3600
LONGEST_DARK_S = 3 * 86_400
"""A machine without a clock of its own wakes up so far in the past."""
LINES = ("ingest", "network", "uplink")
GATHERED_S = (1.0, 4.0)
BEGINS_S = (0.05, 0.8)


@dataclass(slots=True)
class Conductor:
    """Guards that whatever it breaks is whole again before it lets go."""

    site: Site
    scenario: Scenario
    seed: str
    done: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    _held: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def conduct(self, seconds: float) -> None:
        """Break things for so long; return when all is whole."""
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            for hand in range(HANDS):
                tasks.create_task(self._play(Random(f"{self.seed}/hand {hand}"), until))

    async def _play(self, draws: Random, until: float) -> None:
        while time.monotonic() < until:
            kind = draws.choice(self.scenario.faults)
            await self._faults()[kind](draws)
            self.done[kind] += 1
            await asyncio.sleep(draws.uniform(*PAUSE_S))

    def _faults(self) -> dict[str, Callable[[Random], Awaitable[None]]]:
        return {
            "gateway killed": self._kill_gateway,
            "gateway stopped": self._stop_gateway,
            "API killed": self._kill_api,
            "broker killed": self._kill_broker,
            "booted without broker": self._boot_without_broker,
            "line cut": self._cut,
            "line black-holed": self._swallow,
            "line slowed": self._slow,
            "gateway frozen": self._freeze_gateway,
            "API frozen": self._freeze_api,
            "burst": self._burst,
            "burst over a dying line": self._burst_on_dying_line,
            "noise": self._noise,
            "network server's broker restarted": self._restart_field,
            "InfluxDB killed": self._kill_influx,
            "store line broken": self._break_store_line,
            "nobody listens": self._listen_no_more,
            "publishing forbidden": self._forbid,
            "messages ten times": self._repeat,
            "disk full": self._fill_disk,
            "card full": self._fill_card,
            "card read-only": self._give_card_up,
            "memory limit": self._limit_memory,
            "clock stepped": self._step_clock,
            "clock stepped while down": self._step_clock_while_down,
            "booted without time": self._boot_without_time,
        }

    async def _kill_gateway(self, draws: Random) -> None:
        down_s = draws.uniform(*DOWN_S)
        async with self._held["gateway"]:
            await self.site.gateway.kill()
            await asyncio.sleep(down_s)
            self.site.gateway.start()

    async def _stop_gateway(self, draws: Random) -> None:
        down_s = draws.uniform(*DOWN_S)
        async with self._held["gateway"]:
            await self.site.gateway.stop()
            await asyncio.sleep(down_s)
            self.site.gateway.start()

    async def _kill_api(self, draws: Random) -> None:
        name, down_s = draws.choice(sorted(self.site.apis)), draws.uniform(*DOWN_S)
        async with self._held[name]:
            await self.site.apis[name].kill()
            await asyncio.sleep(down_s)
            self.site.apis[name].start()

    async def _kill_broker(self, draws: Random) -> None:
        down_s = draws.uniform(*DOWN_S)
        async with self._held["broker"]:
            await asyncio.to_thread(self.site.city.kill)
            await asyncio.sleep(down_s)
            await asyncio.to_thread(self.site.city.start)

    async def _boot_without_broker(self, draws: Random) -> None:
        down_s = draws.uniform(*DOWN_S)
        async with self._held["broker"], self._held["gateway"]:
            await asyncio.to_thread(self.site.city.kill)
            await self.site.gateway.kill()
            self.site.gateway.start()
            await asyncio.sleep(down_s)
            await asyncio.to_thread(self.site.city.start)

    async def _cut(self, draws: Random) -> None:
        name, down_s = draws.choice(LINES), draws.uniform(*DOWN_S)
        async with self._held[name]:
            self.site.lines[name].cut()
            await asyncio.sleep(down_s)
            self.site.lines[name].heal()

    async def _swallow(self, draws: Random) -> None:
        name, length_s = draws.choice(LINES), draws.uniform(*SWALLOWED_S)
        async with self._held[name]:
            self.site.lines[name].swallow()
            await asyncio.sleep(length_s)
            self.site.lines[name].heal()

    async def _slow(self, draws: Random) -> None:
        name, length_s = draws.choice(LINES), draws.uniform(*SWALLOWED_S)
        async with self._held[name]:
            self.site.lines[name].slow()
            await asyncio.sleep(length_s)
            self.site.lines[name].heal()

    async def _freeze_gateway(self, draws: Random) -> None:
        length_s = draws.uniform(*FROZEN_S)
        async with self._held["gateway"]:
            self.site.gateway.freeze()
            await asyncio.sleep(length_s)
            self.site.gateway.thaw()

    async def _freeze_api(self, draws: Random) -> None:
        name, length_s = draws.choice(sorted(self.site.apis)), draws.uniform(*FROZEN_S)
        async with self._held[name]:
            self.site.apis[name].freeze()
            await asyncio.sleep(length_s)
            self.site.apis[name].thaw()

    async def _burst(self, _draws: Random) -> None:
        async with self._held["burst"]:
            self.site.burst()

    async def _burst_on_dying_line(self, draws: Random) -> None:
        """Acknowledgements are swallowed in the middle of it, so that the broker sends again what is durable."""
        begins_s, length_s = draws.uniform(*BEGINS_S), draws.uniform(*FROZEN_S)
        async with self._held["network"]:
            self.site.burst()
            await asyncio.sleep(begins_s)
            self.site.lines["network"].swallow()
            await asyncio.sleep(length_s)
            self.site.lines["network"].heal()

    async def _noise(self, draws: Random) -> None:
        self.site.modem.cable.send(draws.randbytes(draws.randint(1, NOISE_BYTES)))

    async def _restart_field(self, draws: Random) -> None:
        down_s = draws.uniform(*DOWN_S)
        async with self._held["field"]:
            await asyncio.to_thread(self.site.field.stop)
            await asyncio.sleep(down_s)
            await asyncio.to_thread(self.site.field.start)

    async def _kill_influx(self, draws: Random) -> None:
        influx, down_s = self.site.influx, draws.uniform(*DOWN_S)
        if influx is None:
            raise ValueError("this site keeps its history in SQLite")
        async with self._held["InfluxDB"]:
            await asyncio.to_thread(influx.kill)
            await asyncio.sleep(down_s)
            await asyncio.to_thread(influx.start)

    async def _break_store_line(self, draws: Random) -> None:
        line, length_s = self.site.lines["store"], draws.uniform(*SWALLOWED_S)
        how = draws.choice((line.cut, line.swallow, line.slow))
        async with self._held["store"]:
            how()
            await asyncio.sleep(length_s)
            line.heal()

    async def _listen_no_more(self, draws: Random) -> None:
        """Nobody is subscribed: ingest is away, and the broker remembers no session of its."""
        down_s = draws.uniform(*DOWN_S)
        async with AsyncExitStack() as held:
            for name in (*sorted(self.site.apis), "broker"):
                await held.enter_async_context(self._held[name])
            for api in self.site.apis.values():
                await api.kill()
            await asyncio.to_thread(self.site.city.kill)
            await asyncio.to_thread(self.site.city.start)
            await asyncio.sleep(down_s)
            for api in self.site.apis.values():
                api.start()

    async def _forbid(self, draws: Random) -> None:
        length_s = draws.uniform(*DOWN_S)
        async with self._held["broker"]:
            self.site.forbid_publishing()
            await asyncio.sleep(length_s)
            self.site.allow_publishing()

    async def _repeat(self, draws: Random) -> None:
        """What comes by is said ten times more, in any order."""
        length_s = draws.uniform(*GATHERED_S)
        async with self._held["broker"]:
            await asyncio.to_thread(repeat_ten_times, self.site.city, length_s, draws)

    async def _fill_disk(self, draws: Random) -> None:
        programs = {"gateway": self.site.gateway, **self.site.apis}
        name, length_s = draws.choice(sorted(programs)), draws.uniform(*DOWN_S)
        async with self._held[name]:
            programs[name].limit_files()
            await asyncio.sleep(length_s)
            programs[name].free_files()
            await programs[name].start_if_ended()

    async def _fill_card(self, draws: Random) -> None:
        """The gateway's own disk is full, and in half of all cases it is killed and starts on it."""
        length_s, starts = draws.uniform(*DOWN_S), draws.random() < 0.5
        async with self._held["gateway"]:
            await asyncio.to_thread(self.site.disk.fill)
            if starts:
                await self.site.gateway.kill()
                self.site.gateway.start()
            await asyncio.sleep(length_s)
            self.site.disk.free()
            await self.site.gateway.start_if_ended()

    async def _give_card_up(self, draws: Random) -> None:
        """The gateway's own disk becomes read-only; it is taken out, checked and put in again."""
        length_s, starts = draws.uniform(*DOWN_S), draws.random() < 0.5
        async with self._held["gateway"]:
            self.site.disk.give_up()
            await asyncio.sleep(length_s)
            await self.site.gateway.kill()
            if starts and self.site.disk.can_be_read_only:
                self.site.gateway.start()
                await self.site.gateway.last_words()
            await asyncio.to_thread(self.site.disk.repair)
            self.site.gateway.start()

    async def _limit_memory(self, draws: Random) -> None:
        """The gateway may take a little more, and a burst comes."""
        more, length_s = draws.randint(1, MOST_MORE_MB) * 1_000_000, draws.uniform(*DOWN_S)
        async with self._held["gateway"]:
            self.site.memory.hold(more)
            self.site.burst()
            await asyncio.sleep(length_s)
            self.done["ended for memory"] += await self.site.memory.lift()

    async def _step_clock(self, draws: Random) -> None:
        """Every third time to where it is right."""
        offset_s = draws.choice((0, -1, 1)) * draws.randint(1, MOST_STEP_S)
        async with self._held["clock"]:
            self.site.clock.set(offset_s)

    async def _step_clock_while_down(self, draws: Random) -> None:
        offset_s, down_s = draws.choice((-1, 1)) * draws.randint(1, MOST_STEP_S), draws.uniform(*DOWN_S)
        async with self._held["clock"], self._held["gateway"]:
            await self.site.gateway.kill()
            self.site.clock.set(offset_s)
            await asyncio.sleep(down_s)
            self.site.gateway.start()

    async def _boot_without_time(self, draws: Random) -> None:
        """A power cut; after a while NTP speaks."""
        dark_s, length_s = draws.randint(1, LONGEST_DARK_S), draws.uniform(*DOWN_S)
        async with self._held["clock"], self._held["gateway"]:
            await self.site.gateway.kill()
            self.site.clock.lose(dark_s)
            self.site.gateway.start()
            await asyncio.sleep(length_s)
            self.site.clock.put_right()
