"""A counter's hours as arrays are what the API tells, to the unit, however it was served."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.flows import hourly_flows
from cloud_api.periods import Period
from cloud_api.plausibility import NIGHT
from cloud_api.registry import Counter, Installation, Registry
from cloud_api.reports.counter_hours import counter_hours
from cloud_api.reports.hours import hours_of
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel
from tests.history import HOUR, MIDNIGHT, flow
from tests.reporting import HERE, PARIS

PLACE = Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="gare", out="mairie")
HOURS = 60
PERIOD = Period(MIDNIGHT, MIDNIGHT + 48 * HOUR)
COUNTS = st.tuples(
    st.integers(0, HOURS), st.integers(0, 30_000), st.none() | st.integers(0, 500), st.sampled_from([600, 3240, 3600])
)
SERVED = st.tuples(
    st.integers(-5, 40),
    st.none() | st.integers(41, 70),
    st.booleans(),
    st.sampled_from([1.0, 1.25, 0.9]),
    st.lists(COUNTS),
)


@given(served=st.lists(SERVED, max_size=3))
def test_the_arrays_are_what_the_api_tells(
    served: Sequence[tuple[int, int | None, bool, float, list[tuple[int, int, int | None, int]]]],
) -> None:
    registry = Registry(
        counters=[PLACE],
        installations=[
            Installation(
                place=PLACE.id,
                device=f"d{number}",
                channel="line1",
                mode="pedestrian",
                start=MIDNIGHT + first * HOUR,
                end=None if last is None else MIDNIGHT + last * HOUR,
                reversed=turned,
                factor=factor,
            )
            for number, (first, last, turned, factor, _) in enumerate(served)
        ],
    )
    facts = [
        flow(
            MIDNIGHT + at * HOUR,
            in_=in_,
            out=out,
            covered_s=covered_s,
            part=part,
            channel=Channel(f"d{number}", "line1", "pedestrian"),
        )
        for number, (*_, counts) in enumerate(served)
        for part, (at, in_, out, covered_s) in enumerate(counts)
    ]
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{Path(folder)}/history.db")) as store:
        store.write(facts)

        told = hours_of(hourly_flows(registry, store, PLACE, PERIOD, PARIS), PARIS)
        ours = counter_hours(registry, store, PLACE, PERIOD, PARIS, None)

    assert (told.sound | np.isin(told.hour, NIGHT) == ours.sound | np.isin(ours.hour, NIGHT)).all()
    assert (told.sound <= ours.sound).all(), "nights are not doubted here"
    for name in ("start", "in_", "out", "day", "hour"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(told, name), name)
    np.testing.assert_allclose(ours.coverage, told.coverage, atol=1.01e-4)
