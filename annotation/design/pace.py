"""When an answer came: log-normal times of people, triplets and places; and of careless ones.

log ms = study + person's pace + place in the session + triplet + noise (Student's t, so that a
pause is no news). van der Linden 2006, "A lognormal model for response times on test items".
Who does not attend answers at a pace of their own, usual or fast, whatever the triplet.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from annotation.design.answers import Answers, Bools, Floats, log_sum

_STEP = 0.2
# Pace of a person against the study, in log units.
PACES: Floats = np.arange(-2.8, 1.41, _STEP)
# How much faster or slower someone gets who no longer attends, in steps; usual or hasty.
_CHANGES = np.arange(2, -11, -1)
_USUAL: Floats = np.array([0.1, 0.2, 0.4, 0.2, 0.1, *[0.0] * 8])
_HASTY: Floats = np.array([0.0, 0.0, 0.0, 0.0, 0.5, 1, 1, 1, 1, 1, 1, 0.7, 0.5]) / 7.7
# Paces of the careless: those of people, each with every change.
_WIDE: Floats = np.arange(len(PACES) + 12) * _STEP + PACES[0] - 10 * _STEP

_USUAL_MS, _USUAL_SPREAD = 2800.0, 0.6
_NOISE_OF_PEOPLE = {0.6: 0.25, 1.0: 0.5, 1.5: 0.25}
_NOISE_OF_CARELESS = {0.6: 0.25, 1.0: 0.5, 1.5: 0.25, 0.3: 0.05}
# A few attentive people are far quicker or slower than most; hardly any beyond four times.
_ODD_SHARE, _ODD_UP_TO, _WILD_SHARE = 0.03, 1.41, 0.0005
_FREEDOM = 6.0
_LAPSE_SHARES = {0.45: 0.3, 0.65: 0.4, 0.85: 0.3}
_LAPSE_CHANGES = {0: 0.35, -2: 0.15, -4: 0.15, -6: 0.2, -8: 0.15}
_FEWEST = 10


class Pace:
    """The study's times, fitted anew as the trust in each answer changes."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.is_timed = np.isfinite(answers.response_ms) & (answers.response_ms > 0)
        self._log_ms = np.log(np.where(self.is_timed, answers.response_ms, 1.0))
        self.is_known = int(self.is_timed.sum()) >= _FEWEST
        self._log_middle = np.log(_USUAL_MS)
        self._pace = np.zeros(answers.n_sessions)
        self._effort = np.zeros(answers.size)
        self._trend = np.zeros(answers.size)
        self._noise, self._spread, self._effort_variance = 0.5, 0.4, 0.02
        self._usual_effort, self._noise_of_careless = 0.0, 0.5
        self._hasty_share = 0.5
        if self.is_known:
            self._begin()

    def _begin(self) -> None:
        """Medians: most people attend, so their median is a person's."""
        answers = self._answers
        middles = np.full(answers.n_sessions, np.nan)
        for session in np.unique(answers.session[self.is_timed]):
            rows = slice(*np.searchsorted(answers.session, [session, session + 1]))
            middles[session] = np.median(self._log_ms[rows][self.is_timed[rows]])
        self._log_middle = float(np.nanmedian(middles))
        self._pace = np.nan_to_num(middles - self._log_middle)

    def fit(self, attending: Floats, hardness: Floats) -> None:
        """`attending`: P(attending) of each answer; `hardness`: 0..1, 1 for no difference."""
        trust = attending * self.is_timed
        for _ in range(3):
            self._fit_people(trust)
            self._fit_places(trust)
            self._fit_triplets(trust, hardness)
        self._usual_effort = float(trust @ self._effort / trust.sum())
        varied = trust @ (self._effort - self._usual_effort) ** 2 / trust.sum()
        self._noise_of_careless = float(np.sqrt(self._noise**2 + varied))

    def _rest(self, without: Floats) -> Floats:
        parts = self._pace[self._answers.session] + self._trend + self._effort
        rest: Floats = self._log_ms - self._log_middle - (parts - without)
        return rest

    def _robust(self, trust: Floats, rest: Floats, part: Floats) -> Floats:
        weight: Floats = trust / (1 + ((rest - part) / (2 * self._noise)) ** 2)
        return weight

    def _fit_people(self, trust: Floats) -> None:
        answers = self._answers
        pace = self._pace[answers.session]
        rest = self._rest(pace)
        weight = self._robust(trust, rest, pace)
        n, total = answers.by_session(weight), answers.by_session(weight * rest)
        own = total / np.maximum(n, 1e-9)
        counts = np.minimum(n / 8, 1) * answers.by_session(trust) / np.maximum(answers.n_given, 1)
        shift = float(counts @ own / max(counts.sum(), 1e-9))
        variance = (counts @ (own - shift) ** 2 + 5 * 0.35**2) / (counts.sum() + 5)
        self._spread = max(float(np.sqrt(variance)), 0.2)
        told, known = counts.sum() / self._spread**2, 1 / _USUAL_SPREAD**2
        self._log_middle = float(
            (told * (self._log_middle + shift) + known * np.log(_USUAL_MS)) / (told + known)
        )
        self._pace = total / (n + self._noise**2 / self._spread**2) - shift

    def _fit_places(self, trust: Floats) -> None:
        """People grow faster over a session, and are slow in its first trials."""
        answers = self._answers
        rest = self._rest(self._trend)
        weight = self._robust(trust, rest, self._trend)
        shape = np.stack([answers.place / answers.longest - 0.5, np.exp(-answers.place / 3)], 1)
        inner = shape.T @ (weight[:, None] * shape) + 5 * np.eye(2)
        self._trend = shape @ np.linalg.solve(inner, shape.T @ (weight * rest))

    def _fit_triplets(self, trust: Floats, hardness: Floats) -> None:
        """Harder ones take longer; each one's own share by the others' times alone."""
        answers = self._answers
        rest = self._rest(self._effort)
        weight = self._robust(trust, rest, self._effort)
        hard = hardness - weight @ hardness / max(weight.sum(), 1e-9)
        slope = max(float((weight * hard) @ rest / (weight @ hard**2 + 2)), 0.0)
        left = rest - slope * hard
        n, total = answers.by_triplet(weight), answers.by_triplet(weight * left)
        pairs = float((n**2 - answers.by_triplet(weight**2)).sum())
        product = float((total**2 - answers.by_triplet((weight * left) ** 2)).sum())
        self._effort_variance = min(max(product / pairs, 0.0), 0.3) if pairs > 20 else 0.0
        shrink = self._noise**2 / max(self._effort_variance, 1e-6)
        own = (total[answers.triplet] - weight * left) / (n[answers.triplet] - weight + shrink)
        self._effort = slope * hard + own
        noise = weight @ (rest - self._effort) ** 2 + 20 * 0.45**2
        self._noise = float(np.clip(np.sqrt(noise / (weight.sum() + 20)), 0.15, 1.2))

    def evidence(self, suspicion: Floats) -> tuple[Floats, Floats]:
        """log P(times | attending throughout), and | attending for the first c answers alone.

        Shapes (sessions,) and (sessions, longest + 1); `suspicion` of each session says whose
        pace tells how common haste is.
        """
        throughout, until, hasty = [], [], []
        for part in self._answers.parts():
            all_of, some_of, haste = self._part_evidence(part)
            throughout.append(all_of)
            until.append(some_of)
            hasty.append(haste)
        share = (suspicion @ np.concatenate(hasty) + 2) / (suspicion.sum() + 4)
        self._hasty_share = float(share)
        return np.concatenate(throughout), np.concatenate(until)

    def _log_paces(self) -> Floats:
        usual = np.exp(-((PACES / self._spread) ** 2) / 2)
        odd = (np.abs(PACES) < _ODD_UP_TO).astype(np.float64)
        shares = (1 - _ODD_SHARE) * usual / usual.sum() + _ODD_SHARE * odd / odd.sum()
        log_paces: Floats = np.log(shares + _WILD_SHARE / len(PACES))
        return log_paces

    def _part_evidence(self, part: slice) -> tuple[Floats, Floats, Floats]:
        answers = self._answers
        rows = answers.rows(part)
        time = (self._log_ms - self._log_middle - self._trend)[rows]
        is_timed = self.is_timed[rows]
        before = _log_mixed(
            (answers.up_to(log_each, part), share)
            for log_each, share in _log_times(
                time - self._effort[rows], is_timed, PACES, self._noise, _NOISE_OF_PEOPLE
            )
        )
        after = _log_mixed(
            (answers.from_on(log_each, part), share)
            for log_each, share in _log_times(
                time - self._usual_effort,
                is_timed, _WIDE, self._noise_of_careless, _NOISE_OF_CARELESS,
            )
        )  # fmt: skip
        before = before + self._log_paces()
        usual = (1 - self._hasty_share) * _changes_of(_USUAL)
        hasty = self._hasty_share * _changes_of(_HASTY)
        last = answers.n_given[part]
        whole = log_sum(before[np.arange(len(last)), last], axis=1)
        until = log_sum(before + _log_product(after, usual + hasty), axis=2)
        in_haste = log_sum(before[:, 0] + _log_product(after[:, 0], hasty), axis=1)
        return whole, until, np.exp(in_haste - until[:, 0])

    def lapsing(self, log_seen: Floats, log_blind: Floats) -> Floats:
        """log P(answers and times | most answers blind, at another pace, some attentive)."""
        answers = self._answers
        time = self._log_ms - self._log_middle - self._trend
        paces = PACES[1::2]
        log_paces = self._log_paces()[1::2]
        log_paces = log_paces - log_sum(log_paces, axis=0)
        attending = log_seen[:, None] + self._timed(time - self._effort, paces, self._noise)
        own = answers.sums_by_session(attending)
        found = []
        for change, share in _LAPSE_CHANGES.items():
            blind = log_blind[:, None] + self._timed(
                time - self._usual_effort, paces + _STEP * change, self._noise_of_careless
            )
            odds = np.exp(np.minimum(blind - attending, 100))
            for lapse, lapse_share in _LAPSE_SHARES.items():
                more = answers.sums_by_session(np.log(1 - lapse + lapse * odds))
                log_each = log_sum(own + more + log_paces, axis=1)
                found.append(log_each + np.log(share * lapse_share))
        return log_sum(np.stack(found), axis=0)

    def _timed(self, time: Floats, paces: Floats, noise: float) -> Floats:
        (found,) = _log_times(time, self.is_timed, paces, noise, {1.0: 1.0})
        return found[0]


