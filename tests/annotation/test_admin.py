"""Studies in the admin: designed and opened as on the desk; what people said is read-only."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse

from annotation import auditing, inviting, screening
from annotation.models import (
    Annotator,
    Invitation,
    Judgment,
    Screening,
    Session,
    Study,
    StudyChange,
    StudyMember,
    Trial,
    Triplet,
)
from tests.factories import (
    make_ada,
    make_cleo,
    make_judgments,
    make_session,
    make_study,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

TEXTS = {
    "title": "Another title", "question": "Which one is nearer?",
    "instructions": "Look.", "consent": "Yes.",
}  # fmt: skip
ROWS = [Triplet, Annotator, Session, Trial, Judgment]
MODELS = [Study, *ROWS]


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada(is_superuser=True))
    return client


def page(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:annotation_{model._meta.model_name}_{name}", args=args)


def act(client: Client, action: str, *studies: Study) -> None:
    reply = client.post(
        page(Study, "changelist"), {"action": action, "_selected_action": [s.pk for s in studies]}
    )
    assert reply.status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_ada_sees_every_list_and_every_row(ada: Client, model: Any) -> None:
    make_judgments(make_session(make_study()), 1)
    assert ada.get(page(model, "changelist")).status_code == 200
    row = model.objects.first()
    assert ada.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_cleo_and_visitors_are_sent_to_the_admins_login(model: Any) -> None:
    cleo = Client()
    cleo.force_login(make_cleo())
    for client in (cleo, Client()):
        reply = client.get(page(model, "changelist"))
        assert reply.status_code == 302
        assert reply["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", ROWS)
def test_what_people_said_cannot_be_added_changed_or_deleted(ada: Client, model: Any) -> None:
    make_judgments(make_session(make_study()), 1)
    row = model.objects.first()
    before = model.objects.values().get(pk=row.pk)
    assert ada.get(page(model, "add")).status_code == 403
    assert ada.post(page(model, "change", row.pk), {}).status_code == 403
    assert ada.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.values().get(pk=row.pk) == before


def test_adding_a_study_leads_to_the_form_that_makes_its_triplets(ada: Client) -> None:
    reply = ada.get(page(Study, "add"))
    assert (reply.status_code, reply["Location"]) == (302, reverse("new_study"))


def test_the_texts_of_a_draft_can_be_changed(ada: Client) -> None:
    study = make_study(state="draft")
    assert ada.post(page(Study, "change", study.pk), TEXTS).status_code == 302
    study.refresh_from_db()
    assert {name: getattr(study, name) for name in TEXTS} == TEXTS


@pytest.mark.parametrize("state", ["open", "paused", "closed"])
def test_a_frozen_design_cannot_be_changed(ada: Client, state: str) -> None:
    study = make_study(state=state)
    before = Study.objects.values().get()
    ada.post(page(Study, "change", study.pk), {**TEXTS, "seed": 9, "crop_px": 99, "state": "draft"})
    assert Study.objects.values().get() == before
    form = ada.get(page(Study, "change", study.pk)).content.decode()
    assert not [name for name in TEXTS if f'name="{name}"' in form]


def test_nothing_but_texts_of_a_draft_can_be_changed_here(ada: Client) -> None:
    study = make_study(state="draft")
    ada.post(
        page(Study, "change", study.pk),
        {**TEXTS, "seed": 9, "crop_px": 99, "state": "open", "is_simulated": "on", "slug": "x"},
    )
    study.refresh_from_db()
    assert (study.seed, study.crop_px, study.state, study.is_simulated, study.slug) == (
        1, 64, "draft", False, "which",
    )  # fmt: skip


def test_actions_open_pause_and_close(ada: Client) -> None:
    study = make_study(state="draft")
    for action, state in (
        ("open_studies", "open"), ("pause_studies", "paused"), ("close_studies", "closed"),
    ):  # fmt: skip
        act(ada, action, study)
        study.refresh_from_db()
        assert study.state == state
    assert study.is_frozen


def test_an_action_that_cannot_be_leaves_the_other_studies_done(ada: Client) -> None:
    draft, opened = make_study("one", state="draft"), make_study("two")
    act(ada, "close_studies", draft, opened)
    states = dict(Study.objects.values_list("slug", "state"))
    assert states == {"one": "draft", "two": "closed"}


def test_a_draft_can_be_deleted_with_its_triplets(ada: Client) -> None:
    study = make_study(state="draft")
    assert ada.post(page(Study, "delete", study.pk), {"post": "yes"}).status_code == 302
    assert not Study.objects.exists()
    assert not Triplet.objects.exists()


def test_staff_without_the_right_to_delete_cannot_delete_a_draft() -> None:
    study = make_study(state="draft")
    client = Client()
    client.force_login(make_ada(is_superuser=False))
    assert client.post(page(Study, "delete", study.pk), {"post": "yes"}).status_code == 403
    assert Study.objects.exists()


def test_a_study_that_was_opened_cannot_be_deleted(ada: Client) -> None:
    study = make_study()
    assert ada.post(page(Study, "delete", study.pk), {"post": "yes"}).status_code == 403
    ada.post(
        page(Study, "changelist"),
        {"action": "delete_selected", "_selected_action": [study.pk], "post": "yes"},
    )
    assert Study.objects.count() == 1


# Only the rows of studies that one may see


ALL_ROWS = [*MODELS, Invitation, Screening, StudyMember, StudyChange]


def staff(role: str = "", *studies: Study) -> Client:
    """With every right of the admin, but no superuser; named on the studies."""
    user = make_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    for study in studies:
        StudyMember.objects.create(study=study, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def closed_off() -> Study:
    """A study with a row of each kind, owned by Ada alone."""
    study = make_study(title="Another's study")
    ada = make_ada()
    StudyMember.objects.create(study=study, user=ada, role="owner")
    session = make_session(study)
    make_judgments(session, 1)
    screening.decide(session, "trusted", "Watched.", ada)
    inviting.invite(study, 1)
    return study


@pytest.mark.parametrize("model", ALL_ROWS)
def test_rows_of_anothers_study_are_not_there(model: Any) -> None:
    closed_off()
    row, eve = model.objects.first(), staff()
    listed = eve.get(page(model, "changelist"))
    assert listed.context["cl"].result_count == 0
    assert "Another&#x27;s study" not in listed.content.decode()
    # The admin says so by leading to its start page.
    assert eve.get(page(model, "change", row.pk)).status_code == 302


@pytest.mark.parametrize("model", ALL_ROWS)
def test_rows_of_a_study_that_one_reads_are_there(model: Any) -> None:
    study = closed_off()
    row, eve = model.objects.first(), staff("viewer", study)
    assert eve.get(page(model, "changelist")).context["cl"].result_count >= 1
    assert eve.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize(("role", "state"), [("viewer", "open"), ("researcher", "paused")])
def test_actions_need_the_part_of_researcher(role: str, state: str) -> None:
    study = closed_off()
    act(staff(role, study), "pause_studies", study)
    study.refresh_from_db()
    assert study.state == state


@pytest.mark.parametrize("role", ["viewer", "researcher"])
def test_texts_need_the_part_of_researcher_and_are_recorded(role: str) -> None:
    study = make_study(state="draft")
    StudyMember.objects.create(study=study, user=make_ada(), role="owner")
    staff(role, study).post(page(Study, "change", study.pk), TEXTS)
    study.refresh_from_db()
    if role == "viewer":
        assert study.title != TEXTS["title"]
        assert not study.changes.exists()
        return
    row = study.changes.get()
    assert (row.by, row.what) == ("eve", "Texts edited in the admin")
    assert row.after["title"] == TEXTS["title"]
    assert row.before["title"] == "Which is closer?"
    assert row.after.keys() == {"title", "question", "instructions", "consent"}


def test_only_an_owner_deletes_a_draft() -> None:
    study = make_study(state="draft")
    StudyMember.objects.create(study=study, user=make_ada(), role="owner")
    eve = staff("researcher", study)
    assert eve.post(page(Study, "delete", study.pk), {"post": "yes"}).status_code == 403
    study.members.filter(user__username="eve").update(role="owner")
    assert eve.post(page(Study, "delete", study.pk), {"post": "yes"}).status_code == 302
    assert not Study.objects.exists()


def test_the_trail_cannot_be_added_to_changed_or_deleted(ada: Client) -> None:
    study = make_study()
    with transaction.atomic():
        auditing.record(study, None, "touched")
    row = study.changes.get()
    for name, args in (("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
        form = {"what": "nothing", "post": "yes"}
        assert ada.post(page(StudyChange, name, *args), form).status_code == 403
    assert study.changes.get().what == "touched"
