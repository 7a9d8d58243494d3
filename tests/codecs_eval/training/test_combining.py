"""Several metrics as one: planted weights, folds that see nothing of themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import minimize

from codecs_eval.training.combining import fit_combination, out_of_fold_logits
from codecs_eval.training.comparing import Compared, Distances, combination
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.plan import Phase, plan_inner, plan_phases

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
    before = out_of_fold_logits(seen, seen, share, np.ones(200), fold)
    turned = np.where(fold == 2, 1 - share, share)
    after = out_of_fold_logits(seen, seen, turned, np.ones(200), fold)
    assert np.array_equal(before[fold == 2], after[fold == 2])
    assert not np.array_equal(before[fold == 1], after[fold == 1])


def known_by_heart() -> Compared:
    """A trained metric that knows the votes it has seen and guesses the others; a sober second."""
    differences, share = simulated(600, 1)
    n_triplets = len(share)
    sources = [f"s{number % 30}" for number in range(n_triplets)]
    config = TrainMetricConfig(folds=3, combine_with=("psnr",))
    phases = plan_phases(sources, {f"s{number}" for number in range(24)}, config)
    inner = plan_inner(phases, sources, config)
    rng = np.random.default_rng(5)

    def trained_on(phase: Phase) -> Distances:
        difference = rng.normal(0, 0.1, n_triplets)
        rows = phase.learned.numpy()
        difference[rows] = 0.1 * (2 * share[rows] - 1)
        return Distances(torch.from_numpy(difference), torch.zeros(n_triplets).double())

    table = pd.DataFrame({"source": sources, "n": 1, "k_second": share})
    trained = [trained_on(phase) for phase in phases]
    others = differences @ TRUTH
    return Compared(
        *(phases, table, trained, trained[-1], others[:, None]),
        is_weighted_by_votes=True,
        inner=[(phase, trained_on(phase)) for phase in inner],
    )


def test_a_metric_is_not_trusted_for_votes_that_it_learned_by_heart() -> None:
    found = known_by_heart()
    told, logits = combination(found, ["psnr"])
    trained, psnr = told["weights"]
    assert psnr == pytest.approx(1.0, abs=0.25)
    # In units of its own spread, beside psnr's: nothing to speak of.
    assert abs(0.1 * trained) < 0.2
    assert told["heldout"]["with"] > told["heldout"]["without"] + 0.1
    assert told["cross_validated"]["with"] > told["cross_validated"]["without"] + 0.1
    assert logits is not None and np.isfinite(logits).all()


def test_the_weights_never_meet_heads_that_saw_the_votes() -> None:
    found = known_by_heart()
    _, before = combination(found, ["psnr"])
    # Whatever the phases' own metrics say where they learned changes no weight.
    learned = found.phases[0].learned
    spoilt = found.trained[0].first.clone()
    spoilt[learned] *= 100.0
    trained = [Distances(spoilt, found.trained[0].second), *found.trained[1:]]
    _, after = combination(replace(found, trained=trained), ["psnr"])
    assert before is not None and after is not None
    held = found.phases[0].heldout.numpy()
    assert np.array_equal(before[held], after[held])
