"""A short run of everything, with a new seed each time. A seed that failed plays the same faults again:
`PASSERELLE_CHAOS_SEED=… pytest tests/chaos`.
"""

import asyncio
import os
from pathlib import Path
from secrets import token_hex

import pytest

from tests.chaos.faults import SCENARIOS
from tests.chaos.rig import run

SECONDS = 45.0


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_twice_whatever_breaks(tmp_path: Path) -> None:
    seed = os.environ.get("PASSERELLE_CHAOS_SEED") or token_hex(4)
    print(f"PASSERELLE_CHAOS_SEED={seed}")
    found = asyncio.run(run(SCENARIOS["everything"], seed, SECONDS, tmp_path)).verdict
    assert found.complaints == [], f"PASSERELLE_CHAOS_SEED={seed}"
    assert (found.stored, found.missing, found.twice) == (found.sent, 0, 0)
