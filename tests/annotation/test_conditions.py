"""How often each condition was closer, from a study's rows."""

import numpy as np
import pytest

from annotation import conditions, serving
from annotation.models import Session, Study, Trial
from tests.annotation.active_study import QUALITY, judge, make_active
from tests.factories import make_answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def wins_of(study: Study) -> dict[tuple[str, str], float]:
    found = conditions.wins_of(study)
    names = [codec for _, codec in found.conditions]
    return {
        (names[one], names[other]): float(found.wins[one, other])
        for one, other in np.argwhere(found.wins)
    }


def test_judgments_are_counted_for_the_one_that_was_closer() -> None:
    study = make_active(codecs=("jpeg", "webp"), n_sources=3)
    judge(study, 3)
    assert wins_of(study) == {("webp", "jpeg"): 3}
    assert conditions.wins_of(study).n_judgments == 3


def test_where_people_are_asked_what_differs_more_the_chosen_one_is_the_worse() -> None:
    study = make_active(codecs=("jpeg", "webp"), n_sources=3, polarity=Study.Polarity.DIFFERS)
    judge(study, 3)
    assert wins_of(study) == {("jpeg", "webp"): 3}


def test_which_image_is_a_triplets_first_makes_no_difference() -> None:
    study = make_active(n_sources=2)
    first_codecs = [triplet.first.codec < triplet.second.codec for triplet in study.triplets.all()]
    assert set(first_codecs) == {True, False}
    judge(study, 12)
    assert all(QUALITY[one] > QUALITY[other] for one, other in wins_of(study))


def test_not_sure_is_half_a_win_for_each() -> None:
    study = make_active(codecs=("jpeg", "webp"), n_sources=3, allow_not_sure=True)
    judge(study, 3, lambda triplet: "not_sure")
    assert wins_of(study) == {("webp", "jpeg"): 1.5, ("jpeg", "webp"): 1.5}


def test_what_analyses_leave_out_is_left_out_here() -> None:
    study = make_active(codecs=("jpeg", "webp"), n_sources=9)
    _, undone, warm, again, excluded = [judge(study, 1)[0] for _ in range(5)]
    later = make_answer(undone.trial, "left", supersedes=undone.pk)
    serving.record(undone.trial.session, [later])
    Trial.objects.filter(pk=warm.trial_id).update(is_warm_up=True)
    Trial.objects.filter(pk=again.trial_id).update(is_repeat=True)
    Session.objects.filter(trials=excluded.trial_id).update(verdict=Session.Verdict.EXCLUDED)
    assert conditions.wins_of(study).n_judgments == 2
    assert sum(wins_of(study).values()) == 2
