"""A short run of everything, with a new seed each time. A seed that failed plays the same faults again:
`PASSERELLE_CHAOS_SEED=… pytest tests/chaos`.
"""

import asyncio
import os
from pathlib import Path
from secrets import token_hex

import pytest

from tests.chaos.rig import run
from tests.chaos.scenarios import SCENARIOS

SECONDS = 35.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["everything", "everything on InfluxDB"])
def test_nothing_is_lost_and_nothing_twice_whatever_breaks(name: str, tmp_path: Path) -> None:
    seed = os.environ.get("PASSERELLE_CHAOS_SEED") or token_hex(4)
    print(f"PASSERELLE_CHAOS_SEED={seed}")
    found = asyncio.run(run(SCENARIOS[name], seed, SECONDS, tmp_path)).verdict
    assert found.complaints == [], f"PASSERELLE_CHAOS_SEED={seed}"
    assert (found.stored, found.missing, found.twice) == (found.sent, 0, 0)
