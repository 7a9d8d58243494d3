"""Which triplets the gallery shows, in which order, with which votes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import gallery_orders
from annotation.galleries import Asked, judgment_line, judgments_shown, judgments_that_count, shown
from annotation.gallery_orders import ordered_keys, place_of
from annotation.models import Study, Triplet
from annotation.tallying import tally
from tests.annotation.gallery_rows import score, triplets, vote, votes
from tests.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def make_garden(**values: object) -> Study:
    """Two photos, three codecs, two rates: 12 triplets."""
    codecs, rates = ("jpeg", "webp", "avif"), (0.23, 0.67)
    return make_study("garden", codecs=codecs, rates_bpp=rates, **values)  # type: ignore[arg-type]


def keys(study: Study, **asked: object) -> list[int]:
    return list(ordered_keys(study, Asked(**asked)))  # type: ignore[arg-type]


def votes_of(study: Study, triplet: Triplet, **asked: object) -> tuple[int, int, int]:
    (found,) = shown(study, Asked(**asked), [triplet.pk])  # type: ignore[arg-type]
    return found.votes.first, found.votes.second, found.votes.not_sure


# What is counted


def test_votes_leave_out_what_analyses_leave_out() -> None:
    study = make_study()
    one = triplets(study)[0]
    votes(one, first=2, second=1, not_sure=1)
    vote(one, "second", is_warm_up=True)
    vote(one, "second", verdict="excluded")
    repeated = vote(one, "first")
    repeated.trial.is_repeat = True
    repeated.trial.save()
    assert votes_of(study, one) == (2, 1, 1)
    assert votes_of(study, one, with_everybody=True) == (2, 2, 1)


def test_an_answer_that_was_taken_back_is_no_vote() -> None:
    study = make_study()
    one = triplets(study)[0]
    old = vote(one, "first")
    type(old).objects.create(
        id="00000000-0000-4000-8000-000000000001", trial=old.trial, choice="second", supersedes=old
    )
    assert votes_of(study, one) == (0, 1, 0)
    assert [row.choice for row in judgments_shown(one)] == ["second"]


def test_a_share_counts_not_sure_half_for_each() -> None:
    study = make_study()
    one = triplets(study)[0]
    votes(one, first=2, second=1, not_sure=1)
    (found,) = shown(study, Asked(), [one.pk])
    assert (found.votes.share_first, found.votes.share_second) == (0.625, 0.375)
    assert found.votes.interval and found.votes.interval_second
    assert found.votes.interval[0] == pytest.approx(1 - found.votes.interval_second[1])


def test_a_median_leaves_out_what_was_not_measured_and_hidden_time() -> None:
    study = make_study()
    one, two, *_ = triplets(study)
    for ms in (1000, 3000, 4000, None):
        vote(one, "first", ms=ms)
    judgment = vote(one, "second", ms=9000)
    judgment.hidden_ms = 8500
    judgment.save()
    vote(two, "first", ms=None)
    found = tally(judgments_that_count().of_study(study)).votes()
    assert found[one.pk].median_ms == 2000
    assert found[two.pk].median_ms is None


def test_a_judgment_says_why_analyses_leave_it_out() -> None:
    study = make_study()
    one = triplets(study)[0]
    kept, dropped = vote(one, "second"), vote(one, "first", verdict="excluded", is_warm_up=True)
    assert judgment_line(kept, "main").left_out == ""
    assert judgment_line(kept, "main").side == "right"
    assert judgment_line(dropped, "main").left_out == "excluded session, warm-up"
    assert judgment_line(kept, "sentinel").left_out == "sentinel"


# Filters


@pytest.mark.parametrize(
    ("asked", "n"),
    [
        ({}, 12),
        ({"rate": 0.23}, 6),
        ({"codec": "webp"}, 8),
        ({"pair": ("webp", "jpeg")}, 4),
        ({"pair": ("jpeg", "webp"), "rate": 0.67}, 2),
        ({"source": "photo-1"}, 6),
        ({"source": "photo-9"}, 0),
        ({"kind": "sentinel"}, 0),
        ({"kind": "all"}, 12),
    ],
)
def test_a_filter_leaves_what_it_says(asked: dict[str, object], n: int) -> None:
    assert len(keys(make_garden(), **asked)) == n


def test_judged_or_not_is_a_filter() -> None:
    study = make_garden()
    one = triplets(study)[3]
    vote(one, "first")
    assert keys(study, judged=True) == [one.pk]
    assert len(keys(study, judged=False)) == 11


# Orders


def test_the_most_judged_come_first() -> None:
    study = make_garden()
    one, two, *_ = triplets(study)
    votes(two, 2, 1)
    votes(one, 1, 0)
    assert keys(study)[:2] == [two.pk, one.pk]


def test_the_most_divided_come_first_and_those_without_votes_not_at_all() -> None:
    study = make_garden()
    one, two, three, four, *_ = triplets(study)
    votes(one, first=3, second=0)
    votes(two, first=1, second=1)
    votes(three, first=2, second=1)
    votes(four, first=2, second=2)
    assert keys(study, sort="split") == [four.pk, two.pk, three.pk, one.pk]
    assert keys(study, sort="split", rate=four.target_bpp)[0] == four.pk


def test_the_longest_looked_at_come_first() -> None:
    study = make_garden()
    one, two, three, *_ = triplets(study)
    vote(one, "first", ms=1500)
    vote(two, "first", ms=6000)
    vote(three, "first", ms=None)
    assert keys(study, sort="time") == [two.pk, one.pk]


def test_photos_stand_together() -> None:
    study = make_garden()
    found = [Triplet.objects.get(pk=key).source.name for key in keys(study, sort="photo")]
    assert found == ["photo-0"] * 6 + ["photo-1"] * 6


@pytest.mark.parametrize(("polarity", "worst"), [("closer", 0), ("differs", 1)])
def test_people_most_against_a_metric_come_first(polarity: str, worst: int) -> None:
    study = make_study(polarity=polarity)
    pair = triplets(study)
    for triplet in pair:
        # Higher is better: PSNR finds the first copy closer in both.
        score(triplet.first, 40)
        score(triplet.second, 30)
    votes(pair[0], first=0, second=4)
    votes(pair[1], first=3, second=1)
    found = keys(study, sort="error", metric="psnr")
    assert found[0] == pair[worst].pk and len(found) == 2


def test_an_error_is_the_share_of_people_who_say_otherwise() -> None:
    study = make_study()
    one, two = triplets(study)
    score(one.first, 40)
    score(one.second, 30)
    score(two.first, 30)
    score(two.second, 30)
    for triplet in (one, two):
        votes(triplet, first=1, second=3)
    found = {row.triplet.pk: row.score for row in shown(study, Asked(), [one.pk, two.pk])}
    first, tied = found[one.pk], found[two.pk]
    assert first and tied
    assert (first.prefers, first.error) == ("first", 0.75)
    assert (tied.prefers, tied.error) == ("neither", 0.5)


def test_two_versions_of_a_metric_are_not_compared() -> None:
    study = make_study()
    one = triplets(study)[0]
    score(one.first, 40, version="1")
    score(one.second, 30, version="2")
    votes(one, 1, 1)
    (found,) = shown(study, Asked(), [one.pk])
    assert found.scores == ()
    assert keys(study, sort="error", metric="psnr") == []


def test_an_unknown_order_or_metric_is_refused() -> None:
    study = make_study()
    with pytest.raises(ValueError, match="Found order 'best'"):
        keys(study, sort="best")
    with pytest.raises(ValueError, match="Found metric 'taste'"):
        keys(study, sort="error", metric="taste")


def test_excluded_sessions_are_in_an_order_only_with_everybody() -> None:
    study = make_garden()
    one = triplets(study)[0]
    vote(one, "first", verdict="excluded")
    assert keys(study, sort="split") == []
    assert keys(study, sort="split", with_everybody=True) == [one.pk]


# Neighbours


@pytest.mark.parametrize("sort", ["judged", "photo", "split", "time"])
def test_going_on_and_on_passes_every_triplet_of_the_list_once(sort: str) -> None:
    study = make_garden()
    for n, triplet in enumerate(triplets(study)):
        votes(triplet, n % 3 + 1, n % 2, ms=1000 + 7 * n)
    asked = Asked(sort=sort, codec="jpeg")
    expected = list(ordered_keys(study, asked))
    walked, at = [], expected[0]
    while at is not None:
        walked.append(at)
        place = place_of(study, asked, Triplet.objects.get(pk=at))
        assert (place.number, place.total) == (len(walked), len(expected))
        assert place.before == (walked[-2] if len(walked) > 1 else None)
        at = place.after
    assert walked == expected


@pytest.mark.parametrize("sort", ["judged", "split"])
def test_a_triplet_outside_the_list_has_no_neighbours(sort: str) -> None:
    study = make_garden()
    one = triplets(study)[0]
    place = place_of(study, Asked(sort=sort, source="photo-1"), one)
    assert (place.number, place.before, place.after) == (None, None, None)


# How much it takes


def test_a_page_is_a_few_queries_whatever_its_length() -> None:
    study = make_garden()
    for triplet in triplets(study):
        votes(triplet, 2, 1)
    for n in (1, 12):
        with CaptureQueriesContext(
            connection,
        ) as found:
            shown(study, Asked(), keys(study)[:n])
        assert len(found) == 4


def test_an_order_by_votes_is_kept_for_a_large_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_orders, "KEPT_FROM", 1)
    study = make_garden()
    one, two, *_ = triplets(study)
    votes(one, 1, 1)
    assert keys(study, sort="split") == [one.pk]
    votes(two, 1, 1)
    assert keys(study, sort="split") == [one.pk]
