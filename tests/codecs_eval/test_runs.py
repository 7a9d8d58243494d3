"""The life of a run on rows alone: claimed once, fenced, cancelled, swept, failed and why."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from codecs_eval import runs
from codecs_eval.models import Run, RunLine
from codecs_eval.scoring import ScoreConfig
from tests.factories import make_source

# A run renews its lease from a thread of its own, which sees only rows that are committed.
pytestmark = pytest.mark.usefixtures("transactional_db", "triad_home")


def make_run(**about: object) -> Run:
    run = runs.create("score", ScoreConfig(collection="none", metrics=("psnr",)), title="Scores")
    Run.objects.filter(pk=run.pk).update(**about)
    run.refresh_from_db()
    return run


def test_only_one_worker_claims_a_run() -> None:
    run = make_run()
    assert runs.claim(run.pk, "ada") is True
    assert runs.claim(run.pk, "ben") is False
    run.refresh_from_db()
    assert (run.owner, run.state, run.attempts) == ("ada", "running", 1)


def test_a_run_does_its_work_and_keeps_its_result() -> None:
    make_source("none")
    run = make_run()
    assert runs.claim(run.pk, "ada")
    assert runs.execute(run.pk, "ada") == "done"
    run.refresh_from_db()
    assert run.result == {"collection": "none", "metrics": ["psnr"], "n_new": 0}
    assert run.progress == 1 and run.lease_until is None and run.finished_at is not None


def test_a_failed_run_says_why() -> None:
    run = make_run(config={"collection": "none", "metrics": ["no-such-metric"]})
    assert runs.claim(run.pk, "ada")
    assert runs.execute(run.pk, "ada") == "failed"
    run.refresh_from_db()
    assert "no-such-metric" in run.error and "expected some of" in run.error
    assert "Traceback" in run.traceback


def test_a_worker_that_lost_its_run_changes_nothing_any_more() -> None:
    run = make_run(state="running", owner="ada", lease_until=timezone.now() - timedelta(seconds=1))
    assert [found.pk for found in runs.sweep()] == [run.pk]
    assert runs.claim(run.pk, "ben")
    assert runs.finish(run.pk, "ada", Run.State.DONE, result={"late": True}) is False
    run.refresh_from_db()
    assert (run.owner, run.state, run.result) == ("ben", "running", {})


def test_a_living_lease_is_left_alone() -> None:
    run = make_run(state="running", owner="ada", lease_until=runs.lease_end())
    assert runs.sweep() == []
    run.refresh_from_db()
    assert run.state == "running"


def test_each_lost_attempt_is_recorded() -> None:
    run = make_run(
        state="running", owner="ada", attempts=1, lease_until=timezone.now() - timedelta(seconds=1)
    )
    runs.sweep()
    assert "lost its worker" in RunLine.objects.get(run=run).text


def test_a_run_that_kills_every_worker_fails_in_the_end() -> None:
    run = make_run(
        state="running",
        owner="ada",
        attempts=runs.MAX_ATTEMPTS,
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    assert runs.sweep() == []
    run.refresh_from_db()
    assert run.state == "failed" and "worker stopped 5 times" in run.error


def test_a_waiting_run_is_cancelled_at_once() -> None:
    run = make_run()
    runs.cancel(run)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert runs.claim(run.pk, "ada") is False


def test_a_lease_renewed_while_the_sweeper_looks_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run(
        state="running",
        owner="ada",
        attempts=runs.MAX_ATTEMPTS,
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    stale = list(Run.objects.lost())
    Run.objects.filter(pk=run.pk).update(lease_until=runs.lease_end())
    monkeypatch.setattr(type(Run.objects), "lost", lambda _: stale)
    runs.sweep()
    run.refresh_from_db()
    assert run.state == "running"


def test_a_running_run_is_asked_to_stop() -> None:
    run = make_run()
    assert runs.claim(run.pk, "ada")
    runs.cancel(run)
    run.refresh_from_db()
    assert run.state == "running" and run.is_cancel_wanted


def test_a_message_that_was_lost_is_sent_again() -> None:
    never_sent = make_run()
    just_sent = make_run(sent_at=timezone.now())
    sent_long_ago = make_run(sent_at=timezone.now() - timedelta(minutes=2))
    assert {run.pk for run in runs.sweep()} == {never_sent.pk, sent_long_ago.pk}
    assert just_sent.state == "queued"


def test_settings_that_no_dataclass_knows_are_refused() -> None:
    run = make_run(config={"collection": "none", "metrics": ["psnr"], "speed": 9})
    with pytest.raises(ValueError, match="speed"):
        runs.again(run)


def test_a_run_writes_only_below_its_own_folder(triad_home: Path) -> None:
    run = make_run()
    assert run.folder == triad_home / "runs" / str(run.pk)
