"""Which pairs to ask about next: where an answer tells most about the order of the conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

# Squared, of the normal curve that is nearest to the logistic one.
SLOPE = float(np.pi / 8)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
CRITERIA = ("order", "scale")
# A gain too small to be told from none: every order is certain.
SMALLEST_GAIN = 1e-9


@dataclass(frozen=True)
class Ask:
    """One comparison of two conditions; gain: what it is expected to tell, by its criterion."""

    first: int
    second: int
    gain: float


def information_gain(mean: ArrayLike, variance: ArrayLike) -> Floats:
    """Bits that one answer tells about a difference: H(E[p]) - E[H(p)], 0..1.

    mean, variance: of the difference of two places, any shape; p is the logistic of it. Lindley
    1956, "On a measure of the information provided by an experiment", in the form of Houlsby et
    al. 2011 (arXiv 1112.5745); by Gauss-Hermite quadrature, within 0.001 bit up to SD 3.
    """
    # On the side where the chance is small: close to 1 its digits are lost.
    centre, sd = -np.abs(mean)[..., None], np.sqrt(variance)[..., None]
    at = centre + sd * NODES
    return np.maximum(_bits(logit(expit(at) @ WEIGHTS)) - _bits(at) @ WEIGHTS, 0)


def _bits(log_odds: Floats) -> Floats:
    """Entropy of a choice; in this form it is exact and fast far from 0 too."""
    away = np.minimum(np.abs(log_odds), 700)
    rare = np.exp(-away)
    return np.asarray((np.log1p(rare) + away * rare / (1 + rare)) / np.log(2))


def answer_precision(mean: ArrayLike, variance: ArrayLike) -> Floats:
    """How much one answer narrows a difference: expected fall of its variance / variance squared.

    mean, variance: of the difference, any shape. Moments of a Gaussian after one answer, in the
    mean over both answers: the fall of the variance is the variance of the mean to come. Closed
    for a normal curve (Rasmussen and Williams 2006, section 3.9), which the logistic one nearly
    is: expit(x) ~ Phi(sqrt(pi / 8) x) (MacKay 1992, "The evidence framework applied to
    classification networks"). Within 0.025 variances.
    """
    centre, spread = np.sqrt(SLOPE) * np.asarray(mean), SLOPE * np.asarray(variance)
    at = centre / np.sqrt(1 + spread)
    # Both tails by themselves: 1 - ndtr(9) is 0, and nothing could be divided by it.
    both = np.maximum(ndtr(at) * ndtr(-at), 1e-300)
    return np.asarray(SLOPE * np.exp(-(at**2)) / (2 * np.pi * (1 + spread) * both))


def order_gain(mean: Floats, covariance: Floats, comparable: NDArray[np.bool_]) -> Floats:
    """What one answer about each pair tells about the order of all conditions: (n, n).

    mean (n,), covariance (n, n): of the places. comparable: (n, n), the pairs whose order is
    wanted. Uncertainty of an order is P (1 - P), where P is the probability that i stands above
    j (Gini's index; its sum is half the number of pairs that two scales drawn from the posterior
    are expected to order differently). One answer about (a, b) narrows every difference by its
    covariance with that of a and b. To first order in what it tells, the sum falls by

        answer_precision(a, b) * (e_a - e_b)' S L S (e_a - e_b)

    with S the covariance and L the Laplacian of the weights phi(z)^2 / variance, z = mean / SD:
    a design that is linear in the posterior covariance (Chaloner and Verdinelli 1995, "Bayesian
    experimental design: a review", section 2.3) with the order as its aim. Far pairs (large z)
    have no weight: theirs is known, and asking about them helps only the ones between.
    """
    distance, variance = _differences(mean, covariance)
    weight = np.where(comparable, np.exp(-(distance**2) / variance) / (2 * np.pi * variance), 0)
    np.fill_diagonal(weight, 0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    spread = covariance @ laplacian @ covariance
    own = np.diag(spread)
    narrowed = own[:, None] + own[None, :] - 2 * spread
    return np.asarray(answer_precision(distance, variance) * narrowed)


def _differences(mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    spread = np.diag(covariance)
    variance = spread[:, None] + spread[None, :] - 2 * covariance
    return mean[:, None] - mean[None, :], np.maximum(variance, 1e-12)


def choose_block(
    mean: Floats,
    covariance: Floats,
    capacity: ArrayLike,
    size: int,
    seed: int,
    *,
    pending: ArrayLike = (),
    groups: ArrayLike = 0,
    criterion: str = "order",
) -> tuple[Ask, ...]:
    """The next `size` comparisons, the one that tells most first; fewer where no more tell.

    mean (n,), covariance (n, n): the posterior of a Bradley-Terry scale. capacity: (n, n), how
    often each pair can still be asked (upper triangle). pending: (m, 2), pairs that were asked
    and not answered yet. groups: (n,), conditions of different groups are not ordered against
    each other. criterion: "order" (`order_gain`) or "scale" (`information_gain`).

    One after the other, each as if the answers to those before had come: an answer's value is
    not known yet, how much it narrows is (Mikhailiuk et al. 2020, "Active sampling for pairwise
    comparisons", arXiv 2004.05691, choose a batch as well, by a spanning tree). So a block is not
    all the same pair. Among equals the seed decides.
    """
    left = np.triu(np.asarray(capacity), 1)
    _check_block(mean, covariance, left, size, criterion)
    pairs = np.nonzero(left > 0)
    free, noise = left[pairs], 1 + 1e-6 * np.random.default_rng(seed).random(len(pairs[0]))
    label = np.broadcast_to(np.asarray(groups), mean.shape)
    comparable = label[:, None] == label[None, :]
    posterior = covariance
    for one, other in np.asarray(pending, dtype=np.intp).reshape(-1, 2):
        posterior = _as_if_answered(mean, posterior, one, other)
    asks: list[Ask] = []
    while len(asks) < size and np.any(free > 0):
        if criterion == "order":
            gain = order_gain(mean, posterior, comparable)[pairs]
        else:
            distance, variance = _differences(mean, posterior)
            gain = information_gain(distance[pairs], variance[pairs])
        best = int(np.where(free > 0, gain * noise, 0).argmax())
        if gain[best] < SMALLEST_GAIN:
            break
        one, other = pairs[0][best], pairs[1][best]
        asks.append(Ask(int(one), int(other), float(gain[best])))
        free[best] -= 1
        posterior = _as_if_answered(mean, posterior, one, other)
    return tuple(asks)


def _as_if_answered(mean: Floats, covariance: Floats, one: np.intp, other: np.intp) -> Floats:
    along = covariance[:, one] - covariance[:, other]
    precision = answer_precision(mean[one] - mean[other], along[one] - along[other])
    return covariance - precision * np.outer(along, along)


def _check_block(
    mean: Floats, covariance: Floats, capacity: NDArray[np.generic], size: int, criterion: str
) -> None:
    n = len(mean)
    for name, found in (("covariance", covariance), ("capacity", capacity)):
        if found.shape != (n, n):
            raise ValueError(f"Found {name} of shape {found.shape}; expected {(n, n)}.")
    if size < 1:
        raise ValueError(f"Found a block of {size}; expected at least 1.")
    if criterion not in CRITERIA:
        raise ValueError(f"Found criterion {criterion!r}; expected one of {CRITERIA}.")
