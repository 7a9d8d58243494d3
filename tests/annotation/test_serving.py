"""Begin, lease, record, finish: every answer exactly once."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def let_leases_run_out() -> None:
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    planning.return_overdue()


# Recording


def test_a_trial_is_judged_once() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    answer = make_answer(trial, "left")
    first = serving.record(session, [answer])
    again = serving.record(session, [answer])
    other = serving.record(session, [make_answer(trial, "right")])
    assert first == again == serving.Receipt(stored=[str(answer.id)], refused=[])
    assert other.stored == []
    assert "judged already" in other.refused[0]["reason"]
    judgment = Judgment.objects.get()
    assert judgment.pk == answer.id
    assert judgment.choice == trial.choice_of_side("left")


def test_the_same_answer_twice_in_one_request_is_stored_once() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    answer = make_answer(trial)
    receipt = serving.record(session, [answer, answer])
    assert set(receipt.stored) == {str(answer.id)}
    assert Judgment.objects.count() == 1


def test_a_key_that_was_used_for_another_trial_is_refused() -> None:
    session = make_session(make_study())
    one, two = planning.lease_trials(session, 2)
    key = uuid.uuid4()
    serving.record(session, [make_answer(one, id=key)])
    receipt = serving.record(session, [make_answer(two, id=key)])
    assert receipt.refused == [{"id": str(key), "reason": "This key was used for another trial."}]
    assert Judgment.objects.get().trial == one


def test_one_bad_answer_does_not_lose_the_good_ones_beside_it() -> None:
    session = make_session(make_study())
    one, two = planning.lease_trials(session, 2)
    bad, good = make_answer(one, "middle"), make_answer(two, "right")
    receipt = serving.record(session, [bad, good])
    assert receipt.stored == [str(good.id)]
    assert "'middle'" in receipt.refused[0]["reason"]


def test_a_trial_of_another_session_is_not_judged() -> None:
    study = make_study()
    mine, yours = make_session(study), make_session(study)
    (trial,) = planning.lease_trials(yours, 1)
    receipt = serving.record(mine, [make_answer(trial)])
    assert receipt.stored == []
    assert "another session" in receipt.refused[0]["reason"]
    assert not Judgment.objects.exists()


def test_somebody_elses_key_brings_no_receipt() -> None:
    study = make_study()
    mine, yours = make_session(study), make_session(study)
    (trial,) = planning.lease_trials(yours, 1)
    answer = make_answer(trial)
    serving.record(yours, [answer])
    assert serving.record(mine, [answer]).stored == []


@pytest.mark.parametrize("is_allowed", [True, False])
def test_not_sure_is_taken_where_the_study_offers_it(is_allowed: bool) -> None:
    session = make_session(make_study(allow_not_sure=is_allowed))
    (trial,) = planning.lease_trials(session, 1)
    receipt = serving.record(session, [make_answer(trial, "not_sure")])
    assert bool(receipt.stored) == is_allowed
    assert Judgment.objects.filter(choice="not_sure").exists() == is_allowed


def test_a_side_of_the_screen_becomes_the_reconstruction_that_stood_there() -> None:
    session = make_session(make_study(n_sources=6, session_length=6))
    trials = planning.lease_trials(session, 6)
    serving.record(session, [make_answer(trial, "left") for trial in trials])
    assert {trial.first_on_left for trial in trials} == {True, False}
    for trial in trials:
        judgment = trial.judgments.get()
        assert judgment.choice == ("first" if trial.first_on_left else "second")


def test_times_are_stored_as_they_were_measured() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    measured = {"decoded_ms": 5.5, "painted_ms": 16.7, "answered_ms": 2516.7,
                "response_ms": 2500.0, "hidden_ms": 400.0, "input": "key",
                "events": [{"type": "hidden", "at_ms": 100.0}]}  # fmt: skip
    before = timezone.now()
    serving.record(session, [make_answer(trial, measured=measured)])
    judgment = Judgment.objects.get()
    assert {name: getattr(judgment, name) for name in measured} == measured
    assert judgment.active_ms == 2100.0
    assert before <= judgment.server_time <= timezone.now()


# Undo


def test_an_undo_supersedes_and_both_are_kept() -> None:
    study = make_study()
    session = make_session(study)
    (trial,) = planning.lease_trials(session, 1)
    first = make_answer(trial, "left")
    second = make_answer(trial, "right", supersedes=first.id)
    assert serving.record(session, [first, second]).refused == []
    assert Judgment.objects.count() == 2
    standing = Judgment.objects.of_study(study).standing().get()
    assert standing.pk == second.id
    assert standing.supersedes_id == first.id
    assert serving.n_judged(session) == 1
    assert sum(study.triplets.values_list("n_assigned", flat=True)) == 1


def test_an_undo_of_an_undo_leaves_one_standing() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    one = make_answer(trial, "left")
    two = make_answer(trial, "right", supersedes=one.id)
    three = make_answer(trial, "left", supersedes=two.id)
    serving.record(session, [one, two, three])
    assert [found.pk for found in Judgment.objects.standing()] == [three.id]


def test_one_judgment_is_superseded_once() -> None:
    session = make_session(make_study())
    (trial,) = planning.lease_trials(session, 1)
    first = make_answer(trial)
    undo, fork = (make_answer(trial, "right", supersedes=first.id) for _ in range(2))
    receipt = serving.record(session, [first, undo, fork])
    assert receipt.stored == [str(first.id), str(undo.id)]
    assert [entry["id"] for entry in receipt.refused] == [str(fork.id)]


def test_an_undo_of_another_trial_is_refused() -> None:
    session = make_session(make_study())
    one, two = planning.lease_trials(session, 2)
    first = make_answer(one)
    serving.record(session, [first])
    receipt = serving.record(session, [make_answer(two, supersedes=first.id)])
    assert "not one of this trial" in receipt.refused[0]["reason"]


# Late answers


def test_an_answer_after_its_lease_ran_out_counts_once() -> None:
    study = make_study()
    session = make_session(study)
    (trial,) = planning.lease_trials(session, 1)
    let_leases_run_out()
    assert sum(study.triplets.values_list("n_assigned", flat=True)) == 0
    answer = make_answer(trial)
    for _ in range(2):
        assert serving.record(session, [answer]).stored == [str(answer.id)]
    trial.refresh_from_db()
    assert trial.state == Trial.State.JUDGED
    assert sum(study.triplets.values_list("n_assigned", flat=True)) == 1
    assert Judgment.objects.count() == 1


def test_an_answer_that_was_undone_after_its_lease_ran_out_counts_once() -> None:
    study = make_study()
    session = make_session(study)
    (trial,) = planning.lease_trials(session, 1)
    let_leases_run_out()
    first = make_answer(trial)
    serving.record(session, [first, make_answer(trial, "right", supersedes=first.id)])
    assert sum(study.triplets.values_list("n_assigned", flat=True)) == 1


def test_an_answer_that_waited_for_the_network_is_taken_after_the_study_closed() -> None:
    study = make_study()
    session = make_session(study)
    (trial,) = planning.lease_trials(session, 1)
    Study.objects.update(state=Study.State.CLOSED)
    session = Session.objects.get()
    assert serving.record(session, [make_answer(trial)]).refused == []


# Beginning and leasing


def test_beginning_twice_goes_on_with_the_same_session() -> None:
    study, ben = make_study(), make_annotator()
    assert serving.begin(study, ben) == serving.begin(study, ben)
    assert Session.objects.count() == 1


@pytest.mark.parametrize("state", ["draft", "paused", "closed"])
def test_a_study_that_is_not_open_is_not_begun(state: str) -> None:
    study = make_study(state=state)
    with pytest.raises(ValueError, match=f"is {state}"):
        serving.begin(study, make_annotator())


@pytest.mark.parametrize("is_simulated", [True, False])
def test_people_and_simulated_observers_never_share_a_study(is_simulated: bool) -> None:
    study = make_study(is_simulated=is_simulated)
    with pytest.raises(ValueError, match="simulated"):
        serving.begin(study, make_annotator(is_simulated=not is_simulated))
    assert not Session.objects.exists()


def test_trials_that_a_reload_lost_are_given_again() -> None:
    session = make_session(make_study(n_sources=6, session_length=6))
    before = serving.trials_for(session, 4)
    again = serving.trials_for(session, 4)
    assert [trial.pk for trial in again] == [trial.pk for trial in before]


def test_trials_that_the_browser_holds_are_not_given_again() -> None:
    session = make_session(make_study(n_sources=6, session_length=6))
    held = [trial.pk for trial in serving.trials_for(session, 3)]
    more = [trial.pk for trial in serving.trials_for(session, 2, held)]
    assert len(more) == 2
    assert not set(held) & set(more)


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_study_that_stopped_leases_nothing_new(state: str) -> None:
    study = make_study(n_sources=6, session_length=6)
    session = make_session(study)
    serving.trials_for(session, 1)
    Study.objects.update(state=state)
    session = Session.objects.get()
    assert len(serving.trials_for(session, 4)) == 1
    assert session.trials.count() == 1


def test_a_finished_session_leases_nothing_new() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=1)
    session = make_session(study)
    make_judgments(session, 1)
    gone = make_session(study)
    planning.lease_trials(gone, 1)
    serving.finish(session)
    session.refresh_from_db()
    assert session.state == Session.State.FINISHED
    let_leases_run_out()
    assert serving.trials_for(session, 4) == []


# Finishing


def test_a_session_finishes_when_every_trial_is_judged() -> None:
    session = make_session(make_study(n_sources=3, session_length=3))
    make_judgments(session, 3)
    assert serving.finish(session) == 0
    assert session.state == Session.State.FINISHED
    assert session.finished_at is not None
    assert len(session.completion_code) == 8


def test_a_session_with_an_open_trial_gets_no_completion_code() -> None:
    session = make_session(make_study(n_sources=3, session_length=3))
    make_judgments(session, 2)
    planning.lease_trials(session, 1)
    assert serving.finish(session) == 1
    assert session.state == Session.State.ACTIVE
    assert session.completion_code == ""


def test_a_session_that_stops_before_its_length_gets_no_completion_code() -> None:
    session = make_session(make_study(n_sources=4, session_length=4))
    make_judgments(session, 1)
    assert serving.finish(session) == 3
    assert session.state == Session.State.ACTIVE
    assert session.completion_code == ""


def test_leases_that_ran_out_do_not_shorten_a_session() -> None:
    session = make_session(make_study(n_sources=3, session_length=3))
    make_judgments(session, 1)
    planning.lease_trials(session, 2)
    let_leases_run_out()
    assert serving.finish(session) == 2
    assert session.completion_code == ""


def test_a_session_without_a_single_answer_does_not_finish() -> None:
    session = make_session(make_study())
    serving.finish(session)
    assert session.state == Session.State.ACTIVE
    assert session.completion_code == ""


def test_a_session_finishes_early_when_the_study_has_nothing_left_for_it() -> None:
    session = make_session(make_study(n_sources=2, session_length=30))
    make_judgments(session, 30)
    standing = serving.standing_of(session, is_asked=True, n_new=0)
    assert standing == serving.Standing(n_judged=2, n_total=2, is_done=True)
    assert serving.finish(session) == 0
    assert session.state == Session.State.FINISHED


def test_a_session_of_a_closed_study_finishes_with_what_it_has() -> None:
    make_judgments(make_session(make_study(n_sources=4, session_length=4)), 2)
    Study.objects.update(state=Study.State.CLOSED)
    session = Session.objects.get()
    assert serving.standing_of(session, is_asked=True, n_new=0).is_done
    assert serving.finish(session) == 0
    assert session.state == Session.State.FINISHED


def test_a_pause_of_the_study_does_not_end_its_sessions() -> None:
    make_judgments(make_session(make_study(n_sources=4, session_length=4)), 2)
    Study.objects.update(state=Study.State.PAUSED)
    session = Session.objects.get()
    assert not serving.standing_of(session, is_asked=True, n_new=0).is_done
    assert serving.finish(session) == 2
    assert session.state == Session.State.ACTIVE


def test_finishing_twice_keeps_the_first_code() -> None:
    session = make_session(make_study())
    make_judgments(session, 2)
    serving.finish(session)
    first = (session.completion_code, session.finished_at)
    serving.finish(session)
    assert (session.completion_code, session.finished_at) == first


# Renewing leases


def test_whoever_still_answers_keeps_what_they_hold() -> None:
    session = make_session(make_study())
    seconds = [settings.TRIAL_LEASE_S * share for share in (0.1, 0.6)]
    trials = planning.lease_trials(session, 2)
    for trial, left_s in zip(trials, seconds, strict=True):
        trial.lease_until = timezone.now() + timedelta(seconds=left_s)
        trial.save(update_fields=["lease_until"])
    serving.exchange(session, [], 2, [trial.pk for trial in trials])
    nearly_over, new_enough = Trial.objects.order_by("position")
    assert nearly_over.lease_until > timezone.now() + timedelta(seconds=seconds[1])
    assert new_enough.lease_until == trials[1].lease_until
