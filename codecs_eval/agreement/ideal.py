"""The ideal observer: what a metric could reach that knew every triplet's true preference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from codecs_eval.agreement.intervals import (
    Asked,
    Bootstrap,
    Estimate,
    estimate,
    totals_by_source,
)

Floats = NDArray[np.float64]

# ln(a) from nearly unanimous (a = .007) to nearly coin tosses (a = 1100), 2 % apart.
_LOG_A = np.linspace(-5.0, 7.0, 601)


def ideal_observer(
    n: Floats, k_second: Floats, n_not_sure: Floats, sources: Sequence[str], bootstrap: Bootstrap
) -> Estimate:
    """E max(p, 1-p) in 0..1 where p, a triplet's true preference, follows a symmetric beta.

    max(h, 1-h) of few votes is too high and leave-one-out majority too low, so p ~ Beta(a, a) is
    fitted to the counts by maximum likelihood (beta-binomial) and the expectation is
    1/2 + 4^-a / (a B(a, a)). Symmetric because first and second carry no information. Not-sure
    votes are left out of the fit; the interval is that of the whole fit over sources. Needs
    triplets of at least two sure votes.
    """
    sure = n - n_not_sure
    fewer = np.rint(np.minimum(k_second - n_not_sure / 2, n - k_second - n_not_sure / 2))
    has_pair = sure >= 2
    if not has_pair.any():
        raise ValueError("no triplet has two sure votes, expected at least one")
    cells, index = np.unique(
        np.stack([sure[has_pair], fewer[has_pair]], axis=1), axis=0, return_inverse=True
    )
    counted = np.eye(len(cells))[index.ravel()]
    kept = [source for source, keep in zip(sources, has_pair, strict=True) if keep]
    likelihood = _log_likelihood(cells)
    return estimate(
        totals_by_source(counted, kept),
        lambda counts: _expected_maximum(_best_log_a(counts @ likelihood))[:, None],
        Asked(bootstrap, (0.5, 1.0)),
        n_triplets=len(kept),
    )[0]


def _log_likelihood(cells: Floats) -> Floats:
    """Beta-binomial log likelihood (cells, grid) of k of n votes, up to a constant per cell."""
    a = np.exp(_LOG_A)[None, :]
    n, k = cells[:, :1], cells[:, 1:]
    return np.asarray(betaln(a + k, a + n - k) - betaln(a, a), dtype=np.float64)


def _best_log_a(scores: Floats) -> Floats:
    """The maximum of each row over the grid, refined by the parabola through its neighbours."""
    best = np.clip(scores.argmax(axis=1), 1, len(_LOG_A) - 2)
    rows = np.arange(len(scores))
    left, middle, right = scores[rows, best - 1], scores[rows, best], scores[rows, best + 1]
    bend = left - 2 * middle + right
    offset = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1.0), 0.0)
    return np.asarray(
        _LOG_A[best] + np.clip(offset, -1, 1) * (_LOG_A[1] - _LOG_A[0]), dtype=np.float64
    )


def _expected_maximum(log_a: Floats) -> Floats:
    a = np.exp(log_a)
    exponent = -a * np.log(4.0) - log_a - betaln(a, a)
    return np.asarray(0.5 + np.exp(exponent), dtype=np.float64)
