import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from annotation.preference.scale import LINKS, count_wins, fit_scale

Floats = NDArray[np.float64]
CHANCE = {"logistic": expit, "probit": norm.cdf}


def make_wins(places: Floats, n_comparisons: int, seed: int, link: str = "logistic") -> Floats:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, len(places), n_comparisons)
    other = (one + rng.integers(1, len(places), n_comparisons)) % len(places)
    chosen = rng.random(n_comparisons) < CHANCE[link](places[one] - places[other])
    return count_wins(len(places), one, other, chosen)


# Counting


def test_each_comparison_is_a_win_for_the_one_that_was_chosen() -> None:
    wins = count_wins(3, [0, 0, 2], [1, 2, 1], [1, 0, 1])
    assert wins.tolist() == [[0, 1, 0], [0, 0, 0], [1, 1, 0]]


def test_a_tie_is_half_a_win_for_each() -> None:
    assert count_wins(2, [0, 1], [1, 0], [0.5, 1], [4, 3]).tolist() == [[0, 2], [5, 0]]


def test_no_comparison_at_all_is_counted_too() -> None:
    assert count_wins(2, [], [], []).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("comparisons", "sentence"),
    [
        (([0], [2], [1]), "Found items 0 to 2; expected 0 to 1"),
        (([-1], [0], [1]), "Found items -1 to 0"),
        (([1], [1], [1]), "compared with itself"),
        (([0], [1], [1.5]), "outside 0..1"),
        (([0, 1], [1], [1]), "shape"),
        (([0], [1], [1], [-1]), "less than 0 times"),
    ],
)
def test_comparisons_that_cannot_be_are_refused(
    comparisons: tuple[list[float], ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        count_wins(2, *comparisons)


# Fitting


@pytest.mark.parametrize("link", LINKS)
def test_the_summit_is_the_one_a_general_optimiser_finds(link: str) -> None:
    wins = make_wins(np.array([0.0, 0.4, 1.0, 3.0, -2.0]), 120, 1, link)

    def downhill(places: Floats) -> float:
        chance = CHANCE[link](places[:, None] - places[None, :])
        return float(places @ places / 2 / 1.5**2 - (wins * np.log(chance)).sum())

    found = fit_scale(wins, link=link, prior_sd=1.5)
    expected = minimize(downhill, np.zeros(5), tol=1e-10)
    assert found.mean == pytest.approx(expected.x, abs=1e-4)


@pytest.mark.parametrize("link", LINKS)
def test_the_covariance_is_the_inverse_curvature_there(link: str) -> None:
    wins = make_wins(np.array([0.0, 0.5, -0.5, 1.0]), 80, 2, link)
    found = fit_scale(wins, link=link, prior_sd=2.0)

    def value(places: Floats) -> float:
        chance = CHANCE[link](places[:, None] - places[None, :])
        return float(places @ places / 8 - (wins * np.log(chance)).sum())

    step = 1e-3 * np.eye(4)
    curvature = [
        [
            (value(found.mean + a + b) - value(found.mean + a - b)
             - value(found.mean - a + b) + value(found.mean - a - b)) / 4e-6
            for b in step
        ]
        for a in step
    ]  # fmt: skip
    assert found.covariance == pytest.approx(np.linalg.inv(curvature), rel=1e-4, abs=1e-5)


def test_two_items_have_the_odds_of_their_wins() -> None:
    found = fit_scale(np.array([[0.0, 900.0], [100.0, 0.0]]), prior_sd=50.0)
    assert found.mean[0] - found.mean[1] == pytest.approx(np.log(9), abs=0.01)
    # The variance of a log-odds: 1/900 + 1/100.
    assert found.differences()[1][0, 1] == pytest.approx(1 / 900 + 1 / 100, rel=0.01)


def test_an_item_that_always_won_stands_at_a_finite_place() -> None:
    found = fit_scale(np.array([[0.0, 5.0], [0.0, 0.0]]))
    assert 0.5 < found.mean[0] - found.mean[1] < 6
    more = fit_scale(np.array([[0.0, 50.0], [0.0, 0.0]]))
    assert more.mean[0] > found.mean[0]


def test_parts_that_were_never_compared_have_mean_0_each_and_the_priors_spread() -> None:
    wins = np.zeros((5, 5))
    wins[0, 1], wins[1, 0], wins[2, 3] = 6, 2, 3
    found = fit_scale(wins, prior_sd=2.0)
    assert found.mean[:2].sum() == pytest.approx(0, abs=1e-6)
    assert found.mean[2:4].sum() == pytest.approx(0, abs=1e-6)
    assert found.mean[4] == 0
    assert found.covariance[4, 4] == pytest.approx(4.0)
    assert found.covariance[:2, 2:] == pytest.approx(np.zeros((2, 3)), abs=1e-9)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    inside = []
    for seed in range(200):
        places = rng.normal(0, 1, 6)
        mean, variance = fit_scale(make_wins(places, 300, seed), prior_sd=1.0).differences()
        truth = places[:, None] - places[None, :]
        above = np.triu_indices(6, 1)
        inside.append((np.abs(mean - truth) < 1.96 * np.sqrt(variance))[above])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("link", LINKS)
def test_far_apart_and_unanimous_counts_settle(link: str) -> None:
    wins = np.triu(np.full((30, 30), 1000.0), 1)
    found = fit_scale(wins, link=link)
    assert np.all(np.diff(found.mean) < 0)
    assert np.all(np.linalg.eigvalsh(found.covariance) > 0)


def test_counts_on_which_whole_newton_steps_go_round_settle() -> None:
    wins = np.zeros((8, 8))
    won = [
        (0, 3, 72), (0, 7, 2), (1, 3, 480), (1, 6, 682), (2, 1, 11), (2, 3, 13), (2, 4, 104),
        (2, 7, 476), (3, 0, 9), (3, 6, 502), (4, 1, 645), (6, 3, 204), (6, 5, 170), (7, 0, 1),
    ]  # fmt: skip
    for one, other, times in won:
        wins[one, other] = times
    found = fit_scale(wins, prior_sd=11.71)
    assert found.mean.argsort()[::-1].tolist() == [2, 4, 1, 0, 7, 3, 6, 5]


@pytest.mark.parametrize("link", LINKS)
def test_15000_comparisons_of_120_items_give_their_order(link: str) -> None:
    rng = np.random.default_rng(1)
    places = rng.normal(0, 2, 120)
    one = rng.integers(0, 120, 15_000)
    other = (one + rng.integers(1, 120, 15_000)) % 120
    chosen = rng.random(15_000) < expit(places[one] - places[other])
    found = fit_scale(count_wins(120, one, other, chosen), link=link)
    assert np.corrcoef(found.mean, places)[0, 1] > 0.98


@pytest.mark.parametrize(
    ("wins", "settings", "sentence"),
    [
        (np.zeros((2, 3)), {}, "shape"),
        (np.array([[0.0, -1.0], [0.0, 0.0]]), {}, "negative"),
        (np.array([[0.0, np.nan], [0.0, 0.0]]), {}, "no numbers"),
        (np.eye(2), {}, "over itself"),
        (np.zeros((2, 2)), {"link": "linear"}, "expected one of"),
        (np.zeros((2, 2)), {"prior_sd": 0.0}, "expected more than 0"),
    ],
)
def test_counts_and_settings_that_cannot_be_are_refused(
    wins: Floats, settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit_scale(wins, **settings)  # type: ignore[arg-type]
