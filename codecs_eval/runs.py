"""The life of a run: created, claimed, executed, cancelled, found again when its worker died."""

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from codecs_eval import announcing
from codecs_eval.models import Dataset, Run, RunLine, RunMetric, RunQuerySet
from codecs_eval.run_kinds import KINDS, config_of, load

MAX_ATTEMPTS = 5


class Cancelled(Exception):
    """The person asked the run to stop, and it did."""


def create(
    kind: str,
    config: Any,
    *,
    title: str,
    dataset: Dataset | None = None,
    user: User | None = None,
    is_simulated: bool = False,
) -> Run:
    """A queued run. The caller (view, admin, command) rings the queue's bell."""
    values = asdict(config)
    config_of(kind, values)
    return Run.objects.create(
        kind=kind,
        title=title,
        config=values,
        dataset=dataset,
        created_by=user,
        is_simulated=is_simulated or bool(dataset and dataset.is_simulated),
    )


def again(run: Run, user: User | None = None) -> Run:
    """The same work as a new run."""
    config = config_of(run.kind, run.config)
    return create(
        run.kind,
        config,
        title=run.title,
        dataset=run.dataset,
        user=user,
        is_simulated=run.is_simulated,
    )


def new_owner() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{time.monotonic_ns()}"[:80]


def lease_end() -> Any:
    return timezone.now() + timedelta(seconds=settings.RUN_LEASE_S)


def claim(run_id: Any, owner: str) -> bool:
    """Whoever turns queued into running owns the run; everybody else walks away."""
    claimed = Run.objects.filter(pk=run_id, state=Run.State.QUEUED).update(
        state=Run.State.RUNNING,
        owner=owner,
        attempts=F("attempts") + 1,
        lease_until=lease_end(),
        started_at=Coalesce(F("started_at"), timezone.now()),
    )
    return claimed == 1


def cancel(run: Run) -> None:
    """At once while it waits; a running one is asked, and stops at its next heartbeat."""
    queued = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED)
    if not _end(run.pk, queued, state=Run.State.CANCELLED):
        Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(is_cancel_wanted=True)


def finish(run_id: Any, owner: str, state: str, **values: Any) -> bool:
    """Only the present owner may end a run: a late first owner changes nothing."""
    mine = Run.objects.filter(pk=run_id, owner=owner, state=Run.State.RUNNING)
    return _end(run_id, mine, state=state, lease_until=None, **values)


def _end(run_id: Any, rows: RunQuerySet, **values: Any) -> bool:
    """End the run if it is still among the rows; who wants to hear of it is noted with it."""
    with transaction.atomic():
        ended = rows.update(finished_at=timezone.now(), **values)
        if ended:
            announcing.announce_run(Run.objects.defer("result", "traceback").get(pk=run_id))
    return ended == 1


def log(run_id: Any, text: str) -> None:
    RunLine.objects.create(run_id=run_id, text=text[:1000])


class RunReporter:
    """What work may say to the outside, and the heartbeat that keeps its lease."""

    def __init__(
        self, run: Run, owner: str, tell: Callable[[float, str], None] | None = None
    ) -> None:
        self.run = run
        self.owner = owner
        self._tell = tell
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._said_at = 0.0
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "RunReporter":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def _mine(self) -> Any:
        return Run.objects.filter(pk=self.run.pk, owner=self.owner, state=Run.State.RUNNING)

    def _beat(self) -> None:
        while not self._ended.wait(min(1.0, settings.RUN_LEASE_S / 4)):
            # A database that is busy or away for a moment costs a beat, not the heart.
            with suppress(OperationalError):
                if self._mine().update(lease_until=lease_end()) == 0:
                    # Another worker owns the run by now (or it was deleted): write no more.
                    self._stop.set()
                elif self._mine().filter(is_cancel_wanted=True).exists():
                    self._stop.set()
        connection.close()

    def progress(self, done: float, total: float, note: str = "") -> None:
        share = 0.0 if total <= 0 else min(1.0, done / total)
        now = time.monotonic()
        if now - self._said_at < 0.5 and done < total:
            return
        self._said_at = now
        self._mine().update(progress=share, note=note[:200])
        if self._tell:
            self._tell(share, note)

    def log(self, line: str) -> None:
        if self._mine().exists():
            log(self.run.pk, line)

    def metric(self, step: int, name: str, value: float) -> None:
        if not self._mine().exists():
            return
        RunMetric.objects.update_or_create(
            run=self.run, step=step, name=name, defaults={"value": value}
        )

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def stop_if_asked(self) -> None:
        if self.should_stop():
            raise Cancelled


def attempt(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """What work returned, or what went wrong in it.

    Holds the one broad except of the project: whatever goes wrong in any work is written to a
    row, where a person reads it.
    """
    try:
        return work(), None
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001 - see the docstring
        return None, error


def execute(run_id: Any, owner: str, tell: Callable[[float, str], None] | None = None) -> str:
    """Do the whole work of a claimed run in this process; returns its final state."""
    run = Run.objects.select_related("dataset").get(pk=run_id)
    run.folder.mkdir(parents=True, exist_ok=True)
    try:
        with RunReporter(run, owner, tell) as reporter:
            result, error = attempt(lambda: load(KINDS[run.kind].work)(run, reporter))
            if reporter.should_stop():
                raise Cancelled
    except Cancelled:
        finish(run_id, owner, Run.State.CANCELLED, note="")
        return Run.State.CANCELLED
    if error is not None:
        fail(run_id, owner, error)
        return Run.State.FAILED
    finish(run_id, owner, Run.State.DONE, result=result, progress=1, note="")
    return Run.State.DONE


def told(error: Exception) -> str:
    """An error as a person reads it; one that nobody foresaw keeps the name of its type."""
    if isinstance(error, ValueError | RuntimeError | OSError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"


def fail(run_id: Any, owner: str, error: Exception) -> None:
    text = told(error)
    finish(
        run_id,
        owner,
        Run.State.FAILED,
        error=text,
        traceback="".join(traceback.format_exception(error))[-20_000:],
    )


def sweep() -> list[Run]:
    """Take runs back from dead workers; returns all that wait for a bell.

    A run continues from its own checkpoint; after MAX_ATTEMPTS dead workers it fails and says so.
    """
    for run in Run.objects.lost():
        # A lease that was renewed a moment ago is left alone, whatever was read before.
        still_lost = Run.objects.filter(
            pk=run.pk, owner=run.owner, state=Run.State.RUNNING, lease_until=run.lease_until
        )
        if run.is_cancel_wanted:
            _end(run.pk, still_lost, state=Run.State.CANCELLED)
        elif run.attempts >= MAX_ATTEMPTS:
            _end(
                run.pk,
                still_lost,
                state=Run.State.FAILED,
                error=f"Its worker stopped {run.attempts} times during this run. Unless somebody "
                "stopped it, it ran out of memory: try smaller images or a smaller batch.",
            )
        elif still_lost.update(state=Run.State.QUEUED, owner="", lease_until=None, sent_at=None):
            log(run.pk, f"Attempt {run.attempts} lost its worker; queued again.")
    return list(Run.objects.unsent())
