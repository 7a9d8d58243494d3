"""A study as a person asks for it: refused at the door, or made whole; frozen once opened."""

from typing import Any

import pytest

from annotation import designing, urls
from annotation.designing import Design
from annotation.models import RESERVED_SLUGS, Study, Triplet
from codecs_eval.models import Reconstruction
from tests.factories import make_ada, make_ladder, make_reconstruction, make_source, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def make_design(**values: Any) -> Design:
    return Design(
        **{
            "title": "Which?",
            "slug": "which",
            "collection": "kodak",
            "codecs": ("jpeg", "webp"),
            "rates_bpp": (0.5,),
            "crop_px": 64,
            **values,
        }
    )


def test_a_study_is_made_with_its_triplets_and_its_maker() -> None:
    make_ladder("kodak", n_sources=3)
    ada = make_ada()
    study, planned = designing.create_study(make_design(seed=7), user=ada)
    assert planned.n_triplets == study.triplets.count() == 3
    assert (study.state, study.created_by, study.seed) == (Study.State.DRAFT, ada, 7)
    assert study.origin == "study:which v1"


def test_a_study_leaves_out_what_missed_its_rate() -> None:
    for index in range(3):
        source = make_source("kodak", f"photo-{index}")
        make_reconstruction(source, "jpeg")
        state = Reconstruction.State.NEAREST if index == 0 else Reconstruction.State.HIT
        make_reconstruction(source, "webp", state=state, bpp=0.55 if index == 0 else 0.5)
    study, planned = designing.create_study(make_design())
    assert planned.n_triplets == 2
    assert planned.left_out == {"state nearest": 1}
    shown = Triplet.objects.filter(study=study)
    for side in ("first", "second"):
        assert set(shown.values_list(f"{side}__state", flat=True)) == {"hit"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"codecs": ("jpeg",)}, "at least two"),
        ({"codecs": ()}, "at least two"),
        ({"codecs": ("jpeg", "jpeg")}, "at least two"),
        ({"codecs": ("jpeg", "gif")}, "gif"),
        ({"rates_bpp": ()}, "bits per pixel > 0"),
        ({"rates_bpp": (0.5, 0.0)}, "bits per pixel > 0"),
        ({"rates_bpp": (float("nan"),)}, "bits per pixel > 0"),
        ({"crop": "oval"}, "oval"),
        ({"crop_px": 63}, "crop_px=63"),
        ({"judgments_per_triplet": 0}, "judgments_per_triplet=0"),
        ({"session_length": 0}, "session_length=0"),
        ({"seed": -1}, "seed=-1"),
        ({"slug": "two words"}, "two words"),
        ({"slug": ""}, "short name"),
        ({"slug": "x" * 61}, "60"),
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "120"),
    ],
    ids=str,
)
def test_an_impossible_design_is_refused_by_name(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_design(**values)


def test_a_collection_without_photos_is_refused() -> None:
    with pytest.raises(ValueError, match="No photo in collection 'kodak'"):
        designing.create_study(make_design())


def test_a_collection_without_a_ladder_is_refused_and_no_study_is_left() -> None:
    make_source("kodak")
    with pytest.raises(ValueError, match="encode_ladder"):
        designing.create_study(make_design())
    assert not Study.objects.exists()


def test_a_name_that_is_taken_is_refused_and_the_first_study_stays() -> None:
    make_ladder("kodak")
    first, _ = designing.create_study(make_design(title="The first"))
    with pytest.raises(ValueError, match="'which' exists"):
        designing.create_study(make_design(title="The second"))
    assert Study.objects.get().title == "The first"
    assert first.triplets.count() == 2


def test_encoded_codecs_are_those_with_a_hit() -> None:
    source = make_source("kodak")
    make_reconstruction(source, "webp")
    for rate_bpp in (0.25, 0.5):
        make_reconstruction(source, "jpeg", rate_bpp)
    make_reconstruction(source, "avif", state=Reconstruction.State.UNREACHABLE)
    assert designing.encoded_codecs("kodak") == ["jpeg", "webp"]


def test_a_collection_of_which_nothing_is_encoded_has_no_codecs() -> None:
    make_source("bare")
    with pytest.raises(ValueError, match="encode_ladder"):
        designing.encoded_codecs("bare")


# Open, pause, close


def test_the_first_opening_freezes_the_design_for_ever() -> None:
    study = make_study(state="draft")
    assert not study.is_frozen
    designing.change_state(study, "open")
    opened_at = study.opened_at
    assert study.is_frozen
    for state in ("paused", "open", "closed", "open"):
        designing.change_state(study, state)
        study.refresh_from_db()
        assert (study.state, study.opened_at) == (state, opened_at)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("draft", "paused"), ("draft", "closed"), ("paused", "paused"), ("closed", "paused"),
        ("open", "open"), ("open", "draft"), ("closed", "draft"), ("open", ""), ("open", "x"),
    ],
)  # fmt: skip
def test_a_step_that_does_not_exist_is_refused(before: str, after: str) -> None:
    study = make_study(state=before)
    with pytest.raises(ValueError):
        designing.change_state(study, after)
    study.refresh_from_db()
    assert study.state == before


