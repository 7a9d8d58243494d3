"""Probabilities: the fit that makes them, and the scores that judge them."""

import numpy as np
import pandas as pd
import pytest

from codecs_eval.agreement.calibration import (
    COIN_BRIER,
    COIN_NLL,
    FITTED,
    OWN,
    calibrate,
    fit_slope,
    reliability,
)
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import Judged
from tests.codecs_eval.agreement.simulated import judged_of

QUICK = Bootstrap(resamples=200)


def _made(slope: float, n_sources: int = 40, n_triplets: int = 30, n_votes: int = 4) -> Judged:
    rng = np.random.default_rng(6)
    source = np.repeat(np.arange(n_sources), n_triplets)
    difference = rng.normal(size=len(source))
    p = 1 / (1 + np.exp(-slope * difference))
    votes = (rng.random((len(source), n_votes)) < p[:, None]).astype(float)
    raters = np.tile(np.arange(n_votes), (len(source), 1))
    return judged_of(source, raters, votes, (difference,), has_raters=False)


def _with_own(judged: Judged, p_second: np.ndarray) -> Judged:
    metric = judged.metrics[0]
    values = metric.values.assign(p_second=p_second)
    own = type(metric)(metric.name, metric.label, False, metric.colour, metric.marker, values)
    return Judged(judged.table, (own,), judged.distances)


def test_a_planted_slope_is_found() -> None:
    judged = _made(2.0)
    first, second = judged.distances[0]
    found = fit_slope(first - second, judged.column("n"), judged.column("k_second"))
    assert found == pytest.approx(2.0, rel=0.06)


def test_the_slope_has_the_likelihood_at_its_top() -> None:
    judged = _made(1.3, n_sources=5)
    x = judged.distances[0][0]
    n, k = judged.column("n"), judged.column("k_second")
    unit = np.mean(np.abs(x))

    def loss(a: float) -> float:
        fit = np.sum(n * np.logaddexp(0, a * x) - k * a * x)
        return float(fit + np.logaddexp(0, a * unit) - a * unit / 2)

    best = fit_slope(x, n, k)
    assert loss(best) < min(loss(best * 1.001), loss(best * 0.999))


def test_votes_that_a_metric_separates_give_a_finite_slope() -> None:
    x = np.asarray([-2.0, -1.0, 1.0, 3.0])
    found = fit_slope(x, np.ones(4), (x > 0).astype(float))
    assert 0 < found < 20


@pytest.mark.parametrize("x", [np.asarray([-2.0, -1.0, 1.0, 3.0]), np.zeros(4)])
def test_a_metric_that_points_the_wrong_way_or_nowhere_says_one_half(x: np.ndarray) -> None:
    assert fit_slope(x, np.ones(4), (x < 0).astype(float)) == 0.0


def test_a_metric_that_is_right_about_itself_has_the_scores_of_the_truth() -> None:
    judged = _made(2.0)
    found = calibrate(judged, QUICK).metrics[0]
    p = 1 / (1 + np.exp(-2.0 * judged.distances[0][0]))
    entropy = float(np.mean(-p * np.log(p) - (1 - p) * np.log(1 - p)))
    assert found.head == FITTED
    assert found.nll.value == pytest.approx(entropy, abs=0.012)
    assert found.brier.value == pytest.approx(float(np.mean(p * (1 - p))), abs=0.006)
    assert found.error < 0.03
    for one in found.bins:
        assert one.low <= one.predicted <= one.high
        assert one.observed.value == pytest.approx(one.predicted, abs=0.07)
    assert sum(one.n_judgments for one in found.bins) == 4800


def test_a_coin_scores_what_a_coin_scores() -> None:
    judged = _with_own(_made(2.0), np.full(1200, 0.5))
    found = calibrate(judged, QUICK).metrics[0]
    assert found.head == OWN
    assert found.nll.value == pytest.approx(COIN_NLL)
    assert found.brier.value == pytest.approx(COIN_BRIER)
    (only,) = found.bins
    assert (only.predicted, only.observed.value) == (0.5, 0.5)


