"""Stops what a supervisor left running when it was killed.

`python config/leftovers.py PIDFILE` is the guard: it waits until whoever holds the other end of
its standard input is gone, then stops what the file names.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# A worker whose broker went first would wait for it for ever.
GRACE_S = 5.0


@dataclass(frozen=True)
class PidFile:
    """One line a child: its process id and when that process was born, so that a reused id is
    never taken for ours."""

    path: Path

    def write(self, pids: Iterable[int]) -> None:
        lines = [f"{pid} {birth_of(pid)}\n" for pid in pids]
        scratch = self.path.with_suffix(".new")
        scratch.write_text("".join(lines))
        scratch.replace(self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def stop_leftovers(self) -> int:
        """Ask, wait, then kill; returns how many were found alive."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        named = [line.partition(" ") for line in lines]
        left = [int(pid) for pid, _, birth in named if birth and birth_of(int(pid)) == birth]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline_s = time.monotonic() + GRACE_S
        while any(birth_of(pid) for pid in left) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        for pid in left:
            kill_group(pid)
        self.remove()
        return len(left)


def kill_group(leader: int) -> None:
    """Whatever is left of the process group that `leader` led."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def birth_of(pid: int) -> str:
    """When the living process was born, in the system's own words; empty where there is none."""
    if sys.platform == "linux":
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # The name, in brackets, may hold spaces and brackets; the state follows it.
        words = text.rpartition(")")[2].split()
        return "" if words[0] == "Z" else words[19]
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return " ".join(found.stdout.split())


def guard(path: Path) -> None:
    """Outlives the supervisor, whatever ended it; finds no file where it ended in order."""
    sys.stdin.read()
    PidFile(path).stop_leftovers()


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
