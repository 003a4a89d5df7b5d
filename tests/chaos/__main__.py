"""`make chaos HOURS=… SEED=… SCENARIO=…`: runs the rig and writes its rows into docs/durability.md."""

import asyncio
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp

from tests.chaos import page
from tests.chaos.rig import run
from tests.chaos.scenarios import SCENARIOS

MOST_COMPLAINTS = 10


def main() -> int:
    """One run of each scenario that is named, together as long as asked for; 1 when any of them failed."""
    parser = ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--hours", type=float, default=0.05, help="length of all runs together")
    parser.add_argument("--seed", default="", help="draws the faults; a new one when not given")
    parser.add_argument("--scenario", default="", help=f"of {', '.join(SCENARIOS)}; all when not given")
    parser.add_argument("--page", type=Path, default=page.PAGE, help="where the rows are written")
    wanted = parser.parse_args()
    names = [name.strip() for name in wanted.scenario.split(",") if name.strip()] or list(SCENARIOS)
    unknown = sorted(set(names) - SCENARIOS.keys())
    if unknown:
        parser.error(f"no scenario {unknown[0]!r}; expected some of {', '.join(SCENARIOS)}")
    seed = wanted.seed or token_hex(4)
    drawn = sum(not SCENARIOS[name].messages for name in names)
    seconds, code = wanted.hours * 3600 / max(drawn, 1), commit()
    results = [_sound(name, seed, seconds, code, wanted.page) for name in names]
    return 0 if all(results) else 1


def commit() -> str:
    """The commit of this checkout, with a + when its code differs from it; empty outside a checkout."""
    git = ("git", "-C", str(page.PAGE.parent))
    told = subprocess.run((*git, "rev-parse", "--short", "HEAD"), check=False, capture_output=True, text=True)
    code = (":/edge", ":/cloud_api", ":/tests/chaos")
    changed = subprocess.run((*git, "diff", "--quiet", "HEAD", "--", *code), check=False)
    return told.stdout.strip() + ("+" if changed.returncode == 1 else "")


def _sound(name: str, seed: str, seconds: float, code: str, shown_on: Path) -> bool:
    """Whether a run found nothing wrong. Its folder stays when it did."""
    folder = Path(mkdtemp(prefix=f"passerelle-chaos-{name}-"))
    started = time.monotonic()
    print(f"{name}: seed {seed}, {seconds:.0f} s", flush=True)
    result = asyncio.run(run(SCENARIOS[name], seed, seconds, folder))
    row = result.row(code)
    page.add(row, shown_on)
    print(f"{' | '.join(row.cells)}\n{time.monotonic() - started:.0f} s in all", flush=True)
    for complaint in result.verdict.complaints[:MOST_COMPLAINTS]:
        print(f"  {complaint}", flush=True)
    if result.verdict.complaints:
        print(f"  its files: {folder}", flush=True)
        return False
    shutil.rmtree(folder)
    return True


if __name__ == "__main__":
    sys.exit(main())
