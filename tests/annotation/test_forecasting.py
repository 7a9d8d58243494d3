"""What a design takes, counted by hand, and as planning then makes it."""

from pathlib import Path
from typing import Any

import pytest

from annotation import forecasting, serving, triplets
from annotation.models import Judgment, Study
from tests.factories import make_annotator, make_judgments, make_ladder, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def make_draft(**values: Any) -> Study:
    return Study(
        **{
            "collection": "kodak",
            "codecs": ["avif", "jpeg", "webp"],
            "rates_bpp": [0.2, 1.0],
            "crop_px": 64,
            **values,
        }
    )


@pytest.fixture
def ladder(db: None, triad_home: Path) -> None:
    """5 photos, 3 codecs, 2 rates: 30 triplets."""
    make_ladder("kodak", n_sources=5, codecs=("avif", "jpeg", "webp"), rates_bpp=(0.2, 1.0))


@pytest.mark.usefixtures("ladder")
def test_judgments_sessions_and_people_add_up() -> None:
    """30 triplets x 4: 120 judgments; 20 trials less 2 warm-ups, 2 sentinels, 2 repeats: 14."""
    found = forecasting.forecast(
        make_draft(
            judgments_per_triplet=4, session_length=20, n_warm_up=2, sentinel_share=0.1,
            repeat_share=0.1, n_practice=3,
        )
    )  # fmt: skip
    assert (found.n_judgments, found.n_counted_a_session) == (120, 14)
    assert (found.n_people, found.n_sessions) == (9, 9)
    assert found.n_trials == 120 + 9 * 6 + 9 * 3
    assert found.pace.n == 0
    assert "assumption" in found.pace.said
    assert found.hours == pytest.approx(found.n_trials * 6 / 3600)
    assert found.cost(12.0) == pytest.approx(found.hours * 12)
    assert found.cost(None) is None


@pytest.mark.usefixtures("ladder")
def test_nobody_judges_a_triplet_twice_so_there_are_as_many_people_as_judgments_of_it() -> None:
    found = forecasting.forecast(
        make_draft(judgments_per_triplet=50, session_length=30, sessions_per_person=0)
    )
    assert (found.n_people, found.n_sessions) == (50, 50)


@pytest.mark.usefixtures("ladder")
def test_who_sits_twice_halves_the_people() -> None:
    once = forecasting.forecast(make_draft(judgments_per_triplet=3, session_length=10))
    twice = forecasting.forecast(
        make_draft(judgments_per_triplet=3, session_length=10, sessions_per_person=2)
    )
    assert (once.n_people, once.n_sessions) == (9, 9)
    assert (twice.n_people, twice.n_sessions) == (5, 9)


@pytest.mark.usefixtures("ladder")
def test_viewing_checks_take_time_of_each_person() -> None:
    plain = forecasting.forecast(make_draft())
    checked = forecasting.forecast(make_draft(ask_card=True, ask_colour_plates=True))
    assert checked.hours - plain.hours == pytest.approx(plain.n_people * 120 / 3600)


@pytest.mark.usefixtures("ladder")
def test_a_session_without_a_trial_that_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="none that counts"):
        forecasting.forecast(make_draft(session_length=2, n_warm_up=2))


@pytest.mark.usefixtures("ladder")
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"pairing": "anchor", "anchor_codec": "jpeg"},
        {"pairing": "chosen", "chosen_pairs": [["jpeg", "webp"]]},
        {"n_practice": 2, "sentinel_share": 0.1, "identical_share": 0.1, "session_length": 20},
        {"crop": "differ"},
    ],
    ids=str,
)
def test_the_count_is_what_planning_makes(values: dict[str, Any]) -> None:
    draft = make_draft(slug="later", title="Later", **values)
    found = forecasting.forecast(draft).plan.planned
    draft.save()
    assert triplets.plan_triplets(draft) == found
    assert draft.triplets.filter(kind="main").count() == found.n_triplets
    for kind, n in found.n_checks.items():
        assert draft.triplets.filter(kind=kind).count() == n


@pytest.mark.usefixtures("ladder")
def test_the_forecast_sessions_are_as_many_as_it_takes() -> None:
    """Exactly so many people, sitting one after the other, leave nothing to judge."""
    study = make_study(
        "asked", collection="kodak", codecs=("avif", "jpeg", "webp"), rates_bpp=(0.2, 1.0),
        session_length=12, judgments_per_triplet=2, n_practice=1, sentinel_share=0.1,
    )  # fmt: skip
    found = forecasting.forecast(study)
    assert (found.n_people, found.n_sessions) == (6, 6)
    for _ in range(found.n_sessions):
        session = serving.begin(study, make_annotator())
        while make_judgments(session, 8):
            pass
    counted = study.triplets.filter(kind="main")
    assert set(counted.values_list("n_judged", flat=True)) == {2}


# The pace


def judge(study: Study, n_sessions: int, ms: float) -> None:
    for _ in range(n_sessions):
        make_judgments(make_session(study), 8)
    Judgment.objects.of_study(study).update(response_ms=ms)


def make_asked(slug: str, **values: Any) -> Study:
    return make_study(
        slug, n_sources=8, session_length=8, judgments_per_triplet=99,
        **values,
    )  # fmt: skip


def test_the_pace_is_that_of_earlier_studies_shown_the_same_way() -> None:
    judge(make_asked("before"), 4, 3200.0)
    assert forecasting.pace_of(make_draft()).seconds == 3.2
    assert forecasting.pace_of(make_draft()).n == 32
    assert forecasting.pace_of(make_draft(mode="flicker")).n == 0


def test_a_studys_own_pace_goes_before_that_of_others() -> None:
    judge(make_asked("before"), 4, 3200.0)
    own = make_asked("own")
    judge(own, 4, 9000.0)
    assert forecasting.pace_of(own, own).seconds == 9.0


def test_few_answers_and_made_up_ones_tell_no_pace() -> None:
    judge(make_asked("few"), 3, 3200.0)
    judge(make_asked("simulated", is_simulated=True), 5, 3200.0)
    judge(make_asked("looked-at", purpose="preview"), 5, 3200.0)
    assert forecasting.pace_of(make_draft()).n == 0
