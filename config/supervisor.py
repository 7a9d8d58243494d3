"""Keeps child processes alive while it lives itself, and leaves none behind when it ends."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from codecs_eval.lifeline import lifeline
from config import leftovers
from config.leftovers import PidFile, kill_group

POLL_S = 0.1
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
# A child that lived this long was healthy: its next death starts the back-off anew.
HEALTHY_S = 30.0
DEATHS_BEFORE_READY = 3
LONGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Child:
    """One process to keep alive. `stop_rank`: the lower ones stop first, equal ones together."""

    name: str
    command: Sequence[str]
    stop_rank: int
    env: Mapping[str, str]
    folder: Path
    pass_fds: tuple[int, ...] = ()
    is_ready: Callable[[], bool] = lambda: True
    ready_within_s: float = 60.0
    grace_s: float = 10.0
    runs_once: bool = False


@dataclass
class _Kept:
    """A child and what became of it so far."""

    child: Child
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    not_before_s: float = 0.0
    n_deaths: int = 0
    is_over: bool = False

    def last_words(self) -> str:
        """The last line of its log, for a person who wants one sentence."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@dataclass
class Supervisor:
    """Starts children in their order, restarts whichever dies, stops all by rank.

    `run` returns when SIGTERM, SIGINT or SIGHUP came. Each child leads its own process group: a
    Ctrl-C in the terminal reaches the supervisor alone, which passes it on in order.
    """

    folder: Path
    say: Callable[[str], None]
    pids: PidFile = field(init=False)
    is_stopping: bool = field(default=False, init=False)
    _guard: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _kept: list[_Kept] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.pids = PidFile(self.folder / "up.pids")

    def run(self, children: Sequence[Child], when_ready: Callable[[], None]) -> None:
        """Raises RuntimeError where a child does not become ready; the others are stopped."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(
                "Children live as long as the thread that starts them: use the main."
            )
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, self._ask_to_stop) for number in numbers}
        try:
            self._keep_guard()
            for child in children:
                self._start_and_wait(child)
            if not self.is_stopping:
                when_ready()
            while not self.is_stopping:
                self._tend()
                time.sleep(POLL_S)
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def _start_and_wait(self, child: Child) -> None:
        if self.is_stopping:
            return
        log = self.folder / "logs" / f"{child.name}.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
            log.replace(log.with_suffix(".1.log"))
        kept = _Kept(child, log)
        self._kept.append(kept)
        self._start(kept)
        deadline_s = time.monotonic() + child.ready_within_s
        while not self.is_stopping and not child.is_ready():
            self._tend()
            if kept.n_deaths >= DEATHS_BEFORE_READY or time.monotonic() > deadline_s:
                raise RuntimeError(
                    f"{child.name} did not start: {kept.last_words()} (more in {kept.log})"
                )
            time.sleep(POLL_S)

    def _start(self, kept: _Kept) -> None:
        child = kept.child
        with kept.log.open("ab") as log:
            kept.process = subprocess.Popen(
                child.command,
                cwd=child.folder,
                env=dict(child.env),
                stdin=subprocess.DEVNULL,
                # What runs once tells a person what it does; its errors go to its log.
                stdout=None if child.runs_once else log,
                stderr=log,
                pass_fds=child.pass_fds,
                start_new_session=True,
                preexec_fn=lifeline(),
            )
        kept.started_s = time.monotonic()
        self._write_pids()

    def _tend(self) -> None:
        """Bury the dead, start what is due again."""
        self._keep_guard()
        for kept in self._kept:
            if kept.is_over:
                continue
            if kept.process is None:
                if time.monotonic() >= kept.not_before_s:
                    self._start(kept)
            elif kept.process.poll() is not None:
                self._bury(kept, kept.process)

    def _keep_guard(self) -> None:
        """The guard sees the pipe close when this process ends, and stops what is left.

        The kernel's lifeline reaches children only; the guard also ends what they started.
        """
        if self._guard is None or self._guard.poll() is not None:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", leftovers.__file__, str(self.pids.path)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )

    def _bury(self, kept: _Kept, process: subprocess.Popen[bytes]) -> None:
        # What the dead child had started would go on beside its successor.
        kill_group(process.pid)
        kept.process = None
        self._write_pids()
        if kept.child.runs_once:
            kept.is_over = True
            if process.returncode != 0:
                self.say(f"{kept.child.name} failed: {kept.last_words()} (more in {kept.log})")
            return
        was_healthy = time.monotonic() - kept.started_s >= HEALTHY_S
        kept.n_deaths = 1 if was_healthy else kept.n_deaths + 1
        delay_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (kept.n_deaths - 1))
        kept.not_before_s = time.monotonic() + delay_s
        self.say(
            f"{kept.child.name} ended ({_outcome(process.returncode)}); "
            f"starting it again in {delay_s:g} s."
        )

    def _stop_all(self) -> None:
        alive = [kept for kept in self._kept if kept.process is not None]
        for rank in sorted({kept.child.stop_rank for kept in alive}):
            _stop_together([kept for kept in alive if kept.child.stop_rank == rank])
        self.pids.remove()
        if self._guard is not None:
            self._guard.communicate()

    def _write_pids(self) -> None:
        self.pids.write([kept.process.pid for kept in self._kept if kept.process is not None])


def _stop_together(group: Sequence[_Kept]) -> None:
    processes = [(kept.process, kept.child.grace_s) for kept in group if kept.process is not None]
    for process, _ in processes:
        process.terminate()
    deadline_s = time.monotonic() + max(grace_s for _, grace_s in processes)
    for process, _ in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline_s - time.monotonic()))
        kill_group(process.pid)
        process.wait()


def _outcome(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit {code}"
