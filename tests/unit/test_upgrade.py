"""An upgrade on a machine in memory: whatever fails and whenever, one version runs and can read the outbox."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.health import Health
from edge.upgrade import LOOK_EVERY_S, Look, Side, UpgradeError, judge, take_over, upgrade

WELL = Health(pid=1, version="0.1.0", progress=5, broker=True, links=("modem", "radar"), devices=3)
DEEDS = ("install", "version", "rehearse", "hand_over", "switch", "stop", "start")


def _as_it_is(look: Look) -> Look:
    return look


@dataclass
class Desk:
    """Two versions, the second of a newer schema when `schema` says so."""

    schema: dict[Side, int] = field(default_factory=lambda: {Side.A: 3, Side.B: 3})
    fails: frozenset[tuple[str, int]] = frozenset()
    """Which call of a deed fails: (`start`, 1) is the first."""
    ill: Callable[[Look], Look] = _as_it_is
    """What becomes of a look at the version in B."""
    interrupted_at_s: float | None = None
    link: Side = Side.A
    outbox: int = 3
    running: Side | None = Side.A
    pid: int = 1
    time_s: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def _deed(self, name: str) -> None:
        self.calls[name] += 1
        if (name, self.calls[name]) in self.fails:
            raise UpgradeError(f"{name} fails")

    def current(self) -> Side:
        return self.link

    def install(self, side: Side, wanted: str) -> None:
        assert side is not self.running, f"{wanted} overwrites what runs"
        self._deed("install")

    def version(self, side: Side) -> str:
        self._deed("version")
        return "0.1.0" if side is Side.A else "0.2.0"

    def rehearse(self, here: Side, there: Side) -> None:
        assert here is not there
        self._deed("rehearse")

    def hand_over(self, giver: Side, taker: Side) -> None:
        assert self.running is None, "the outbox is changed under a gateway at work"
        self._deed("hand_over")
        assert self.outbox <= self.schema[giver] or self.outbox <= self.schema[taker]
        self.outbox = min(self.outbox, self.schema[taker])

    def switch(self, side: Side) -> None:
        self._deed("switch")
        self.link = side

    def stop(self) -> None:
        self._deed("stop")
        self.running = None

    def start(self) -> None:
        self._deed("start")
        assert self.outbox <= self.schema[self.link], "it cannot read the outbox"
        self.outbox = self.schema[self.link]
        self.running = self.link
        self.pid += 1

    def look(self) -> Look:
        if self.running is None:
            return Look(0, None)
        told = replace(WELL, pid=self.pid, progress=int(self.time_s))
        if self.running is Side.A:
            return Look(self.pid, told)
        return self.ill(Look(self.pid, replace(told, version="0.2.0")))

    def pause(self, seconds: float) -> None:
        self.time_s += seconds
        if self.interrupted_at_s is not None and self.time_s >= self.interrupted_at_s:
            self.interrupted_at_s = None
            raise KeyboardInterrupt

    def now_s(self) -> float:
        return self.time_s


def upgraded(desk: Desk) -> None:
    upgrade(desk, "0.2.0", 120, desk.said.append)


def ill(**changes: object) -> Callable[[Look], Look]:
    """Every word of the new version says this."""
    return lambda look: Look(look.pid, None if look.health is None else replace(look.health, **changes))


def test_a_version_that_does_as_well_is_kept_after_two_minutes() -> None:
    desk = Desk()
    upgraded(desk)
    assert (desk.link, desk.running, desk.time_s) == (Side.B, Side.B, 120)
    assert "0.2.0 runs and is kept" in desk.said[-1]


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (ill(broker=False), "the broker was reached before"),
        (ill(links=("radar",)), "not any more: modem"),
        (ill(devices=2), "reads: 2, before: 3"),
        (ill(trouble="disk I/O error"), "outbox cannot be used: disk I/O error"),
        (ill(progress=7), "no progress"),
        (ill(version="0.1.0"), "0.1.0 runs, and not 0.2.0"),
        (lambda look: Look(look.pid, None), "does not say"),
        (lambda _look: Look(0, None), "it has ended"),
    ],
)
def test_a_version_that_does_worse_goes_and_the_one_before_runs_again(
    look: Callable[[Look], Look], reason: str
) -> None:
    desk = Desk(schema={Side.A: 3, Side.B: 4}, ill=look)
    with pytest.raises(UpgradeError, match=reason):
        upgraded(desk)
    assert (desk.link, desk.running, desk.outbox) == (Side.A, Side.A, 3)


def test_one_that_is_started_again_by_systemd_is_not_watched_any_longer() -> None:
    desk = Desk()

    def restarted(look: Look) -> Look:
        return Look(look.pid + (desk.time_s > 10), look.health)

    desk.ill = restarted
    with pytest.raises(UpgradeError, match="started again"):
        upgraded(desk)
    assert desk.time_s < 10 + 2 * LOOK_EVERY_S


def test_an_upgrade_that_is_interrupted_goes_back() -> None:
    desk = Desk(schema={Side.A: 3, Side.B: 4}, interrupted_at_s=50)
    with pytest.raises(UpgradeError, match="interrupted"):
        upgraded(desk)
    assert (desk.link, desk.running, desk.outbox) == (Side.A, Side.A, 3)


@pytest.mark.parametrize("deed", ["install", "version", "rehearse"])
def test_what_fails_before_the_stop_never_stops_the_gateway(deed: str) -> None:
    desk = Desk(fails=frozenset({(deed, 1)}))
    with pytest.raises(UpgradeError, match=f"{deed} fails"):
        upgraded(desk)
    assert desk.calls["stop"] == 0


def test_a_broker_that_was_away_before_is_not_asked_for() -> None:
    away = replace(WELL, broker=False)
    assert judge(away, away, replace(away, progress=9), "0.1.0") is None


def test_a_gateway_that_did_not_run_before_only_has_to_run() -> None:
    assert judge(None, WELL, replace(WELL, progress=9, broker=False, links=()), "0.1.0") is None


def test_back_and_forth_between_schemas_ends_where_it_began() -> None:
    desk = Desk(schema={Side.A: 3, Side.B: 5})
    upgraded(desk)
    assert desk.outbox == 5
    take_over(desk, 120, desk.said.append)
    assert (desk.link, desk.outbox) == (Side.A, 3)


@given(
    schemas=st.tuples(st.integers(3, 5), st.integers(3, 5)),
    fails=st.frozensets(st.tuples(st.sampled_from(DEEDS), st.integers(1, 3)), max_size=3),
    is_ill=st.booleans(),
    interrupted=st.none() | st.floats(0, 130),
)
def test_whatever_fails_the_link_leads_to_a_version_that_reads_the_outbox(
    schemas: tuple[int, int], fails: frozenset[tuple[str, int]], is_ill: bool, interrupted: float | None
) -> None:
    desk = Desk(
        schema=dict(zip(Side, schemas, strict=True)),
        outbox=schemas[0],
        fails=fails,
        ill=ill(broker=not is_ill),
        interrupted_at_s=interrupted,
    )
    try:
        upgraded(desk)
    except UpgradeError:
        assert fails or is_ill or interrupted is not None
    else:
        assert desk.running is Side.B
    assert desk.outbox <= desk.schema[desk.link]
    if not {name for name, _ in fails} & {"start", "stop"}:
        assert desk.running is desk.link
