"""The pages about studies: who may see them, what they say, how many queries they take."""

import csv
import io
import json
import uuid
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.html import escape

from annotation import gallery_views, serving, urls
from annotation.models import Study
from codecs_eval import runs
from codecs_eval.models import Dataset, Run
from tests.factories import (
    make_ada,
    make_answer,
    make_cleo,
    make_judgments,
    make_ladder,
    make_session,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

FOR_PEOPLE = {
    "home", "welcome", "begin", "checks", "trial", "thanks", "lease", "judgments", "finish",
    "trial_image", "withdraw", "invitation", "screen_out", "shared_triplet", "shared_picture",
}  # fmt: skip
# Whatever is not for people is the desk's: a new page is guarded or this file says so.
DESK = sorted(
    pattern.name
    for pattern in urls.urlpatterns
    if isinstance(pattern, URLPattern) and pattern.name and pattern.name not in FOR_PEOPLE
)
SOMEBODY = uuid.UUID(int=1)
A_PICTURE = ["which", 1, "first"]
BESIDE_STUDIES = ["sources", "codecs", "metrics", "datasets", "runs", "reports"]
TABS = [
    "study", "study_watch", "study_results", "study_gallery", "study_export", "study_conformance",
]  # fmt: skip


def address_of(name: str) -> str:
    """With as many of a study and a session, or a triplet and a picture, as it takes."""
    for args in (
        [], ["which"], ["which", SOMEBODY], ["which", 1], ["which", "pdf"], [*A_PICTURE],
        [SOMEBODY],
    ):  # fmt: skip
        with suppress(NoReverseMatch):
            return reverse(name, args=args)
    raise AssertionError(f"{name} takes something else")


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def text_of(reply: Any) -> str:
    return reply.content.decode()


# Who may see the desk


def test_the_desk_has_the_pages_that_this_file_knows() -> None:
    assert set(TABS) < set(DESK)
    assert {"studies", "new_study", "judgments_csv", "study_state", "study_freeze"} < set(DESK)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", [*DESK, *BESIDE_STUDIES])
def test_a_visitor_is_asked_to_log_in(name: str, method: str) -> None:
    make_study()
    address = address_of(name)
    reply = getattr(Client(), method)(address)
    assert reply.status_code == 302
    assert reply["Location"] == f"{reverse('login')}?next={address}"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", [*DESK, *BESIDE_STUDIES])
def test_cleo_is_told_no(name: str, method: str) -> None:
    make_study()
    cleo = Client()
    cleo.force_login(make_cleo())
    assert getattr(cleo, method)(address_of(name)).status_code == 403


@pytest.mark.parametrize("name", ["studies", "new_study", *TABS])
def test_ada_goes_in(ada: Client, name: str) -> None:
    study = make_study(title="What <b>Ada</b> asks")
    make_judgments(make_session(study), 2)
    reply = ada.get(address_of(name))
    assert reply.status_code == 200
    if name != "new_study":
        assert escape(study.title) in text_of(reply)
        assert study.title not in text_of(reply)


@pytest.mark.parametrize("name", TABS)
def test_a_study_that_does_not_exist_is_not_found(ada: Client, name: str) -> None:
    assert ada.get(reverse(name, args=["ghost"])).status_code == 404


@pytest.mark.parametrize("name", TABS)
def test_a_tab_of_an_empty_study_says_so_and_stands(ada: Client, name: str) -> None:
    make_study(state="draft")
    assert ada.get(reverse(name, args=["which"])).status_code == 200


@pytest.mark.parametrize("name", ["studies", *TABS])
def test_a_simulated_study_says_so_on_every_page(ada: Client, name: str) -> None:
    make_study(is_simulated=True, title="Dry run")
    assert "simulated" in text_of(ada.get(address_of(name))).lower()


@pytest.mark.parametrize("name", ["studies", *TABS])
def test_a_page_takes_as_many_queries_for_many_rows_as_for_few(name: str) -> None:
    client = Client()
    client.force_login(make_ada())
    study = make_study(n_sources=8, session_length=8, judgments_per_triplet=9)
    make_judgments(make_session(study), 1)
    address = address_of(name)
    few = _queries(client, address)
    for _ in range(4):
        make_judgments(make_session(study), 8)
    make_study("more")
    assert _queries(client, address) == few
    # A conformance report asks for everything that is known, once.
    assert few <= {"study_watch": 17, "study_conformance": 46}.get(name, 15)


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


# What the desk says


def test_the_gallery_counts_each_standing_choice_once(ada: Client) -> None:
    study = make_study(n_sources=2, judgments_per_triplet=9)
    for _ in range(3):
        session = make_session(study)
        (first, _) = make_judgments(session, 2)
        serving.record(session, [make_answer(first.trial, "right", supersedes=first.pk)])
    cards = ada.get(reverse("study_gallery", args=["which"])).context["cards"]
    assert len(cards) == 2
    for card in cards:
        assert card.triplet.n_judged == card.votes.n == 3


def test_the_gallery_has_pages(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_views, "TRIPLETS_A_PAGE", 2)
    make_study(n_sources=3)
    address = reverse("study_gallery", args=["which"])
    assert len(ada.get(address, {"page": 1}).context["page"]) == 2
    assert len(ada.get(address, {"page": 2}).context["page"]) == 1
    assert ada.get(address, {"page": "nonsense"}).status_code == 200


def test_the_csv_is_a_streamed_download(ada: Client) -> None:
    study = make_study()
    make_judgments(make_session(study), 2)
    reply = ada.get(reverse("judgments_csv", args=["which"]))
    assert reply.streaming
    assert reply["Content-Disposition"] == 'attachment; filename="judgments-which.csv"'
    lines = reply.getvalue().decode()
    assert len(list(csv.DictReader(io.StringIO(lines)))) == 2


def test_a_simulated_csv_says_so_in_its_name(ada: Client) -> None:
    make_study(is_simulated=True)
    reply = ada.get(reverse("judgments_csv", args=["which"]))
    assert "judgments-which-SIMULATED.csv" in reply["Content-Disposition"]


# What Ada does


FORM = {
    "title": "Which?", "slug": "new-one", "collection": "kodak", "codecs": ["jpeg", "webp"],
    "rates_bpp": "0.5", "crop": "centre", "crop_px": 64, "judgments_per_triplet": 2,
    "session_length": 10, "seed": 3,
}  # fmt: skip


def test_ada_designs_a_study(ada: Client) -> None:
    make_ladder("kodak")
    reply = ada.post(reverse("new_study"), FORM)
    assert reply.status_code == 302
    assert reply["Location"] == reverse("study", args=["new-one"])
    study = Study.objects.get()
    assert (study.state, str(study.created_by), study.seed) == ("draft", "ada", 3)
    assert study.triplets.count() == 2
    assert "2 triplets planned" in text_of(ada.get(reply["Location"]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"codecs": ["jpeg"]}, "at least two"),
        ({"codecs": []}, "required"),
        ({"rates_bpp": "fast"}, "separated by commas"),
        ({"rates_bpp": "0"}, "bits per pixel"),
        ({"rates_bpp": "0.77"}, "encode_ladder"),
        ({"collection": "ghost"}, "ghost"),
        ({"slug": "two words"}, "slug"),
        ({"slug": "taken"}, "exists"),
        ({"crop_px": "10"}, "64"),
        ({"title": ""}, "required"),
    ],
    ids=str,
)
def test_a_design_that_cannot_be_made_is_told_in_the_form(
    ada: Client, change: dict[str, Any], said: str
) -> None:
    make_ladder("kodak")
    make_study("taken", collection="kodak")
    reply = ada.post(reverse("new_study"), {**FORM, **change})
    assert reply.status_code == 200
    errors = json.dumps(reply.context["form"].errors.get_json_data())
    assert said in errors
    assert Study.objects.count() == 1


