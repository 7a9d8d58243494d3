"""A design after its first draft: changed, planned anew, thrown away, versions, clones."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from annotation import copying, designing, long_planning, revising, triplets
from annotation.designing import Design
from annotation.models import Study, StudyChange, StudyMember
from codecs_eval.models import Reconstruction, Run
from tests.factories import (
    make_ada,
    make_judgments,
    make_ladder,
    make_reconstruction,
    make_session,
    make_study,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

CODECS = ("avif", "jpeg", "webp")


def make_design(**values: Any) -> Design:
    return Design(
        **{
            "title": "Which?", "slug": "which", "collection": "kodak", "codecs": CODECS,
            "rates_bpp": (0.5,), "crop_px": 64, **values,
        }
    )  # fmt: skip


def make_draft(**values: Any) -> Study:
    make_ladder("kodak", codecs=CODECS)
    return designing.create_study(make_design(**values))[0]


# A draft


def test_a_changed_draft_is_planned_anew() -> None:
    study = make_draft()
    assert study.triplets.count() == 6
    planned = revising.revise(study, make_design(pairing="anchor", anchor_codec="webp", seed=5))
    study.refresh_from_db()
    assert planned is not None
    assert planned.n_triplets == study.triplets.count() == 4
    assert (study.pairing, study.anchor_codec, study.seed) == ("anchor", "webp", 5)


def test_other_words_leave_the_triplets_as_they_are() -> None:
    study = make_draft()
    before = list(study.triplets.values_list("pk", flat=True))
    assert revising.revise(study, make_design(title="What?", question="Which one?")) is None
    study.refresh_from_db()
    assert list(study.triplets.values_list("pk", flat=True)) == before
    assert (study.title, study.question, study.texts) == ("What?", "Which one?", {})


def test_the_same_codecs_in_another_order_are_no_change() -> None:
    study = make_draft()
    assert revising.revise(study, make_design(codecs=CODECS[::-1])) is None
    study.refresh_from_db()
    assert study.codecs == list(CODECS)


def test_a_change_that_cannot_be_planned_changes_nothing() -> None:
    study = make_draft()
    for design in (make_design(rates_bpp=(0.9,)), make_design(crop="salient")):
        with pytest.raises(ValueError):
            revising.revise(study, design)
    with pytest.raises(ValueError, match="No photo in collection 'ghost'"):
        revising.revise(study, make_design(collection="ghost"))
    study.refresh_from_db()
    assert (study.rates_bpp, study.crop, study.triplets.count()) == ([0.5], "centre", 6)
    assert StudyChange.objects.count() == 1


def test_a_name_that_another_study_has_is_refused() -> None:
    study = make_draft()
    make_study("taken", collection="kodak", codecs=CODECS)
    with pytest.raises(ValueError, match="'taken' exists"):
        revising.revise(study, make_design(slug="taken"))
    revising.revise(study, make_design(slug="renamed"))
    assert Study.objects.filter(slug="renamed").exists()


def test_what_changed_is_written_down_with_who_did_it() -> None:
    study = make_draft()
    revising.revise(study, make_design(seed=9), user=make_ada())
    change = StudyChange.objects.first()
    assert change
    assert (change.by, change.what) == ("ada", "Changed the design")
    assert (change.before, change.after) == ({"seed": 1}, {"seed": 9})


def test_an_opened_study_is_neither_changed_nor_planned_nor_deleted() -> None:
    study = make_draft()
    designing.change_state(study, "open")
    for refused in (
        lambda: revising.revise(study, make_design(seed=9)),
        lambda: revising.plan_anew(study),
        lambda: revising.discard(study),
    ):
        with pytest.raises(ValueError, match="was opened"):
            refused()
    assert Study.objects.get().seed == 1


def test_a_study_opened_in_the_moment_of_its_change_is_not_changed() -> None:
    """Whoever holds an older copy of the row is told by the row as it is."""
    study = make_draft()
    designing.change_state(Study.objects.get(), "open")
    with pytest.raises(ValueError, match="was opened"):
        revising.revise(study, make_design(seed=9))


def test_planning_anew_takes_what_was_encoded_meanwhile() -> None:
    study = make_draft()
    row = Reconstruction.objects.filter(codec="webp").first()
    assert row
    newest = make_reconstruction(row.source, "webp", codec_version="the next one")
    revising.plan_anew(study)
    assert study.triplets.filter(second=newest).count() == 2


def test_a_plan_made_for_an_older_design_is_not_stored() -> None:
    study = make_draft()
    older = Study.objects.get()
    plan = triplets.plan_of(older)
    revising.revise(study, make_design(seed=9))
    with pytest.raises(ValueError, match=r"changed while .*\(seed\)"):
        triplets.plan_triplets(older, plan)


def test_a_discarded_draft_is_gone_with_all_that_belongs_to_it() -> None:
    revising.discard(make_draft())
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"question": "Which one?", "instructions": "Look.", "consent": "Yes?"},
        {"pairing": "chosen", "chosen_pairs": (("jpeg", "webp"),)},
        {"mode": "flicker", "polarity": "differs", "time_limit_s": 9, "stop_half_width": 0.05},
    ],
    ids=str,
)
def test_what_was_typed_is_read_back(values: dict[str, Any]) -> None:
    design = make_design(**values)
    make_ladder("kodak", codecs=CODECS)
    study, _ = designing.create_study(design)
    assert Design(**designing.typed_in(Study.objects.get(pk=study.pk))) == design


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pairing": "anchor"}, "anchor_codec=''"),
        ({"pairing": "anchor", "anchor_codec": "vvc"}, "vvc"),
        ({"pairing": "chosen"}, "no named pair"),
        ({"pairing": "chosen", "chosen_pairs": (("jpeg", "vvc"),)}, "jpeg and vvc"),
        ({"pairing": "chosen", "chosen_pairs": (("jpeg", "jpeg"),)}, "jpeg and jpeg"),
        ({"pairing": "neighbours"}, "unknown metric"),
        ({"pairing": "disputed", "ranking_metric": "psnr", "rival_metric": "psnr"}, "itself"),
        ({"pairing": "everything"}, "neighbours"),
        ({"rate_tolerance": 1.0}, "below 1"),
        ({"stop_half_width": 0.9}, "0.5"),
    ],
    ids=str,
)
def test_pairs_that_cannot_be_asked_are_refused_in_words(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_design(**values)


def test_what_a_pairing_does_not_go_by_is_not_stored() -> None:
    study = make_draft(anchor_codec="webp", ranking_metric="psnr", n_disputed=7)
    assert (study.anchor_codec, study.ranking_metric, study.n_disputed) == ("", "", 50)
    assert replace(make_design(), title="x").columns["chosen_pairs"] == []


# Versions and clones


def test_a_new_version_follows_an_opened_study_with_its_people_and_triplets() -> None:
    study = make_study(n_sources=3, title="Round one", state="open", break_every=1)
    StudyMember.objects.create(study=study, user=make_user("dan"), role="viewer")
    make_judgments(make_session(study), 2)
    made = revising.new_version(study, user=make_ada())
    assert (made.slug, made.version, made.state, made.copied_from) == (
        "which-v2", 2, "draft", study,
    )  # fmt: skip
    assert (made.title, made.break_every, made.opened_at) == ("Round one", 1, None)
    assert [str(member) for member in made.members.all()] == ["dan, viewer of which-v2"]
    keys = ("first", "second", "crop_left_px", "shuffle", "kind", "n_judged")
    rows = list(made.triplets.values_list(*keys))
    assert rows == [(*row[:-1], 0) for row in study.triplets.values_list(*keys)]
    study.refresh_from_db()
    assert study.state == "open"
    assert study.triplets.filter(n_judged__gt=0).count() == 2


def test_versions_count_on_whichever_one_is_copied() -> None:
    first = make_study("round")
    second = revising.new_version(first)
    designing.change_state(second, "open")
    third = revising.new_version(first)
    assert [(found.slug, found.version) for found in revising.versions_of(second)] == [
        ("round", 1), ("round-v2", 2), ("round-v3", 3),
    ]  # fmt: skip
    assert revising.versions_of(first) == revising.versions_of(third)


def test_a_draft_is_changed_rather_than_followed() -> None:
    with pytest.raises(ValueError, match="is a draft"):
        revising.new_version(make_study(state="draft"))


def test_what_a_version_changed_is_told_setting_by_setting() -> None:
    study = make_study(collection="kodak", codecs=CODECS)
    made = revising.new_version(study)
    assert revising.differences(study, made) == []
    typed = designing.typed_in(made)
    revising.revise(
        made,
        Design(**{**typed, "pairing": "anchor", "anchor_codec": "jpeg", "allow_not_sure": True}),
    )
    made.refresh_from_db()
    said = {row.label: (row.before, row.after) for row in revising.differences(study, made)}
    assert said == {
        "Which pairs": ("all", "anchor"),
        "Codec that all are compared with": ("", "jpeg"),
        'Offer "not sure"': (False, True),
        "Triplets": (6, 4),
    }


def test_a_clone_is_a_study_of_its_own() -> None:
    study = make_study(n_sources=3, version=4)
    StudyMember.objects.create(study=study, user=make_user("dan"), role="owner")
    ada = make_ada()
    made = revising.clone(study, "mine", user=ada)
    assert (made.slug, made.version, made.state, made.copied_from) == ("mine", 1, "draft", study)
    assert [str(member) for member in made.members.all()] == ["ada, owner of mine"]
    assert made.triplets.count() == 3
    assert revising.versions_of(made) == [made]
    assert made not in revising.versions_of(study)


@pytest.mark.parametrize("slug", ["which", "two words", "x" * 61, ""])
def test_a_clone_needs_a_name_of_its_own(slug: str) -> None:
    with pytest.raises(ValueError, match="name"):
        revising.clone(make_study(), slug)
    assert Study.objects.count() == 1


def test_a_short_name_that_runs_know_stays() -> None:
    study = make_draft()
    run = long_planning.start(study)
    with pytest.raises(ValueError, match="Runs know this study as 'which'"):
        revising.revise(study, make_design(slug="other"))
    revising.revise(study, make_design(title="Another title"))
    revising.discard(study)
    assert not Run.objects.filter(pk=run.pk).exists()


def test_no_clone_takes_the_place_of_a_page() -> None:
    study = make_study()
    with pytest.raises(ValueError, match="a page of its own"):
        revising.clone(study, "import")
    assert copying.free_slug("import") == "import-2"


def test_a_draft_that_was_changed_meanwhile_is_opened_as_it_stands_now() -> None:
    seen = make_draft()
    Study.objects.get(pk=seen.pk).triplets.all().delete()
    Study.objects.filter(pk=seen.pk).update(state=Study.State.CLOSED, opened_at=timezone.now())
    with pytest.raises(ValueError, match="is closed cannot become paused"):
        designing.change_state(seen, "paused")
    with pytest.raises(ValueError, match="no triplets yet"):
        designing.change_state(seen, "open")
    assert StudyChange.objects.filter(what="Opened").count() == 0
