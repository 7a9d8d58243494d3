"""A preview goes the way of people, is its makers' alone, and nothing in it counts."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import conditions, exporting, planning, previewing, serving, team, watching
from annotation.freezing import FreezeConfig, freeze_dataset
from annotation.models import Judgment, Session, Study, StudyMember, Trial
from annotation.results_reading import read_rows
from tests.factories import (
    begin_in,
    make_ada,
    make_answer,
    make_ben,
    make_judgments,
    make_session,
    make_study,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def answer_some(preview: Study, n: int = 3) -> Session:
    """As its maker: every trial answered, the last one changed."""
    session = preview.sessions.get()
    (*_, last) = make_judgments(session, n)
    serving.record(session, [make_answer(last.trial, "right", supersedes=last.pk)])
    return session


def make_previewed(**values: Any) -> tuple[Study, Study, Client]:
    """A study with a preview in which Ada answered."""
    study = make_study(
        **{"n_sources": 4, "session_length": 4, "judgments_per_triplet": 9, **values}
    )
    ada = make_ada()
    client = logged_in(ada)
    preview = previewing.open_preview(study, ada)
    begin_in(client, preview)
    answer_some(preview)
    return study, preview, client


@pytest.mark.parametrize("state", ["draft", "open", "closed"])
def test_a_preview_shows_the_studys_own_triplets_in_any_state(state: str) -> None:
    study = make_study(state=state, n_sources=3, question="Which one would you print?")
    preview = previewing.open_preview(study, make_ada())
    assert (preview.purpose, preview.state, preview.copied_from) == ("preview", "open", study)
    keys = ("first", "second", "crop_left_px", "crop_top_px", "kind", "expected")
    assert list(preview.triplets.values_list(*keys)) == list(study.triplets.values_list(*keys))
    assert preview.question == "Which one would you print?"


def test_ada_goes_through_the_real_pages_which_say_that_nothing_counts() -> None:
    study = make_study(n_sources=4, session_length=4, recruiting="invited", sessions_per_person=1)
    ada = logged_in(make_ada())
    reply = ada.post(reverse("study_preview", args=["which"]))
    preview = Study.objects.get(purpose="preview")
    assert reply["Location"] == reverse("welcome", args=[preview.slug])
    label = "PREVIEW: nothing here counts"
    assert label in ada.get(reply["Location"]).content.decode()
    assert begin_in(ada, preview)["Location"] == reverse("trial", args=[preview.slug])
    assert label in ada.get(reverse("trial", args=[preview.slug])).content.decode()
    session = answer_some(preview, 4)
    serving.finish(session)
    assert label in ada.get(reverse("thanks", args=[preview.slug])).content.decode()
    assert label not in ada.get(reverse("study", args=[study.slug])).content.decode()


def test_the_pages_of_a_study_do_not_say_preview() -> None:
    study = make_study()
    assert "PREVIEW" not in Client().get(reverse("welcome", args=[study.slug])).content.decode()


@pytest.mark.parametrize("name", ["welcome", "trial", "checks", "thanks", "withdraw"])
def test_others_find_no_preview(name: str) -> None:
    _, preview, _ = make_previewed()
    address = reverse(name, args=[preview.slug])
    for client in (Client(), logged_in(make_ben())):
        assert client.get(address).status_code == 404


def test_others_cannot_begin_in_a_preview() -> None:
    _, preview, _ = make_previewed()
    for client in (Client(), logged_in(make_ben())):
        assert begin_in(client, preview).status_code == 404
    assert preview.sessions.count() == 1


def test_only_who_may_see_the_desk_of_a_study_may_preview_it() -> None:
    study = make_study()
    dan, eve = make_user("dan", is_staff=True), make_user("eve", is_staff=True)
    StudyMember.objects.create(study=study, user=dan, role="viewer")
    assert logged_in(eve).post(reverse("study_preview", args=["which"])).status_code == 403
    assert logged_in(dan).post(reverse("study_preview", args=["which"])).status_code == 302
    preview = Study.objects.get(purpose="preview")
    assert logged_in(eve).get(reverse("welcome", args=[preview.slug])).status_code == 404
    assert logged_in(dan).get(reverse("welcome", args=[preview.slug])).status_code == 200
    # Whoever leaves the study leaves its preview.
    study.members.filter(user=dan).update(role="annotator")
    assert logged_in(dan).get(reverse("welcome", args=[preview.slug])).status_code == 404


def test_the_next_preview_replaces_the_one_before() -> None:
    study, preview, _ = make_previewed()
    ada = preview.created_by
    assert ada is not None
    later = previewing.open_preview(study, ada)
    assert list(Study.objects.filter(purpose="preview")) == [later]
    assert not Judgment.objects.exists()
    assert not Trial.objects.exists()


def test_two_makers_do_not_take_each_others_preview_away() -> None:
    study, preview, _ = make_previewed()
    previewing.open_preview(study, make_user("dan", is_staff=True))
    assert preview in Study.objects.filter(purpose="preview")
    assert Study.objects.filter(purpose="preview").count() == 2


# Nothing counts


def test_what_was_answered_in_a_preview_is_in_no_count_of_its_study() -> None:
    study, _, client = make_previewed()
    assert watching.watch(study).progress.n_judged == 0
    assert read_rows(study).table.empty
    assert set(study.triplets.values_list("n_judged", "n_assigned")) == {(0, 0)}
    assert study.sessions.count() == 0
    for address in ("/", "/studies/"):
        page = client.get(address).content.decode()
        assert "preview-which" not in page
    assert "preview" not in Client().get("/").content.decode()


def test_what_was_answered_in_a_preview_is_no_judgment_that_counts() -> None:
    _, preview, _ = make_previewed()
    assert Judgment.objects.count() == 4
    assert Judgment.objects.counted().count() == 0
    assert conditions.wins_of(preview).n_judgments == 0


def test_no_export_holds_what_was_answered_in_a_preview() -> None:
    study, preview, _ = make_previewed()
    make_judgments(make_session(study), 2)
    for asked, n in ((None, 2), (study, 2), (preview, 0)):
        lines = "".join(exporting.judgments_csv(asked)).lstrip("\ufeff")
        assert len(list(csv.DictReader(io.StringIO(lines)))) == n


def test_a_preview_is_not_frozen() -> None:
    _, preview, _ = make_previewed()
    with pytest.raises(ValueError, match="is a preview"):
        freeze_dataset(preview, FreezeConfig(study=preview.slug))


@pytest.mark.parametrize(
    "name", ["study", "study_watch", "study_results", "study_gallery", "study_export",
             "judgments_csv", "edit_study", "study_power"],
)  # fmt: skip
def test_a_preview_has_no_desk(name: str) -> None:
    _, preview, client = make_previewed()
    assert client.get(reverse(name, args=[preview.slug])).status_code == 404


def test_a_preview_is_not_among_the_studies_that_one_may_see() -> None:
    study, preview, _ = make_previewed()
    assert preview.created_by is not None
    assert list(team.visible_to(preview.created_by)) == [study]


def test_who_previewed_a_study_may_take_part_in_it_as_anybody_else() -> None:
    study, _, client = make_previewed(n_practice=0)
    begin_in(client, study)
    session = study.sessions.get()
    assert len(planning.lease_trials(session, 4)) == 4


# What cannot be previewed


def test_there_must_be_something_to_show() -> None:
    ada = make_ada()
    with pytest.raises(ValueError, match="no triplets"):
        study = make_study("bare", state="draft")
        study.triplets.all().delete()
        previewing.open_preview(study, ada)
    with pytest.raises(ValueError, match="simulated observers"):
        previewing.open_preview(make_study("made-up", is_simulated=True), ada)
    with pytest.raises(ValueError, match="open its original"):
        study = make_study("real")
        previewing.open_preview(previewing.open_preview(study, ada), ada)