def test_a_study_without_triplets_does_not_open() -> None:
    study = make_study(state="draft")
    study.triplets.all().delete()
    with pytest.raises(ValueError, match="no triplets"):
        designing.change_state(study, "open")


# How people are asked


def test_a_preset_sets_mode_limits_and_wording_with_its_polarity() -> None:
    make_ladder("kodak", rates_bpp=(0.2, 0.5, 1.0))
    design = Design.of_preset(
        "aic3_plain", title="Which?", slug="which", collection="kodak",
        codecs=("jpeg", "webp"), rates_bpp=(0.5,),
    )  # fmt: skip
    study, _ = designing.create_study(design)
    assert (study.mode, study.polarity, study.preset) == (
        "toggle_original", "differs", "aic3_plain",
    )  # fmt: skip
    assert (study.time_limit_s, study.min_switches, study.allow_not_sure) == (30, 1, True)
    assert "differs more" in study.question
    assert "stärker" in study.texts["de"]["question"]


def test_what_is_said_goes_before_the_preset_and_the_study_tells_it() -> None:
    make_ladder("kodak", rates_bpp=(0.2, 0.5, 1.0))
    design = Design.of_preset(
        "cid22", title="Which?", slug="which", collection="kodak",
        codecs=("jpeg", "webp"), rates_bpp=(0.5,), allow_not_sure=False,
    )  # fmt: skip
    study, _ = designing.create_study(design)
    assert (study.preset, study.allow_not_sure) == ("cid22, changed", False)


def test_an_own_question_is_asked_in_its_own_words_only() -> None:
    make_ladder("kodak")
    study, _ = designing.create_study(make_design(question="Which one would you print?"))
    assert study.question == "Which one would you print?"
    assert study.texts == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mode": "upside_down"}, "side_by_side"),
        ({"polarity": "better"}, "closer"),
        ({"flicker_hz": 0}, "1"),
        ({"flicker_hz": float("nan")}, "finite"),
        ({"largest_zoom": 99}, "16"),
        ({"min_switches": 2}, "nothing to switch"),
        ({"n_warm_up": 30}, "fewer"),
        ({"practice_pass_share": 0.5}, "practice"),
        ({"n_practice": 2, "practice_pass_share": 1.5}, "1"),
        ({"sentinel_share": 0.4, "repeat_share": 0.2}, "half"),
        ({"ask_acuity": True}, "card"),
        ({"preset": "best"}, "bapps"),
        ({"scheduler": "clever"}, "balanced"),
        ({"recruiting": "anybody"}, "open_link"),
        ({"time_limit_s": -1}, "0"),
    ],
)
def test_a_way_of_asking_that_cannot_be_is_refused_in_words(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        make_design(**values)


def test_every_setting_is_described_with_its_value() -> None:
    rows = dict(designing.described(make_study(mode="flicker", n_warm_up=3)))
    assert set(rows) == set(designing.SECTIONS)
    said = {label: value for section in rows.values() for label, value, _ in section}
    assert said["Warm-up trials"] == 3
    assert said["Mode"] == "two copies, each alternating with the original"
    assert said["Time limit (s)"] == "none"


def test_no_study_takes_the_place_of_a_page() -> None:
    pages = {
        str(pattern.pattern).removeprefix("studies/").split("/")[0]
        for pattern in urls.urlpatterns
        if str(pattern.pattern).startswith("studies/")
    }
    words = {page for page in pages if page and not page.startswith("<")}
    assert words == RESERVED_SLUGS
    for word in words:
        with pytest.raises(ValueError, match="a page of its own"):
            make_design(slug=word)
