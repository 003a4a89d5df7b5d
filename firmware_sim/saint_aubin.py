"""Saint-Aubin-sur-Passerelle: four counters, three parking zones, twenty-seven sensors on four links.

In comes a seed, out comes the `Town`. Addresses and keys are derived from the seed, so that nothing secret is written
down anywhere. The town is invented; where the map shows it there are fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from firmware_sim.links.lorawan import Session
from firmware_sim.parking import Drivers, Habits
from firmware_sim.town import (
    BTHOME,
    LD2450,
    NPS405,
    PCR2,
    TPS110,
    Bay,
    Counter,
    Device,
    Link,
    MaxStay,
    ParkingZone,
    Position,
    Town,
)
from firmware_sim.walkers import Rhythm, Walkers

GATEWAY = "saint-aubin-1"
ZONE = ZoneInfo("Europe/Paris")
OPENED = datetime(2025, 1, 6, tzinfo=UTC)
SPRING_IN_AUCKLAND = Rhythm(real=date(2024, 10, 7), town=date(2026, 1, 5), days=56)
"""Eight weeks, Monday to Sunday, in which none of the town's sensors has a gap."""
SQUARE = Position(47.271400, 1.482600)
RADAR_AT_ONCE = 3
"""So many people the radar sees at once; no more ever pass together where it stands."""
HOURLY_S, QUARTER_S = 3_600, 900


def saint_aubin(seed: int = 1, *, opened: datetime = OPENED, rhythm: Rhythm = SPRING_IN_AUCKLAND) -> Town:
    """The town of that seed. `opened` is UTC, on the hour; `rhythm` says which real days it lives through."""
    founder = _Founder(_Secrets(seed), seed, opened, rhythm)
    return Town(
        name="Saint-Aubin-sur-Passerelle",
        gateway=GATEWAY,
        seed=seed,
        opened=opened,
        zone=ZONE,
        counters=founder.counters(),
        parking=founder.parking(),
    )


@dataclass(frozen=True, slots=True)
class _Secrets:
    """Addresses and keys out of the seed: the same for the same name, of no use for any other seed."""

    seed: int

    def derive(self, purpose: str, name: str, length: int) -> bytes:
        kdf = HKDF(SHA256(), length, salt=b"passerelle simulated town", info=f"{purpose} {name}".encode())
        return kdf.derive(str(self.seed).encode())

    def dev_eui(self, name: str) -> str:
        """An EUI-64 whose second lowest bit says that no maker assigned it."""
        return "02" + self.derive("devEUI", name, 7).hex()

    def ble_address(self, name: str) -> str:
        """A static random address: its two highest bits are set."""
        first, *rest = self.derive("BLE address", name, 6)
        return ":".join(f"{byte:02X}" for byte in (first | 0xC0, *rest))

    def session(self, name: str) -> Session:
        """A session under NwkID 1, which LoRaWAN sets aside for experiments."""
        address = "02" + self.derive("DevAddr", name, 3).hex()
        return Session(address, self.derive("NwkSKey", name, 16), self.derive("AppSKey", name, 16))


