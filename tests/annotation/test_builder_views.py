"""The study builder's pages: counting, making, changing; who may; without scripts too."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import designing, long_planning
from annotation.crops import MEGAPIXELS_AT_ONCE
from annotation.designing import Design
from annotation.models import Study, StudyMember
from codecs_eval import runs
from codecs_eval.models import Reconstruction, Run, Score
from tests.factories import (
    make_ada,
    make_cleo,
    make_ladder,
    make_reconstruction,
    make_study,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

CODECS = ["avif", "jpeg", "webp"]
FORM: dict[str, Any] = {
    "title": "Which?", "slug": "which", "collection": "kodak", "codecs": CODECS,
    "rates_bpp": "0.2, 1", "crop": "centre", "crop_px": 64, "judgments_per_triplet": 2,
    "session_length": 10, "seed": 3, "n_practice": 1, "sentinel_share": 0.1,
}  # fmt: skip


@pytest.fixture
def ada(triad_home: object) -> Client:
    """With a ladder of 3 photos, 3 codecs and 2 rates: 18 pairs."""
    make_ladder("kodak", n_sources=3, codecs=tuple(CODECS), rates_bpp=(0.2, 1.0))
    client = Client()
    client.force_login(make_ada())
    return client


def client_of(name: str, **values: Any) -> Client:
    client = Client()
    client.force_login(make_user(name, **values))
    return client


def count(client: Client, **changes: Any) -> dict[str, Any]:
    reply = client.get(reverse("study_count"), {**FORM, **changes})
    assert reply.status_code == 200
    counted: dict[str, Any] = reply.json()
    return counted


def text_of(reply: Any) -> str:
    return reply.content.decode()


# Counting


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pairing": "anchor", "anchor_codec": "avif"},
        {"pairing": "chosen", "chosen_pairs": ["jpeg avif"]},
        {"rates_bpp": "1", "n_practice": 0, "sentinel_share": 0},
        {"crop": "differ"},
    ],
    ids=str,
)
def test_the_count_is_what_the_draft_then_has(ada: Client, changes: dict[str, Any]) -> None:
    numbers = count(ada, **changes)["numbers"]
    assert ada.post(reverse("new_study"), {**FORM, **changes}).status_code == 302
    study = Study.objects.get()
    assert study.triplets.filter(kind="main").count() == numbers["n_triplets"]
    kinds = study.triplets.exclude(kind="main").values_list("kind", flat=True)
    assert {kind: list(kinds).count(kind) for kind in set(kinds)} == numbers["n_checks"]


def test_hours_and_cost_follow_the_judgments(ada: Client) -> None:
    counted = count(ada, pay_per_hour=12)
    numbers = counted["numbers"]
    assert numbers["n_judgments"] == 36
    assert numbers["hours"] == pytest.approx(numbers["n_trials"] * 6 / 3600)
    assert numbers["cost"] == pytest.approx(12 * numbers["hours"])
    assert "an assumption" in counted["html"]
    assert count(ada)["numbers"]["cost"] is None


def test_a_design_is_counted_before_it_has_a_name(ada: Client) -> None:
    assert count(ada, title="", slug="")["numbers"]["n_triplets"] == 18


def test_what_is_left_out_is_shown_with_both_rates(ada: Client) -> None:
    source = Reconstruction.objects.filter(target_bpp=1.0).first()
    assert source
    make_reconstruction(source.source, "hevc", 1.0, bpp=1.21, state="nearest")
    counted = count(ada, codecs=[*CODECS, "hevc"])
    assert counted["numbers"]["left_out"] == {"state nearest": 1}
    assert counted["numbers"]["n_left_out_pairs"] == 3
    assert "3 pairs left out" in counted["html"]
    assert "1.210" in counted["html"]
    assert "a copy missed its rate" in counted["html"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"codecs": []}, "Codecs: This field is required"),
        ({"codecs": ["jpeg"]}, "at least two"),
        ({"rates_bpp": "0.77"}, "encode_ladder"),
        ({"pairing": "anchor"}, "anchor_codec"),
        ({"session_length": 2, "n_warm_up": 1, "sentinel_share": 0.5}, "none that counts"),
        ({"n_practice": 99}, "obvious difference"),
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_said(ada: Client, changes: dict[str, Any], said: str) -> None:
    counted = count(ada, **changes)
    assert counted["numbers"] is None
    assert said in " ".join(counted["errors"])


def test_missing_scores_come_with_the_button_that_makes_them(ada: Client) -> None:
    changes = {"pairing": "disputed", "ranking_metric": "psnr", "rival_metric": "ssim"}
    counted = count(ada, **changes)
    assert "18 of 18 reconstructions" in counted["errors"][0]
    assert reverse("study_score") in counted["html"]
    reply = ada.post(reverse("study_score"), {**FORM, **changes})
    run = Run.objects.get()
    assert reply["Location"] == reverse("run", args=[run.pk])
    assert (run.kind, run.config) == (
        "score", {"collection": "kodak", "metrics": ["psnr", "ssim"]},
    )  # fmt: skip


def test_missing_saliency_comes_with_the_page_that_finds_it(ada: Client) -> None:
    counted = count(ada, crop="salient")
    assert reverse("saliency", args=["kodak"]) in counted["html"]


def test_what_a_collection_has_is_told(ada: Client) -> None:
    counted = count(ada)
    assert counted["encoded"] == {"codecs": dict.fromkeys(CODECS, 6), "rates_bpp": [0.2, 1.0]}
    assert "differs more" in count(ada, polarity="differs")["texts"]["question"]


def test_the_power_of_what_was_typed_is_simulated(ada: Client) -> None:
    reply = ada.get(reverse("study_power_of"), FORM).json()
    assert reply["n_observers"] > 100
    assert "To tell 55:45 apart at 5 % with 80 % power" in reply["html"]
    assert ada.get(reverse("study_power_of"), {**FORM, "codecs": []}).json()["errors"]


# Without scripts


def test_the_page_counts_by_a_button_and_saves_nothing(ada: Client) -> None:
    reply = ada.post(reverse("new_study"), {**FORM, "count": "1"})
    assert reply.status_code == 200
    assert "18: 9 at 0.2 bpp, 9 at 1 bpp" in text_of(reply)
    assert not Study.objects.exists()


def test_every_setting_is_there_and_none_is_hidden(ada: Client) -> None:
    page = text_of(ada.get(reverse("new_study")))
    for name in (*designing.SETTINGS, *designing.TEXTS):
        assert f'name="{name}"' in page, name
    assert 'data-when="pairing=anchor"' in page
    assert "hidden>" not in page.split("<form method")[2].split("<aside")[0]


def test_what_is_encoded_is_ticked_to_begin_with(ada: Client) -> None:
    form = ada.get(reverse("new_study")).context["form"]
    assert form["codecs"].value() == CODECS


# Making and changing


def test_all_that_was_typed_is_in_the_draft(ada: Client) -> None:
    typed = {
        **FORM, "pairing": "chosen", "chosen_pairs": ["jpeg webp", "webp avif"],
        "rate_tolerance": 0.03, "question": "Which one?", "instructions": "Look.",
        "consent": "I agree.", "stop_half_width": 0.05, "recruiting": "invited",
    }  # fmt: skip
    ada.post(reverse("new_study"), typed)
    study = Study.objects.get()
    assert study.chosen_pairs == [["jpeg", "webp"], ["webp", "avif"]]
    assert (study.rate_tolerance, study.stop_half_width) == (0.03, 0.05)
    assert (study.question, study.instructions, study.consent) == (
        "Which one?", "Look.", "I agree.",
    )  # fmt: skip
    assert study.recruiting == "invited"
    assert study.triplets.filter(kind="main").count() == 12


def test_a_draft_is_changed_in_the_form_that_made_it(ada: Client) -> None:
    ada.post(reverse("new_study"), {**FORM, "question": "Which one?"})
    address = reverse("edit_study", args=["which"])
    form = ada.get(address).context["form"]
    assert form["question"].value() == "Which one?"
    assert form["instructions"].value() is None
    assert form["rates_bpp"].value() == "0.2, 1"
    reply = ada.post(address, {**FORM, "pairing": "anchor", "anchor_codec": "webp", "slug": "next"})
    assert reply["Location"] == reverse("study", args=["next"])
    study = Study.objects.get()
    assert (study.slug, study.triplets.filter(kind="main").count()) == ("next", 12)
    assert "12 triplets planned" in text_of(ada.get(reply["Location"]))


def test_a_change_that_cannot_be_is_told_in_the_form(ada: Client) -> None:
    ada.post(reverse("new_study"), FORM)
    address = reverse("edit_study", args=["which"])
    reply = ada.post(address, {**FORM, "rates_bpp": "0.77"})
    assert "encode_ladder" in json.dumps(reply.context["form"].errors.get_json_data())
    assert Study.objects.get().rates_bpp == [0.2, 1.0]


def test_an_opened_study_is_not_changed_but_followed(ada: Client) -> None:
    ada.post(reverse("new_study"), FORM)
    ada.post(reverse("study_state", args=["which"]), {"state": "open"})
    for method in (ada.get, ada.post):
        reply = method(reverse("edit_study", args=["which"]), {**FORM, "seed": 8})
        assert reply["Location"] == reverse("study", args=["which"])
    assert Study.objects.get().seed == 3
    for name in ("study_plan", "study_delete"):
        ada.post(reverse(name, args=["which"]))
    assert Study.objects.get().triplets.count() == 21
    reply = ada.post(reverse("study_new_version", args=["which"]))
    assert reply["Location"] == reverse("edit_study", args=["which-v2"])
    ada.post(reply["Location"], {**FORM, "slug": "which-v2", "seed": 8})
    page = text_of(ada.get(reverse("study", args=["which"])))
    assert "which-v2" in page
    assert "1 difference from version 1" in page


def test_a_clone_is_begun_from_the_design_page(ada: Client) -> None:
    make_study("asked", collection="kodak", codecs=tuple(CODECS), rates_bpp=(0.2,))
    reply = ada.post(reverse("study_clone", args=["asked"]), {"title": "Mine, at last"})
    assert reply["Location"] == reverse("edit_study", args=["mine-at-last"])
    assert Study.objects.get(slug="mine-at-last").triplets.count() == 9


def test_a_draft_is_deleted_by_its_owner(ada: Client) -> None:
    ada.post(reverse("new_study"), FORM)
    assert ada.post(reverse("study_delete", args=["which"]))["Location"] == reverse("studies")
    assert not Study.objects.exists()


def test_the_pairs_left_out_have_a_page(ada: Client) -> None:
    source = Reconstruction.objects.filter(target_bpp=1.0, codec="jpeg").first()
    assert source
    Reconstruction.objects.filter(pk=source.pk).update(bpp=1.3, state="nearest")
    ada.post(reverse("new_study"), FORM)
    page = text_of(ada.get(reverse("study_left_out", args=["which"])))
    assert "2 pairs, the largest difference first" in page
    assert "1.300" in page


# Planning that takes long


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_reads_many_pixels_is_left_to_a_run(ada: Client) -> None:
    pixels = MEGAPIXELS_AT_ONCE * 1e6
    row = Reconstruction.objects.select_related("source").first()
    assert row
    # As if the photo were a large one; what is read is its real pixels.
    width, height = row.source.width, row.source.height
    type(row.source).objects.filter(pk=row.source.pk).update(width=round(pixels))
    counted = count(ada, crop="differ")
    assert counted["numbers"]["is_long"]
    assert "planned by a run" in counted["html"]
    reply = ada.post(reverse("new_study"), {**FORM, "crop": "differ"})
    study = Study.objects.get()
    assert study.triplets.count() == 0
    page = text_of(ada.get(reply["Location"]))
    assert "being planned" in page
    assert "no triplets" in text_of(
        ada.post(reverse("study_state", args=["which"]), {"state": "open"}, follow=True)
    )
    type(row.source).objects.filter(pk=row.source.pk).update(width=width, height=height)
    run = Run.objects.get()
    assert run == long_planning.running(study)
    assert runs.claim(run.pk, "test")
    assert runs.execute(run.pk, "test") == Run.State.DONE
    assert study.triplets.count() == 21
    last = study.changes.first()
    assert last and last.what == "Planned the triplets in a run"
    assert long_planning.running(study) is None


# Who may


CHANGES = ["edit_study", "study_plan", "study_new_version", "study_dry_run", "study_delete"]


@pytest.mark.parametrize("name", CHANGES)
def test_a_viewer_changes_nothing(ada: Client, name: str) -> None:
    study = make_study("seen", collection="kodak", codecs=tuple(CODECS), rates_bpp=(0.2,))
    dan = client_of("dan", is_staff=True)
    StudyMember.objects.create(study=study, user_id=dan.session["_auth_user_id"], role="viewer")
    assert dan.post(reverse(name, args=["seen"]), FORM).status_code == 403
    assert dan.get(reverse("study", args=["seen"])).status_code == 200
    assert Study.objects.count() == 1


def test_a_researcher_of_a_study_may_not_delete_it(ada: Client) -> None:
    study = make_study(
        "seen", collection="kodak", codecs=tuple(CODECS), rates_bpp=(0.2,), state="draft"
    )
    dan = client_of("dan")
    StudyMember.objects.create(study=study, user_id=dan.session["_auth_user_id"], role="researcher")
    assert dan.post(reverse("study_delete", args=["seen"])).status_code == 403
    assert dan.get(reverse("edit_study", args=["seen"])).status_code == 200


def test_who_is_no_researcher_counts_only_in_a_study_that_they_may_change(ada: Client) -> None:
    study = make_study(
        "seen", collection="kodak", codecs=tuple(CODECS), rates_bpp=(0.2,), state="draft"
    )
    dan = client_of("dan")
    assert dan.get(reverse("study_count"), FORM).status_code == 403
    StudyMember.objects.create(study=study, user_id=dan.session["_auth_user_id"], role="researcher")
    assert dan.get(reverse("study_count"), {**FORM, "of": "seen"}).status_code == 200
    dan.post(reverse("study_clone", args=["seen"]))
    assert Study.objects.count() == 1


def test_cleo_sees_no_builder(ada: Client) -> None:
    cleo = Client()
    cleo.force_login(make_cleo())
    for name in ("new_study", "study_count", "study_power_of"):
        assert cleo.get(reverse(name), FORM).status_code == 403
    assert Score.objects.count() == 0


def test_a_study_for_simulated_observers_stays_one_when_it_is_changed(ada: Client) -> None:
    designing.create_study(
        Design(title="W", slug="which", collection="kodak", codecs=tuple(CODECS),
               rates_bpp=(0.2,), crop_px=64, is_simulated=True)
    )  # fmt: skip
    ada.post(reverse("edit_study", args=["which"]), FORM)
    study = Study.objects.get()
    assert (study.is_simulated, study.seed) == (True, 3)
