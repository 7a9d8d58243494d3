"""Many speak at once: still every answer exactly once, and no slot lost or given twice."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from annotation import planning, serving
from annotation.models import Judgment, Session, Trial
from tests.factories import (
    make_annotator,
    make_answer,
    make_judgments,
    make_session,
    make_study,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("triad_home")]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Results of the acts, each on a thread and a connection of its own, released together."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            # The connection is made before the start, so that only the act itself is raced.
            connection.ensure_connection()
            gate.wait(timeout=20)
            results[place] = act()
        except Exception as error:  # noqa: BLE001 - told to the test below
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def test_the_same_key_sent_by_many_at_once_is_stored_once() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    answer = make_answer(trial)
    receipts = at_once(*[lambda: serving.record(session, [answer])] * 6)
    assert all(receipt.stored == [str(answer.id)] for receipt in receipts)
    assert Judgment.objects.count() == 1
    assert sum(session.study.triplets.values_list("n_assigned", flat=True)) == 1


def test_of_many_answers_to_one_trial_at_once_one_is_stored() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    answers = [make_answer(trial, side) for side in ("left", "right") * 3]
    receipts = at_once(
        *[lambda answer=answer: serving.record(session, [answer]) for answer in answers]
    )
    stored = [key for receipt in receipts for key in receipt.stored]
    assert len(stored) == 1
    assert [str(found.pk) for found in Judgment.objects.all()] == stored
    assert sum(len(receipt.refused) for receipt in receipts) == 5


def test_two_tabs_of_one_session_lease_no_trial_twice() -> None:
    study = make_study(n_sources=12, session_length=12)
    session = make_session(study)
    blocks = at_once(*[lambda: planning.lease_trials(session, 3)] * 4)
    trials = [trial.pk for block in blocks for trial in block]
    assert len(trials) == len(set(trials)) == 12
    assert sorted(session.trials.values_list("position", flat=True)) == list(range(12))
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {1}


def test_many_people_at_once_never_get_more_of_a_triplet_than_wanted() -> None:
    study = make_study(n_sources=6, session_length=6, judgments_per_triplet=2)
    sessions = [make_session(study) for _ in range(6)]
    at_once(*[lambda s=s: planning.lease_trials(s, 4) for s in sessions])
    counted = [triplet.trials.count() for triplet in study.triplets.all()]
    assert counted == list(study.triplets.values_list("n_assigned", flat=True))
    assert max(counted) <= 2


def test_nobody_is_told_that_a_study_is_over_because_others_ask_at_the_same_time() -> None:
    study = make_study(n_sources=3, session_length=3, judgments_per_triplet=6)
    sessions = [make_session(study) for _ in range(6)]

    def ask(session: Session) -> serving.Standing:
        trials = serving.trials_for(session, 3)
        return serving.standing_of(session, is_asked=True, n_new=len(trials))

    standings = at_once(*[lambda s=s: ask(s) for s in sessions])
    assert not any(standing.is_done for standing in standings)


def test_a_lease_that_runs_out_while_its_answer_arrives_is_counted_once() -> None:
    study = make_study(n_sources=8, session_length=8)
    session = make_session(study)
    trials = planning.lease_trials(session, 8)
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    answers = [make_answer(trial) for trial in trials]
    at_once(
        lambda: serving.record(session, answers[:4]),
        lambda: serving.record(session, answers[4:]),
        planning.return_overdue,
        planning.return_overdue,
    )
    assert set(session.trials.values_list("state", flat=True)) == {Trial.State.JUDGED}
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {1}


def test_a_late_answer_and_a_renewed_lease_at_once_leave_the_trial_judged() -> None:
    study = make_study(n_sources=8, session_length=8)
    session = make_session(study)
    answers = [make_answer(trial) for trial in planning.lease_trials(session, 8)]
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    planning.return_overdue()
    at_once(
        lambda: serving.record(session, answers),
        lambda: planning.lease_trials(session, 8),
        lambda: planning.lease_trials(session, 8),
    )
    assert set(session.trials.values_list("state", flat=True)) == {Trial.State.JUDGED}
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {1}


def test_beginning_in_two_tabs_at_once_makes_one_session() -> None:
    study, ben = make_study(), make_annotator()
    sessions = at_once(*[lambda: serving.begin(study, ben).pk] * 4)
    assert len(set(sessions)) == 1
    assert Session.objects.count() == 1


def test_finishing_in_two_tabs_at_once_gives_one_code() -> None:
    session = make_session(make_study())
    make_judgments(session, 2)

    def finish() -> str:
        found = Session.objects.get(pk=session.pk)
        serving.finish(found)
        return found.completion_code

    codes = at_once(*[finish] * 4)
    assert len(set(codes)) == 1
    assert codes[0] != ""


def test_counts_stay_balanced_while_many_lease_at_once() -> None:
    study = make_study(n_sources=6, judgments_per_triplet=3)
    sessions = [make_session(study, make_annotator()) for _ in range(6)]
    leased = at_once(*[lambda s=s: planning.lease_trials(s, 2) for s in sessions])
    assert [len(trials) for trials in leased] == [2] * 6
    counts = list(study.triplets.values_list("n_assigned", flat=True))
    assert max(counts) - min(counts) <= 1 and sum(counts) == 12
