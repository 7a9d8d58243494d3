"""How far observers agree: with each other, with the majority, and with themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.preference.intervals import Estimate
from annotation.preference.leaving_out import AgreementEstimate, Votes
from annotation.preference.shares import clustered_share
from codecs_eval.agreement.scores import human_unbiased

Floats = NDArray[np.float64]

_FIRST, _SECOND, _UNSURE = 0, 1, 2


@dataclass(frozen=True)
class ObserverAgreement:
    """`agreement`: share, 0..1, of `n` judgments that side with the majority of the others."""

    observer: int
    n: int
    agreement: float


def krippendorff_alpha(
    unit: ArrayLike, observer: ArrayLike, value: ArrayLike, *, level: float = 0.95
) -> AgreementEstimate:
    """Krippendorff's alpha for nominal values: 1 full agreement, 0 that of chance.

    1 - (n - 1) sum_u [(m_u^2 - sum_c n_uc^2) / (m_u - 1)] / (n^2 - sum_c n_c^2), over units with
    m_u >= 2 judgments, n of them together (Krippendorff 2011, "Computing Krippendorff's
    Alpha-Reliability"; Hayes and Krippendorff 2007, Communication Methods and Measures 1, 77).
    unit, observer, value: (m,) of any kind; of triplets, the value is first, second or not sure
    in the triplet's own order. Interval: jackknife over observers, units as they are.
    """
    names, code = np.unique(np.asarray(value), return_inverse=True)
    votes = Votes(unit, observer, code, max(len(names), 1))
    return votes.estimate(_disagreement, _alpha, level)


def _disagreement(table: Floats) -> Floats:
    """Of each unit: its disagreeing pairs / (m - 1), then its values; 0 below two judgments."""
    m = table.sum(axis=1)
    is_paired = m >= 2
    found = np.zeros((len(table), 1 + table.shape[1]))
    kept = table[is_paired]
    found[is_paired, 0] = (m[is_paired] ** 2 - (kept**2).sum(axis=1)) / (m[is_paired] - 1)
    found[is_paired, 1:] = kept
    return found


def _alpha(sums: Floats) -> Floats:
    n = sums[:, 1:].sum(axis=1)
    expected = n**2 - (sums[:, 1:] ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (n - 1) * sums[:, 0] / expected, np.nan))


def unbiased_agreement(
    unit: ArrayLike, observer: ArrayLike, share_first: ArrayLike, *, level: float = 0.95
) -> AgreementEstimate:
    """Chance that two observers agree on a triplet: mean of 1 - 2 k (n - k) / (n (n - 1)).

    share_first: (m,) 1, 0 or 0.5 in the triplet's own order. A not sure agrees by half with any
    other judgment. Mean over judgments of triplets with two or more; Hoeffding 1948.
    """
    votes = Votes(unit, observer, _codes(share_first), 3)
    return votes.estimate(_agreeing, _ratio, level)


def _agreeing(table: Floats) -> Floats:
    n = table.sum(axis=1)
    score = human_unbiased(n, table[:, _SECOND] + table[:, _UNSURE] / 2, table[:, _UNSURE])
    is_paired = n >= 2
    return np.stack([np.where(is_paired, n * score, 0.0), np.where(is_paired, n, 0.0)], axis=1)


def _ratio(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])


def observer_agreements(
    unit: ArrayLike, observer: ArrayLike, share_first: ArrayLike
) -> tuple[ObserverAgreement, ...]:
    """Each observer against the majority of the others on the same triplets.

    Where the others are split evenly, or the judgment is a not sure, it agrees by half. A triplet
    that nobody else judged does not count; observers without any other are left out.
    """
    names, who = np.unique(np.asarray(observer), return_inverse=True)
    votes = Votes(unit, who, _codes(share_first), 3)
    table = votes.table[votes.unit]
    others = table.copy()
    others[np.arange(len(others)), votes.value] -= 1
    lean = np.sign(others[:, _FIRST] - others[:, _SECOND])
    own = np.select([votes.value == _FIRST, votes.value == _SECOND], [1.0, -1.0], 0.0)
    counts = others.sum(axis=1) > 0
    n = np.bincount(who[counts], minlength=len(names))
    agreed = np.bincount(who[counts], (0.5 + 0.5 * lean * own)[counts], len(names))
    return tuple(
        ObserverAgreement(int(names[at]), int(n[at]), float(agreed[at] / n[at]))
        for at in np.flatnonzero(n)
    )


def repeat_consistency(
    observer: ArrayLike, share_first: ArrayLike, share_again: ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Share of repeats that got the first showing's answer, with an interval over observers.

    (m,) each, one row a repeat; both answers (1, 0, 0.5) in the triplet's own order, whatever
    the sides were. A guess repeats itself half the time.
    """
    _codes(share_first), _codes(share_again)
    is_same = np.asarray(share_first) == np.asarray(share_again)
    who = np.unique(np.asarray(observer), return_inverse=True)[1]
    n = np.bincount(who).astype(np.float64)
    return clustered_share(np.bincount(who, is_same).astype(np.float64), n, level=level)


def _codes(share_first: ArrayLike) -> NDArray[np.int64]:
    share = np.asarray(share_first, dtype=np.float64)
    if not np.all(np.isin(share, (0.0, 0.5, 1.0))):
        raise ValueError("Found a share of the first that is none of 0, 0.5 and 1.")
    return np.select([share == 1, share == 0], [_FIRST, _SECOND], _UNSURE).astype(np.int64)
