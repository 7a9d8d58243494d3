"""How a study goes: its numbers by hand on small studies, its links, its queries."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation import (
    coverage,
    galleries,
    keeping,
    progressing,
    serving,
    session_lists,
    sides,
    speed,
    tasks,
    team,
    watching,
)
from annotation.leaving import LEFT, sessions_of
from annotation.models import Judgment, Session, Study, Trial
from annotation.preference.shares import clustered_share
from annotation.widths import widest, widths
from tests.factories import (
    make_ada,
    make_answer,
    make_judgments,
    make_session,
    make_study,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def sitting(study: Study, sides: str, **values: Any) -> Session:
    """A session that answers as many trials: l and r for the sides, n for not sure."""
    session = make_session(study, **values)
    names = {"l": "left", "r": "right", "n": "not_sure"}
    for side in sides:
        assert make_judgments(session, 1, names[side])
    return session


# Progress


def test_progress_counts_what_fills_triplets() -> None:
    study = make_study(n_sources=4, session_length=4, judgments_per_triplet=2)
    first = sitting(study, "llll")
    undone = Judgment.objects.filter(trial__session=first).order_by("trial__position")[0]
    serving.record(first, [make_answer(undone.trial, "right", supersedes=undone.pk)])
    sitting(study, "l")
    found = watching.watch(study)
    assert (found.progress.n_triplets, found.progress.n_wanted) == (4, 8)
    assert (found.progress.n_judged, found.progress.n_missing) == (5, 3)
    assert found.progress.share_done == 5 / 8
    assert found.pace.n_last_hour == 5


def test_what_is_beyond_a_triplets_number_fills_nothing() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=2)
    one, other = study.triplets.all()
    study.triplets.filter(pk=one.pk).update(n_judged=5)
    study.triplets.filter(pk=other.pk).update(n_judged=1)
    found = progressing.progress(study, progressing.counts_of(study))
    assert (found.n_judged, found.n_missing, found.n_beyond) == (6, 1, 3)
    assert found.share_done == 3 / 4


def test_the_end_is_foreseen_from_the_last_hour() -> None:
    study = make_study(n_sources=8, judgments_per_triplet=2)
    sitting(study, "llllll")
    old = Judgment.objects.order_by("trial__position")[:2]
    Judgment.objects.filter(pk__in=[row.pk for row in old]).update(
        server_time=timezone.now() - timedelta(hours=2)
    )
    found = watching.watch(study).pace
    # 10 of 16 missing, 4 in the last hour.
    assert (found.n_last_hour, found.ends_in) == (4, timedelta(hours=2.5))
    study.state = "paused"
    assert watching.watch(study).pace.ends_in is None


# Coverage


def test_the_histogram_counts_triplets_by_judgments() -> None:
    bars = coverage.histogram({0: 6, 1: 3, 3: 1}, 2)
    assert [(bar.low, bar.high, bar.n) for bar in bars] == [
        (0, 0, 6),
        (1, 1, 3),
        (2, 2, 0),
        (3, 3, 1),
    ]
    assert (bars[0].share, bars[1].length, bars[1].query) == (0.6, 0.5, "n=1")


def test_many_numbers_are_joined_into_ranges_that_lose_nothing() -> None:
    counts = {number: number + 1 for number in range(120)}
    bars = coverage.histogram(counts, 100)
    assert len(bars) <= 21
    assert sum(bar.n for bar in bars) == sum(counts.values())
    assert (bars[0].low, bars[0].high) == (0, 0)
    assert all(low.high + 1 == high.low for low, high in zip(bars, bars[1:], strict=False))


def test_each_cell_is_a_rate_and_a_pair_whichever_way_it_is_stored() -> None:
    study = make_study(codecs=("jpeg", "webp", "avif"), rates_bpp=(0.5, 1.0), n_sources=2)
    study.triplets.filter(target_bpp=0.5).update(n_judged=3)
    found = coverage.coverage(study)
    assert found.rates == [0.5, 1.0]
    assert [cells[0].pair for _, cells in found.rows if cells[0]] == [
        ("avif", "jpeg"), ("avif", "webp"), ("jpeg", "webp"),
    ]  # fmt: skip
    for _, (half, one) in found.rows:
        assert half and one
        assert (half.n_triplets, half.n_judged, half.n_wanted, half.tenth) == (2, 6, 6, 10)
        assert (one.n_judged, one.n_untouched, one.tenth) == (0, 2, 0)


def test_a_pair_of_two_rates_is_in_no_cell_and_in_no_width() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=10)
    across, within = study.triplets.order_by("pk")
    type(across.second).objects.filter(pk=across.second_id).update(target_bpp=1.0)
    for _ in range(6):
        sitting(study, "ll")
    found = coverage.coverage(study)
    assert (found.rates, found.n_apart) == ([0.5], 1)
    ((_, (cell,)),) = found.rows
    assert cell and (cell.n_triplets, cell.n_judged) == (1, 6)
    assert {(row.target_bpp, row.n) for row in widths(study)} == {(0.5, 6)}
    asked = galleries.Asked(rate=0.5)
    assert list(galleries.triplets_of(study, asked)) == [within]


# Sessions


def gone(session: Session) -> Session:
    """As if its browser had been closed an hour ago."""
    before = timezone.now() - timedelta(hours=1)
    Session.objects.filter(pk=session.pk).update(started_at=before)
    session.trials.filter(state="leased").update(lease_until=before)
    return session


def study_of_ends() -> tuple[Study, dict[str, Session]]:
    study = make_study(n_sources=12, session_length=10, judgments_per_triplet=20)
    made = {
        "answering": sitting(study, "ll"),
        "left early": gone(sitting(study, "l")),
        "left late": gone(sitting(study, "llllllll")),
        "finished": sitting(study, "l" * 10),
        "failed": sitting(study, "ll", state="active"),
    }
    serving.trials_for(made["answering"], 3)
    Session.objects.filter(pk=made["failed"].pk).update(state="failed", verdict="excluded")
    serving.finish(made["finished"])
    return study, made


def test_sessions_are_counted_by_what_became_of_them() -> None:
    study, _ = study_of_ends()
    found = sessions_of(study)
    assert (found.n_begun, found.n_annotators, found.n_unfinished) == (5, 5, 3)
    assert {state: n for state, n in found.by_state.items() if n} == {
        "answering": 1, LEFT: 2, "finished": 1, "failed": 1,
    }  # fmt: skip
    assert found.by_verdict == {"trusted": 0, "doubtful": 0, "excluded": 1, "": 4}


def test_the_steps_say_where_sessions_ended_and_how_many_got_there() -> None:
    study, _ = study_of_ends()
    ended = {step.low: (step.n_reached, step.n_left) for step in sessions_of(study).steps}
    # Judged: 2 (at work), 1 and 8 (left), 10 (finished), 2 (failed).
    assert ended[1] == (5, 1)
    assert ended[2] == (4, 1)
    assert ended[8] == (2, 1)
    assert ended[10] == (1, 0)
    assert sum(n_left for _, n_left in ended.values()) == 3


def test_a_session_with_a_trial_under_a_lease_has_not_left() -> None:
    study, made = study_of_ends()
    gone(made["answering"])
    assert sessions_of(study).by_state[LEFT] == 3
    Trial.objects.filter(session=made["answering"], state="leased").update(
        lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert sessions_of(study).by_state[LEFT] == 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"answering", "left early", "left late", "finished", "failed"}),
        ({"left": "yes"}, {"left early", "left late"}),
        ({"state": "left"}, {"left early", "left late"}),
        ({"state": "active"}, {"left early", "left late", "answering"}),
        ({"state": "answering"}, {"answering"}),
        ({"state": "unfinished"}, {"left early", "left late", "failed"}),
        ({"state": "unfinished", "judged": "1-2"}, {"left early", "failed"}),
        ({"judged": "8-10"}, {"left late", "finished"}),
        ({"verdict": "excluded"}, {"failed"}),
        ({"verdict": "none", "state": "finished"}, {"finished"}),
        ({"state": "nonsense", "verdict": "'", "judged": "9-x", "sort": "x"}, None),
    ],
)
def test_the_table_shows_what_its_address_asks_for(
    query: dict[str, str], names: set[str] | None
) -> None:
    study, made = study_of_ends()
    wanted = set(made) if names is None else names
    found = session_lists.keys(study, session_lists.Asked.of(query))
    assert set(found) == {made[name].pk for name in wanted}


def test_the_table_is_ordered_by_each_column_both_ways() -> None:
    study, made = study_of_ends()
    asked = session_lists.Asked.of({"sort": "judged"})
    up = list(session_lists.keys(study, asked))
    down = list(session_lists.keys(study, session_lists.Asked.of({"sort": "-judged"})))
    assert up[0] == down[-1] == made["left early"].pk
    assert up[-1] == down[0] == made["finished"].pk
    for name in session_lists.COLUMNS:
        if name:
            assert len(session_lists.keys(study, session_lists.Asked.of({"sort": name}))) == 5
    heads = {column.name: column for column in session_lists.columns(asked)}
    assert (heads["judged"].order, heads["judged"].query) == ("ascending", "sort=-judged")
    assert heads["started"].query == "sort=-started"


# Speed and sides


def test_quartiles_are_of_what_counts_to_the_hundredth_of_a_second() -> None:
    study = make_study(n_sources=9, judgments_per_triplet=9)
    session = sitting(study, "l" * 8)
    for place, row in enumerate(Judgment.objects.order_by("trial__position")):
        Judgment.objects.filter(pk=row.pk).update(response_ms=1003 + 500 * place)
    found = speed.response_s(study)
    assert found == speed.Quartiles(1.5, 2.5, 3.5, 8)
    Session.objects.filter(pk=session.pk).update(verdict="excluded")
    assert speed.response_s(study) is None


def test_minutes_are_of_finished_sessions() -> None:
    study, made = study_of_ends()
    began = timezone.now()
    Session.objects.filter(pk=made["finished"].pk).update(
        started_at=began, finished_at=began + timedelta(minutes=6)
    )
    found = speed.session_minutes(study)
    assert found is not None
    assert (round(found.median, 3), found.n) == (6.0, 1)


def test_sides_are_told_over_observers_as_the_shares_are() -> None:
    study = make_study(n_sources=12, judgments_per_triplet=30, allow_not_sure=True)
    answers = ["rrrr", "rrl", "lrlrl", "rn", "rrrl", "n", "ll"]
    for each in answers:
        sitting(study, each)
    found = sides.sides(study).chosen
    counts = [(each.count("r"), len(each) - each.count("n")) for each in answers]
    k, n = (np.array(column, float) for column in zip(*counts, strict=True))
    by_hand = clustered_share(k[n > 0], n[n > 0])
    assert (found.k, found.n, found.n_observers) == (12, 19, 6)
    assert by_hand.interval and found.estimate.interval
    assert found.estimate.value == pytest.approx(by_hand.value)
    assert found.estimate.interval.low == pytest.approx(by_hand.interval.low)
    # Twice the chance of 12 or more of 19 at one half.
    assert found.p_independent == pytest.approx(0.3592834)


def test_the_plans_own_sides_are_counted_too() -> None:
    study = make_study(n_sources=6, judgments_per_triplet=9)
    session = sitting(study, "llll")
    n_right = session.trials.filter(first_on_left=False).count()
    planned = sides.sides(study).planned
    assert (planned.k, planned.n, planned.n_observers) == (n_right, 4, 1)
    assert planned.p is None
    assert planned.estimate.interval is None


# Widths


def test_each_width_is_that_of_the_share_over_observers() -> None:
    study = make_study(n_sources=6, judgments_per_triplet=10, allow_not_sure=True)
    for each in ["lrl", "rrr", "lnlr", "r", "llnn", "rl"]:
        sitting(study, each)
    excluded = sitting(study, "rrrrrr")
    Session.objects.filter(pk=excluded.pk).update(verdict="excluded")
    for row in widths(study):
        won, n = won_by_observer(study, row.codec)
        by_hand = clustered_share(won, n).interval
        assert by_hand is not None and row.half_width is not None
        assert row.half_width == pytest.approx(by_hand.half_width)
        assert (row.n, row.n_observers, row.n_wanted) == (n.sum(), 6, 60)
        assert row.forecast == pytest.approx(row.half_width * (n.sum() / 60) ** 0.5)


def won_by_observer(study: Study, codec: str) -> tuple[Any, Any]:
    counted: dict[Any, list[float]] = {}
    for row in (
        Judgment.objects.counted()
        .of_study(study)
        .select_related("trial__triplet__first", "trial__triplet__second")
    ):
        share = {"first": 1.0, "second": 0.0, "not_sure": 0.5}[row.choice]
        is_first = row.trial.triplet.first.codec == codec
        counted.setdefault(row.trial.annotator_id, []).append(share if is_first else 1 - share)
    each = list(counted.values())
    return np.array([sum(one) for one in each]), np.array([float(len(one)) for one in each])


def test_few_observers_have_no_width_and_say_so() -> None:
    study = make_study()
    sitting(study, "l")
    found = widths(study)
    assert [row.half_width for row in found] == [None, None]
    assert "expected 5 or more" in found[0].reason
    assert widest(found) is None


# Keeping


def test_a_large_study_is_counted_rarely() -> None:
    study, asked = make_study(), []

    def count() -> int:
        asked.append(1)
        return len(asked)

    few, many = 10, keeping.DEAR_JUDGMENTS
    assert keeping.kept(study, "n", few, count).value == 1
    assert keeping.kept(study, "n", few, count).value == 2
    first = keeping.kept(study, "n", many, count)
    again = keeping.kept(study, "n", many, count)
    assert (first.value, again.value, again.counted_at) == (3, 3, first.counted_at)
    assert keeping.kept(study, "other", many, count).value == 4
    assert keeping.count_anew(study, "n", count).value == 5
    assert keeping.kept(study, "n", many, count).value == 5


def test_what_is_old_is_shown_and_counted_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "DEAR_JUDGMENTS", 1)
    monkeypatch.setattr(keeping, "TIMES_AS_LONG", 0)
    study = make_study(n_sources=6, judgments_per_triplet=9)
    sitting(study, "lr")
    assert watching.watch(study).counted.sessions.n_begun == 1
    sitting(study, "lr")
    old = watching.watch(study)
    # The triplets' own counts are never old.
    assert (old.counted.sessions.n_begun, old.progress.n_judged, old.is_old) == (1, 4, True)
    assert keeping.claim(study)
    assert not keeping.claim(study)
    tasks.recount_study(study.pk)
    assert watching.watch(study).counted.sessions.n_begun == 2
    assert watching.watch(study).widths[0].n_observers == 2
    assert keeping.claim(study)


# The page


def test_every_number_leads_to_its_rows(ada: Client) -> None:
    study, _ = study_of_ends()
    page = ada.get(reverse("study_watch", args=["which"])).content.decode()
    sessions, gallery = (
        reverse(name, args=["which"]) for name in ("study_sessions", "study_gallery")
    )
    for link in (
        f"{sessions}?state=left", f"{sessions}?state=answering", f"{sessions}?verdict=excluded",
        f"{sessions}?state=unfinished&amp;judged=8-8", f"{gallery}?n=1",
        f"{gallery}?rate=0.5&amp;pair=jpeg%2Cwebp", f"{gallery}?rate=0.5&amp;codec=webp",
    ):  # fmt: skip
        assert f'href="{link}"' in page, link
        assert ada.get(link.replace("&amp;", "&")).status_code == 200
    shown = ada.get(gallery, {"n": "1"}).content.decode()
    n = study.triplets.filter(n_judged=1).count()
    assert f"{n} of 12 triplets" in shown


def test_a_viewer_watches_and_is_offered_nothing_to_press() -> None:
    study, _ = study_of_ends()
    eve = Client()
    owner = make_ada()
    team.name_member(study, owner, "owner", by=None)
    viewer = make_user("eve")
    team.name_member(study, viewer, "viewer", by=None)
    eve.force_login(viewer)
    page = eve.get(reverse("study_watch", args=["which"])).content.decode()
    assert '<form method="post" action="/studies/' not in page
    assert 'action="/studies/' not in page


def test_the_sessions_page_takes_as_many_queries_for_many_rows(ada: Client) -> None:
    study = make_study(n_sources=8, judgments_per_triplet=40)
    sitting(study, "l")

    def n_queries() -> int:
        with CaptureQueriesContext(connection) as found:
            ada.get(reverse("study_sessions", args=["which"]), {"sort": "-judged"})
        return len(found)

    few = n_queries()
    for _ in range(5):
        sitting(study, "ll")
    assert n_queries() == few
    assert few <= 8


def test_files_of_too_different_size_count_at_no_rate() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=10, rate_tolerance=0.04)
    apart, near = study.triplets.order_by("pk")
    type(apart.second).objects.filter(pk=apart.second_id).update(bpp=0.53)
    type(near.second).objects.filter(pk=near.second_id).update(bpp=0.515)
    for _ in range(6):
        sitting(study, "ll")
    found = coverage.coverage(study)
    ((_, (cell,)),) = found.rows
    assert cell and (cell.n_triplets, found.n_apart) == (1, 1)
    assert {row.n for row in widths(study)} == {6}


def test_a_cell_is_full_only_where_each_triplet_is() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=10)
    first, second = study.triplets.order_by("pk")
    study.triplets.filter(pk=first.pk).update(n_judged=20)
    ((_, (cell,)),) = coverage.coverage(study).rows
    assert cell and (cell.percent, cell.tenth) == (50, 5)
    study.triplets.filter(pk=second.pk).update(n_judged=9)
    ((_, (cell,)),) = coverage.coverage(study).rows
    assert cell and (cell.percent, cell.tenth) == (95, 9)
