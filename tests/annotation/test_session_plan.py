"""Practice, warm-ups, sentinels, repeats and identical pairs, from the plan to the last trial."""

from typing import Any

import pytest

from annotation import planning, serving, triplets
from annotation.models import Session, Study, Trial, Triplet
from tests.factories import make_annotator, make_answer, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

CHECKED = {
    "session_length": 20,
    "n_practice": 2,
    "n_warm_up": 2,
    "sentinel_share": 0.1,
    "identical_share": 0.1,
    "repeat_share": 0.1,
}


def make_checked_study(**values: Any) -> Study:
    return make_study(n_sources=12, rates_bpp=(0.2, 1.0), **{**CHECKED, **values})


def begin(study: Study) -> Session:
    return serving.begin(study, make_annotator())


def sit(session: Session, side: str | None = None, block: int = 4) -> list[Trial]:
    """Answers everything; sentinels and practice right unless a side is given."""
    shown: list[Trial] = []
    trials = serving.exchange(session, [], block).trials
    while trials:
        shown += trials
        answers = [make_answer(trial, side or trial.expected_side or "left") for trial in trials]
        trials = serving.exchange(session, answers, block).trials
    return shown


def test_a_plan_makes_the_checks_beside_the_main_triplets() -> None:
    study = make_checked_study(state=Study.State.DRAFT)
    planned = triplets.plan_triplets(study)
    kinds = {kind: study.triplets.filter(kind=kind).count() for kind in Triplet.Kind.values}
    assert kinds == {"main": 24, "practice": 2, "sentinel": 4, "identical": 4}
    assert planned.n_triplets == 24
    assert planned.n_checks == {"practice": 2, "sentinel": 4, "identical": 4}


def test_an_identical_triplet_shows_one_reconstruction_twice() -> None:
    for triplet in make_checked_study().triplets.filter(kind="identical"):
        assert triplet.first == triplet.second
        assert triplet.expected == ""


@pytest.mark.parametrize("polarity", ["closer", "differs"])
def test_the_right_answer_of_a_sentinel_follows_the_question(polarity: str) -> None:
    study = make_checked_study(polarity=polarity)
    for triplet in study.triplets.filter(kind__in=["sentinel", "practice"]):
        sides = {"first": triplet.first, "second": triplet.second}
        right = sides.pop(triplet.expected)
        (wrong,) = sides.values()
        assert right.codec == wrong.codec
        assert (right.bpp > wrong.bpp) == (polarity == "closer")


def test_a_ladder_without_an_obvious_pair_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="0.23 and 1.0 bpp"):
        make_study(n_sources=3, rates_bpp=(0.5,), sentinel_share=0.1)


def test_a_session_is_shown_as_planned() -> None:
    session = begin(make_checked_study())
    shown = sit(session)
    slots = planning.slots_of(session)
    assert len(shown) == len(slots) == 22 == session.n_planned
    for trial, slot in zip(shown, slots, strict=True):
        assert (trial.triplet.kind, trial.is_warm_up) == (slot.kind, slot.is_warm_up)
        assert trial.is_repeat == (slot.repeats is not None)
        if trial.is_repeat:
            original = shown[slot.repeats]
            assert trial.triplet == original.triplet
            assert trial.first_on_left is not original.first_on_left
    assert serving.finish(session) == 0


def test_the_right_answers_stand_on_both_sides_alike() -> None:
    study = make_checked_study(sentinel_share=0.3, repeat_share=0, identical_share=0)
    shown = sit(begin(study))
    sides = [trial.expected_side for trial in shown if trial.triplet.kind == "sentinel"]
    assert sorted(sides) == ["left"] * 3 + ["right"] * 3


def test_the_same_seed_shows_the_same_session() -> None:
    def sides_and_kinds(block: int) -> list[tuple[Any, ...]]:
        session = make_session(study, seed=5, n_practice=2)
        return [(t.triplet.kind, t.first_on_left, t.is_repeat) for t in sit(session, "left", block)]

    study = make_checked_study(judgments_per_triplet=9)
    assert sides_and_kinds(1) == sides_and_kinds(4)


def test_warm_ups_and_repeats_do_not_count_toward_what_a_triplet_wants() -> None:
    study = make_checked_study()
    shown = sit(begin(study))
    main = [trial for trial in shown if trial.triplet.kind == "main"]
    assert len(main) == 16 and sum(trial.is_counted for trial in main) == 12
    for triplet in study.triplets.filter(kind="main"):
        n = sum(trial.is_counted for trial in main if trial.triplet == triplet)
        assert triplet.n_assigned == triplet.n_judged == n


def test_practice_is_done_once_by_a_person() -> None:
    study = make_checked_study(sessions_per_person=0, judgments_per_triplet=9)
    person = make_annotator()
    first = serving.begin(study, person)
    sit(first)
    serving.finish(first)
    again = serving.begin(study, person)
    assert (first.n_practice, again.n_practice) == (2, 0)
    assert {trial.triplet.kind for trial in sit(again)} >= {"main"}
    assert not again.trials.filter(triplet__kind="practice").exists()


def test_a_check_that_is_used_up_gives_its_place_to_a_main_trial() -> None:
    study = make_checked_study()
    study.triplets.filter(kind__in=["sentinel", "identical"]).delete()
    shown = sit(begin(study))
    assert len(shown) == 22
    assert {trial.triplet.kind for trial in shown} == {"practice", "main"}


# Qualification


def test_nobody_sees_a_real_trial_before_the_practice_is_judged() -> None:
    session = begin(make_checked_study(practice_pass_share=0.5))
    done = serving.exchange(session, [], 4)
    assert [trial.triplet.kind for trial in done.trials] == ["practice", "practice"]
    answers = [make_answer(trial, trial.expected_side) for trial in done.trials]
    assert serving.exchange(session, answers[:1], 4).trials == done.trials[1:]
    assert len(serving.exchange(session, answers[1:], 4).trials) == 4


def test_a_failed_practice_ends_the_session_with_its_own_code() -> None:
    study = make_checked_study(practice_pass_share=0.9, completion_codes={"failed": "F-7"})
    session = begin(study)
    trials = serving.exchange(session, [], 4).trials
    wrong = {"left": "right", "right": "left"}
    answers = [make_answer(trial, wrong[trial.expected_side]) for trial in trials]
    done = serving.exchange(session, answers, 4)
    session.refresh_from_db()
    assert (session.state, session.completion_code) == ("failed", "F-7")
    assert done.trials == [] and done.standing.is_done
    assert len(done.receipt.stored) == 2


def test_a_passed_practice_is_not_judged_again_by_an_undo() -> None:
    session = begin(make_checked_study(practice_pass_share=1.0))
    trials = serving.exchange(session, [], 4).trials
    answers = [make_answer(trial, trial.expected_side) for trial in trials]
    real = serving.exchange(session, answers, 2).trials
    serving.exchange(session, [make_answer(trial, "left") for trial in real], 2)
    session.refresh_from_db()
    assert session.state == "active"


def test_a_session_that_ends_early_gives_back_what_it_held() -> None:
    study = make_checked_study()
    session = begin(study)
    serving.exchange(session, [], 8)
    serving.close(session, Session.State.SCREENED_OUT)
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {0}
    assert not session.trials.open().exists()


def test_a_withdrawn_session_takes_no_late_answer() -> None:
    session = begin(make_checked_study())
    trial = serving.exchange(session, [], 1).trials[0]
    Session.objects.update(state=Session.State.WITHDRAWN)
    receipt = serving.record(session, [make_answer(trial)])
    assert receipt.stored == []
    assert "withdrawn" in receipt.refused[0]["reason"]
