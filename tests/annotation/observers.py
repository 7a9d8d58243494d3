"""Made-up observers for tests of the screening: who answers what, as arrays and as a CSV.

Written apart from `annotation.design.simulation`: a judge with the accused's own habits would
prove nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata

from annotation.design.answers import UNKNOWN, Answers

KINDS = (
    "careless", "fast", "one_sided", "drifting", "always_left", "alternating", "inverted",
    "drifting_left",
)  # fmt: skip
GOOD = "good"


@dataclass(frozen=True)
class Setting:
    """A study to be made up.

    votes: answers a triplet. spread: of the visible differences, in z-units; 1 gives a mean
    majority of 75 %, 0.7 one of 69 %. careless_share: of sessions. sentinels, repeats: shares of
    trials.
    """

    n_sessions: int = 40
    n_trials: int = 40
    votes: int = 8
    spread: float = 1.2
    careless_share: float = 0.25
    kinds: tuple[str, ...] = KINDS
    sentinels: float = 0.1
    repeats: float = 0.1
    has_times: bool = True
    allow_not_sure: bool = False


@dataclass(frozen=True, eq=False)
class Made:
    """Rows of a made-up study, one a judgment, and what each session really was."""

    answers: Answers
    labels: tuple[str, ...]

    @property
    def is_careless(self) -> np.ndarray:
        return np.array([label != GOOD for label in self.labels])


@dataclass(frozen=True)
class _Person:
    label: str
    sharpness: float
    bias: float
    lapse: float
    pace: float
    noise: float
    change: int


class _Row(dict[str, float]):
    pass


def made(seed: int, setting: Setting | None = None, **changes: object) -> Made:
    setting = replace(setting or Setting(), **changes)  # type: ignore[arg-type]
    rng = np.random.default_rng(seed)
    n_checks = round(setting.sentinels * setting.n_trials)
    n_repeats = round(setting.repeats * setting.n_trials)
    n_main = setting.n_trials - n_checks - n_repeats
    plans = _plans(rng, setting.n_sessions, n_main, setting.votes)
    n_triplets = int(plans.max()) + 1
    seen = np.concatenate(
        [rng.normal(0, setting.spread, n_triplets), rng.choice([-3.2, 3.2], size=20)]
    )
    labels = [GOOD] * setting.n_sessions
    n_careless = round(setting.careless_share * setting.n_sessions)
    for turn, session in enumerate(rng.permutation(setting.n_sessions)[:n_careless]):
        labels[session] = setting.kinds[turn % len(setting.kinds)]
    rows: list[_Row] = []
    for session, label in enumerate(labels):
        checks = n_triplets + rng.choice(20, n_checks, replace=False)
        order = _order(rng, plans[session], checks, n_repeats)
        rows += _sitting(rng, session, _person(rng, label), order, seen, n_triplets, setting)
    return Made(_answers(rows, setting.n_sessions), tuple(labels))


def _plans(rng: np.random.Generator, n_sessions: int, n_main: int, votes: int) -> np.ndarray:
    """Which triplets each session gets: the fewest answers first, each about `votes` times."""
    n_triplets = max(n_main, -(-n_sessions * n_main // votes))
    counts = np.zeros(n_triplets)
    plans = np.empty((n_sessions, n_main), dtype=np.int64)
    for session in range(n_sessions):
        fewest = np.lexsort((rng.random(n_triplets), counts))[:n_main]
        counts[fewest] += 1
        plans[session] = rng.permutation(fewest)
    return plans


def _order(
    rng: np.random.Generator, main: np.ndarray, checks: np.ndarray, n_repeats: int
) -> list[tuple[int, bool]]:
    """Triplets in their order, each with whether it is a repeat."""
    order = [(int(triplet), False) for triplet in main]
    for triplet in checks:
        order.insert(int(rng.integers(len(order) + 1)), (int(triplet), False))
    for triplet in rng.choice(main[: len(main) // 2], n_repeats, replace=False):
        first = next(place for place, (shown, _) in enumerate(order) if shown == triplet)
        order.insert(int(rng.integers(first + 4, len(order) + 1)), (int(triplet), True))
    return order


def _person(rng: np.random.Generator, label: str) -> _Person:
    return _Person(
        label=label,
        sharpness=float(np.exp(rng.normal(0, 0.2))),
        bias=float(rng.normal(0, 0.15)),
        lapse=float(rng.uniform(0.03, 0.08)),
        pace=float(rng.normal(0, 0.35)),
        noise=float(0.45 * np.exp(rng.normal(0, 0.15))),
        change=int(rng.integers(15, 21)),
    )


def _sitting(
    rng: np.random.Generator,
    session: int,
    person: _Person,
    order: Sequence[tuple[int, bool]],
    seen: np.ndarray,
    n_main: int,
    setting: Setting,
) -> list[_Row]:
    on_left = dict(zip(range(len(order)), rng.permutation(np.arange(len(order)) % 2), strict=True))
    first_shown: dict[int, bool] = {}
    rows = []
    for place, (triplet, is_repeat) in enumerate(order):
        left = not first_shown[triplet] if is_repeat else bool(on_left[place])
        first_shown[triplet] = left
        attends = _attends(person, place)
        pull = person.sharpness * seen[triplet] + (-person.bias if left else person.bias)
        is_second = bool(rng.random() < person.lapse / 2 + (1 - person.lapse) * ndtr(pull))
        if not attends:
            is_second = _careless(rng, person, place, left, is_second)
        hard = float(np.exp(-abs(seen[triplet]))) if attends else 0.4
        ms = 2600 * np.exp(person.pace + 0.6 * hard + rng.normal(0, person.noise))
        if person.label == "fast":
            ms = 550 * np.exp(rng.normal(0, 0.35))
        choice = int(is_second)
        if setting.allow_not_sure and attends and abs(pull) < 0.35 and rng.random() < 0.7:
            choice = 2
        rows.append(
            _Row(
                session=session, position=place, triplet=triplet, choice=choice, left=left,
                ms=ms if setting.has_times else np.nan, is_sentinel=triplet >= n_main,
                expected=int(seen[triplet] > 0) if triplet >= n_main else UNKNOWN,
            )
        )  # fmt: skip
    return rows


def _attends(person: _Person, place: int) -> bool:
    if person.label.startswith("drifting"):
        return place < person.change
    return person.label == GOOD


def _careless(
    rng: np.random.Generator, person: _Person, place: int, left: bool, attentive: bool
) -> bool:
    """Whether the second is chosen."""
    if person.label == "inverted":
        return not attentive
    takes_left = {
        "one_sided": rng.random() < 0.1,
        "always_left": True,
        "drifting_left": True,
        "alternating": place % 2 == 0,
    }.get(person.label, rng.random() < 0.5)
    return takes_left != left


def _answers(rows: list[_Row], n_sessions: int) -> Answers:
    def column(name: str, kind: type) -> np.ndarray:
        return np.array([row[name] for row in rows], dtype=kind)

    unknown = np.full(len(rows), UNKNOWN)
    return Answers(
        n_sessions=n_sessions,
        session=column("session", np.int64),
        position=column("position", np.int64),
        triplet=column("triplet", np.int64),
        choice=column("choice", np.int64),
        first_on_left=column("left", np.bool_),
        response_ms=column("ms", np.float64),
        expected=column("expected", np.int64),
        is_sentinel=column("is_sentinel", np.bool_),
        is_identical=np.zeros(len(rows), dtype=np.bool_),
        first_item=unknown,
        second_item=unknown.copy(),
    )


def write_csv(path: Path, study: Made, **values: str) -> Path:
    """The study in the columns of our own export that matter; `values` fill further columns."""
    answers = study.answers
    choices, columns = ("first", "second", "not_sure"), list(values)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([
            "study", "session_id", "annotator_id", "position", "triplet_id", "triplet_kind",
            "expected", "source", "first_codec", "second_codec", "target_bpp", "first_on_left",
            "choice", "response_ms", "is_simulated", *columns,
        ])  # fmt: skip
        for row in range(answers.size):
            session, triplet = answers.session[row], answers.triplet[row]
            expected = answers.expected[row]
            ms = answers.response_ms[row]
            writer.writerow([
                "made-up", f"s{session}", f"person {session}", answers.position[row],
                f"t{triplet}", "sentinel" if answers.is_sentinel[row] else "main",
                choices[expected] if expected != UNKNOWN else "",
                f"photo {triplet}", "jpeg", "webp", 0.5,
                int(answers.first_on_left[row]), choices[answers.choice[row]],
                "" if np.isnan(ms) else f"{ms:.1f}", 1, *values.values(),
            ])  # fmt: skip
    return path


def auc(suspicion: Sequence[float], is_careless: np.ndarray) -> float:
    """Chance that a careless session is the more suspect of two; ties count half."""
    ranks = rankdata(suspicion)
    n_bad, n_good = int(is_careless.sum()), int((~is_careless).sum())
    return float((ranks[is_careless].sum() - n_bad * (n_bad + 1) / 2) / (n_bad * n_good))
