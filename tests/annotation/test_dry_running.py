"""A dry run answers a copy of a study, says that it is simulated, and leaves the study alone."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import dry_running, revising
from annotation.dry_running import DryRunConfig
from annotation.models import Annotator, Judgment, Study, StudyMember
from codecs_eval import runs
from codecs_eval.models import Run
from tests.factories import (
    make_ada,
    make_picture,
    make_reconstruction,
    make_source,
    make_study,
    make_user,
)

pytestmark = [
    # A run renews its lease from a thread of its own, which sees only rows that are committed.
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("triad_home"),
]


def make_plain_study(**values: Any) -> Study:
    """webp is the photo itself, avif is a little off, jpeg its negative: the order is plain."""
    for index in range(3):
        pixels = make_picture(index)
        source = make_source("plain", f"photo-{index}", pixels=pixels)
        make_reconstruction(source, "webp", pixels=pixels)
        make_reconstruction(source, "avif", pixels=pixels // 2 + 40)
        make_reconstruction(source, "jpeg", pixels=255 - pixels)
    return make_study(
        **{
            "collection": "plain", "codecs": ("avif", "jpeg", "webp"), "session_length": 9,
            "judgments_per_triplet": 8, "state": "draft", **values,
        }
    )  # fmt: skip


def execute(run: Run) -> Run:
    assert runs.claim(run.pk, "test")
    runs.execute(run.pk, "test")
    run.refresh_from_db()
    return run


def test_a_dry_run_finds_the_order_that_its_observers_see_and_counts_nothing_of_the_study() -> None:
    study = make_plain_study()
    run = execute(dry_running.start(study, user=make_ada()))
    assert (run.state, run.is_simulated) == ("done", True), run.error
    made = Study.objects.get(slug=run.result["dry_run"])
    assert (made.purpose, made.is_simulated, made.copied_from, made.state) == (
        "dry_run", True, study, "closed",
    )  # fmt: skip
    assert (run.result["n_observers"], run.result["n_wanted"]) == (8, 72)
    assert run.result["n_judgments"] == 72
    assert (run.result["n_pairs"], run.result["n_right"]) == (3, 3)
    assert 0.1 < run.result["minutes_a_session"] < 3
    study.refresh_from_db()
    assert study.state == "draft"
    assert not Judgment.objects.of_study(study).exists()
    assert set(study.triplets.values_list("n_assigned", flat=True)) == {0}
    assert all(found.is_simulated for found in Annotator.objects.all())


def test_what_is_asked_the_other_way_round_is_read_the_other_way_round() -> None:
    study = make_plain_study(polarity="differs")
    run = execute(dry_running.start(study))
    assert (run.result["n_pairs"], run.result["n_right"]) == (3, 3)


def test_an_attempt_after_a_killed_one_goes_on_in_the_same_copy() -> None:
    study = make_plain_study()
    run = dry_running.start(study, observers=2)
    dry_running.begin(study, f"which-dry-{run.pk.hex[:8]}")
    execute(run)
    assert Study.objects.filter(purpose="dry_run").count() == 1
    assert run.result["n_observers"] == 2


def test_the_dry_runs_stand_on_the_design_page_labelled_and_with_their_own_pages() -> None:
    study = make_plain_study()
    client = Client()
    client.force_login(make_ada())
    run = execute(dry_running.start(study))
    page = client.get(reverse("study", args=[study.slug])).content.decode()
    assert "SIMULATED" in page
    assert "3 of 3" in page
    for name in ("study", "study_watch", "study_results", "study_gallery"):
        reply = client.get(reverse(name, args=[run.result["dry_run"]]))
        assert reply.status_code == 200
        assert "SIMULATED" in reply.content.decode()
    assert run.result["dry_run"] not in client.get("/studies/").content.decode()
    assert Client().get(reverse("welcome", args=[run.result["dry_run"]])).status_code == 404


def test_a_dry_run_is_read_by_the_people_of_its_study_alone() -> None:
    study = make_plain_study()
    run = execute(dry_running.start(study, observers=1))
    dan, eve = make_user("dan", is_staff=True), make_user("eve", is_staff=True)
    StudyMember.objects.create(study=study, user=dan, role="viewer")
    for user, status in ((dan, 200), (eve, 403)):
        client = Client()
        client.force_login(user)
        address = reverse("study_results", args=[run.result["dry_run"]])
        assert client.get(address).status_code == status


def test_a_deleted_draft_takes_its_dry_runs_along() -> None:
    study = make_plain_study()
    execute(dry_running.start(study, observers=2))
    revising.discard(study)
    assert not Study.objects.exists()
    assert not Annotator.objects.exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [({"study": ""}, "short name"), ({"study": "x", "observers": -1}, "0 to"),
     ({"study": "x", "seed": -1}, "seed")],
)  # fmt: skip
def test_a_dry_run_that_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DryRunConfig(**values)


def test_only_a_planned_study_of_its_own_is_tried_out() -> None:
    study = make_study(state="draft")
    made = dry_running.begin(study, "tried")
    with pytest.raises(ValueError, match="its original"):
        dry_running.start(made)
    study.triplets.all().delete()
    with pytest.raises(ValueError, match="no triplets"):
        dry_running.start(study)
    assert not Run.objects.exists()
