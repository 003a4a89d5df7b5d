"""The sensors of the rig's town, each with its truth written down beside: what it counted, what it last saw.

In come moments and draws, out come uplinks as the sensor sends them. It must never know what became of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from firmware_sim.encoders import bosch_tps110, nwave_nps405, parametric_pcr2
from firmware_sim.links.chirpstack import EndDevice
from firmware_sim.links.lorawan import Session
from firmware_sim.toml import table

PERIOD = timedelta(seconds=300)
"""Between two reports of a counter, and the length of the gateway's intervals."""
BUSIEST = 40
"""Passages in one direction and period at most."""
BATTERY_MV, PANEL_MW, WARMTH_C = 3_600, 120, 12.5
LATEST_S = 20
"""So long after the end of its period a sensor with an unsteady clock reports."""
PARKING_PERIOD_S = 86_400
KEY = "000102030405060708090a0b0c0d0e0f"
HERE = {"lat": 47.2137, "lon": -1.5562}
INSTALLED = datetime(2020, 1, 1, tzinfo=UTC)
ZONE = "marche"


@dataclass(frozen=True, slots=True)
class Uplink:
    """One frame of one sensor."""

    address: str
    counter: int
    """The LoRaWAN frame counter."""
    port: int
    payload: bytes
    at: datetime


@dataclass(slots=True, kw_only=True)
class CountingSensor:
    """A PCR2: people in two directions, with its totals (16 bits, and they roll over) or with deltas alone."""

    name: str
    address: str
    clock: datetime
    """Up to when it has reported."""
    totals: bool = True
    in_the_air: bool = False
    """No network server: the gateway's own modem hears it, or nobody, and the gateway's clock dates it."""
    unsteady: bool = False
    """It reports some seconds late, each time other ones."""
    shown: tuple[int, int] = (0, 0)
    """Its totals, before it ever counted anything in the rig."""
    counter: int = 0
    truth: dict[datetime, tuple[int, int]] = field(default_factory=dict)
    """Passages in and out by UTC hour."""
    counted: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Passages in and out by frame counter."""

    def report(self, draws: Random) -> Uplink:
        """Count for one more period, and tell of it."""
        hour = self.clock.replace(minute=0, second=0)
        self.clock += timedelta() if self.in_the_air else PERIOD
        self.counter += 1
        counts = draws.randint(0, BUSIEST), draws.randint(0, BUSIEST)
        self.counted[self.counter] = counts
        self.truth[hour] = _plus(self.truth.get(hour, (0, 0)), counts)
        self.shown = _plus(self.shown, counts)
        late = timedelta(seconds=draws.randint(0, LATEST_S) if self.unsteady else 0)
        port = parametric_pcr2.COUNTS_PORT
        return Uplink(self.address, self.counter, port, self._payload(counts), self.clock + late)

    def _payload(self, counts: tuple[int, int]) -> bytes:
        if not self.totals:
            return parametric_pcr2.counts_elsys(*counts, WARMTH_C)
        shown_in, shown_out = (shown % parametric_pcr2.TOTAL_MODULUS for shown in self.shown)
        return parametric_pcr2.counts_v4(*counts, shown_in, shown_out, BATTERY_MV, PANEL_MW, WARMTH_C)


@dataclass(slots=True, kw_only=True)
class ParkingSensor:
    """A TPS110 behind a network server, or an NPS405 that the gateway hears itself."""

    name: str
    address: str
    in_the_air: bool = False
    """No network server: the gateway's own modem hears it, or nobody."""
    occupied: bool = False
    counter: int = 0

    def change(self, at: datetime) -> Uplink:
        """A car comes or goes."""
        self.occupied = not self.occupied
        return self._say(at, beats=False)

    def heartbeat(self, at: datetime) -> Uplink:
        """The state again."""
        return self._say(at, beats=True)

    def _say(self, at: datetime, *, beats: bool) -> Uplink:
        self.counter += 1
        if self.in_the_air:
            payload = (
                nwave_nps405.heartbeat(self.occupied, BATTERY_MV - 100, WARMTH_C)
                if beats
                else nwave_nps405.parking_status(self.occupied, 0)
            )
        else:
            payload = bosch_tps110.heartbeat(self.occupied) if beats else bosch_tps110.parking_status(self.occupied)
        return Uplink(self.address, self.counter, 2 if beats else 1, payload, at)


