"""Many speak at once: still every answer exactly once, and no slot lost or given twice."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from annotation import planning, serving
from annotation.models import Judgment, Session, Study, Trial
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


def test_of_fifty_people_who_ask_for_the_last_slot_at_once_one_gets_it() -> None:
    study = make_study(n_sources=1, judgments_per_triplet=1)
    sessions = [make_session(study) for _ in range(50)]
    leased = at_once(*[lambda s=s: serving.exchange(s, [], 5).trials for s in sessions])
    assert sum(len(trials) for trials in leased) == 1
    assert Trial.objects.count() == 1
    assert study.triplets.get().n_assigned == 1


def test_fifty_people_at_once_never_overlap_more_than_wanted() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=7)
    sessions = [make_session(study) for _ in range(50)]
    leased = at_once(*[lambda s=s: serving.exchange(s, [], 1).trials for s in sessions])
    assert sum(len(trials) for trials in leased) == 14
    assert [triplet.trials.count() for triplet in study.triplets.all()] == [7, 7]


def spread_of(study: Study) -> int:
    ends = study.triplets.aggregate(most=Max("n_assigned"), least=Min("n_assigned"))
    return ends["most"] - ends["least"]


class Person:
    """Holds three trials, answers them one by one, and perhaps leaves in the middle."""

    def __init__(self, study: Study, *, leaves_after: int | None = None) -> None:
        self.session = make_session(study)
        self.leaves_after = leaves_after
        self.handed_out: list[Trial] = []
        self.n_judged = 0

    def sit(self) -> None:
        held: list[Trial] = []
        answers: list[serving.Answer] = []
        while True:
            done = serving.exchange(
                self.session, answers, 3 - len(held), [trial.pk for trial in held]
            )
            self.n_judged += len(done.receipt.stored)
            assert not done.receipt.refused
            self.handed_out += done.trials
            held += done.trials
            if not held or self.n_judged == self.leaves_after:
                return
            answers = [make_answer(held.pop(0))]

    def let_leases_run_out(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        self.session.trials.open().update(lease_until=past)


def watched(study: Study, *acts: Callable[[], Any]) -> set[int]:
    """Every spread of the counts that a bystander sees while the acts go on at once."""
    seen: set[int] = set()
    are_over = threading.Event()

    def watch() -> None:
        while not are_over.wait(timeout=0.005):
            seen.add(spread_of(study))

    def act() -> None:
        try:
            at_once(*acts)
        finally:
            are_over.set()

    at_once(watch, act)
    return seen


def make_wide_study() -> Study:
    """So many triplets that nobody has had all of the neediest: then another is the right one."""
    codecs = ("jpeg", "webp", "hevc")
    return make_study(n_sources=16, codecs=codecs, judgments_per_triplet=9, session_length=6)


def test_counts_are_balanced_at_every_moment_while_many_answer_at_once() -> None:
    study = make_wide_study()
    people = [Person(study) for _ in range(10)]
    seen = watched(study, *[person.sit for person in people])
    assert seen == {0, 1}
    assert [person.n_judged for person in people] == [6] * 10
    assert set(study.triplets.values_list("n_judged", flat=True)) == {1, 2}


def test_where_thirty_in_a_hundred_leave_the_study_ends_balanced_within_one() -> None:
    study = make_wide_study()
    leaving = [Person(study, leaves_after=index % 3) for index in range(5)]
    staying = [Person(study) for _ in range(12)]
    at_once(*[person.sit for person in leaving + staying[:4]])
    for person in leaving:
        person.let_leases_run_out()
    at_once(planning.return_overdue, *[person.sit for person in staying[4:8]])
    at_once(*[person.sit for person in staying[8:]])
    assert [person.n_judged for person in staying] == [6] * 12
    assert planning.return_overdue() == 0
    counts = list(study.triplets.values_list("n_assigned", "n_judged"))
    assert set(counts) == {(1, 1), (2, 2)}
    assert sum(n_judged for _, n_judged in counts) == Judgment.objects.count() == 12 * 6 + 4


def test_no_lease_is_lost_and_none_is_given_to_two() -> None:
    study = make_study(n_sources=16, judgments_per_triplet=20, session_length=8)
    people = [Person(study, leaves_after=index or None) for index in range(8)]
    at_once(*[person.sit for person in people])
    handed_out = [trial.pk for person in people for trial in person.handed_out]
    assert len(handed_out) == len(set(handed_out)) == Trial.objects.count()
    for person in people:
        mine = {trial.pk for trial in person.handed_out}
        assert set(person.session.trials.values_list("pk", flat=True)) == mine
    for triplet in study.triplets.all():
        assert triplet.n_assigned == triplet.trials.count()
        assert triplet.n_judged == triplet.trials.filter(state=Trial.State.JUDGED).count()


def test_a_lease_goes_to_the_neediest_that_its_person_has_not_had_whoever_comes_and_goes() -> None:
    study = make_study(n_sources=7, judgments_per_triplet=6, session_length=5)
    events = random.Random(1)
    sessions = [make_session(study, seed=index) for index in range(3)]
    for index in range(60):
        if events.random() < 0.2:
            sessions[events.randrange(3)] = make_session(study, seed=index)
        if events.random() < 0.3:
            study_trials = Trial.objects.open().order_by("triplet_id", "position")
            gone = study_trials.values_list("pk", flat=True)[:2]
            past = timezone.now() - timedelta(seconds=1)
            Trial.objects.filter(pk__in=list(gone)).update(lease_until=past)
            planning.return_overdue()
        session = events.choice(sessions)
        counts = dict(
            study.triplets.exclude(trials__annotator=session.annotator_id)
            .filter(n_assigned__lt=6)
            .values_list("pk", "n_assigned")
        )
        new = [trial for trial in planning.lease_trials(session, 2) if trial.triplet_id in counts]
        least = sorted(counts.values())[: len(new)]
        assert sorted(counts[trial.triplet_id] for trial in new) == least
        given = ~Q(trials__state=Trial.State.EXPIRED)
        assert not study.triplets.annotate(n=Count("trials", filter=given)).exclude(
            n=F("n_assigned")
        )
