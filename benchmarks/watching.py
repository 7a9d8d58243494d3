"""A study's live page with a million judgments: each part of it, the first look and the next.

python -m benchmarks.watching --judgments 1000000   (DATABASE_URL: an empty PostgreSQL instead)
"""
# make bench: --judgments 100000

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

SESSION_LENGTH, JUDGMENTS_A_TRIPLET = 30, 3


def answer(study: Any, n_judgments: int, n_triplets: int) -> None:
    """Rows as people would leave them: whole sessions, one in seven left before its end."""
    from django.db import connection
    from django.utils import timezone

    from annotation.models import Annotator, Judgment, Session, Trial, Triplet
    from benchmarks.serving_rows import insert, settle

    def key(number: str) -> str:
        if connection.vendor == "postgresql":
            return f"lpad(to_hex({number} + 1), 32, '0')::uuid"
        return f"printf('%032x', {number} + 1)"

    n_sessions, of_session = n_judgments // SESSION_LENGTH, f"i / {SESSION_LENGTH}"
    true, false = ("true", "false") if connection.vendor == "postgresql" else ("1", "0")
    later = "i * 7919 % 1000003"
    insert(Annotator, n_sessions, {"id": key("i")}, {})
    insert(
        Session,
        n_sessions,
        {
            "id": key("i"), "annotator_id": key("i"), "seed": "i",
            "state": "CASE WHEN i % 7 = 0 THEN 'active' ELSE 'finished' END",
            "verdict": "CASE WHEN i % 20 = 0 THEN 'excluded' ELSE '' END",
        },
        {
            "study_id": study.pk, "finished_at": timezone.now(), "crowd": {}, "texts": {},
            "viewing": {}, "withdrawn": {},
        },
    )  # fmt: skip
    insert(
        Trial,
        n_judgments,
        {
            "id": key("i"), "session_id": key(of_session), "annotator_id": key(of_session),
            "triplet_id": f"i % {n_triplets} + 1", "position": f"i % {SESSION_LENGTH}",
            "first_on_left": f"CASE WHEN {later} % 2 = 0 THEN {true} ELSE {false} END",
        },
        {"state": "judged", "lease_until": timezone.now()},
    )  # fmt: skip
    insert(
        Judgment,
        n_judgments,
        {
            "id": key("i"), "trial_id": key("i"), "response_ms": f"900 + {later} % 6000",
            "choice": f"CASE WHEN {later} % 5 < 2 THEN 'first' WHEN {later} % 5 < 4 "
            "THEN 'second' ELSE 'not_sure' END",
        },
        {"dwell_ms": {}, "marks": [], "events": []},
    )  # fmt: skip
    Triplet.objects.filter(study=study, kind="main").update(
        n_judged=n_judgments // n_triplets, n_assigned=n_judgments // n_triplets
    )
    settle()


def timed(name: str, work: Callable[[], Any], times: int = 3) -> Any:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    walls, cpus, value, n = [], [], None, 0
    for _ in range(times):
        with CaptureQueriesContext(connection) as queries:
            began, began_cpu = time.perf_counter(), time.process_time()
            value = work()
            walls.append(1000 * (time.perf_counter() - began))
            cpus.append(1000 * (time.process_time() - began_cpu))
        n = len(queries)
    # SQLite works in this process: where others use the machine, its CPU time says more.
    print(f"{name:34} {min(walls):8.0f} ms  cpu {min(cpus):8.0f} ms  {n:3} queries", flush=True)
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgments", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRIAD_HOME"] = home
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django

        django.setup()
        measure(options.judgments)


def measure(n_judgments: int) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from annotation import (
        coverage,
        leaving,
        progressing,
        session_lists,
        sides,
        speed,
        watching,
        widths,
    )
    from benchmarks.serving_rows import fill

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    n_triplets = n_judgments // JUDGMENTS_A_TRIPLET // 100 * 100
    study = fill(n_triplets, JUDGMENTS_A_TRIPLET, SESSION_LENGTH)
    answer(study, n_triplets * JUDGMENTS_A_TRIPLET, n_triplets)
    print(
        f"{connection.vendor}: {n_triplets * JUDGMENTS_A_TRIPLET} judgments, {n_triplets} triplets"
    )
    for name, work in {
        "progress and histogram": lambda: progressing.counts_of(study),
        "coverage by rate and pair": lambda: coverage.coverage(study),
        "sessions and drop-outs": lambda: leaving.sessions_of(study),
        "response times": lambda: speed.response_s(study),
        "minutes a session": lambda: speed.session_minutes(study),
        "sides": lambda: sides.sides(study),
        "last hour": lambda: progressing.n_last_hour(study),
        "interval widths": lambda: widths.widths(study),
    }.items():
        timed(name, work)
    client = Client(HTTP_HOST="localhost", raise_request_exception=True)
    client.force_login(User.objects.create_superuser("bench"))
    timed("the page, nothing known yet", lambda: client.get("/studies/load/watch"), times=1)
    timed("the page, while numbers are kept", lambda: client.get("/studies/load/watch"), times=5)
    timed("counting anew, in the queue", lambda: watching.recount(study), times=1)
    for sort in session_lists.COLUMNS:
        address = f"/studies/load/sessions/?sort=-{sort}"
        if sort:
            timed(f"sessions by {sort}", lambda address=address: client.get(address))


if __name__ == "__main__":
    main()
