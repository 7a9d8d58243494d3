"""What all but one session see in each triplet: a posterior of its visible difference.

Thurstone 1927, case V, with the difference of every triplet drawn around what its two items
(codec at a rate) lead one to expect; both levels are learned from the study (empirical Bayes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from annotation.design.answers import UNKNOWN, Answers, Floats, Ints, log_sum

# In z-units; positive: the second is the answer.
DIFFERENCES: Floats = np.linspace(-4.5, 4.5, 19)

_SPREADS = np.array([0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0])
_OBVIOUS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
_OBVIOUS_SPREAD = 0.8
_FOLDS = 8
_MOST_ITEMS = 300


@dataclass(frozen=True, eq=False)
class Scale:
    """`spread`: standard deviation of differences around their items' expectation, in z-units;
    `obvious`: mean difference of a sentinel."""

    spread: float = 1.0
    obvious: float = 2.3


@dataclass(frozen=True, eq=False)
class _Expected:
    """Differences as the items alone foretell them: one row a fold of sessions."""

    fold: Ints
    mean: Floats
    variance: Floats


class Beliefs:
    """Beliefs of a study's triplets, recomputed as the trust in each answer changes."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        n = answers.n_triplets
        self._expected = _by_triplet(answers, answers.expected, UNKNOWN)
        self._is_identical = _by_triplet(answers, answers.is_identical.astype(np.int64), 0) == 1
        is_sentinel = _by_triplet(answers, answers.is_sentinel.astype(np.int64), 0) == 1
        self._is_obvious = (is_sentinel | (self._expected != UNKNOWN)) & ~self._is_identical
        self._main = np.flatnonzero(~self._is_obvious & ~self._is_identical)
        self._design, self._with_items = _design(answers, self._main)
        self._prior_mean, self._prior_variance = np.zeros(n), np.full(n, 1.5**2)
        self.scale = Scale()

    def update(self, messages: Floats) -> Floats:
        """P(difference) of the triplet of every answer, by all other sessions' answers.

        messages: log P(answer | difference) up to a constant, shape (answers, differences); 0
        for an answer that shall not count. Returns the same shape, rows summing to 1.
        """
        answers = self._answers
        total = _totals(answers, messages, np.arange(answers.size))
        foretold = self._foretell(messages, total)
        self.scale = Scale(self.scale.spread, self._obvious_mean(total))
        log_belief = np.empty_like(messages)
        own = np.where(answers.earlier == UNKNOWN, np.arange(answers.size), answers.earlier)
        for fold in range(len(foretold.mean)):
            prior = self._prior(foretold.mean[fold], foretold.variance[fold])
            rows = np.flatnonzero(foretold.fold[answers.session] == fold)
            triplet = answers.triplet[rows]
            log_belief[rows] = prior[triplet] + total[triplet] - messages[own[rows]]
        belief: Floats = np.exp(log_belief - log_sum(log_belief, axis=1)[:, None])
        return belief

    def _foretell(self, messages: Floats, total: Floats) -> _Expected:
        answers, triplets = self._answers, self._with_items
        if not len(triplets):
            self.scale = Scale(self._plain_spread(total), self.scale.obvious)
            none = np.zeros((1, answers.n_triplets))
            return _Expected(np.zeros(answers.n_sessions, np.int64), none, none)
        sites = self._sites(total)
        self.scale = Scale(_spread_around_items(sites, self._design), self.scale.obvious)
        n_folds = min(answers.n_sessions, _FOLDS)
        fold = np.arange(answers.n_sessions) % n_folds
        mean, variance = (np.zeros((n_folds, answers.n_triplets)) for _ in range(2))
        for index in range(n_folds):
            rows = np.flatnonzero(fold[answers.session] == index)
            others = total - _totals(answers, messages, rows)
            mean[index, triplets], variance[index, triplets] = _fit_items(
                self._sites(others), self._design, self.scale.spread
            )
        of_all, uncertainty = _fit_items(sites, self._design, self.scale.spread)
        self._prior_mean[triplets] = of_all
        self._prior_variance[triplets] = np.maximum(uncertainty + self.scale.spread**2, 0.3**2)
        return _Expected(fold, mean, variance)

    def _sites(self, total: Floats) -> tuple[Floats, Floats]:
        """Each triplet's answers as a Gaussian: mean and variance (expectation propagation).

        Minka 2001, "Expectation propagation for approximate Bayesian inference".
        """
        triplets = self._with_items
        mean, variance = self._prior_mean[triplets], self._prior_variance[triplets]
        log_tilted = _gaussian(mean, np.sqrt(variance)) + total[triplets]
        tilted = np.exp(log_tilted - log_sum(log_tilted, axis=1)[:, None])
        centre = tilted @ DIFFERENCES
        width = np.maximum(tilted @ DIFFERENCES**2 - centre**2, 1e-3)
        precision = np.maximum(1 / width - 1 / variance, 1e-3)
        site = np.clip((centre / width - mean / variance) / precision, -8, 8)
        return site, 1 / precision

    def _plain_spread(self, total: Floats) -> float:
        if not len(self._main):
            return 1.0
        centre = np.zeros(len(self._main))
        evidence = [
            log_sum(_gaussian(centre, np.full_like(centre, spread)) + total[self._main], 1).sum()
            for spread in _SPREADS
        ]
        return _mean_spread(np.array(evidence))

    def _obvious_mean(self, total: Floats) -> float:
        rows = np.flatnonzero(self._is_obvious)
        evidence = np.array(
            [log_sum(self._obvious_prior(rows, mean) + total[rows], 1).sum() for mean in _OBVIOUS]
        )
        evidence = evidence - ((_OBVIOUS - 2.3) / 0.8) ** 2 / 2
        share = np.exp(evidence - log_sum(evidence, 0))
        return float(share @ _OBVIOUS)

    def _obvious_prior(self, rows: Ints, mean: float) -> Floats:
        """Where nobody says which answer is obvious, either may be."""
        spread = np.full(len(rows), _OBVIOUS_SPREAD)
        second = _gaussian(np.full(len(rows), mean), spread)
        first = second[:, ::-1]
        expected = self._expected[rows][:, None]
        either = np.logaddexp(first, second) - np.log(2)
        return np.where(expected == UNKNOWN, either, np.where(expected == 1, second, first))

    def _prior(self, mean: Floats, variance: Floats) -> Floats:
        prior = _gaussian(mean, np.sqrt(self.scale.spread**2 + variance))
        obvious = np.flatnonzero(self._is_obvious)
        prior[obvious] = self._obvious_prior(obvious, self.scale.obvious)
        prior[self._is_identical] = np.where(np.abs(DIFFERENCES) < 1e-9, 0.0, -1e3)
        return prior