@dataclass(frozen=True, slots=True)
class _Founder:
    """Builds the town, street by street."""

    secrets: _Secrets
    seed: int
    opened: datetime
    rhythm: Rhythm

    def counters(self) -> tuple[Counter, ...]:
        return (
            Counter(
                id="rue-de-la-republique",
                name="Rue de la République",
                position=SQUARE.moved(40, 60),
                in_="vers la place du Marché",
                out="vers la gare",
                street="rue de la République",
                section="côté place",
                walkers=self.walkers("rue-de-la-republique", "45 Queen Street"),
                device=self.people_radar("rue-de-la-republique"),
            ),
            Counter(
                id="pont-de-la-passerelle",
                name="Pont de la Passerelle",
                position=SQUARE.moved(-220, 30),
                in_="vers le centre",
                out="vers la rive gauche",
                street="rue de la République",
                section="au pont",
                walkers=self.walkers("pont-de-la-passerelle", "2 High Street"),
                device=self.people_radar("pont-de-la-passerelle"),
            ),
            Counter(
                id="passage-des-tanneurs",
                name="Passage des Tanneurs",
                position=SQUARE.moved(-60, -110),
                in_="vers les quais",
                out="vers la place du Marché",
                street="quai des Tanneurs",
                section="accès au quai",
                walkers=self.walkers("passage-des-tanneurs", "1 Courthouse Lane", RADAR_AT_ONCE),
                device=Device(address="radar-tanneurs", model=LD2450, link=Link.SERIAL, period_s=10),
            ),
            Counter(
                id="venelle-du-lavoir",
                name="Venelle du Lavoir",
                position=SQUARE.moved(90, -80),
                in_="vers l'église",
                out="vers le lavoir",
                street="quai des Tanneurs",
                section="accès au quai",
                walkers=self.walkers("venelle-du-lavoir", "8 Darby Street EW"),
                device=self.beacon("venelle-du-lavoir", period_s=60),
            ),
        )

    def parking(self) -> tuple[ParkingZone, ...]:
        return (
            self.zone(
                ParkingZone(
                    id="place-du-marche",
                    name="Place du Marché",
                    position=SQUARE,
                    bays=(),
                    max_stay=MaxStay(minutes=90, hours="Mo-Sa 09:00-19:00; PH off"),
                ),
                audiences=["pmr"] * 2 + ["public"] * 10,
                habits=Habits(stay_min=35, gap_min=7, at_night=0.25),
                sensor=self.puck,
            ),
            self.zone(
                ParkingZone(id="rue-de-la-gare", name="Rue de la Gare", position=SQUARE.moved(150, 190), bays=()),
                audiences=["pmr"] + ["public"] * 7,
                habits=Habits(stay_min=75, gap_min=14, at_night=0.6),
                sensor=self.peer_to_peer_puck,
            ),
            self.zone(
                ParkingZone(
                    id="rue-des-halles",
                    name="Rue des Halles",
                    position=SQUARE.moved(-40, 70),
                    bays=(),
                    max_stay=MaxStay(minutes=20, hours="Mo-Sa 06:00-20:00"),
                ),
                audiences=["delivery"] * 3,
                habits=Habits(stay_min=11, gap_min=16, at_night=0.1),
                sensor=self.beacon,
            ),
        )

    def zone(
        self, empty: ParkingZone, *, audiences: Sequence[str], habits: Habits, sensor: Callable[[str], Device]
    ) -> ParkingZone:
        """The zone with one bay for each of `audiences`, side by side."""
        bays = (
            Bay(
                id=f"{empty.id}-{number}",
                position=empty.position.moved(0, 2.5 * number),
                audience=audience,
                drivers=Drivers(f"{empty.id}-{number}", habits, self.seed),
                device=sensor(f"{empty.id}-{number}"),
            )
            for number, audience in enumerate(audiences, start=1)
        )
        return replace(empty, bays=tuple(bays))

    def walkers(self, counter: str, sensor: str, at_once: int | None = None) -> Walkers:
        return Walkers(counter, sensor, self.rhythm, ZONE, self.opened, self.seed, at_once)

    def people_radar(self, name: str) -> Device:
        return Device(address=self.secrets.dev_eui(name), model=PCR2, link=Link.CHIRPSTACK, period_s=600)

    def puck(self, name: str) -> Device:
        return Device(address=self.secrets.dev_eui(name), model=TPS110, link=Link.CHIRPSTACK, period_s=QUARTER_S)

    def peer_to_peer_puck(self, name: str) -> Device:
        session = self.secrets.session(name)
        return Device(address=session.dev_addr, model=NPS405, link=Link.LORA, period_s=HOURLY_S, session=session)

    def beacon(self, name: str, period_s: int = 300) -> Device:
        address, key = self.secrets.ble_address(name), self.secrets.derive("bind key", name, 16)
        return Device(address=address, model=BTHOME, link=Link.BLE, period_s=period_s, key=key)
