"""Who attended? A posterior for each session of a study, from all of its answers at once.

A mixture of behaviours, fitted by expectation-maximisation over sessions: attentive; guessing,
one-sided, patterned, inverted, evading or mostly lapsing from the start; or attentive until some
trial and careless from there on (a change point, summed over). No single answer decides.

After Dawid & Skene 1979 (weights of observers from their agreement), Ratcliff & Tuerlinckx 2002
(fast guesses), Yao et al. 2021 (change of attention in long sessions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from annotation.design.answers import UNKNOWN, Answers, Floats, Ints, log_sum
from annotation.design.behaviours import N_STEADY, Behaviours
from annotation.design.beliefs import DIFFERENCES, Beliefs
from annotation.design.pace import Pace
from annotation.design.reasons import Seen, reasons_for

VERSION = "1"

DOUBTFUL_FROM = 0.5
EXCLUDED_FROM = 0.95
FEWEST_ANSWERS = 8
# Below this expected log-likelihood ratio, attentive answers look like anything.
_LEAST_KNOWABLE = 2.0

_ROUNDS = 5
# Before the answers: this share careless, known as well as from so many sessions.
_CARELESS_SHARE, _KNOWN_FROM = 0.15, 40.0
_BEHAVIOUR_SHARES = np.array([0.3, 0.22, 0.14, 0.1, 0.06, 0.18])
_LAPSING = N_STEADY
_CHANGE_SHARE, _KNOWN_SHARES_FROM = 0.4, 5.0
_FIRST_CHANGE = 4

SIGNALS = (
    "sentinels", "repeats", "identical", "agreement", "sides", "times", "change",
)  # fmt: skip


@dataclass(frozen=True)
class Screened:
    """What the answers of one session say of it.

    suspicion: P(careless) in 0..1, higher is worse. verdict: trusted, doubtful, excluded, or
    empty where it cannot be told. signals: log-likelihood ratio of each, in nats, positive
    against the session; they and `prior` add up to the log-odds of the suspicion.
    """

    suspicion: float
    log_odds: float
    prior: float
    verdict: str
    signals: Mapping[str, float]
    reasons: tuple[str, ...]
    n_answers: int


@dataclass(frozen=True, eq=False)
class _Evidence:
    """Log-likelihoods of every session's answers and times.

    attentive: (sessions,). steady: from the first answer on, (sessions, behaviours). changed:
    attentive for the first c answers, (sessions, longest + 1, behaviours).
    """

    attentive: Floats
    steady: Floats
    changed: Floats


@dataclass(frozen=True, eq=False)
class _Shares:
    """How common carelessness is, each kind of it, and a change in mid-session."""

    careless: float = _CARELESS_SHARE
    behaviours: Floats = field(default_factory=_BEHAVIOUR_SHARES.copy)
    change: float = _CHANGE_SHARE


@dataclass(frozen=True, eq=False)
class _Posterior:
    """suspicion, log_odds: (sessions,). attending: of every answer. careless: P of each
    behaviour and change, (sessions, longest + 1, behaviours); place 0 is from the start on."""

    suspicion: Floats
    log_odds: Floats
    attending: Floats
    careless: Floats


def screen(answers: Answers) -> list[Screened]:
    """One result a session, in the order of their codes; the same answers, the same results."""
    if not answers.size:
        return [_nothing() for _ in range(answers.n_sessions)]
    study = _Study(answers)
    for _ in range(_ROUNDS):
        study.round()
    return study.results()


def _nothing() -> Screened:
    prior = float(np.log(_CARELESS_SHARE / (1 - _CARELESS_SHARE)))
    return Screened(
        _CARELESS_SHARE, prior, prior, "", dict.fromkeys(SIGNALS, 0.0), ("no answer yet",), 0
    )


class _Study:
    """The state of the fit: beliefs of triplets, times, shares, and the trust in each answer."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._beliefs = Beliefs(answers)
        self._behaviours = Behaviours(answers)
        self._pace = Pace(answers)
        self._shares = _Shares()
        self._attending = np.full(answers.size, 0.8)
        self._suspicion = np.full(answers.n_sessions, 0.2)

    def round(self) -> None:
        behaviours = self._behaviours
        self._belief = self._beliefs.update(behaviours.messages(self._attending))
        self._seen = behaviours.seen(self._belief)
        self._prefix = behaviours.attentive(self._seen)
        self._suffix = behaviours.careless(self._belief, self._seen)
        self._time()
        self._used = self._shares
        self._evidence = self._join()
        self._posterior = _posterior(self._answers, self._evidence, self._shares)
        self._shares = _updated(self._posterior)
        self._suspicion = self._posterior.suspicion
        self._attending = np.clip(self._posterior.attending, 0.01, 0.99)

    def _time(self) -> None:
        n, longest = self._answers.n_sessions, self._answers.longest
        self._time_attending, self._time_until = np.zeros(n), np.zeros((n, longest + 1))
        self._lapsing = np.full(n, -np.inf)
        if self._pace.is_known:
            self._pace.fit(self._attending, self._belief @ np.exp(-np.abs(DIFFERENCES)))
            self._time_attending, self._time_until = self._pace.evidence(self._suspicion)
            self._lapsing = self._pace.lapsing(
                np.log(self._behaviours.usual(self._seen)), np.log(self._behaviours.blind)
            )

    def _join(self) -> _Evidence:
        last = self._answers.n_given
        whole = self._prefix[np.arange(len(last)), last] + self._time_attending
        changed = self._prefix[:, :, None] + self._suffix + self._time_until[:, :, None]
        steady = np.column_stack([changed[:, 0], self._lapsing])
        return _Evidence(whole, steady, changed)

    def results(self) -> list[Screened]:
        answers = self._answers
        prior = float(np.log(self._used.careless / (1 - self._used.careless)))
        signals = self._signals()
        knowable = answers.by_session(self._behaviours.knowable(self._belief))
        seen = Seen(
            answers, self._behaviours.usual(self._seen), self._belief, self._attending,
            self._posterior.careless, self._pace.is_timed,
        )  # fmt: skip
        found = []
        for session, suspicion in enumerate(self._posterior.suspicion):
            own = {name: float(values[session]) for name, values in signals.items()}
            n = int(answers.n_given[session])
            verdict = _verdict(float(suspicion), n, float(knowable[session]))
            found.append(
                Screened(
                    suspicion=float(suspicion),
                    log_odds=float(self._posterior.log_odds[session]),
                    prior=prior,
                    verdict=verdict,
                    signals=own,
                    reasons=reasons_for(seen, session, own, verdict),
                    n_answers=n,
                )
            )
        return found

    def _signals(self) -> dict[str, Floats]:
        """Parts of the log-odds beside the prior; see `Screened.signals`."""
        answers, log_blind = self._answers, np.log(self._behaviours.blind)
        own = np.diff(self._prefix, axis=1)[answers.session, answers.place]
        against = log_blind - own
        kinds = _kinds(answers)
        found = {
            name: answers.by_session(np.where(kinds == index, against, 0.0))
            for index, name in enumerate(SIGNALS[:4])
        }
        log_shares = np.log(self._used.behaviours)
        blind = answers.by_session(log_blind)
        times = self._time_until[:, 0] - self._time_attending
        steady = self._evidence.steady + log_shares
        of_sides = log_sum(self._suffix[:, 0, :3] + log_shares[:3], axis=1) - blind
        gain = log_sum(steady, axis=1) - self._time_until[:, 0] - blind
        found["sides"] = of_sides
        found["agreement"] = found["agreement"] + gain - of_sides
        found["times"] = times
        steady_odds = log_sum(steady, axis=1) - self._evidence.attentive
        prior = np.log(self._used.careless / (1 - self._used.careless))
        found["change"] = self._posterior.log_odds - prior - steady_odds
        return found


