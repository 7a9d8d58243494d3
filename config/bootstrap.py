"""Makes `.venv` and fills it: what `make setup` runs. Needs nothing but Python itself.

python3 config/bootstrap.py [--dev] [--chromium]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
SAYS_SO_AFTER_S = 2.0
SAYS_AGAIN_AFTER_S = 15.0
LAST_LINES = 15
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def stop(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    raise SystemExit(1)


def step(what: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command; a line tells what takes longer than two seconds, and its output a failure."""
    with tempfile.TemporaryFile() as output:
        started_s = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            code = wait_aloud(what, process, started_s)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            stop(f"{what}: interrupted.")
        if code != 0:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            sys.stderr.write("\n".join(lines[-LAST_LINES:]) + "\n")
            stop(f"{what}: failed with exit {code}; the lines above say why.")


def wait_aloud(what: str, process: subprocess.Popen[bytes], started_s: float) -> int:
    says_at_s = started_s + SAYS_SO_AFTER_S
    has_spoken = False
    while True:
        try:
            code = process.wait(timeout=max(0.0, says_at_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            elapsed_s = time.monotonic() - started_s
            say(f"{what} ... {elapsed_s:.0f} s" if has_spoken else f"{what} ...")
            has_spoken = True
            says_at_s = time.monotonic() + SAYS_AGAIN_AFTER_S
            continue
        if has_spoken and code == 0:
            say(f"{what}: done in {time.monotonic() - started_s:.0f} s")
        return code


def make_venv() -> None:
    if PYTHON.exists():
        return
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(
            "This Python cannot make virtual environments: install its venv package "
            "(Debian and Ubuntu: apt-get install python3-venv) and try again."
        )
    step("Making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])


def install(requirements: str) -> None:
    """What the file and those that it names list; nothing where it was installed already."""
    stamp = VENV / f"installed-{requirements}"
    wanted = fingerprint(requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # Byte code is written when a module is first imported: compiling all of torch here would take
    # as long as unpacking it.
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-compile"]
    size = " (some gigabytes, because of torch)" if requirements == "requirements.txt" else ""
    step(
        f"Installing {requirements}{size}",
        [*command, "--disable-pip-version-check", "-r", requirements],
    )
    stamp.write_text(wanted)


def fingerprint(requirements: str) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in sorted({"requirements.txt", requirements}):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install_chromium() -> None:
    """For the browser tests; where it cannot be had they skip, and this says why."""
    if any(shutil.which(name) for name in CHROMIUM):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        why = "not root" if os.geteuid() != 0 else "no apt-get"
        say(f"Browser tests will be skipped: no Chromium here, and {why} to install it.")
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    step("Updating the lists of packages", ["apt-get", "update", "-q"], env)
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"]
    step("Installing chromium", command, env)


def main() -> None:
    if sys.version_info < OLDEST:
        found = ".".join(str(number) for number in sys.version_info[:3])
        stop(f"Triad needs Python 3.11 or newer; {sys.executable} is {found}.")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="what tests and checks need, too")
    parser.add_argument("--chromium", action="store_true", help="a browser for the browser tests")
    options = parser.parse_args()
    make_venv()
    install("requirements.txt")
    if options.dev:
        install("requirements-dev.txt")
    if options.chromium:
        install_chromium()


if __name__ == "__main__":
    main()
