"""What the queue does: each task takes an id, calls one verb, and may run twice."""

import logging
import signal
import subprocess
import sys

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from codecs_eval import delivering, run_parts, runs
from codecs_eval.lifeline import lifeline
from codecs_eval.models import Run
from codecs_eval.run_kinds import KINDS

# Bells for one ladder: as many encoders as a cluster may have; on a laptop the spare ones find
# nothing to do.
MOST_ENCODERS = 32

logger = logging.getLogger(__name__)


def enqueue(run: Run) -> None:
    """Ring the bell for a queued run. A broker that is down costs nothing: the sweeper rings."""
    Run.objects.filter(pk=run.pk).update(sent_at=timezone.now())
    try:
        execute_run.apply_async((str(run.pk),), queue=KINDS[run.kind].queue, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; run %s waits for the sweeper.", run.pk)


def ring_for_parts(n_bells: int) -> None:
    for _ in range(n_bells):
        work_parts.apply_async(queue="encode", retry=False)


@shared_task
def execute_run(run_id: str) -> None:
    owner = runs.new_owner()
    if not runs.claim(run_id, owner):
        return
    run = Run.objects.get(pk=run_id)
    if KINDS[run.kind].is_in_parts:
        run_parts.begin(run, owner)
        ring_for_parts(run_parts.bells_wanted(MOST_ENCODERS))
    else:
        execute_in_child(run_id, owner)


def execute_in_child(run_id: str, owner: str) -> int:
    """A child process can be killed, gives GPU memory back and may use loader workers."""
    manage = settings.BASE_DIR / "manage.py"
    return subprocess.run(
        [sys.executable, str(manage), "work_run", str(run_id), owner],
        check=False,
        # A worker killed with -9 takes its child along; the run's lease then runs out.
        preexec_fn=lifeline(signal.SIGKILL),
    ).returncode


@shared_task
def work_parts() -> None:
    run_parts.drain(runs.new_owner())


@shared_task
def sweep_runs() -> None:
    for run in runs.sweep():
        enqueue(run)
    run_parts.sweep()
    ring_for_parts(run_parts.bells_wanted(settings.ENCODE_PROCESSES))


def ring_for_deliveries() -> None:
    """Send what waits now. A broker that is down costs nothing: the clock rings as well."""
    try:
        deliver_due.apply_async(retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; deliveries wait for the clock.")


@shared_task
def deliver_due() -> None:
    # One message each: an address that does not answer holds up no other.
    for delivery_id in delivering.due():
        deliver.apply_async((str(delivery_id),), retry=False, expires=60)


@shared_task
def deliver(delivery_id: str) -> None:
    delivering.deliver(delivery_id)