@dataclass(frozen=True, slots=True)
class Town:
    """All sensors. Those that count live in a past of their own, so that a minute holds many hours."""

    steady: tuple[CountingSensor, ...]
    """They report at every beat."""
    bursting: CountingSensor
    """It reports only in bursts, as after a long silence of its network."""
    bays: tuple[ParkingSensor, ...]
    aerial: tuple[CountingSensor, ...] = ()
    """They live now, and are heard by the gateway itself."""

    @property
    def networked(self) -> tuple[CountingSensor, ...]:
        """All that count and have a network server."""
        return (*self.steady, self.bursting)

    @property
    def counters(self) -> tuple[CountingSensor, ...]:
        """All that count."""
        return (*self.networked, *self.aerial)

    def end_device(self, address: str) -> EndDevice:
        """The device as its network server knows it."""
        return EndDevice(address, dev_addr="00" + address[-6:], name=address)

    def passages(self) -> int:
        """All that was ever counted."""
        return sum(sum(counts) for sensor in self.counters for counts in sensor.counted.values())

    def frames(self) -> int:
        """All that was ever sent."""
        return sum(sensor.counter for sensor in self.counters) + sum(bay.counter for bay in self.bays)


def session(address: str) -> Session:
    """The keys of a sensor that the gateway itself hears."""
    return Session(address, bytes.fromhex(KEY), bytes.fromhex(KEY))


def make_town(now: datetime, beats: int, *, aerial: bool = False) -> Town:
    """A town whose counters live up to an hour ago when they have reported `beats` times."""
    heard_directly = (CountingSensor(name="pont", address="26010011", clock=now, in_the_air=True),) if aerial else ()
    start = (now - timedelta(hours=2) - beats * PERIOD).replace(minute=0, second=0, microsecond=0)
    return Town(
        steady=(
            CountingSensor(name="rue-haute", address="0004a30b00000001", clock=start),
            CountingSensor(name="rue-basse", address="0004a30b00000002", clock=start, shown=(65_000, 64_000)),
            CountingSensor(name="quai", address="0004a30b00000003", clock=start, shown=(12_345, 7)),
            CountingSensor(name="porte", address="0004a30b00000011", clock=start, totals=False),
            CountingSensor(name="passage", address="0004a30b00000012", clock=start, totals=False, unsteady=True),
        ),
        bursting=CountingSensor(name="halle", address="0004a30b00000021", clock=_days_before(now, 380)),
        bays=(
            *(ParkingSensor(name=f"m{n}", address=f"0004a30b0000010{n}") for n in range(1, 7)),
            *(ParkingSensor(name=f"a{n}", address=f"2601000{n}", in_the_air=True) for n in range(1, 5)),
        ),
        aerial=heard_directly,
    )


def places_toml(town: Town) -> str:
    """The places that the sensors serve, for `passerelle api`."""
    return "\n".join(_places(town))


def gateway_toml(town: Town, gateway: str, city_port: int, field_port: int, modem: str, clock: str) -> str:
    """The gateway's configuration, for `passerelle edge`."""
    host = "127.0.0.1"
    return "\n".join(
        [
            table("gateway", name=gateway, data="data", clock=clock, interval_s=int(PERIOD.total_seconds())),
            table("broker", host=host, port=city_port),
            table("[link]", kind="chirpstack", name="network", host=host, port=field_port, client_id=gateway),
            table("[link]", kind="rak3172", name="radio", port=modem),
            *(_counter_device(sensor) for sensor in town.counters),
            *(_bay_device(bay) for bay in town.bays),
        ]
    )


def _places(town: Town) -> Iterator[str]:
    yield table("[zone]", id=ZONE, name="Place du Marché", position=HERE)
    for bay in town.bays:
        yield table("[space]", id=bay.name, zone=ZONE)
        yield table("[installation]", place=bay.name, device=bay.address, channel="1", **{"from": INSTALLED})
    for sensor in town.counters:
        yield table("[counter]", id=sensor.name, name=sensor.name, position=HERE, **{"in": "gare", "out": "mairie"})
        line = {"channel": "line1", "mode": "pedestrian"}
        yield table("[installation]", place=sensor.name, device=sensor.address, **line, **{"from": INSTALLED})


def _counter_device(sensor: CountingSensor) -> str:
    period_s = int(PERIOD.total_seconds())
    link, keys = ("radio", {"nwk_skey": KEY, "app_skey": KEY}) if sensor.in_the_air else ("network", {})
    return table("[device]", address=sensor.address, model="parametric-pcr2", link=link, period_s=period_s, **keys)


def _bay_device(bay: ParkingSensor) -> str:
    model, link = ("nwave-nps405", "radio") if bay.in_the_air else ("bosch-tps110", "network")
    keys = {"nwk_skey": KEY, "app_skey": KEY} if bay.in_the_air else {}
    return table("[device]", address=bay.address, model=model, link=link, period_s=PARKING_PERIOD_S, **keys)


def _plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _days_before(now: datetime, days: int) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
