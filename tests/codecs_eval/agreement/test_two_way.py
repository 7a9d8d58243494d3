"""Intervals over sources and raters: right sums under weights, and right as often as they say."""

import numpy as np
import pytest

from codecs_eval.agreement.ballots import Ballots
from codecs_eval.agreement.intervals import Asked, Bootstrap, Estimate, estimate_means, ratios
from codecs_eval.agreement.scores import human_unbiased
from codecs_eval.agreement.two_way import (
    PIGEONHOLE,
    STUDENT_T_TWO_WAY,
    estimate_two_way,
    mean_totals,
    pair_totals,
)
from tests.codecs_eval.agreement.simulated import World, ballots_from, judged_of


def _judged(has_raters: bool = True, n_raters: int = 8):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(5)
    source = np.repeat(np.arange(7), 3)
    raters = np.stack([rng.permutation(n_raters)[:4] for _ in source])
    votes = rng.choice([0.0, 0.5, 1.0], p=[0.3, 0.1, 0.6], size=raters.shape)
    return judged_of(source, raters, votes, (rng.normal(size=21),), has_raters=has_raters)


def _ballots(judged) -> Ballots:  # type: ignore[no-untyped-def]
    assert judged.ballots is not None
    return judged.ballots


def test_a_raters_weight_counts_as_so_many_copies_of_their_judgments() -> None:
    judged = _judged()
    ballots = _ballots(judged)
    if_first, if_second = judged.agreements()
    weights = np.random.default_rng(2).integers(0, 3, 8).astype(float)
    found = mean_totals(ballots, judged.source_codes, if_first, if_second).by_source(
        weights[None, :]
    )[0]
    expected = np.zeros((7, 2))
    for triplet, rater, vote in zip(ballots.triplet, ballots.rater, ballots.vote, strict=True):
        score = (1 - vote) * if_first[triplet, 0] + vote * if_second[triplet, 0]
        expected[triplet // 3] += weights[rater] * np.array([score, 1.0])
    assert found == pytest.approx(expected)


def test_the_copies_of_one_rater_are_no_pair() -> None:
    judged = _judged()
    ballots = _ballots(judged)
    weights = np.random.default_rng(3).integers(0, 3, 8).astype(float)
    found = pair_totals(ballots, judged.source_codes).by_source(weights[None, :])[0]
    expected = np.zeros((7, 2))
    for triplet in range(21):
        inside = np.flatnonzero(ballots.triplet == triplet)
        agreed = pairs = 0.0
        for i in inside:
            for j in inside[inside > i]:
                a, b = ballots.vote[i], ballots.vote[j]
                weight = weights[ballots.rater[i]] * weights[ballots.rater[j]]
                pairs += weight
                agreed += weight * (0.5 if 0.5 in (a, b) else float(a == b))
        if pairs:
            total = weights[ballots.rater[inside]].sum()
            expected[triplet // 3] += [total * agreed / pairs, total]
    assert found == pytest.approx(expected)


def test_with_everybody_once_pairs_give_the_unbiased_agreement() -> None:
    judged = _judged()
    n, k, unsure = (judged.column(name) for name in ("n", "k_second", "n_not_sure"))
    totals = pair_totals(_ballots(judged), judged.source_codes).by_source(np.ones((1, 8)))[0]
    found = ratios(totals.sum(axis=0, keepdims=True))[0, 0]
    assert found == pytest.approx(np.average(human_unbiased(n, k, unsure), weights=n))


def test_a_part_of_the_triplets_keeps_its_own_raters() -> None:
    judged = _judged()
    inside = np.arange(21) >= 12
    part, whole = _ballots(judged.where(inside)), _ballots(judged)
    assert part.n_raters == len(set(whole.rater[whole.triplet >= 12]))
    assert part.triplet.min() == 0 and part.triplet.max() == 8
    assert part.vote.sum() == whole.vote[whole.triplet >= 12].sum()


def test_the_value_is_the_same_with_and_without_raters_and_the_method_is_said() -> None:
    both, alone = _judged(), _judged(has_raters=False)
    two = both.means(*both.agreements(), Bootstrap())[0]
    one = alone.means(*alone.agreements(), Bootstrap())[0]
    assert alone.ballots is None
    assert two.value == pytest.approx(one.value)
    assert two.interval and one.interval
    assert two.interval.method == STUDENT_T_TWO_WAY
    assert (two.interval.n_sources, two.interval.n_raters) == (7, 8)
    assert one.interval.n_raters is None


def test_raters_who_never_vary_widen_nothing() -> None:
    """Three times as many raters of one photo are no evidence about other photos."""
    rng = np.random.default_rng(1)
    source = np.repeat(np.arange(10), 2)
    votes = np.repeat(rng.integers(0, 2, (10, 1)), 2, axis=0).repeat(6, axis=1).astype(float)
    raters = np.tile(np.arange(6), (20, 1))
    both = judged_of(source, raters, votes)
    alone = judged_of(source, raters, votes, has_raters=False)
    two = both.means(*both.agreements(), Bootstrap())[0].interval
    one = alone.means(*alone.agreements(), Bootstrap())[0].interval
    assert two and one
    assert two.high - two.low == pytest.approx(one.high - one.low, rel=0.1)


def test_one_rater_is_no_second_factor() -> None:
    source = np.repeat(np.arange(5), 2)
    votes = np.random.default_rng(0).integers(0, 2, (10, 1)).astype(float)
    judged = judged_of(source, np.zeros((10, 1), dtype=int), votes)
    assert judged.ballots is None


@pytest.mark.parametrize("n_kept", [0, 1000])
def test_draws_that_say_nothing_are_told_or_give_way_to_the_t_interval(n_kept: int) -> None:
    rng = np.random.default_rng(4)
    votes = (rng.random((25, 25)) < 0.7).astype(float)
    ballots = ballots_from(np.tile(np.arange(25), (25, 1)), votes)
    ones = np.ones((25, 1))
    crossed = mean_totals(ballots, np.arange(25), 0 * ones, ones)
    n_right = votes.sum()

    def undefined_in_draws(totals: np.ndarray) -> np.ndarray:
        # Everybody judged everything: a draw weighs as much as the whole, a jackknife less.
        is_draw = (totals[:, -1:] == votes.size) & (totals[:, :1] != n_right)
        is_lost = is_draw & ((totals[:, :1] % 2 == 0) | (n_kept == 0))
        return np.where(is_lost, np.nan, ratios(totals))

    found = estimate_two_way(crossed, undefined_in_draws, Asked(Bootstrap(resamples=2000)), 25)
    assert found is not None and found[0].interval is not None
    interval = found[0].interval
    assert interval.low < found[0].value < interval.high
    if n_kept == 0:
        assert (interval.method, interval.resamples) == (STUDENT_T_TWO_WAY, 0)
    else:
        assert interval.resamples == pytest.approx(n_kept, rel=0.2)
        assert f"({interval.resamples} of 2000 draws" in interval.method


def _estimate(
    source: np.ndarray, raters: np.ndarray, votes: np.ndarray, statistic: str, bootstrap: Bootstrap
) -> Estimate:
    ballots = ballots_from(raters, votes)
    if statistic == "people":
        crossed = pair_totals(ballots, source)
    else:
        ones = np.ones((len(votes), 1))
        crossed = mean_totals(ballots, source, 0 * ones, ones)
    found = estimate_two_way(crossed, ratios, Asked(bootstrap), len(votes))
    assert found is not None
    return found[0]


def _coverage(world: World, n_sources: int, n_raters: int, runs: int, statistic: str) -> float:
    truth = world.truth() if statistic == "agreement" else _pairs_truth(world)
    rng = np.random.default_rng(n_sources * 1000 + n_raters)
    hits = 0
    for run in range(runs):
        votes = world.votes(rng, n_sources, n_raters)
        found = _estimate(*votes, statistic, Bootstrap(resamples=300, seed=run)).interval
        assert found is not None
        is_many = min(n_sources, n_raters) >= 20
        assert found.method == (PIGEONHOLE if is_many else STUDENT_T_TWO_WAY)
        hits += found.low <= truth <= found.high
    return hits / runs


def _pairs_truth(world: World) -> float:
    """Chance that two raters agree on a triplet."""
    source, triplet, one, other = np.random.default_rng(98).standard_normal((4, 500_000))
    shared = world.source * source + world.triplet * triplet
    p, q = (world.chance(shared, world.rater * rater) for rater in (one, other))
    return float(np.mean(p * q + (1 - p) * (1 - q)))


@pytest.mark.parametrize(
    ("n_sources", "n_raters", "world"),
    [
        (30, 24, World()),
        (40, 60, World(rater=0.0)),
        (25, 25, World(source=0.1, rater=1.0)),
        (12, 30, World()),
        (40, 8, World()),
    ],
    ids=["both vary", "alike raters", "alike photos", "few photos", "few raters"],
)
def test_a_two_way_interval_covers_as_often_as_it_says(
    n_sources: int, n_raters: int, world: World
) -> None:
    assert 0.92 <= _coverage(world, n_sources, n_raters, 300, "agreement") <= 0.97


def test_where_nothing_but_noise_varies_the_interval_is_too_wide_rather_than_too_narrow() -> None:
    world = World(source=0.0, rater=0.0)
    assert 0.94 <= _coverage(world, 10, 10, 300, "agreement") <= 0.99


@pytest.mark.parametrize(("n_sources", "n_raters"), [(30, 24), (12, 15)])
def test_the_interval_of_people_covers_as_often_as_it_says(n_sources: int, n_raters: int) -> None:
    assert 0.92 <= _coverage(World(), n_sources, n_raters, 300, "people") <= 0.97


def test_an_interval_over_sources_alone_misses_what_raters_bring() -> None:
    """Why raters are a factor: alike photos and raters who differ."""
    world = World(source=0.1, triplet=0.3, rater=1.2)
    truth, rng = world.truth(), np.random.default_rng(4)
    one = two = 0
    for run in range(200):
        source, raters, votes = world.votes(rng, 25, 20)
        bootstrap = Bootstrap(resamples=300, seed=run)
        both = _estimate(source, raters, votes, "agreement", bootstrap).interval
        names = [str(number) for number in source]
        shares = votes.mean(axis=1, keepdims=True)
        single = estimate_means(shares, np.ones(len(votes)), names, bootstrap)[0].interval
        assert both and single
        two += both.low <= truth <= both.high
        one += single.low <= truth <= single.high
    assert one / 200 < 0.75
    assert two / 200 > 0.9
