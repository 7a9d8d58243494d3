"""Real processes of the product, started by a test over the test's own rows and files."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from codecs_eval.lifeline import lifeline
from config import processes
from config.leftovers import kill_group
from config.supervisor import Child


def wait_for(what: str, is_so: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Poll until it is so; an AssertionError names what never came."""
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, f"{what}: not within {within_s:g} s"
        time.sleep(0.05)


def database_url() -> str:
    """The address of the database that this test writes to."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, host = quote(database["USER"], safe=""), quote(database["HOST"], safe="")
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{user}{password}@{host}{port}/{database['NAME']}"


@dataclass
class LiveProcess:
    """A child of `manage.py up`, started without its supervisor."""

    child: Child
    env: Mapping[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.launch()
        wait_for(f"{self.child.name} is ready (see {self.log})", self.child.is_ready)

    def launch(self) -> None:
        """Start without waiting; from the main thread, as a lifeline asks."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.child.command,
                cwd=self.child.folder,
                env={**self.child.env, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self.child.pass_fds,
                start_new_session=True,
                preexec_fn=lifeline(),
            )

    def kill(self) -> None:
        """As the kernel does when memory runs out: the whole group, without a word."""
        assert self.process is not None
        kill_group(self.process.pid)
        self.process.wait()

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.kill()


@dataclass
class LiveWorker:
    """One Celery worker for all queues, with beat, on its own embedded broker."""

    broker: LiveProcess
    worker: LiveProcess

    @classmethod
    def over(cls, env: Mapping[str, str], home: Path, logs: Path) -> "LiveWorker":
        pool = ["-P", "prefork", "-c", "2", "-B", "-s", str(logs / "schedule")]
        worker = processes.worker("all", "light,encode,train", pool, {"OMP_NUM_THREADS": "1"})
        return cls(
            LiveProcess(processes.broker(home), env, logs / "broker.log"),
            LiveProcess(worker, env, logs / "worker.log"),
        )

    def start(self) -> None:
        self.broker.start()
        self.worker.start()

    def kill(self) -> None:
        """`kill -9` of the worker and all that it started; the broker lives."""
        self.worker.kill()

    def restart(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        self.worker.stop()
        self.broker.stop()


@dataclass
class LiveSite:
    """A real gunicorn; the port stays held while it is down, as under `manage.py up`."""

    env: Mapping[str, str]
    logs: Path
    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=128)
    )
    web: LiveProcess = field(init=False)

    def __post_init__(self) -> None:
        child = processes.web(self.listener, n_threads=processes.WEB_THREADS)
        self.web = LiveProcess(child, self.env, self.logs / "web.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def is_running(self) -> bool:
        return self.web.process is not None and self.web.process.poll() is None

    def start(self) -> None:
        self.web.start()

    def launch(self) -> None:
        self.web.launch()

    def kill(self) -> None:
        self.web.kill()

    def stop(self) -> None:
        self.web.stop()
        self.listener.close()


@dataclass
class LiveSites:
    """One site at a time, kept from test to test for as long as their settings are the same."""

    logs: Path
    _live: LiveSite | None = None

    def running_with(self, env: Mapping[str, str]) -> LiveSite:
        # pytest's own, another one in every test.
        same = {name: value for name, value in env.items() if name != "PYTEST_CURRENT_TEST"}
        if self._live and (self._live.env != same or not self._live.is_running):
            self.stop()
        if self._live is None:
            self._live = LiveSite(same, self.logs)
            self._live.start()
        return self._live

    def stop(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None


def descendants(pid: int) -> set[int]:
    """All living processes below `pid` (Linux)."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry)] = int(words[1])
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        below = {child for child, its_parent in parents.items() if its_parent == parent}
        waiting.extend(below - found)
        found |= below
    return found
