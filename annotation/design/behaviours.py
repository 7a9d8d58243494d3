"""How a pair comparison is answered: attentively, or in one of several careless ways.

Each gives the probability of what was answered; `screening` joins them with the times.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.special import ndtr, ndtri

from annotation.design.answers import (
    FIRST,
    LEFT,
    NOT_SURE,
    SECOND,
    UNKNOWN,
    Answers,
    Bools,
    Floats,
    Ints,
    log_sum,
)
from annotation.design.beliefs import DIFFERENCES

# What attentive people differ in, with how common each value is.
_SHARPNESS = {0.6: 0.25, 1.0: 0.5, 1.6: 0.25}
_SIDE_BIAS = {-0.8: 0.04, -0.4: 0.21, 0.0: 0.5, 0.4: 0.21, 0.8: 0.04}
_LAPSES = {0.02: 0.45, 0.08: 0.4, 0.2: 0.15}
USUAL_LAPSE = 0.06

GUESSING, ONE_SIDED, PATTERNED, INVERTED, EVADING = range(5)
N_STEADY = 5

_COINS = {0.4: 0.2, 0.5: 0.6, 0.6: 0.2}
_GLIMPSES = {0.0: 0.55, 0.2: 0.2, 0.4: 0.25}
_LEFT_SHARES = (0.01, 0.05, 0.12, 0.2, 0.28, 0.72, 0.8, 0.88, 0.95, 0.99)
# So many sided answers back stands the same side, or the other one.
PATTERNS = ((1, False), (1, True), (2, False), (3, True), (4, True))
_KEPT = (0.8, 0.9, 0.98)
_EVADING = np.array([0.75, 0.92, 0.99])
_TINY = 1e-9


class Behaviours:
    """Log-probabilities of a study's answers under each behaviour."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        levels, self._log_levels = _willingness(float(np.mean(answers.choice == NOT_SURE)))
        self._log_said = np.log(np.maximum(levels, _TINY))
        self._log_unsaid = np.log(1 - levels)
        self.tables = _tables(levels)
        people = list(product(_SHARPNESS.items(), _SIDE_BIAS.items(), range(len(levels))))
        self._level = np.array([level for _, _, level in people])
        self._log_people = np.array(
            [np.log(a) + np.log(b) + self._log_levels[level] for (_, a), (_, b), level in people]
        )
        self._usual = [
            column for column, ((k, _), (b, _), _) in enumerate(people) if k == 1.0 and b == 0.0
        ]
        said = (answers.choice == NOT_SURE)[:, None]
        # A fair coin, for each willingness to say "not sure"; and over all of them.
        self._blind = np.where(said, np.maximum(levels, _TINY), (1 - levels) / 2)
        self.blind = self._blind @ np.exp(self._log_levels)
        self._log_sides, self._is_pattern = _log_sides(answers)

    def messages(self, attending: Floats) -> Floats:
        """What each answer tells of its triplet, given P(attending) of that answer in 0..1."""
        answers = self._answers
        usual = self.tables[..., self._usual] @ np.exp(self._log_levels)
        seen = usual[answers.choice, answers.first_on_left.astype(int)]
        blind, trust = self.blind[:, None], attending[:, None]
        told = np.log(
            trust * ((1 - USUAL_LAPSE) * seen + USUAL_LAPSE * blind) + (1 - trust) * blind
        )
        # A repeat is the same person's opinion once more.
        told[answers.earlier != UNKNOWN] = 0
        centred: Floats = told - told.mean(axis=1, keepdims=True)
        return centred

    def seen(self, belief: Floats, *, inverted: bool = False) -> Floats:
        """P(answer | attentive person without lapses); shape (answers, kinds of people).

        `inverted`: of the opposite answer. A repeated triplet is judged in the light of the
        person's own first answer.
        """
        answers = self._answers
        choice = answers.choice
        if inverted:
            choice = np.where(choice == NOT_SURE, NOT_SURE, 1 - choice)
        on_left = answers.first_on_left.astype(int)
        found = np.empty((answers.size, len(self._level)))
        for code in range(6):
            rows = np.flatnonzero((choice == code // 2) & (on_left == code % 2))
            found[rows] = belief[rows] @ self.tables[code // 2, code % 2]
        rows = np.flatnonzero(answers.earlier != UNKNOWN)
        if len(rows):
            before = answers.earlier[rows]
            likely = self.tables[choice[before], on_left[before]]
            own = belief[rows][:, :, None] * ((1 - USUAL_LAPSE) * likely + USUAL_LAPSE / 2)
            own /= own.sum(axis=1, keepdims=True)
            found[rows] = (own * self.tables[choice[rows], on_left[rows]]).sum(axis=1)
        return found

    def knowable(self, belief: Floats) -> Floats:
        """What each answer of an attentive person tells against a coin, in nats, before it is
        given: Kullback-Leibler divergence of the choices."""
        answers = self._answers
        usual = self.tables[..., self._usual] @ np.exp(self._log_levels)
        rows = np.flatnonzero(answers.earlier != UNKNOWN)
        before = answers.earlier[rows]
        own = belief.copy()
        own[rows] *= usual[answers.choice[before], answers.first_on_left[before].astype(int)]
        own /= own.sum(axis=1, keepdims=True)
        level = np.exp(self._log_levels) @ np.exp(self._log_said)
        told = np.zeros(answers.size)
        for choice in (FIRST, SECOND, NOT_SURE):
            by_left = own @ usual[choice].T
            seen = by_left[np.arange(answers.size), answers.first_on_left.astype(int)]
            blind = level if choice == NOT_SURE else (1 - level) / 2
            seen = (1 - USUAL_LAPSE) * seen + USUAL_LAPSE * blind
            told += seen * np.log(seen / blind)
        return told

    def usual(self, seen: Floats) -> Floats:
        """Of people of usual sharpness without side bias."""
        chosen: Floats = seen[:, self._usual] @ np.exp(self._log_levels)
        return chosen

    def attentive(self, seen: Floats) -> Floats:
        """log P(first c answers | attentive), c = 0..longest; shape (sessions, longest + 1)."""
        answers = self._answers
        lapses = np.array(list(_LAPSES))
        log_share = (self._log_people[:, None] + np.log(list(_LAPSES.values()))).reshape(-1)
        found = []
        for part in answers.parts():
            rows = answers.rows(part)
            blind = self._blind[rows][:, self._level, None]
            log_each = np.log((1 - lapses) * seen[rows][:, :, None] + lapses * blind)
            log_each = log_each.reshape(len(blind), -1)
            found.append(log_sum(answers.up_to(log_each, part) + log_share, axis=2))
        return np.concatenate(found)

    def careless(self, belief: Floats, seen: Floats) -> Floats:
        """log P(answers from c on | behaviour); shape (sessions, longest + 1, N_STEADY)."""
        answers = self._answers
        guesses, log_guess_shares = self._guesses(self.usual(seen))
        opposite = self.usual(self.seen(belief, inverted=True))
        log_opposite = np.log(0.9 * opposite + 0.1 * self.blind)
        said = np.stack([~answers.is_sided, answers.is_sided], axis=1).astype(float)
        found = []
        for part in answers.parts():
            rows = answers.rows(part)
            n_said, n_sided = np.moveaxis(answers.from_on(said[rows], part), 2, 0)[..., None]
            log_willing = log_sum(
                n_said * self._log_said + n_sided * self._log_unsaid + self._log_levels, axis=2
            )
            sides = answers.from_on(self._log_sides[rows], part)
            guess = log_sum(answers.from_on(guesses[rows], part) + log_guess_shares, axis=2)
            evading = n_said * np.log(_EVADING) + n_sided * np.log((1 - _EVADING) / 2)
            behaviours = [
                guess + log_willing,
                _mean(sides[..., ~self._is_pattern]) + log_willing,
                _mean(sides[..., self._is_pattern]) + log_willing,
                answers.from_on(log_opposite[rows], part),
                _mean(evading),
            ]
            found.append(np.stack(behaviours, axis=2))
        return np.concatenate(found)

    def _guesses(self, usual: Floats) -> tuple[Floats, Floats]:
        """log P(side) of coins, fair or not quite, tossed without looking or after a glimpse."""
        answers = self._answers
        log_sides, log_shares = [], []
        clear = np.maximum(usual / (2 * self.blind), 1e-4)
        for (left, a), (glimpse, b) in product(_COINS.items(), _GLIMPSES.items()):
            coin = np.where(answers.side == LEFT, left, 1 - left)
            mixed = np.where(
                answers.is_sided, (1 - glimpse) * coin + glimpse * clear,
                1 - glimpse + 2 * glimpse * clear,
            )  # fmt: skip
            log_sides.append(np.log(mixed))
            log_shares.append(np.log(a * b))
        return np.stack(log_sides, axis=1), np.array(log_shares)


def _mean(log_values: Floats) -> Floats:
    averaged: Floats = log_sum(log_values, axis=-1) - np.log(log_values.shape[-1])
    return averaged


def _willingness(share: float) -> tuple[Floats, Floats]:
    """Shares of "not sure" that a person may give, in 0..1, and the log of how common each is."""
    if not share > 0:
        return np.zeros(1), np.zeros(1)
    high = min(0.6, max(0.05, 2 * share))
    return np.array([0.004, share / 3, share, high]), np.log([0.15, 0.25, 0.4, 0.2])


def _tables(levels: Floats) -> Floats:
    """P(choice | difference, person) without lapses.

    Shape (3 choices, first_on_left, differences, people). Evidence is normal (Thurstone case V);
    within a threshold around 0 it gives a "not sure", as often as the person is willing to.
    """
    thresholds = np.sqrt(2) * ndtri((1 + levels) / 2)
    people = list(product(_SHARPNESS, _SIDE_BIAS, thresholds))
    tables = np.empty((3, 2, len(DIFFERENCES), len(people)))
    for column, (sharpness, bias, threshold) in enumerate(people):
        for on_left in (0, 1):
            evidence = sharpness * DIFFERENCES + (-bias if on_left else bias)
            second, first = ndtr(evidence - threshold), ndtr(-evidence - threshold)
            tables[FIRST, on_left, :, column] = first
            tables[SECOND, on_left, :, column] = second
            tables[NOT_SURE, on_left, :, column] = np.maximum(1 - first - second, _TINY)
    return tables


def back(answers: Answers, lag: int) -> Ints:
    """Row of the session's sided answer `lag` sided answers before each; UNKNOWN at its start."""
    rows = np.flatnonzero(answers.is_sided)
    found = np.full(answers.size, UNKNOWN)
    if len(rows) > lag:
        same = answers.session[rows[lag:]] == answers.session[rows[:-lag]]
        found[rows[lag:][same]] = rows[:-lag][same]
    return found


def _log_sides(answers: Answers) -> tuple[Floats, Bools]:
    """log P(side | one-sided or patterned), each with its strengths, and which are patterns."""
    columns = [np.where(answers.side == LEFT, left, 1 - left) for left in _LEFT_SHARES]
    for lag, is_same in PATTERNS:
        before = back(answers, lag)
        keeps = (answers.side == answers.side[before]) == is_same
        for kept in _KEPT:
            share = np.where(keeps, kept, 1 - kept)
            columns.append(np.where(before == UNKNOWN, 0.5, share))
    log_sides = np.log(np.stack(columns, axis=1))
    log_sides[~answers.is_sided] = 0
    is_pattern: Bools = np.arange(len(columns)) >= len(_LEFT_SHARES)
    return log_sides, is_pattern
