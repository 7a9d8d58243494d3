import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from codecs_eval.lifeline import lifeline
from config.leftovers import birth_of
from tests.processes import descendants, wait_for

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"gunicorn", "celery", "valkey-server"}

pytestmark = [
    pytest.mark.worker,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]


@dataclass
class Up:
    process: "subprocess.Popen[bytes]"
    home: Path
    port: int

    def said(self) -> str:
        return (self.home / "said").read_text()

    def status(self) -> int:
        """What the first page answers; waits for as long as the site may restart."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=30) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code

    def part(self, word: str) -> int:
        """The process started by `up` itself whose command line holds the word; 0 for none."""
        below = descendants(self.process.pid)
        found = [pid for pid in below if word in command_of(pid) and is_leader(pid)]
        return min(found, default=0)

    def has_all_parts(self) -> bool:
        # Two pools, the solo worker, its clock, two pool masters; two for the web; broker, guard.
        return len(descendants(self.process.pid)) >= 10 and all(map(self.part, PARTS))


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_leader(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def environment(home: Path) -> dict[str, str]:
    without = {"DATABASE_URL", "BROKER_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return {**kept, "TRIAD_HOME": str(home)}


def start(home: Path) -> Up:
    port = free_port()
    home.mkdir(exist_ok=True)
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=ROOT,
            env=environment(home),
            stdout=said,
            stderr=subprocess.STDOUT,
            preexec_fn=lifeline(),
        )
    up = Up(process, home, port)
    wait_for("the address is printed", lambda: "Triad runs at" in up.said(), within_s=90)
    wait_for("all parts run", up.has_all_parts, within_s=60)
    return up


def refusal(home: Path, port: int) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr.strip()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = start(tmp_path_factory.mktemp("up") / "home")
    yield running
    running.process.terminate()
    running.process.wait(timeout=40)


def test_the_first_page_answers(up: Up) -> None:
    assert up.status() == 200


def test_a_request_made_while_the_web_server_is_down_waits_for_the_next_one(up: Up) -> None:
    first = up.part("gunicorn")
    os.killpg(first, signal.SIGKILL)
    assert up.status() == 200
    assert up.part("gunicorn") not in {0, first}


@pytest.mark.parametrize("word", ["valkey-server", "-Q light", "-Q encode"])
def test_a_part_that_is_killed_comes_back(up: Up, word: str) -> None:
    first = up.part(word)
    os.kill(first, signal.SIGKILL)
    wait_for(f"{word} runs again", lambda: up.part(word) not in {0, first}, within_s=20)
    wait_for("all parts run", up.has_all_parts, within_s=60)


def test_a_second_up_on_the_same_home_is_refused_in_one_sentence(up: Up) -> None:
    said = refusal(up.home, free_port())
    assert said.startswith(f"CommandError: Another `up` (process {up.process.pid}) already runs")
    assert len(said.splitlines()) == 1


def test_a_taken_port_is_refused_in_one_sentence(up: Up, tmp_path: Path) -> None:
    said = refusal(tmp_path, up.port)
    assert said.startswith(f"CommandError: Port {up.port} of 127.0.0.1 cannot be had")
    assert len(said.splitlines()) == 1


def test_a_killed_up_leaves_no_process_behind(tmp_path: Path) -> None:
    up = start(tmp_path / "home")
    below = descendants(up.process.pid)

    up.process.kill()
    up.process.wait()

    wait_for("nothing is left", lambda: not any(birth_of(pid) for pid in below), within_s=20)


def test_interrupted_up_stops_everything(tmp_path: Path) -> None:
    up = start(tmp_path / "home")
    below = descendants(up.process.pid)

    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(timeout=40) == 0
    assert "Triad has stopped." in up.said()
    assert [pid for pid in below if birth_of(pid)] == []
