"""Holm's procedure, and p-values that are the other face of the intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from codecs_eval.agreement.differences import EVERY_PAIR, FIRST, differences, holm
from codecs_eval.agreement.distributions import Bca, StudentT
from codecs_eval.agreement.intervals import BCA, STUDENT_T, Bootstrap, estimate_means
from codecs_eval.agreement.judged import Judged
from tests.codecs_eval.agreement.simulated import judged_of


def test_holms_own_arithmetic() -> None:
    # R: p.adjust(c(.01, .04, .03, .005), "holm") = .03 .06 .06 .02
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]


def test_a_comparison_without_a_p_value_still_counts() -> None:
    assert holm([0.01, None, 0.03]) == [0.03, None, 0.06]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_values_keep_the_order_and_lie_between_p_and_bonferroni(p: list[float]) -> None:
    found = [value for value in holm(p) if value is not None]
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(np.asarray(found)[order]) >= 0)
    for raw, adjusted in zip(p, found, strict=True):
        assert raw <= adjusted <= 1.0
    smallest = int(np.argmin(p))
    assert found[smallest] == pytest.approx(min(1.0, len(p) * p[smallest]))


def test_few_sources_give_the_p_of_the_t_test() -> None:
    values = np.asarray([0.1, 0.3, -0.1, 0.4, 0.2])
    found = estimate_means(
        values[:, None], np.ones(5), list("abcde"), Bootstrap(), (-1, 1), null=0.0
    )[0]
    assert found.interval is not None and found.interval.method == STUDENT_T
    assert found.p_value == pytest.approx(ttest_1samp(values, 0.0).pvalue)


@pytest.mark.parametrize("n_sources", [8, 40])
def test_p_is_the_error_at_which_the_interval_reaches_nought(n_sources: int) -> None:
    rng = np.random.default_rng(n_sources)
    values = rng.exponential(size=(n_sources, 1)) - 0.75
    names = [f"photo{number}" for number in range(n_sources)]

    def found(level: float):  # type: ignore[no-untyped-def]
        bootstrap = Bootstrap(level=level, resamples=20_000, seed=3)
        return estimate_means(values, np.ones(n_sources), names, bootstrap, (-9, 9), null=0.0)[0]

    p = found(0.95).p_value
    assert p is not None and 0.001 < p < 0.9
    just_in, just_out = found(1 - 0.93 * p).interval, found(1 - 1.07 * p).interval
    assert just_in and just_out
    assert just_in.low <= 0.0 <= just_in.high
    assert not just_out.low <= 0.0 <= just_out.high


def test_no_p_is_smaller_than_the_resamples_can_tell() -> None:
    drawn = np.random.default_rng(0).normal(5.0, 0.1, 1000)
    assert Bca(5.0, drawn, 0.0, BCA).p_value(0.0) == pytest.approx(2 / 1001)
    assert StudentT(5.0, 0.1, 30, STUDENT_T).p_value(5.0) == 1.0


def _three_metrics(n_sources: int = 30, n_metrics: int = 3):  # type: ignore[no-untyped-def]
    """The first knows the preference, the others toss a coin each."""
    rng = np.random.default_rng(8)
    source = np.repeat(np.arange(n_sources), 6)
    preference = rng.normal(size=len(source))
    votes = (rng.random((len(source), 3)) < 1 / (1 + np.exp(-3 * preference[:, None]))).astype(
        float
    )
    coins = tuple(rng.normal(size=(n_metrics - 1, len(source))))
    raters = np.tile(np.arange(3), (len(source), 1))
    return judged_of(source, raters, votes, (preference, *coins), has_raters=False)


def test_against_a_reference_every_other_metric_has_one_row() -> None:
    judged = _three_metrics()
    found = differences(judged, Bootstrap(), "m1")
    assert found is not None and found.reference == "m1"
    assert [(row.name, row.against) for row in found.rows] == [("m0", "m1"), ("m2", "m1")]
    better, alike = (row.to_json(0.95) for row in found.rows)
    assert better["is_different"] and better["low"] > 0
    assert not alike["is_different"]
    assert alike["p_adjusted"] >= alike["p_value"] > 0.05
    whole = found.to_json()
    assert whole["n_compared"] == 2
    assert "two-sided" in whole["p_value"]


def test_every_pair_is_compared_once() -> None:
    found = differences(_three_metrics(), Bootstrap(), EVERY_PAIR)
    assert found is not None and found.reference is None
    assert [(row.name, row.against) for row in found.rows] == [
        ("m0", "m1"),
        ("m0", "m2"),
        ("m1", "m2"),
    ]


def test_many_comparisons_draw_enough_to_show_a_real_difference() -> None:
    found = differences(_three_metrics(n_metrics=8), Bootstrap(resamples=200), EVERY_PAIR)
    assert found is not None and len(found.rows) == 28
    assert found.resamples >= 20_000
    first = found.rows[0]
    assert first.p_adjusted is not None and first.p_adjusted < 0.01
    assert first.difference.interval and first.difference.interval.resamples == found.resamples


def test_a_metric_against_its_double_is_no_difference() -> None:
    source = np.repeat(np.arange(25), 2)
    votes = np.random.default_rng(1).integers(0, 2, (50, 1)).astype(float)
    same = np.random.default_rng(2).normal(size=50)
    judged = judged_of(source, np.zeros((50, 1), dtype=int), votes, (same, same))
    found = differences(judged, Bootstrap(), FIRST)
    assert found is not None
    assert (found.rows[0].difference.value, found.rows[0].p_adjusted) == (0.0, 1.0)


def test_an_unknown_reference_is_refused_and_one_metric_needs_none() -> None:
    with pytest.raises(ValueError, match="'psnr'; expected 'first', 'pairs' or one of m0"):
        differences(_three_metrics(), Bootstrap(), "psnr")
    assert differences(_three_metrics(n_metrics=1), Bootstrap(), FIRST) is None


def test_of_equal_metrics_hardly_any_is_called_different() -> None:
    """Tossed votes, five metrics against a sixth: any false call in about five of a hundred."""
    rng = np.random.default_rng(12)
    source = np.repeat(np.arange(12), 8)
    raters = np.tile(np.arange(2), (len(source), 1))
    coins = tuple(rng.normal(size=(6, len(source))))
    made = judged_of(source, raters, np.zeros((len(source), 2)), coins, has_raters=False)
    calls = 0
    for _ in range(200):
        # The votes are the coins here: to them all metrics are equally strange.
        table = made.table.assign(k_second=rng.binomial(2, 0.5, len(source)).astype(float))
        found = differences(Judged(table, made.metrics, made.distances), Bootstrap(), FIRST)
        assert found is not None
        calls += any(row["is_different"] for row in found.to_json()["rows"])
    assert calls / 200 <= 0.09
