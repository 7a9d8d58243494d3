"""Several metrics -> one: a logistic regression without intercept on their differences.

P(second is closer) = sigmoid(sum of w_m (d_first - d_second)_m), where d is a metric's score turned
so that lower is closer. Zhang et al. call the sum of LPIPS and PSNR "+ PSNR".
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of the mean likelihood, on scores of unit spread: it only keeps separable votes finite.
_RIDGE = 1e-4
_MOST_STEPS = 100


def fit_combination(differences: Floats, share: Floats, weight: Floats) -> Floats:
    """Weights (metrics,) of the largest likelihood, by Newton's method; any sign.

    `differences` (triplets, metrics): d_first - d_second, lower is closer; `share` (triplets,) of
    the votes for the second, 0..1; `weight` (triplets,): the votes of each, or ones. A metric that
    never differs gets 0. Raises ValueError where there are no triplets or a value is not finite,
    RuntimeError where it does not converge.
    """
    if len(differences) == 0 or not np.isfinite(differences).all():
        raise ValueError(
            f"found {len(differences)} triplets, {int((~np.isfinite(differences)).sum())} of their "
            f"differences not finite; expected at least one triplet and finite differences"
        )
    spread = np.sqrt(np.mean(differences**2, axis=0))
    unit = np.where(spread > 0.0, spread, 1.0)
    x, v = differences / unit, weight / weight.sum()
    found = np.zeros(x.shape[1])
    for _ in range(_MOST_STEPS):
        p = _sigmoid(x @ found)
        gradient = x.T @ (v * (share - p)) - _RIDGE * found
        curvature = (x * (v * p * (1.0 - p))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, gradient)
        # Damped: a full step may overshoot where most votes are certain.
        step *= min(1.0, 2.0 / max(1e-12, float(np.abs(step).max())))
        found = found + step
        if float(np.abs(step).max()) < 1e-10:
            return found / unit
    raise RuntimeError(
        f"the combination of metrics did not converge in {_MOST_STEPS} steps; expected it within "
        f"20: leave out a metric that repeats another"
    )


def out_of_fold_logits(
    unseen: Floats, differences: Floats, share: Floats, weight: Floats, fold: NDArray[np.int64]
) -> Floats:
    """Logits (triplets,), each by weights fitted without its fold; folds are dealt by source.

    `differences` (folds, triplets, metrics): [f] by metrics that were trained without fold f;
    `unseen`, of that shape: [f] outside fold f by metrics that saw neither it nor the triplet's
    source (inside it may be NaN). The weights are fitted on these, so that nothing in a logit has
    seen the votes of its source, and no metric is trusted for votes that it knew by heart.
    """
    logits = np.zeros(len(share))
    for number, (learned, applied) in enumerate(zip(unseen, differences, strict=True)):
        inside = fold == number
        found = fit_combination(learned[~inside], share[~inside], weight[~inside])
        logits[inside] = applied[inside] @ found
    return logits


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
