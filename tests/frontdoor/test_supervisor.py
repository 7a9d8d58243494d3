import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config.leftovers import PidFile, birth_of
from tests.processes import descendants, wait_for

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("supervise.py")
# Each start leaves a line; the `exec` makes the sleeper the child itself.
STAYS = "echo start >> {name}.starts; exec sleep 600"

Supervise = Callable[..., "subprocess.Popen[str]"]


def child(name: str, script: str = STAYS, **rest: object) -> dict[str, object]:
    return {"name": name, "script": script.replace("{name}", name), **rest}


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    started: list[subprocess.Popen[str]] = []

    def start(*children: dict[str, object]) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(tmp_path), json.dumps(children)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.terminate()
        process.communicate(timeout=20)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def pids_of(folder: Path) -> list[int]:
    return [int(line.split()[0]) for line in lines(folder / "up.pids")]


def wait_until_ready(folder: Path) -> None:
    wait_for("the supervisor is ready", lambda: "ready" in lines(folder / "said"))


def test_a_child_that_dies_is_started_again(supervise: Supervise, tmp_path: Path) -> None:
    supervise(child("one"), child("other"))
    wait_until_ready(tmp_path)
    first, other = pids_of(tmp_path)

    os.kill(first, signal.SIGKILL)

    wait_for("a second start", lambda: len(lines(tmp_path / "one.starts")) == 2)
    assert any(line.startswith("one ended (signal 9)") for line in lines(tmp_path / "said"))
    assert lines(tmp_path / "other.starts") == ["start"]
    assert other in pids_of(tmp_path)


def test_the_wait_before_a_restart_grows(supervise: Supervise, tmp_path: Path) -> None:
    supervise(child("weak", "exit 3"))
    wait_for("three deaths", lambda: len(lines(tmp_path / "said")) >= 4)
    deaths = [line for line in lines(tmp_path / "said") if line != "ready"]
    assert [line.rpartition(" in ")[2] for line in deaths[:3]] == ["0.5 s.", "1 s.", "2 s."]
    assert "(exit 3)" in deaths[0]


def test_what_a_dead_child_had_started_does_not_live_on_beside_its_successor(
    supervise: Supervise, tmp_path: Path
) -> None:
    supervise(child("parent", "sleep 600 & echo $! >> below; wait"))
    wait_until_ready(tmp_path)
    wait_for("the first grandchild", lambda: len(lines(tmp_path / "below")) == 1)
    (leader,) = pids_of(tmp_path)

    os.kill(leader, signal.SIGKILL)

    wait_for("the second grandchild", lambda: len(lines(tmp_path / "below")) == 2)
    first, second = (int(line) for line in lines(tmp_path / "below"))
    assert birth_of(first) == ""
    assert birth_of(second) != ""


def test_children_stop_by_their_rank(supervise: Supervise, tmp_path: Path) -> None:
    script = "trap 'echo {name} >> ended; exit 0' TERM; while :; do sleep 0.05; done"
    process = supervise(
        child("broker", script, stop_rank=2),
        child("web", script, stop_rank=0),
        child("worker", script, stop_rank=1),
    )
    wait_until_ready(tmp_path)
    time.sleep(0.3)

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=20) == 0
    assert lines(tmp_path / "ended") == ["web", "worker", "broker"]
    assert not (tmp_path / "up.pids").exists()


def test_a_child_that_will_not_stop_is_killed_with_all_it_started(
    supervise: Supervise, tmp_path: Path
) -> None:
    process = supervise(child("deaf", "trap '' TERM; sleep 600 & sleep 600"))
    wait_until_ready(tmp_path)
    # The guard, the child, and the two that the child started.
    wait_for("its sleepers", lambda: len(descendants(process.pid)) == 4)
    below = descendants(process.pid)

    process.terminate()

    assert process.wait(timeout=20) == 0
    assert [birth_of(pid) for pid in below] == [""] * 4


def test_a_child_that_does_not_start_stops_the_others_and_its_last_words_are_told(
    supervise: Supervise, tmp_path: Path
) -> None:
    process = supervise(
        child("first"),
        child("broken", "echo no such setting; exit 1", is_never_ready=True),
        child("later"),
    )
    _, said = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "broken did not start: no such setting" in said
    assert lines(tmp_path / "first.starts") == ["start"]
    assert not (tmp_path / "later.starts").exists()
    assert not (tmp_path / "up.pids").exists()


def test_a_child_that_runs_once_is_not_started_again(supervise: Supervise, tmp_path: Path) -> None:
    supervise(child("stays"), child("once", "echo start >> once.starts; exit 4", runs_once=True))
    wait_for(
        "its failure is told", lambda: any("once failed" in x for x in lines(tmp_path / "said"))
    )
    time.sleep(1)
    assert lines(tmp_path / "once.starts") == ["start"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's lifeline exists on Linux only")
def test_a_killed_supervisor_leaves_no_child_behind(supervise: Supervise, tmp_path: Path) -> None:
    process = supervise(child("one"), child("other"))
    wait_until_ready(tmp_path)
    below = descendants(process.pid)
    assert len(below) == 3

    process.kill()
    process.wait()

    wait_for("nothing is left", lambda: not any(map(birth_of, below)), within_s=5)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
def test_a_killed_supervisor_leaves_nothing_that_its_children_started(
    supervise: Supervise, tmp_path: Path
) -> None:
    process = supervise(child("deaf", "trap '' TERM; sleep 600 & sleep 600"))
    wait_until_ready(tmp_path)
    wait_for("its sleepers", lambda: len(descendants(process.pid)) == 4)
    below = descendants(process.pid)

    process.kill()
    process.wait()

    wait_for("nothing is left", lambda: not any(map(birth_of, below)), within_s=15)


def test_what_the_pid_file_names_is_stopped_at_the_next_start(tmp_path: Path) -> None:
    leftover = subprocess.Popen(["sleep", "600"], start_new_session=True)
    PidFile(tmp_path / "up.pids").write([leftover.pid])

    assert PidFile(tmp_path / "up.pids").stop_leftovers() == 1

    assert leftover.wait(timeout=5) == -signal.SIGTERM
    assert not (tmp_path / "up.pids").exists()


def test_a_process_that_only_has_the_number_of_a_former_child_is_left_alone(
    tmp_path: Path,
) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (tmp_path / "up.pids").write_text(f"{stranger.pid} another birth\n")
    try:
        assert PidFile(tmp_path / "up.pids").stop_leftovers() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
