"""Outside programs: their failures, their time limit, their processor time."""

import sys
import time
from pathlib import Path

import pytest

from codecs_eval.codecs.commands import child_cpu_ms, run_command


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_failure_brings_the_end_of_the_error_stream(tmp_path: Path) -> None:
    text = "import sys; sys.stderr.write('noise ' * 500 + 'the last word'); sys.exit(3)"
    with pytest.raises(RuntimeError, match=r"failed with code 3: .*the last word$") as caught:
        run_command(python(text), tmp_path, timeout_s=20)
    assert len(str(caught.value)) < 600


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="took more than 0.3 s"):
        run_command(python("import time; time.sleep(60)"), tmp_path, timeout_s=0.3)
    assert time.monotonic() - started < 10


def test_the_time_of_a_child_is_counted_once(tmp_path: Path) -> None:
    before = child_cpu_ms()
    run_command(python("sum(range(3_000_000))"), tmp_path, timeout_s=60)
    worked = child_cpu_ms() - before
    run_command(python("import time; time.sleep(0.3)"), tmp_path, timeout_s=60)
    slept = child_cpu_ms() - before - worked
    assert 20 < worked < 5_000
    assert slept < worked + 100


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_command([str(tmp_path / "nothing")], tmp_path, timeout_s=1)
