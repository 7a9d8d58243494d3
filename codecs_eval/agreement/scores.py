"""The 2AFC scores, each formula once: a metric's agreement with people, and people's with people.

Every function takes arrays of one value per triplet. `n` counts judgments, `k_second` those for
the second image (a not_sure is half a vote), `n_not_sure` counts these apart; h = k_second / n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def share_second(n: Floats, k_second: Floats) -> Floats:
    """h, the share of judgments for the second image, in 0..1; ValueError outside that range."""
    if np.any(n < 1) or np.any(k_second < 0) or np.any(k_second > n):
        raise ValueError("votes out of range, expected n >= 1 and 0 <= k_second <= n")
    return np.asarray(k_second / n, dtype=np.float64)


def agreement_per_triplet(d_first: Floats, d_second: Floats, share: Floats) -> Floats:
    """Chance that a random judgment of each triplet agrees with a metric; its mean is "2AFC".

    `d_first` and `d_second` are distances to the source (lower is closer), `share` is h for the
    second. 1 - h where d_first < d_second, h where d_second < d_first, 0.5 on an exact tie.
    Source: Zhang et al. 2018, arXiv 1801.03924, section 2.2 and `score_2afc_dataset` of
    richzhang/PerceptualSimilarity.
    """
    if np.isnan(d_first).any() or np.isnan(d_second).any():
        raise ValueError("a distance is NaN, expected a number for every triplet")
    agreed = np.where(d_first < d_second, 1.0 - share, share)
    return np.where(d_first == d_second, 0.5, agreed)


def human_unbiased(n: Floats, k_second: Floats, n_not_sure: Floats) -> Floats:
    """Chance that two different judgments of a triplet agree; unbiased for p^2 + (1-p)^2.

    1 - 2 k (n-k) / (n (n-1)) for n >= 2, NaN below: one judgment tells nothing about agreement.
    Equals leave-one-out agreement with a random other person (the U-statistic of Hoeffding 1948
    for p^2 + (1-p)^2). A not_sure agrees by half with any other judgment, as a tossed coin would.
    """
    k_first = n - k_second - n_not_sure / 2
    k_sure = k_second - n_not_sure / 2
    if np.any(k_first < 0) or np.any(k_sure < 0):
        raise ValueError(
            "more not_sure than half votes, expected n_not_sure / 2 <= k <= n - n_not_sure / 2"
        )
    n_sure = n - n_not_sure
    disagreeing = k_first * k_sure + (n_not_sure * n_sure + n_not_sure * (n_not_sure - 1) / 2) / 2
    pairs = np.where(n >= 2, n * (n - 1) / 2, np.nan)
    return np.asarray(1.0 - disagreeing / pairs, dtype=np.float64)


def human_plugin(share: Floats) -> Floats:
    """h^2 + (1-h)^2, what papers print as "human"; too high by 2 h (1-h) / n, and not a bound.

    Source: the "human" row of Zhang et al. 2018, arXiv 1801.03924, table 5.
    """
    return np.asarray(share**2 + (1.0 - share) ** 2, dtype=np.float64)


def oracle(share: Floats) -> Floats:
    """max(h, 1-h): the best that any deterministic metric can score on these very judgments."""
    return np.asarray(np.maximum(share, 1.0 - share), dtype=np.float64)


def majority_left_out(n: Floats, k_second: Floats, n_not_sure: Floats) -> Floats:
    """Mean agreement of each judgment with the majority of the triplet's others, tie 0.5.

    An ideal observer does better: the majority of few errs. A not_sure agrees by half and has no
    part in a majority. Grows with n, so it compares only at equal n. NaN below n = 2.
    """
    for_first = n - k_second - n_not_sure / 2
    for_second = k_second - n_not_sure / 2

    def agrees(side: Floats, other: Floats) -> Floats:
        return np.asarray(0.5 + 0.5 * np.sign(side - 1 - other), dtype=np.float64)

    agreed = for_second * agrees(for_second, for_first) + for_first * agrees(for_first, for_second)
    return np.asarray(np.where(n >= 2, (agreed + n_not_sure / 2) / n, np.nan), dtype=np.float64)
