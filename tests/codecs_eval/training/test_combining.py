"""Several metrics as one: planted weights, folds that see nothing of themselves."""

import numpy as np
import pytest
from scipy.optimize import minimize

from codecs_eval.training.combining import fit_combination, out_of_fold_logits

TRUTH = np.array([8.0, 0.4, -1.5])


def simulated(n_triplets: int, n_votes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Differences of three metrics of different units, and shares of simulated votes."""
    rng = np.random.default_rng(seed)
    differences = rng.normal(0, 1, (n_triplets, 3)) * np.array([0.1, 3.0, 0.5])
    p = 1 / (1 + np.exp(-differences @ TRUTH))
    return differences, rng.binomial(n_votes, p) / n_votes


def test_planted_weights_are_recovered() -> None:
    differences, share = simulated(20_000, 5)
    found = fit_combination(differences, share, np.ones(20_000))
    np.testing.assert_allclose(found, TRUTH, rtol=0.05)


def test_the_weights_are_those_of_the_largest_likelihood() -> None:
    differences, share = simulated(300, 3)
    n = np.random.default_rng(1).integers(1, 9, 300).astype(float)

    def loss(w: np.ndarray) -> float:
        z = differences @ w
        return float(np.average(np.logaddexp(0, z) - share * z, weights=n))

    expected = minimize(loss, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(fit_combination(differences, share, n), expected, rtol=0.01)


def test_swapping_the_images_of_some_triplets_changes_nothing() -> None:
    differences, share = simulated(300, 3)
    sign = np.where(np.arange(300) % 2, 1.0, -1.0)
    swapped = fit_combination(
        differences * sign[:, None], np.where(sign > 0, share, 1 - share), np.ones(300)
    )
    np.testing.assert_allclose(fit_combination(differences, share, np.ones(300)), swapped)


def test_separable_votes_and_a_metric_that_never_differs_stay_finite() -> None:
    differences = np.column_stack([np.linspace(-1, 1, 40), np.zeros(40)])
    found = fit_combination(differences, (differences[:, 0] > 0).astype(float), np.ones(40))
    assert 1.0 < found[0] < 1000.0
    assert found[1] == 0.0


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of their differences not finite"):
        fit_combination(np.array([[np.nan], [1.0]]), np.ones(2), np.ones(2))


def test_a_folds_own_votes_do_not_move_its_logits() -> None:
    differences, share = simulated(200, 3)
    fold = np.arange(200) % 4
    seen = np.stack([differences] * 4)
    before = out_of_fold_logits(seen, share, np.ones(200), fold)
    turned = np.where(fold == 2, 1 - share, share)
    after = out_of_fold_logits(seen, turned, np.ones(200), fold)
    assert np.array_equal(before[fold == 2], after[fold == 2])
    assert not np.array_equal(before[fold == 1], after[fold == 1])