def _log_times(
    time: Floats, is_timed: Bools, paces: Floats, noise: float, noises: dict[float, float]
) -> list[tuple[Floats, float]]:
    """Student's t around each pace, for each amount of noise; 0 where there is no time."""
    found = []
    for factor, share in noises.items():
        away = (time[:, None] - paces) / (noise * factor)
        log_each = -(_FREEDOM + 1) / 2 * np.log1p(away**2 / _FREEDOM) - np.log(noise * factor)
        log_each[~is_timed] = 0
        found.append((log_each, share))
    return found


def _log_mixed(each: Iterable[tuple[Floats, float]]) -> Floats:
    return log_sum(np.stack([log_each + np.log(share) for log_each, share in each]), axis=0)


def _changes_of(shares: Floats) -> Floats:
    """P(pace when careless | pace when attending), shape (_WIDE, PACES), for each change."""
    found = np.zeros((len(_WIDE), len(PACES)))
    for change, share in zip(_CHANGES, shares, strict=True):
        column = np.arange(len(PACES))
        found[column - int(_CHANGES.min()) + int(change), column] = share
    return found


def _log_product(log_values: Floats, shares: Floats) -> Floats:
    """log(exp(log_values) @ shares)."""
    most = log_values.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        found: Floats = np.log(np.exp(log_values - most) @ shares) + most
    return found
