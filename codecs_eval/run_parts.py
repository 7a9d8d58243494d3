"""Runs in many independent parts: any number of workers drain them, one claimed part at a time.

A message is only a bell: a worker that hears one takes parts until none is left.
"""

import threading
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone

from codecs_eval import runs
from codecs_eval.models import Run, RunPart
from codecs_eval.run_kinds import KINDS, load


def begin(run: Run, owner: str) -> int:
    """Write down the parts of a claimed run; those done by an earlier attempt stay done.

    Returns how many there are; 0 when they cannot be told: the run has failed then, and says why.
    """
    keys, error = runs.attempt(lambda: load(KINDS[run.kind].parts)(run))
    if error is not None:
        runs.fail(run.pk, owner, error)
        return 0
    RunPart.objects.bulk_create([RunPart(run=run, key=key) for key in keys], ignore_conflicts=True)
    # Parts hold the leases from here on; the run itself is alive while they are.
    Run.objects.filter(pk=run.pk, owner=owner).update(lease_until=None)
    _finish_if_complete(run)
    return len(keys)


def drain(owner: str, run_id: Any = None) -> int:
    """Take and do parts, oldest run first, until none is left; returns how many."""
    n_done = 0
    while (part := _claim_next(owner, run_id)) is not None:
        _work(part, owner)
        n_done += 1
    return n_done


def bells_wanted(most: int) -> int:
    """How many workers could be woken for free parts, beside those at work already."""
    held = RunPart.objects.filter(is_done=False, lease_until__gte=timezone.now()).count()
    return max(0, min(_free_parts().count(), most - held))


def sweep() -> None:
    """End runs that are complete, or asked to stop, and whose last worker did not say so."""
    in_parts = [name for name, kind in KINDS.items() if kind.is_in_parts]
    for run in Run.objects.filter(kind__in=in_parts, state=Run.State.RUNNING, lease_until=None):
        if is_anybody_at_work(run):
            continue
        if run.is_cancel_wanted:
            runs.finish(run.pk, run.owner, Run.State.CANCELLED)
        else:
            _finish_if_complete(run)


def is_anybody_at_work(run: Run) -> bool:
    """Whether a worker holds a part of this run."""
    return run.parts.filter(is_done=False, lease_until__gte=timezone.now()).exists()


def _free_parts() -> Any:
    return RunPart.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=timezone.now()),
        is_done=False,
        run__state=Run.State.RUNNING,
        run__is_cancel_wanted=False,
    )


def _claim_next(owner: str, run_id: Any) -> RunPart | None:
    while True:
        free = _free_parts().order_by("run__created_at", "pk")
        if run_id is not None:
            free = free.filter(run_id=run_id)
        part = free.select_related("run").first()
        if part is None:
            return None
        claimed = (
            _free_parts()
            .filter(pk=part.pk)
            .update(owner=owner, lease_until=runs.lease_end(), attempts=F("attempts") + 1)
        )
        if claimed and part.attempts >= runs.MAX_ATTEMPTS:
            # A photo that takes every worker down is told, and costs the others nothing.
            _end(part, owner, f"its worker stopped {part.attempts} times")
        elif claimed:
            return part


class _Heartbeat:
    """Renews one part's lease while its codec works."""

    def __init__(self, part: RunPart, owner: str) -> None:
        self._mine = RunPart.objects.filter(pk=part.pk, owner=owner)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "_Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def _beat(self) -> None:
        while not self._ended.wait(settings.RUN_LEASE_S / 4):
            # A database that is busy or away for a moment costs a beat, not the heart.
            with suppress(OperationalError):
                self._mine.update(lease_until=runs.lease_end())
        connection.close()


def _work(part: RunPart, owner: str) -> None:
    with _Heartbeat(part, owner):
        _, error = runs.attempt(lambda: load(KINDS[part.run.kind].part)(part.run, part.key))
    # One photo that a codec cannot take does not cost the others their ladder.
    _end(part, owner, runs.told(error) if error else "")


def _end(part: RunPart, owner: str, error: str) -> None:
    RunPart.objects.filter(pk=part.pk, owner=owner).update(
        is_done=True, error=error[:1000], lease_until=None
    )
    if error:
        runs.log(part.run_id, f"{part.key}: {error}")
    _finish_if_complete(part.run)


def _finish_if_complete(run: Run) -> None:
    n_parts = run.parts.count()
    n_done = run.parts.filter(is_done=True).count()
    Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(
        progress=n_done / n_parts if n_parts else 1, note=f"{n_done} of {n_parts} parts"
    )
    if n_done < n_parts:
        return
    run.refresh_from_db()
    failed = list(run.parts.exclude(error="").values_list("key", "error"))
    if failed and len(failed) == n_parts:
        said = f"Every part failed. {failed[0][0]}: {failed[0][1]}"
        runs.finish(run.pk, run.owner, Run.State.FAILED, error=said)
        return
    result, error = runs.attempt(lambda: load(KINDS[run.kind].finish)(run))
    if error is not None:
        runs.fail(run.pk, run.owner, error)
        return
    result["n_failed_parts"] = len(failed)
    runs.finish(run.pk, run.owner, Run.State.DONE, result=result, progress=1)
