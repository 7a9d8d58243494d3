"""Runs an outside encoder or decoder: no shell, a time limit, the CPU time of that child alone."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

# Per thread: codecs run in many threads at once, and RUSAGE_CHILDREN would mix their children.
_spent = threading.local()
_LONGEST_NAP_S = 0.02


def child_cpu_ms() -> float:
    """CPU time, user and system, of all children that this thread has run so far."""
    return float(getattr(_spent, "cpu_ms", 0.0))


def run_command(arguments: Sequence[str], folder: Path, timeout_s: float) -> str:
    """Run in `folder`, wait, and give what the program wrote to its error stream.

    RuntimeError, with the end of the error stream, when it fails, is killed or takes too long.
    """
    program, errors = Path(arguments[0]).name, folder / "errors.txt"
    with errors.open("wb") as stream:
        child = subprocess.Popen(
            arguments, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=stream,
        )  # fmt: skip
    try:
        is_late = _reap(child, timeout_s)
    except BaseException:
        child.kill()
        child.wait()
        raise
    said = errors.read_text(errors="replace").strip()
    if is_late:
        raise RuntimeError(f"{program} took more than {timeout_s:g} s: {said[-500:]}")
    if child.returncode != 0:
        raise RuntimeError(f"{program} failed with code {child.returncode}: {said[-500:]}")
    return said


def _reap(child: "subprocess.Popen[bytes]", timeout_s: float) -> bool:
    """Wait by wait4, which alone tells one child's CPU time; True when it had to be killed."""
    deadline, nap_s, is_late = time.monotonic() + timeout_s, 0.001, False
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if not is_late and time.monotonic() > deadline:
            is_late = True
            os.kill(child.pid, 9)
        time.sleep(nap_s)
        nap_s = min(2 * nap_s, _LONGEST_NAP_S)
    child.returncode = os.waitstatus_to_exitcode(status)
    _spent.cpu_ms = child_cpu_ms() + 1000 * (usage.ru_utime + usage.ru_stime)
    return is_late
