"""The machine that an upgrade works on: two folders with programs, a link, a service of systemd, an outbox.

In come commands, out go processes. Whatever touches the outbox runs as the user who owns it, in the program that knows
its schema; this process never opens it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge import health
from edge.config import GatewayConfig
from edge.upgrade import Look, Side, UpgradeError

UNIT = "passerelle-edge.service"
ANSWER_S = 150.0
"""systemd gives up a start after 90 s; a full outbox is copied in less."""
INSTALL_S = 3_600.0
"""A small Pi on a slow line."""


@dataclass(frozen=True, slots=True)
class PiMachine:
    """A machine on which `deploy/edge/install` has put a gateway."""

    programs: Path
    """`/opt/passerelle`."""
    config_file: Path
    config: GatewayConfig
    wheels: Path | None
    """Where all packages are taken from; None: from the package index."""

    @property
    def outbox(self) -> Path:
        """The gateway's outbox."""
        return self.config.gateway.data / "outbox.db"

    def current(self) -> Side:
        """Where the link points to."""
        return Side((self.programs / "current").readlink().name)

    def install(self, side: Side, wanted: str) -> None:
        """A fresh virtual environment, filled from wheels alone: nothing is built, no code of a package runs."""
        python = self.programs / side / "bin" / "python"
        source = ["--no-index", "--find-links", str(self.wheels)] if self.wheels else []
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", *source]
        _run(
            [sys.executable, "-m", "venv", "--clear", str(self.programs / side)],
            "a program folder cannot be made",
            within_s=INSTALL_S,
        )
        _run([str(python), *pip, wanted], f"{wanted} cannot be installed", within_s=INSTALL_S)

    def version(self, side: Side) -> str:
        """What its command says; it must take the configuration, too."""
        program = str(self.programs / side / "bin" / "passerelle")
        says = _run([program, "--version"], f"there is no program in folder {side}")
        version = says.split()[-1]
        _run([program, "edge", "--config", str(self.config_file), "--check"], f"{version} refuses the configuration")
        return version

    def rehearse(self, here: Side, there: Side) -> None:
        """On a copy beside the outbox, on the same disk and as its owner."""
        if not self.outbox.exists():
            return
        with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=self.outbox.parent) as folder:
            shutil.chown(folder, *_owner(self.outbox))
            copy = Path(folder) / "outbox.db"
            self._ask(here, "copy", str(self.outbox), str(copy))
            before = self._opened(here, copy)
            self._give(copy, here, there)
            self._opened(there, copy)
            self._give(copy, there, here)
            if self._opened(here, copy) != before:
                raise UpgradeError("rehearsed on a copy, the outbox does not come back as it was; nothing was changed")

    def hand_over(self, giver: Side, taker: Side) -> None:
        """The outbox itself, while no gateway runs on it."""
        if self.outbox.exists():
            self._give(self.outbox, giver, taker)

    def switch(self, side: Side) -> None:
        """In one step, which a power cut leaves done or undone."""
        new = self.programs / "current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(side)
        new.replace(self.programs / "current")
        folder = os.open(self.programs, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def stop(self) -> None:
        """It settles what arrived, within seconds."""
        _run(["systemctl", "stop", UNIT], "the service does not stop")

    def start(self) -> None:
        """Return when it has told systemd that it runs."""
        _run(["systemctl", "start", UNIT], f"it does not start (journalctl -u {UNIT} says why)")

    def look(self) -> Look:
        """What systemd says of its process, and that process of itself."""
        says = _run(["systemctl", "show", UNIT, "--property=MainPID", "--value"], "systemd does not answer")
        pid = int(says.strip() or 0)
        told = health.read(self.programs.parents[1] / "run" / "passerelle" / health.FILE)
        return Look(pid, told if told is not None and told.pid == pid else None)

    def pause(self, seconds: float) -> None:
        """Wait between two looks. The core has its time from outside and never sleeps; this is that outside."""
        time.sleep(seconds)

    def now_s(self) -> float:
        """The machine's uptime."""
        return time.monotonic()

    def _opened(self, side: Side, copy: Path) -> str:
        """What a program finds in a copy, once it has opened it and written every checkpoint as it writes them."""
        return self._ask(side, "open", str(copy), self.config.gateway.name)

    def _give(self, file: Path, giver: Side, taker: Side) -> None:
        wanted = self._ask(taker, "schema").strip()
        if int(wanted) < int(self._ask(giver, "schema")):
            self._ask(giver, "back", str(file), wanted)

    def _ask(self, side: Side, *words: str) -> str:
        """What the program of a folder answers about an outbox."""
        python = str(self.programs / side / "bin" / "python")
        user, group = _owner(self.outbox) if self.outbox.exists() else (os.geteuid(), os.getegid())
        command = [python, "-I", "-m", "edge.outbox_handover", *words]
        return _run(command, f"outbox: `{words[0]}` fails in the program of folder {side}", user=user, group=group)


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def _run(
    command: Sequence[str],
    failure: str,
    *,
    user: int | None = None,
    group: int | None = None,
    within_s: float = ANSWER_S,
) -> str:
    """What a command prints. Raises `UpgradeError` with the last line of what it complains of.

    It has a session of its own: what interrupts the upgrade lets it end what it has begun.
    """
    is_another = user is not None and os.geteuid() == 0
    try:
        ran = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
            start_new_session=True,
            user=user if is_another else None,
            group=group if is_another else None,
            extra_groups=() if is_another else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpgradeError(f"{failure}: {error}") from error
    if ran.returncode != 0:
        raise UpgradeError(f"{failure}: {(ran.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return ran.stdout
