"""The triplets of a study, and who gets which trial next."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation import planning, serving, triplets
from annotation.models import Session, Study, Trial, Triplet
from codecs_eval.models import Reconstruction, SourceImage
from tests.factories import (
    make_annotator,
    make_answer,
    make_judgments,
    make_ladder,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def let_leases_run_out() -> None:
    Trial.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


# The triplets of a study


def test_every_two_codecs_of_a_source_meet_at_every_rate() -> None:
    study = make_study(n_sources=2, codecs=("avif", "jpeg", "webp"), rates_bpp=(0.3, 0.6))
    pairs = Counter(frozenset((t.first.codec, t.second.codec)) for t in study.triplets.all())
    assert pairs == {
        frozenset(pair): 2 * 2 for pair in (("avif", "jpeg"), ("avif", "webp"), ("jpeg", "webp"))
    }
    for triplet in study.triplets.all():
        assert triplet.first.source_id == triplet.second.source_id == triplet.source_id
        assert triplet.first.target_bpp == triplet.second.target_bpp == triplet.target_bpp


def test_a_reconstruction_that_missed_its_rate_is_left_out_and_counted() -> None:
    source = make_source("mixed")
    for codec in ("jpeg", "webp"):
        make_reconstruction(source, codec)
    make_reconstruction(source, "avif", state=Reconstruction.State.NEAREST, bpp=0.61)
    study = make_study(collection="mixed", codecs=("avif", "jpeg", "webp"), state="draft")
    planned = triplets.plan_triplets(study)
    assert planned.n_triplets == 1
    assert planned.left_out == {"state nearest": 1}
    (triplet,) = study.triplets.all()
    assert {triplet.first.codec, triplet.second.codec} == {"jpeg", "webp"}


def test_a_pair_with_unequal_rates_is_left_out_and_counted() -> None:
    source = make_source("mixed")
    make_reconstruction(source, "jpeg", bpp=0.5 * 0.9802)
    make_reconstruction(source, "webp", bpp=0.5)
    make_reconstruction(source, "avif", bpp=0.5 * 1.0198)
    study = make_study(collection="mixed", codecs=("avif", "jpeg", "webp"), state="draft")
    planned = triplets.plan_triplets(study)
    # jpeg and avif lie 4.04 % apart, more than the 4 % that a study allows.
    assert planned.n_triplets == 2
    assert list(planned.left_out.values()) == [1]


def test_a_hit_within_a_looser_tolerance_is_no_hit_in_a_study() -> None:
    source = make_source("loose")
    for codec, share in (("jpeg", 1.08), ("webp", 1.08), ("avif", 1.0), ("hevc", 1.0)):
        make_reconstruction(source, codec, bpp=0.5 * share, tolerance=0.1)
    study = make_study(collection="loose", codecs=("avif", "hevc", "jpeg", "webp"), state="draft")
    planned = triplets.plan_triplets(study)
    assert (planned.n_triplets, planned.left_out) == (1, {"state nearest": 2})


def test_planning_without_a_single_pair_says_what_to_do() -> None:
    make_source("bare")
    with pytest.raises(ValueError, match="encode_ladder"):
        make_study(collection="bare")


def test_where_a_codec_was_upgraded_the_newest_reconstruction_is_shown() -> None:
    (source,) = make_ladder("upgraded", n_sources=1)
    newest = make_reconstruction(source, "jpeg", codec_version="the next one")
    study = make_study(collection="upgraded")
    (triplet,) = study.triplets.all()
    assert newest in (triplet.first, triplet.second)


def test_the_same_seed_plans_the_same_order_and_another_seed_another() -> None:
    orders = {}
    for slug, seed in (("one", 7), ("again", 7), ("other", 8)):
        study = make_study(slug, collection="photos", n_sources=8, seed=seed)
        orders[slug] = list(study.triplets.order_by("shuffle").values_list("source", flat=True))
    assert orders["one"] == orders["again"] != orders["other"]


def test_an_opened_study_keeps_its_triplets() -> None:
    study = make_study()
    before = list(study.triplets.values_list("pk", flat=True))
    with pytest.raises(ValueError, match="was opened"):
        triplets.plan_triplets(study)
    assert list(study.triplets.values_list("pk", flat=True)) == before


def test_planning_a_draft_again_replaces_its_triplets() -> None:
    study = make_study(state="draft", n_sources=3)
    triplets.plan_triplets(study)
    assert study.triplets.count() == 3


@pytest.mark.parametrize("crop", ["whole", "centre", "random"])
def test_a_crop_lies_inside_its_photo_and_is_one_for_all_triplets_of_it(crop: str) -> None:
    study = make_study(codecs=("avif", "jpeg", "webp"), crop=crop)
    boxes = {(t.source_id, t.box) for t in study.triplets.all()}
    assert len(boxes) == 2
    for source_id, (left, top, right, bottom) in boxes:
        source = SourceImage.objects.get(pk=source_id)
        assert 0 <= left < right <= source.width
        assert 0 <= top < bottom <= source.height
        expected = (96, 64) if crop == Study.Crop.WHOLE else (64, 64)
        assert (right - left, bottom - top) == expected


def test_a_random_crop_depends_on_the_seed_alone() -> None:
    places = {}
    for slug, seed in (("one", 7), ("again", 7), ("other", 8)):
        study = make_study(slug, collection="photos", n_sources=6, seed=seed, crop="random")
        places[slug] = dict(study.triplets.values_list("source", "crop_left_px"))
    assert places["one"] == places["again"] != places["other"]


def test_a_crop_larger_than_the_photo_is_the_whole_photo() -> None:
    (triplet, _) = make_study(crop_px=4096).triplets.all()
    assert triplet.box == (0, 0, 96, 64)


# The next trials of a session


def test_a_person_never_gets_the_same_triplet_twice() -> None:
    study = make_study(n_sources=6, session_length=4, judgments_per_triplet=9)
    ben = make_annotator()
    first = make_session(study, ben)
    make_judgments(first, 4)
    serving.finish(first)
    second = make_session(study, ben)
    later = planning.lease_trials(second, 4)
    assert len(later) == 2
    seen = Trial.objects.filter(annotator=ben).values_list("triplet", flat=True)
    assert len(set(seen)) == len(seen) == 6


def test_the_database_itself_refuses_a_second_showing() -> None:
    study = make_study()
    session = make_session(study)
    (trial,) = planning.lease_trials(session, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Trial.objects.create(
            session=session,
            annotator_id=session.annotator_id,
            triplet=trial.triplet,
            position=99,
            first_on_left=True,
            lease_until=timezone.now(),
        )


def test_the_neediest_come_first_while_sessions_come_and_go() -> None:
    study = make_study(n_sources=11, session_length=7, judgments_per_triplet=9)
    chance = random.Random(5)
    sitting: list[Session] = []
    for _ in range(60):
        act = chance.choice(["come", "lease", "lease", "answer", "leave"])
        if act == "come" or not sitting:
            sitting.append(make_session(study))
        session = chance.choice(sitting)
        if act == "lease":
            planning.lease_trials(session, chance.randint(1, 3))
        elif act == "answer":
            trials = list(session.trials.open())
            serving.record(session, [make_answer(trial) for trial in trials])
        elif act == "leave":
            sitting.remove(session)
        n_assigned = list(study.triplets.values_list("n_assigned", flat=True))
        assert max(n_assigned) - min(n_assigned) <= 1
        assert sum(n_assigned) == Trial.objects.count()
    assert Trial.objects.count() > 2 * 11, "the walk was too short to say anything"


def test_no_triplet_is_handed_out_more_often_than_wanted() -> None:
    study = make_study(n_sources=4, judgments_per_triplet=2)
    for _ in range(4):
        planning.lease_trials(make_session(study), 4)
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {2}
    assert Trial.objects.count() == 8


def test_a_session_never_grows_beyond_its_length() -> None:
    session = make_session(make_study(n_sources=9, session_length=5))
    assert len(planning.lease_trials(session, 3)) == 3
    assert len(planning.lease_trials(session, 8)) == 2
    assert planning.lease_trials(session, 8) == []
    assert list(session.trials.values_list("position", flat=True)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("block", [1, 3, 8])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sides_are_balanced_within_a_session(seed: int, block: int) -> None:
    study = make_study(n_sources=17, session_length=17)
    session = make_session(study, seed=seed)
    while planning.lease_trials(session, block):
        pass
    sides = list(session.trials.order_by("position").values_list("first_on_left", flat=True))
    assert len(sides) == 17
    for n in range(1, 18):
        assert abs(2 * sum(sides[:n]) - n) <= 1


def test_sides_follow_the_sessions_seed_and_not_its_blocks() -> None:
    def sides(seed: int, block: int) -> list[bool]:
        session = make_session(Study.objects.get(), seed=seed)
        while planning.lease_trials(session, block):
            pass
        return list(session.trials.order_by("position").values_list("first_on_left", flat=True))

    make_study(n_sources=12, session_length=12, judgments_per_triplet=9)
    assert sides(4, block=1) == sides(4, block=5)
    assert len({tuple(sides(seed, block=12)) for seed in range(5)}) > 1


def test_checks_and_practice_are_not_handed_out_as_main_trials() -> None:
    study = make_study(n_sources=2)
    study.triplets.filter(pk=study.triplets.earliest("pk").pk).update(kind=Triplet.Kind.SENTINEL)
    assert len(planning.lease_trials(make_session(study), 8)) == 1


# Leases


def test_a_lease_that_ran_out_returns_its_slot() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=1)
    gone = make_session(study)
    planning.lease_trials(gone, 2)
    late = make_session(study)
    assert planning.lease_trials(late, 2) == []
    let_leases_run_out()
    assert planning.return_overdue() == 2
    assert set(gone.trials.values_list("state", flat=True)) == {Trial.State.EXPIRED}
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {0}
    assert len(planning.lease_trials(late, 2)) == 2


def test_a_lease_that_still_runs_is_left_alone() -> None:
    session = make_session(make_study())
    planning.lease_trials(session, 2)
    assert planning.return_overdue() == 0
    assert session.trials.open().count() == 2


def test_returning_leases_twice_returns_each_slot_once() -> None:
    study = make_study()
    planning.lease_trials(make_session(study), 2)
    let_leases_run_out()
    assert [planning.return_overdue(), planning.return_overdue()] == [2, 0]
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {0}


def test_a_judged_trial_keeps_its_slot_whatever_its_lease_says() -> None:
    study = make_study()
    make_judgments(make_session(study), 2)
    let_leases_run_out()
    assert planning.return_overdue() == 0
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {1}


def test_a_person_who_comes_back_gets_the_slots_that_nobody_took() -> None:
    study = make_study(n_sources=3, judgments_per_triplet=1, session_length=3)
    session = make_session(study)
    before = planning.lease_trials(session, 3)
    let_leases_run_out()
    planning.return_overdue()
    other = make_session(study)
    (taken,) = planning.lease_trials(other, 1)
    back = planning.lease_trials(session, 3)
    expected = {trial.pk for trial in before if trial.triplet_id != taken.triplet_id}
    assert {trial.pk for trial in back} == expected
    assert all(trial.lease_until > timezone.now() for trial in back)
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {1}
