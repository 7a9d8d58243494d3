"""Simulated observers go the way of people, and are never taken for people."""

from statistics import median
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import serving
from annotation.freezing import FreezeConfig, freeze_dataset
from annotation.models import Annotator, Judgment, Session, Study
from annotation.simulating import simulate
from codecs_eval.agreement.dataset import read_dataset
from tests.factories import (
    make_annotator,
    make_picture,
    make_reconstruction,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def make_simulated_study(**values: Any) -> Study:
    return make_study(
        **{"is_simulated": True, "n_sources": 4, "session_length": 4,
           "judgments_per_triplet": 3, **values}
    )  # fmt: skip


def test_simulated_observers_fill_a_study_and_finish_their_sessions() -> None:
    study = make_simulated_study()
    done = simulate(study, n_observers=3, seed=1)
    assert (done.n_observers, done.n_judgments) == (3, 12)
    assert Judgment.objects.of_study(study).standing().count() == 12
    assert set(study.sessions.values_list("state", flat=True)) == {Session.State.FINISHED}
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {3}
    assert all(found.is_simulated for found in Annotator.objects.all())
    assert not Judgment.objects.exclude(response_ms__gt=0).exists()


def test_the_same_seed_gives_the_same_times_and_another_seed_others() -> None:
    def times(slug: str, seed: int) -> list[float | None]:
        study = make_simulated_study(slug=slug, collection="photos")
        simulate(study, n_observers=2, seed=seed)
        rows = Judgment.objects.of_study(study).order_by("response_ms")
        return list(rows.values_list("response_ms", flat=True))

    assert times("one", 1) != times("other", 2)


def test_observers_prefer_what_is_plainly_closer() -> None:
    pixels = make_picture(1)
    for index in range(3):
        source = make_source("plain", f"photo-{index}", pixels=make_picture(index))
        make_reconstruction(source, "webp", pixels=make_picture(index))
        make_reconstruction(source, "jpeg", pixels=255 - pixels)
    study = make_simulated_study(collection="plain", judgments_per_triplet=20)
    simulate(study, n_observers=20, seed=1)
    chosen = [
        getattr(judgment.trial.triplet, judgment.choice).codec
        for judgment in Judgment.objects.select_related(
            "trial__triplet__first", "trial__triplet__second"
        )
    ]
    assert len(chosen) == 60
    assert chosen.count("webp") > 45


def test_running_again_goes_on_where_it_ended() -> None:
    study = make_simulated_study()
    simulate(study, n_observers=2, seed=1)
    assert simulate(study, n_observers=2, seed=1).n_judgments == 0
    assert simulate(study, n_observers=3, seed=1).n_judgments == 4
    assert Judgment.objects.count() == 12


def test_a_study_for_people_takes_no_simulated_observer() -> None:
    study = make_study()
    with pytest.raises(ValueError, match="is for people"):
        simulate(study, n_observers=1, seed=1)
    assert not Annotator.objects.exists()
    with pytest.raises(ValueError, match="is for people"):
        serving.begin(study, make_annotator(is_simulated=True))


def test_a_draft_takes_no_simulated_observer() -> None:
    with pytest.raises(ValueError, match="is draft"):
        simulate(make_simulated_study(state="draft"), n_observers=1, seed=1)


@pytest.mark.parametrize("n_observers", [0, -1])
def test_nobody_is_too_few(n_observers: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        simulate(make_simulated_study(), n_observers=n_observers, seed=1)


def test_progress_is_told_for_each_observer() -> None:
    told: list[tuple[int, int]] = []
    simulate(
        make_simulated_study(),
        n_observers=2,
        seed=1,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 2), (2, 2)]


def test_a_simulated_study_has_no_page_for_people() -> None:
    study = make_simulated_study()
    ben = Client()
    assert study.title not in ben.get("/").content.decode()
    for name in ("welcome", "trial", "thanks"):
        assert ben.get(reverse(name, args=[study.slug])).status_code == 404
    assert ben.post(reverse("begin", args=[study.slug])).status_code == 404
    assert not Session.objects.exists()


def test_nobody_speaks_for_a_simulated_observer() -> None:
    study = make_simulated_study()
    session = serving.begin(study, make_annotator(is_simulated=True))
    reply = Client().post(
        reverse("lease", args=[study.slug]),
        {"session": str(session.pk), "want": 1},
        content_type="application/json",
    )
    assert reply.status_code == 403


def test_their_dataset_says_that_they_were_simulated() -> None:
    study = make_simulated_study()
    simulate(study, n_observers=2, seed=1)
    dataset = freeze_dataset(study, FreezeConfig(study=study.slug))
    assert dataset.is_simulated
    assert read_dataset(dataset.folder).judgments["is_simulated"].all()


def test_the_careless_ones_of_a_population_do_not_attend_in_each_way() -> None:
    study = make_simulated_study(n_sources=8, session_length=8, judgments_per_triplet=60)
    simulate(study, n_observers=30, seed=1)
    times = [
        median(session.trials.values_list("judgments__response_ms", flat=True))
        for session in study.sessions.all()
    ]
    # One of three careless is fast throughout: far below everybody else.
    assert sum(time < 0.35 * median(times) for time in times) >= 1
