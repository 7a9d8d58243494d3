"""After the answers: who was chosen how often -> a scale with its uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit, log_ndtr

Floats = NDArray[np.float64]

# Wider than any scale that was ever measured: it decides only where answers do not.
PRIOR_SD = 2.0
MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class Scale:
    """Gaussian posterior of n items' places on one line; higher is chosen more often.

    mean: (n,). covariance: (n, n). The unit is the link's: at a distance of 1 the higher one is
    chosen with probability 0.73 (logistic) or 0.84 (probit).
    """

    mean: Floats
    covariance: Floats

    def differences(self) -> tuple[Floats, Floats]:
        """Mean and variance, (n, n) each, of place i minus place j."""
        spread = np.diag(self.covariance)
        variance = spread[:, None] + spread[None, :] - 2 * self.covariance
        return self.mean[:, None] - self.mean[None, :], np.maximum(variance, 0)


def count_wins(
    n_items: int,
    first: ArrayLike,
    second: ArrayLike,
    share_first: ArrayLike,
    times: ArrayLike = 1.0,
) -> Floats:
    """Comparisons -> wins (n, n): how often i was chosen over j.

    first, second: (m,) items 0..n-1. share_first: (m,) or a number, 1 where the first was chosen,
    0 where the second was, 0.5 for a tie, which counts half for each. times: how often each
    comparison was made.
    """
    one, other = np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp)
    share, weight = np.broadcast_arrays(
        np.asarray(share_first, dtype=np.float64), np.asarray(times, dtype=np.float64)
    )
    _check_comparisons(n_items, one, other, share, weight)
    chosen = np.bincount(
        one * n_items + other, np.broadcast_to(share * weight, one.shape), n_items**2
    )
    lost = np.bincount(
        other * n_items + one, np.broadcast_to((1 - share) * weight, one.shape), n_items**2
    )
    return np.asarray(chosen + lost, dtype=np.float64).reshape(n_items, n_items)


def _check_comparisons(
    n_items: int, first: NDArray[np.intp], second: NDArray[np.intp], share: Floats, weight: Floats
) -> None:
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"Found items of shape {first.shape} and {second.shape}; expected (m,).")
    items = np.concatenate([first, second])
    if items.size and not (items.min() >= 0 and items.max() < n_items):
        raise ValueError(
            f"Found items {items.min()} to {items.max()}; expected 0 to {n_items - 1}."
        )
    if np.any(first == second):
        raise ValueError("Found an item compared with itself; expected two different ones.")
    if not np.all((share >= 0) & (share <= 1)):
        raise ValueError("Found a share of the first outside 0..1.")
    if not np.all(weight >= 0):
        raise ValueError("Found a comparison made less than 0 times.")


# A link: the log-probability of being chosen at a distance, its first derivative, and its second
# one with the sign turned (0 or more: the posterior has one summit).
Link = Callable[[Floats], tuple[Floats, Floats, Floats]]


def _logistic(distance: Floats) -> tuple[Floats, Floats, Floats]:
    """Bradley and Terry 1952, "Rank analysis of incomplete block designs"."""
    chance = expit(distance)
    return log_expit(distance), 1 - chance, chance * (1 - chance)


def _probit(distance: Floats) -> tuple[Floats, Floats, Floats]:
    """Thurstone 1927, "A law of comparative judgment", case V; unit: SD of a difference."""
    log_chance = log_ndtr(distance)
    slope = np.exp(-(distance**2) / 2 - log_chance) / np.sqrt(2 * np.pi)
    return log_chance, slope, slope * (distance + slope)


LINKS: dict[str, Link] = {"logistic": _logistic, "probit": _probit}


def fit_scale(wins: ArrayLike, *, link: str = "logistic", prior_sd: float = PRIOR_SD) -> Scale:
    """The posterior of a Bradley-Terry (logistic) or Thurstone case V (probit) scale.

    wins: (n, n), how often i was chosen over j; ties half each. Prior: every place is Gaussian
    around 0 with `prior_sd`, in units of the link. It keeps an item that always won at a finite
    place (Perez-Ortiz and Mantiuk 2017, arXiv 1712.03686), and fixes what comparisons leave
    free: the places of each connected part have mean 0, and parts that were never compared are
    apart by chance alone. Summit by Newton's method, covariance by Laplace's approximation:
    the inverse curvature there (Rasmussen and Williams 2006, section 3.4).
    """
    counts = np.asarray(wins, dtype=np.float64)
    _check_wins(counts, link, prior_sd)
    precision = 1 / prior_sd**2
    mean = np.zeros(len(counts))
    value, gradient, curvature = _posterior(counts, LINKS[link], precision, mean)
    for _ in range(MOST_STEPS):
        step: Floats = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        if float(gradient @ step) < 1e-12:
            return Scale(mean, np.asarray(np.linalg.inv(curvature), dtype=np.float64))
        mean, (value, gradient, curvature) = _climb(
            lambda at: _posterior(counts, LINKS[link], precision, at), mean, step, value
        )
    raise RuntimeError(f"The scale of {len(counts)} items did not settle in {MOST_STEPS} steps.")


def _check_wins(wins: Floats, link: str, prior_sd: float) -> None:
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1]:
        raise ValueError(f"Found wins of shape {wins.shape}; expected (n, n).")
    if not np.all(np.isfinite(wins) & (wins >= 0)):
        raise ValueError("Found wins that are negative or no numbers; expected 0 or more.")
    if np.any(np.diag(wins) != 0):
        raise ValueError("Found an item that won over itself; expected a diagonal of 0.")
    if link not in LINKS:
        raise ValueError(f"Found link {link!r}; expected one of {sorted(LINKS)}.")
    if not 0 < prior_sd < np.inf:
        raise ValueError(f"Found prior_sd {prior_sd}; expected more than 0.")


def _posterior(
    wins: Floats, link: Link, precision: float, mean: Floats
) -> tuple[float, Floats, Floats]:
    """Log-posterior up to a constant, its gradient (n,), its curvature (n, n), positive."""
    log_chance, slope, bend = link(mean[:, None] - mean[None, :])
    pull = wins * slope
    weight = wins * bend
    weight = weight + weight.T
    curvature = np.diag(weight.sum(axis=1) + precision) - weight
    value = float((wins * log_chance).sum() - precision * (mean @ mean) / 2)
    return value, pull.sum(axis=1) - pull.sum(axis=0) - precision * mean, curvature


def _climb(
    posterior: Callable[[Floats], tuple[float, Floats, Floats]],
    mean: Floats,
    step: Floats,
    value: float,
) -> tuple[Floats, tuple[float, Floats, Floats]]:
    """A Newton step, halved until it does not lead down."""
    share = 1.0
    found = posterior(mean + step)
    while found[0] < value - 1e-9 * max(1.0, abs(value)) and share > 1e-6:
        share /= 2
        found = posterior(mean + share * step)
    return mean + share * step, found