def _kinds(answers: Answers) -> Ints:
    """Index in SIGNALS of what each answer's choice tells of."""
    is_repeat = answers.earlier != UNKNOWN
    is_obvious = answers.is_sentinel | (answers.expected != UNKNOWN)
    return np.select([is_repeat, is_obvious, answers.is_identical], [1, 0, 2], 3).astype(np.int64)


def _posterior(answers: Answers, evidence: _Evidence, shares: _Shares) -> _Posterior:
    log_shares = np.log(shares.careless) + np.log(shares.behaviours)
    log_changes = _log_changes(answers, shares.change)
    careless = np.full((*evidence.changed.shape[:2], N_STEADY + 1), -np.inf)
    careless[:, :, :N_STEADY] = evidence.changed + log_changes[:, :, None]
    careless[:, 0, _LAPSING] = evidence.steady[:, _LAPSING] + log_changes[:, 0]
    careless += log_shares
    log_careless = log_sum(careless.reshape(len(careless), -1), axis=1)
    log_attentive = np.log(1 - shares.careless) + evidence.attentive
    total = np.logaddexp(log_careless, log_attentive)
    careless = np.exp(careless - total[:, None, None])
    attentive = np.exp(log_attentive - total)
    # Attending at place t: throughout, or until a change that comes later.
    later = np.cumsum(careless.sum(axis=2)[:, ::-1], axis=1)[:, ::-1]
    attending = attentive[:, None] + later[:, 1:]
    return _Posterior(
        suspicion=np.exp(log_careless - total),
        log_odds=log_careless - log_attentive,
        attending=attending[answers.session, answers.place],
        careless=careless,
    )


def _log_changes(answers: Answers, share: float) -> Floats:
    """log P(the change comes after c answers); after 0: careless from the start."""
    place = np.arange(answers.longest + 1)
    last = answers.n_given - np.maximum(6, answers.n_given // 6)
    n = np.maximum(last - _FIRST_CHANGE + 1, 0)
    log_share = np.where(n > 0, np.log(share) - np.log(np.maximum(n, 1)), -np.inf)
    may_change = (place >= _FIRST_CHANGE) & (place <= last[:, None])
    log_changes = np.where(may_change, log_share[:, None], -np.inf)
    log_changes[:, 0] = np.where(n > 0, np.log(1 - share), 0.0)
    return log_changes


def _updated(posterior: _Posterior) -> _Shares:
    n = float(posterior.suspicion.sum())
    behaviours = posterior.careless.sum(axis=(0, 1)) + _KNOWN_SHARES_FROM * _BEHAVIOUR_SHARES
    changed = float(posterior.careless[:, 1:].sum())
    return _Shares(
        careless=(n + _KNOWN_FROM * _CARELESS_SHARE) / (len(posterior.suspicion) + _KNOWN_FROM),
        behaviours=behaviours / behaviours.sum(),
        change=(changed + _KNOWN_SHARES_FROM * _CHANGE_SHARE) / (n + _KNOWN_SHARES_FROM),
    )


def _verdict(suspicion: float, n_answers: int, knowable: float) -> str:
    """A handful of answers judges nobody; answers that tell nothing neither clear nor doubt."""
    if n_answers < FEWEST_ANSWERS:
        return ""
    if suspicion >= EXCLUDED_FROM:
        return "excluded"
    if knowable < _LEAST_KNOWABLE:
        return ""
    return "doubtful" if suspicion >= DOUBTFUL_FROM else "trusted"
