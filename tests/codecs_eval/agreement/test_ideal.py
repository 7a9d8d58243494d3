import numpy as np
import pytest

from codecs_eval.agreement.ideal import ideal_observer
from codecs_eval.agreement.intervals import Bootstrap


@pytest.mark.parametrize(("a", "n"), [(0.4, 3), (1.0, 2), (1.0, 5), (3.0, 8)])
def test_the_fit_finds_what_a_perfect_metric_would_reach(a: float, n: int) -> None:
    rng = np.random.default_rng(4)
    p = rng.beta(a, a, size=200_000)
    k = rng.binomial(n, p).astype(float)
    sources = [str(number % 30) for number in range(len(p))]
    found = ideal_observer(
        np.full(len(p), float(n)), k, np.zeros(len(p)), sources, Bootstrap(resamples=200)
    )
    assert found.value == pytest.approx(np.maximum(p, 1 - p).mean(), abs=0.004)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    assert found.interval.high - found.interval.low < 0.02


def test_unsure_votes_are_left_out_of_the_fit() -> None:
    n, k, unsure = np.asarray([4.0, 5.0]), np.asarray([3.5, 4.0]), np.asarray([1.0, 0.0])
    found = ideal_observer(n, k, unsure, ["a", "b"], Bootstrap())
    sure = ideal_observer(
        np.asarray([3.0, 5.0]), np.asarray([3.0, 4.0]), np.zeros(2), ["a", "b"], Bootstrap()
    )
    assert found.value == pytest.approx(sure.value)


def test_a_fit_without_a_pair_of_sure_votes_is_refused() -> None:
    with pytest.raises(ValueError, match="two sure votes"):
        ideal_observer(np.asarray([2.0]), np.asarray([1.5]), np.ones(1), ["a"], Bootstrap())
