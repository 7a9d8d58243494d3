"""A training in several processes, as torchrun starts them, and one that goes on after it ended."""

import math
import time
from contextlib import suppress

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from codecs_eval.models import Run
from codecs_eval.run_kinds import KINDS, load
from codecs_eval.training.processes import current

# How often torchrun's other processes look at the row.
_LOOK_EVERY_S = 1.0


class Helper:
    """The reporter of the other processes of a training: the first one speaks for them.

    They see for themselves whether they should stop: the first one may wait for them.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._looked_at = -math.inf
        self._is_stopped = False

    def progress(self, done: float, total: float, note: str = "") -> None: ...

    def log(self, line: str) -> None: ...

    def metric(self, step: int, name: str, value: float) -> None: ...

    def should_stop(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at > _LOOK_EVERY_S:
            self._looked_at = now
            # A database that is away for a moment stops nothing.
            with suppress(OperationalError):
                wanted = Run.objects.filter(state=Run.State.RUNNING, is_cancel_wanted=False)
                self._is_stopped = not wanted.filter(pk=self._run.pk).exists()
        return self._is_stopped


def resume(run: Run) -> Run:
    """The training, queued again to go on from its checkpoint.

    Raises ValueError where it is done or still at work.
    """
    ended = [Run.State.QUEUED, Run.State.FAILED, Run.State.CANCELLED]
    resumable = Run.objects.lost() | Run.objects.filter(state__in=ended)
    # A bell just rung keeps the sweeper from giving it to a worker before the caller claims it.
    fresh = {"sent_at": timezone.now(), "finished_at": None, "lease_until": None, "attempts": 0}
    changed = resumable.filter(pk=run.pk).update(
        state=Run.State.QUEUED, owner="", is_cancel_wanted=False, error="", traceback="", **fresh
    )
    run.refresh_from_db()
    if not changed:
        raise ValueError(
            f"Training run {run.pk} is {run.state}; expected one that was stopped, failed or lost "
            f"its process. That one was killed is known {settings.RUN_LEASE_S:g} s later."
        )
    return run


def tell_others(run: Run) -> None:
    """The other processes of torchrun wait for this run's name."""
    current().share(str(run.pk).encode())


def help_train() -> None:
    """The part of torchrun's other processes: join the training that the first one has begun."""
    run_id = current().share(b"").decode()
    run = Run.objects.select_related("dataset").get(pk=run_id)
    load(KINDS[run.kind].together)(run, Helper(run))