def test_ada_opens_pauses_and_closes(ada: Client) -> None:
    study = make_study(state="draft")
    for state in ("open", "paused", "closed"):
        reply = ada.post(reverse("study_state", args=["which"]), {"state": state}, follow=True)
        study.refresh_from_db()
        assert study.state == state
        assert f"now {state}" in text_of(reply)


def test_a_step_that_does_not_exist_is_told(ada: Client) -> None:
    study = make_study(state="draft")
    for state in ("paused", "nonsense", ""):
        reply = ada.post(reverse("study_state", args=["which"]), {"state": state}, follow=True)
        assert [str(found.level_tag) for found in reply.context["messages"]] == ["error"]
        study.refresh_from_db()
        assert study.state == "draft"


@pytest.mark.parametrize("name", ["study_state", "study_freeze"])
def test_reading_never_changes_a_study(ada: Client, name: str) -> None:
    make_study(state="draft")
    assert ada.get(reverse(name, args=["which"])).status_code == 405


# A run renews its lease from a thread of its own, which sees only rows that are committed.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_simulated", [True, False])
def test_ada_freezes_a_dataset_as_a_run(ada: Client, is_simulated: bool) -> None:
    make_judgments(make_session(make_study(is_simulated=is_simulated)), 2)
    form = {"name": "first", "seed": 2, "test_share": 0.5}
    reply = ada.post(reverse("study_freeze", args=["which"]), form)
    run = Run.objects.get()
    assert reply["Location"] == reverse("run", args=[run.pk])
    assert (run.kind, str(run.created_by), run.is_simulated) == (
        "freeze_dataset", "ada", is_simulated,
    )  # fmt: skip
    assert runs.claim(run.pk, "test")
    assert runs.execute(run.pk, "test") == Run.State.DONE
    run.refresh_from_db()
    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.is_simulated, str(dataset.created_by)) == (
        "first", is_simulated, "ada",
    )  # fmt: skip
    assert run.dataset == dataset


def test_a_freeze_that_cannot_be_is_told(ada: Client) -> None:
    make_study()
    form = {"name": "first", "seed": 2, "test_share": 7}
    reply = ada.post(reverse("study_freeze", args=["which"]), form, follow=True)
    assert "Nothing was frozen" in text_of(reply)
    assert not Run.objects.exists()
