"""A small classifier that tries to tell what it should not, and whether it only guesses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_NEIGHBOURS = 9
N_SHUFFLES = 2000


@dataclass(frozen=True)
class Guess:
    """Share of right guesses, and how often a guesser that knows nothing does as well (0..1)."""

    accuracy: float
    p: float


def guess(features: NDArray[np.float64], labels: NDArray[np.int64]) -> Guess:
    """Each row's label (n,) by its nearest neighbours among the others in (n, k) features.

    Columns are scaled to their spread. p is from a permutation test: the labels are shuffled.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    rng = np.random.default_rng(1)
    distance = np.square(scaled[:, None] - scaled[None]).sum(axis=2)
    # Equally near ones, as when all rows are the same, in an order that means nothing.
    distance += 1e-9 * rng.random(distance.shape)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :N_NEIGHBOURS]
    accuracy = _accuracy(nearest, labels)
    by_chance = [_accuracy(nearest, rng.permutation(labels)) for _ in range(N_SHUFFLES)]
    n_as_good = sum(found >= accuracy for found in by_chance)
    return Guess(accuracy, (1 + n_as_good) / (1 + N_SHUFFLES))


def _accuracy(nearest: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    votes = np.stack([(labels[nearest] == label).sum(axis=1) for label in np.unique(labels)])
    return float((votes.argmax(axis=0) == labels).mean())
