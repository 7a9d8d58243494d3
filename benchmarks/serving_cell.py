"""One cell of the serving benchmark, in a process of its own over an empty database.

Migrates, fills, starts the product's own web server, measures, checks; prints one line of JSON.
"""

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import django
import numpy as np

from benchmarks.serving_load import measure


def percentiles(values_ms: list[float]) -> dict[str, float]:
    if not values_ms:
        return {}
    p50, p95, p99 = np.percentile(values_ms, [50, 95, 99])
    return {"p50": p50, "p95": p95, "p99": p99, "max": max(values_ms)}


def cpu_s_of(pid: int) -> float:
    """Processor time so far of a process and all below it; 0 where the system does not tell."""
    from tests.processes import descendants

    total = 0
    for found in {pid, *descendants(pid)} if Path("/proc/self/stat").exists() else ():
        words = Path(f"/proc/{found}/stat").read_text().rpartition(")")[2].split()
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def run(options: argparse.Namespace) -> dict[str, object]:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from benchmarks import serving_rows
    from tests.processes import LiveSite

    home = Path(settings.TRIAD_HOME)
    call_command("migrate", verbosity=0)
    started_s = time.monotonic()
    n_asked = round(options.people * (8 + 2 * options.seconds / options.think))
    study = serving_rows.fill(
        options.triplets,
        judgments_per_triplet=max(3, -(-2 * n_asked // options.triplets)),
        session_length=max(100, round(8 + 3 * options.seconds / options.think)),
    )
    people = serving_rows.people(study, options.people)
    connection.close()
    filled_s = time.monotonic() - started_s
    site = LiveSite(dict(os.environ), home)
    site.start()
    assert site.web.process is not None
    try:
        load_average = os.getloadavg()[0]
        cpu_s = cpu_s_of(site.web.process.pid)
        measured = measure(
            people,
            site.listener.getsockname()[1],
            seconds=options.seconds,
            think_s=options.think,
            pictures=options.pictures,
            seed=options.seed,
        )
        cpu_s = cpu_s_of(site.web.process.pid) - cpu_s
    finally:
        site.stop()
    log = (home / "web.log").read_text()
    return {
        "filled_s": filled_s,
        "load_average": load_average,
        "server_cpu_ms": 1000 * cpu_s / max(1, len(measured.round_trip_ms)),
        "load_generator_cpu": measured.cpu_share,
        "n_requests": len(measured.round_trip_ms),
        "round_trip_ms": percentiles(measured.round_trip_ms),
        "picture_ms": percentiles(measured.picture_ms),
        "n_errors": len(measured.errors),
        "first_errors": measured.errors[:3],
        "n_locked": log.count("database is locked"),
        "n_starved": measured.n_starved,
        "n_reconnected": measured.n_reconnected,
        **asdict(serving_rows.check(study, measured)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--triplets", type=int, required=True)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--think", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--pictures", action="store_true")
    options = parser.parse_args()
    django.setup()
    print(json.dumps(run(options)))


if __name__ == "__main__":
    main()
