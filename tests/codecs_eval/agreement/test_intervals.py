import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from codecs_eval.agreement.distributions import Bca
from codecs_eval.agreement.intervals import BCA, STUDENT_T, Bootstrap, estimate_means


def _coverage(n_sources: int, runs: int) -> float:
    """Share of intervals that hold the truth: source effects, 5 to 25 triplets of 3 votes each."""
    rng = np.random.default_rng(n_sources)

    def chance(source: np.ndarray, triplet: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(1.0 + 0.8 * source + 1.2 * triplet))))

    truth = chance(rng.standard_normal(1_000_000), rng.standard_normal(1_000_000)).mean()
    hits = 0
    for run in range(runs):
        counts = rng.integers(5, 26, n_sources)
        sources = np.repeat(np.arange(n_sources), counts)
        p = chance(rng.standard_normal(n_sources)[sources], rng.standard_normal(len(sources)))
        values = rng.binomial(3, p)[:, None] / 3
        names = [str(source) for source in sources]
        found = estimate_means(
            values, np.ones(len(values)), names, Bootstrap(resamples=1000, seed=run)
        )[0]
        assert found.interval is not None
        hits += found.interval.low <= truth <= found.interval.high
    return hits / runs


@pytest.mark.parametrize(("n_sources", "method"), [(3, STUDENT_T), (10, STUDENT_T), (40, BCA)])
def test_an_interval_over_sources_covers_as_often_as_it_says(n_sources: int, method: str) -> None:
    assert 0.92 <= _coverage(n_sources, runs=600) <= 0.97
    names = [str(number) for number in range(n_sources)]
    values = np.linspace(0, 1, n_sources)[:, None]
    found = estimate_means(values, np.ones(n_sources), names, Bootstrap())[0].interval
    assert found is not None
    assert found.method == method
    assert found.resamples == (2000 if method == BCA else 0)


def test_many_sources_get_the_limits_of_scipys_bca() -> None:
    values = np.random.default_rng(1).beta(4, 2, size=60)
    names = [f"photo{number}" for number in range(60)]
    ours = estimate_means(values[:, None], np.ones(60), names, Bootstrap(resamples=20_000))[0]
    theirs = scipy_bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    assert ours.interval is not None
    assert ours.interval.low == pytest.approx(theirs.low, abs=0.002)
    assert ours.interval.high == pytest.approx(theirs.high, abs=0.002)


def test_few_sources_get_the_textbook_t_interval() -> None:
    values = np.asarray([0.5, 0.6, 0.8])
    found = estimate_means(values[:, None], np.ones(3), ["a", "b", "c"], Bootstrap(level=0.9))[0]
    # t(.95, 2) = 2.919986, s = .152753, from tables.
    reach = 2.919986 * 0.152753 / np.sqrt(3)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(19 / 30 - reach, abs=1e-4)
    assert found.interval.high == pytest.approx(19 / 30 + reach, abs=1e-4)
    assert found.interval.n_sources == 3


def test_triplets_of_one_source_are_no_independent_evidence() -> None:
    values = np.random.default_rng(2).random(30)
    apart = estimate_means(
        np.repeat(values, 10)[:, None],
        np.ones(300),
        [f"{number // 10}" for number in range(300)],
        Bootstrap(),
    )[0]
    once = estimate_means(
        values[:, None], np.ones(30), [f"{number}" for number in range(30)], Bootstrap()
    )[0]
    assert apart.value == pytest.approx(once.value)
    assert apart.interval is not None
    assert once.interval is not None
    assert apart.interval.low == pytest.approx(once.interval.low, abs=0.01)


def test_one_source_has_a_value_and_no_interval() -> None:
    found = estimate_means(np.asarray([[0.2], [0.6]]), np.ones(2), ["a", "a"], Bootstrap())[0]
    assert found.value == pytest.approx(0.4)
    assert found.interval is None
    assert found.reason == "no interval: all triplets are of one source"
    assert (found.n_triplets, found.n_sources) == (2, 1)


@pytest.mark.parametrize("n_sources", [3, 30])
def test_sources_without_spread_pretend_no_certainty(n_sources: int) -> None:
    names = [str(number) for number in range(n_sources)]
    found = estimate_means(np.ones((n_sources, 1)), np.ones(n_sources), names, Bootstrap())[0]
    assert found.value == 1.0
    assert found.interval is None
    assert found.reason == "no interval: every source gives the same value"


def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    rng = np.random.default_rng(3)
    values = rng.random((200, 2))
    names = np.asarray([f"photo{number % 25:02}" for number in range(200)])
    order = rng.permutation(200)
    weights = rng.integers(1, 5, 200).astype(float)
    one = estimate_means(values, weights, list(names), Bootstrap(seed=1))
    shuffled = estimate_means(values[order], weights[order], list(names[order]), Bootstrap(seed=1))
    other = estimate_means(values, weights, list(names), Bootstrap(seed=2))
    for first, second, third in zip(one, shuffled, other, strict=True):
        assert first.interval is not None
        assert second.interval is not None
        assert first.value == pytest.approx(second.value)
        assert first.interval.low == pytest.approx(second.interval.low)
        assert first.interval != third.interval
    assert one[0].value == pytest.approx(np.average(values[:, 0], weights=weights))


@pytest.mark.parametrize("acceleration", [0.7, -0.7])
def test_an_acceleration_beyond_the_formula_takes_the_last_draw(acceleration: float) -> None:
    drawn = np.linspace(0.0, 1.0, 2001)
    low, high = Bca(0.5, drawn, acceleration, BCA).limits(0.95)
    assert low < 0.5 < high
    assert (high == 1.0) if acceleration > 0 else (low == 0.0)


def test_limits_stay_within_what_can_be() -> None:
    found = estimate_means(np.asarray([[0.1], [0.9]]), np.ones(2), ["a", "b"], Bootstrap())[0]
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (0.0, 1.0)


def test_settings_and_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="level 95"):
        Bootstrap(level=95)
    with pytest.raises(ValueError, match="10 resamples"):
        Bootstrap(resamples=10)
    with pytest.raises(ValueError, match="NaN"):
        estimate_means(np.asarray([[np.nan]]), np.ones(1), ["a"], Bootstrap())
    with pytest.raises(ValueError, match="at least one triplet"):
        estimate_means(np.zeros((0, 1)), np.zeros(0), [], Bootstrap())
    with pytest.raises(ValueError, match="not positive"):
        estimate_means(np.zeros((1, 1)), np.zeros(1), ["a"], Bootstrap())
