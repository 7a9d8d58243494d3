"""Storing a judgment and leasing the next trials: how long people's browsers wait for it.

python -m benchmarks.serving --triplets 1000,1000000 --databases sqlite --seconds 60
"""
# Six cells of 30 s, server and people on two cores.
# make bench: --seconds 30

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import psycopg

from tests.postgres import NoServer, throwaway_postgres

CORES = 2
HEAD = (
    f"{'database':10} {'triplets':>9} {'requests':>8} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}"
    f" {'cpu':>5} {'errors':>6} {'lost':>5} {'spread':>6} {'load':>5}"
)


@contextmanager
def own_database(server: str, name: str) -> Iterator[str]:
    """A new database on a server that may hold other people's; gone afterwards."""
    head, _, rest = server.rpartition("/")
    query = rest[rest.index("?") :] if "?" in rest else ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{head}/{name}{query}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def cell(database: str, n_triplets: int, server: str, options: argparse.Namespace) -> Any:
    """The figures of one cell, measured in a process with settings of its own."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder))
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "TRIAD_HOME": home}
        env.pop("DATABASE_URL", None)
        if database == "postgresql":
            name = f"triad_bench_{os.getpid()}"
            env["DATABASE_URL"] = stack.enter_context(own_database(server, name))
        command = [
            *(sys.executable, "-m", "benchmarks.serving_cell", "--triplets", str(n_triplets)),
            *("--people", str(options.people), "--seconds", str(options.seconds)),
            *("--think", str(options.think), "--seed", str(options.seed)),
            *(["--pictures"] if options.pictures else []),
        ]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def line(database: str, n_triplets: int, found: dict[str, Any]) -> str:
    times = found["round_trip_ms"]
    n_lost = sum(found[key] for key in ("lost_judgments", "lost_leases", "doubled_leases"))
    return (
        f"{database:10} {n_triplets:9} {found['n_requests']:8}"
        + "".join(f" {times[key]:7.1f}" for key in ("p50", "p95", "p99", "max"))
        + f" {found['server_cpu_ms']:5.1f} {found['n_errors']:6} {n_lost:5} {found['spread']:6}"
        + f" {found['load_average']:5.1f}"
    )


def faults(found: dict[str, Any]) -> list[str]:
    """What may not be, each with its number."""
    wrong = [
        "n_errors", "n_locked", "n_starved", "lost_judgments", "unasked_judgments", "lost_leases",
        "doubled_leases", "wrong_counts",
    ]  # fmt: skip
    said = [f"{key} {found[key]}" for key in wrong if found[key]]
    if found["spread"] > 1:
        said.append(f"spread {found['spread']}")
    return said + found["first_errors"]


def commit_ms(folder: str | None) -> float:
    """What the disk itself takes to make a few bytes last."""
    times_ms = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(30):
            started_s = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times_ms.append(1000 * (time.perf_counter() - started_s))
    return float(np.median(times_ms))


def report(database: str, server: str, sizes: Sequence[int], options: argparse.Namespace) -> bool:
    """Prints a line for each size and how the cost grows; whether all was right."""
    is_right, p95_ms = True, {}
    for n_triplets in sizes:
        found = cell(database, n_triplets, server, options)
        p95_ms[n_triplets] = found["round_trip_ms"]["p95"]
        print(line(database, n_triplets, found), flush=True)
        if found["picture_ms"]:
            times = found["picture_ms"]
            figures = ", ".join(f"{key} {times[key]:.1f}" for key in ("p50", "p95", "p99"))
            print(f"{'':10} pictures: {figures} ms")
        if options.verbose:
            print(json.dumps(found, indent=1))
        if said := faults(found):
            is_right = False
            print(f"{'':10} WRONG: {'; '.join(said)}")
    if len(sizes) > 1:
        ratio = p95_ms[sizes[-1]] / p95_ms[sizes[0]]
        print(f"{database}: p95 of {sizes[-1]} triplets is {ratio:.2f} x that of {sizes[0]}\n")
    return is_right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--triplets", default="1000,100000,1000000", help="comma between")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--think", type=float, default=2.0, help="seconds, on average")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", action="store_true", help="fetch the trials' pictures, too")
    parser.add_argument("--folder", help="where the databases lie while it runs (default: /tmp)")
    parser.add_argument("--verbose", action="store_true", help="all figures of each cell")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # Server, databases and people: all that is started from here shares these.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    sizes = [int(size) for size in options.triplets.split(",")]
    print(
        f"{options.people} people, {options.think:g} s of thought, {options.seconds:g} s a cell, "
        f"{CORES} cores for all; the disk syncs 4 kB in {commit_ms(options.folder):.1f} ms\n"
        f"Milliseconds from the moment an answer was due to the last byte of its reply.\n"
        f"cpu: the server's own milliseconds a round trip; load: of the machine before.\n\n{HEAD}",
        flush=True,
    )
    is_right = True
    for database in options.databases.split(","):
        with ExitStack() as stack:
            server = os.environ.get("DATABASE_URL", "")
            if database == "postgresql" and not server.startswith("postgres"):
                try:
                    server = stack.enter_context(throwaway_postgres(is_durable=True))
                except NoServer as reason:
                    print(f"{database:10} left out: {reason}")
                    continue
            is_right &= report(database, server, sizes, options)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