def test_a_probability_of_its_own_is_not_fitted_over() -> None:
    judged = _made(2.0)
    logits = 6.0 * judged.distances[0][0]
    boast = calibrate(_with_own(judged, 1 / (1 + np.exp(-logits))), QUICK).metrics[0]
    fitted = calibrate(judged, QUICK).metrics[0]
    assert boast.head == OWN
    assert boast.nll.value > fitted.nll.value + 0.1
    assert boast.error > 0.1
    with pytest.raises(ValueError, match="p_second out of range"):
        calibrate(_with_own(judged, np.full(1200, 1.5)), QUICK)


def test_no_source_judges_what_was_fitted_on_it() -> None:
    """One photo's votes turned round change its own probabilities not at all."""
    judged = _made(2.0, n_sources=6)
    turned = judged.table.copy()
    inside = turned["source"] == "photo0000"
    turned.loc[inside, "k_second"] = turned["n"] - turned["k_second"]
    other = Judged(turned, judged.metrics, judged.distances)
    part = np.asarray(inside)

    def stated(which: Judged) -> list[float]:
        from codecs_eval.agreement import calibration
        from codecs_eval.agreement.folds import deal_sources

        fold_of = deal_sources(which.sources, 6, 0)
        return list(calibration._logits(which, 0, fold_of)[0][part])

    assert stated(judged) == stated(other)
    assert calibrate(judged, QUICK).metrics[0].nll.value != pytest.approx(
        calibrate(other, QUICK).metrics[0].nll.value
    )


def test_a_certain_and_wrong_probability_costs_much_and_not_infinitely_much() -> None:
    judged = _with_own(_made(2.0), np.ones(1200))
    found = calibrate(judged, QUICK).metrics[0]
    assert 5 < found.nll.value < 30


def test_a_not_sure_counts_as_half_a_vote_for_each() -> None:
    source = np.repeat(np.arange(4), 2)
    raters = np.tile(np.arange(2), (8, 1))
    unsure = judged_of(source, raters, np.full((8, 2), 0.5), has_raters=False)
    split = judged_of(source, raters, np.tile([0.0, 1.0], (8, 1)), has_raters=False)
    p = np.full(8, 0.8)
    one, other = (calibrate(_with_own(j, p), QUICK).metrics[0] for j in (unsure, split))
    assert one.brier.value == pytest.approx(other.brier.value)
    assert one.nll.value == pytest.approx(other.nll.value)


def test_infinite_distances_count_as_the_largest_finite_one() -> None:
    judged = _made(2.0, n_sources=6)
    first = judged.distances[0][0].copy()
    first[:2], second = np.inf, np.zeros(len(first))
    second[0] = np.inf
    found = calibrate(Judged(judged.table, judged.metrics, ((first, second),)), QUICK)
    assert np.isfinite(found.metrics[0].nll.value)


def test_first_and_second_tell_the_bins_nothing() -> None:
    judged = _made(2.0, n_sources=6)
    logits = 2.0 * judged.distances[0][0]
    turned = judged.table.assign(k_second=judged.table["n"] - judged.table["k_second"])
    other = Judged(turned, judged.metrics, judged.distances)
    bins, mirrored = reliability(judged, logits, QUICK), reliability(other, -logits, QUICK)
    assert [one.observed.value for one in bins] == [one.observed.value for one in mirrored]


def test_one_source_or_no_metric_has_a_reason_and_no_number() -> None:
    found = calibrate(_made(2.0, n_sources=1), QUICK)
    assert found.metrics == ()
    assert found.reason and "one source" in found.reason
    judged = _made(2.0, n_sources=3)
    assert calibrate(Judged(judged.table, (), ()), QUICK).reason == "no metric"


def test_the_json_says_how_the_probabilities_came_about() -> None:
    found = calibrate(_made(2.0, n_sources=12), QUICK).to_json()
    assert found["n_folds"] == 10
    assert "10 folds by source" in found["heads"]["fitted"]
    assert found["coin"]["nll"] == pytest.approx(0.6931, abs=1e-4)
    assert pd.DataFrame(found["metrics"][0]["bins"])["n_judgments"].sum() == 12 * 30 * 4
