"""How fast a study's judgments leave, and in how much memory, against the ORM's own loop.

python -m benchmarks.exporting --judgments 1000000 --postgres
"""

# make bench: --judgments 50000

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMATS = ("csv", "jsonl", "parquet")
PEER = "orm loop"
PEER_ROWS = 20_000
TRIALS_A_SESSION = 40


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float
    peak_mb: float
    megabytes: float
    rows: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgments", type=int, default=50_000)
    parser.add_argument("--postgres", action="store_true", help="on a throwaway PostgreSQL")
    options = parser.parse_args()
    home = tempfile.TemporaryDirectory(prefix="triad-bench-")
    with home as folder, _server(options.postgres) as url:
        os.environ |= {"TRIAD_HOME": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
        if url:
            os.environ["DATABASE_URL"] = url
        import django

        django.setup()
        _measure(options.judgments, Path(folder))


@contextmanager
def _server(is_wanted: bool) -> Iterator[str]:
    from tests.postgres import throwaway_postgres

    with throwaway_postgres(is_durable=True) if is_wanted else nullcontext("") as url:
        yield url


def _measure(n: int, folder: Path) -> None:
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.exporting_rows import fill

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    fill(n, trials_a_session=TRIALS_A_SESSION)
    print(f"{connection.vendor}: {n:,} judgments made in {time.perf_counter() - began:.0f} s")
    print("writing the whole file; peak memory above idle; a child process each")
    found = {name: _in_child(_write, name, folder / f"out.{name}") for name in FORMATS}
    peer = _in_child(_write_naively, min(n, PEER_ROWS), folder / "naive.csv")
    for name, one in found.items():
        ratio = (one.rows / one.seconds) / (peer.rows / peer.seconds)
        print(_line(name, one), f"{ratio:6.1f} x the rows a second of the {PEER}", flush=True)
    print(_line(PEER, peer), f"(its first {peer.rows:,} rows, as CSV)")


def _line(name: str, one: Measured) -> str:
    return (
        f"{name:<9}{one.seconds:7.1f} s {one.cpu_seconds:7.1f} s CPU {one.peak_mb:7.0f} MB peak "
        f"{one.megabytes:7.0f} MB file {one.rows / one.seconds:10,.0f} rows/s"
    )


def _write(name: str, path: Path) -> int:
    from annotation.exported_tables import write_judgments
    from annotation.models import Study

    with path.open("wb") as file:
        return write_judgments(file, name, Study.objects.get())


def _write_naively(n: int, path: Path) -> int:
    """As one would without a thought for speed: rows as objects, all that they join at once."""
    from annotation.formats.columns import JUDGMENTS, names
    from annotation.judgment_table import session_ids
    from annotation.models import Judgment

    rows = Judgment.objects.select_related(
        "superseded_by", "trial__session__study", "trial__triplet__source",
        "trial__triplet__first", "trial__triplet__second",
    )  # fmt: skip
    # Whole sessions, so that it does not sort rows which it does not write.
    rows = rows.filter(trial__session__in=session_ids()[: n // TRIALS_A_SESSION])
    n_written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names(JUDGMENTS))
        for judgment in rows.order_by("trial__session", "trial__position").iterator():
            writer.writerow(_naive_row(judgment))
            n_written += 1
    return n_written


def _naive_row(judgment: Any) -> list[Any]:
    trial, triplet = judgment.trial, judgment.trial.triplet
    session = trial.session
    rows = (judgment, trial, triplet, triplet.source)
    own = [getattr(row, field.attname) for row in rows for field in row._meta.concrete_fields]
    others = [session.pk, session.started_at, session.state, session.study.slug]
    sides = [getattr(side, name) for side in (triplet.first, triplet.second)
             for name in ("codec", "bpp", "settings", "state")]  # fmt: skip
    return [*own, *others, *sides]


def _in_child(work: Callable[..., int], *arguments: Any) -> Measured:
    """In a process of its own: its peak is of this work alone."""
    from django.db import connections

    connections.close_all()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, repr(_timed(work, *arguments)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    if status or not text:
        sys.exit(f"measuring {arguments} failed")
    return Measured(*eval(text))  # noqa: S307 - a tuple that this file wrote


def _timed(work: Callable[..., int], *arguments: Any) -> tuple[float, ...]:
    from django.db import connection

    import annotation.exporting  # noqa: F401 - what the product has loaded is idle memory

    connection.ensure_connection()
    _forget_peak()
    idle_kb, began, cpu = _peak_kb(), time.perf_counter(), time.process_time()
    rows = work(*arguments)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    path = arguments[-1]
    return (seconds, cpu, (_peak_kb() - idle_kb) / 1024, path.stat().st_size / 1e6, rows)


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