def _by_triplet(answers: Answers, values: Ints, missing: int) -> Ints:
    found = np.full(answers.n_triplets, missing)
    found[answers.triplet] = values
    return found


def _totals(answers: Answers, messages: Floats, rows: Ints) -> Floats:
    """Sum of the messages of some answers, for each triplet."""
    shape = (answers.n_triplets, len(rows))
    whose = csr_array((np.ones(len(rows)), (answers.triplet[rows], np.arange(len(rows)))), shape)
    total: Floats = whose @ messages[rows]
    return total


def _design(answers: Answers, main: Ints) -> tuple[Floats, Ints]:
    """+1 at the second's item, -1 at the first's; only triplets whose items are both known."""
    first = _by_triplet(answers, answers.first_item, UNKNOWN)
    second = _by_triplet(answers, answers.second_item, UNKNOWN)
    triplets = main[(first[main] != UNKNOWN) & (second[main] != UNKNOWN)]
    n_items = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
    if not len(triplets) or n_items > _MOST_ITEMS:
        return np.zeros((0, 0)), np.zeros(0, np.int64)
    design, rows = np.zeros((len(triplets), n_items)), np.arange(len(triplets))
    design[rows, second[triplets]] += 1
    design[rows, first[triplets]] -= 1
    return design, triplets


def _gaussian(mean: Floats, spread: Floats) -> Floats:
    """log of a discretised normal density over DIFFERENCES, one row each."""
    log_density = -(((DIFFERENCES - mean[:, None]) / spread[:, None]) ** 2) / 2
    normal: Floats = log_density - log_sum(log_density, axis=1)[:, None]
    return normal


def _mean_spread(evidence: Floats) -> float:
    """Geometric mean of the spreads under their posterior; prior log-normal around 1."""
    evidence = evidence - (np.log(_SPREADS) / 0.6) ** 2 / 2
    share = np.exp(evidence - log_sum(evidence, 0))
    return float(np.exp(share @ np.log(_SPREADS)))


def _spread_around_items(sites: tuple[Floats, Floats], design: Floats) -> float:
    """From the marginal likelihood of a linear model with standard normal item worths."""
    mean, variance = sites
    evidence = []
    for spread in _SPREADS:
        weight = 1 / (variance + spread**2)
        inner = design.T @ (weight[:, None] * design) + np.eye(design.shape[1])
        pull = design.T @ (weight * mean)
        fit = weight @ mean**2 - pull @ np.linalg.solve(inner, pull)
        evidence.append((np.log(weight).sum() - np.linalg.slogdet(inner)[1] - fit) / 2)
    return _mean_spread(np.array(evidence))


def _fit_items(
    sites: tuple[Floats, Floats], design: Floats, spread: float
) -> tuple[Floats, Floats]:
    """Expected difference of each triplet by its items, and the variance of that."""
    mean, variance = sites
    weight = 1 / (variance + spread**2)
    inner = np.linalg.inv(design.T @ (weight[:, None] * design) + np.eye(design.shape[1]))
    worth = inner @ (design.T @ (weight * mean))
    return design @ worth, np.einsum("ij,jk,ik->i", design, inner, design)
