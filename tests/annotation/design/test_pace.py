"""Times: a person's pace, a triplet's own length, and haste are told from one another."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.design.answers import Answers
from annotation.design.pace import Pace
from tests.annotation.observers import made

NO_CHECKS = {"sentinels": 0.0, "repeats": 0.0}


def fitted(answers: Answers, hardness: np.ndarray | None = None) -> Pace:
    pace = Pace(answers)
    attending = np.full(answers.size, 0.95)
    for _ in range(3):
        pace.fit(attending, np.zeros(answers.size) if hardness is None else hardness)
    return pace


def times_of(answers: Answers, rng: np.random.Generator, **parts: np.ndarray) -> Answers:
    noise = rng.normal(0, 0.3, answers.size)
    return replace(answers, response_ms=2000 * np.exp(sum(parts.values(), noise)))


@pytest.fixture
def answers() -> Answers:
    return made(1, careless_share=0.0, n_sessions=30, votes=10, **NO_CHECKS).answers


def test_quick_and_slow_people_are_not_suspect_for_it(answers: Answers) -> None:
    rng = np.random.default_rng(1)
    own = rng.normal(0, 0.3, 30)
    pace = fitted(times_of(answers, rng, own=own[answers.session]))
    attending, until = pace.evidence(np.full(30, 0.1))
    against = until[:, 0] - attending
    assert np.all(against[own > -0.4] < 0.5)
    assert np.all(against < 3)


def test_haste_speaks_against_a_session_the_more_the_hastier(answers: Answers) -> None:
    rng = np.random.default_rng(2)
    own = np.zeros(30)
    own[[3, 5, 7]] = np.log([0.7, 0.3, 0.1])
    pace = fitted(times_of(answers, rng, own=own[answers.session]))
    attending, until = pace.evidence(np.full(30, 0.1))
    against = until[:, 0] - attending
    assert against[3] < 1
    assert 1 < against[5] < against[7]
    assert against[7] > 5


def test_a_change_of_pace_is_seen_where_it_happened(answers: Answers) -> None:
    rng = np.random.default_rng(3)
    haste = np.where((answers.session == 4) & (answers.place >= 20), np.log(0.25), 0.0)
    pace = fitted(times_of(answers, rng, haste=haste))
    attending, until = pace.evidence(np.full(30, 0.1))
    assert abs(int(np.argmax(until[4])) - 20) <= 2
    assert until[4].max() > attending[4] + 5


def test_times_that_follow_the_triplets_speak_for_a_person(answers: Answers) -> None:
    """Two people leave the triplets' own lengths aside; all others show them."""
    rng = np.random.default_rng(4)
    length = rng.normal(0, 0.5, answers.n_triplets)[answers.triplet]
    blind = np.isin(answers.session, [2, 9])
    pace = fitted(times_of(answers, rng, length=np.where(blind, rng.permutation(length), length)))
    attending, until = pace.evidence(np.full(30, 0.1))
    against = until[:, 0] - attending
    others = np.delete(against, [2, 9])
    assert min(against[2], against[9]) > others.max() + 3


def test_hard_triplets_take_longer_even_where_nobody_else_saw_them() -> None:
    answers = made(2, careless_share=0.0, votes=1, n_sessions=20, **NO_CHECKS).answers
    rng = np.random.default_rng(5)
    hardness = rng.random(answers.size)
    timed = times_of(answers, rng, hard=1.2 * hardness)
    told, untold = fitted(timed, hardness), fitted(timed)
    gain = told.evidence(np.full(20, 0.1))[0] - untold.evidence(np.full(20, 0.1))[0]
    assert gain.sum() > 20


def test_getting_faster_over_a_session_is_nothing_odd(answers: Answers) -> None:
    rng = np.random.default_rng(6)
    trend = -0.6 * answers.place / 40 + 0.8 * np.exp(-answers.place / 3)
    pace = fitted(times_of(answers, rng, trend=trend))
    attending, until = pace.evidence(np.full(30, 0.1))
    assert np.median(until[:, 4:35].max(axis=1) - attending) < 0.5


def test_few_or_no_times_say_nothing(answers: Answers) -> None:
    few = np.full(answers.size, np.nan)
    few[:9] = 1000
    assert not Pace(replace(answers, response_ms=few)).is_known
    few[9:30] = 1000
    assert Pace(replace(answers, response_ms=few)).is_known


def test_a_pause_is_no_news(answers: Answers) -> None:
    rng = np.random.default_rng(7)
    timed = times_of(answers, rng)
    paused = timed.response_ms.copy()
    paused[int(np.flatnonzero(timed.session == 6)[11])] = 600_000
    before, after = (
        fitted(replace(timed, response_ms=ms)).evidence(np.full(30, 0.1))
        for ms in (timed.response_ms, paused)
    )
    against = [until[6, 0] - attending[6] for attending, until in (before, after)]
    assert against[1] == pytest.approx(against[0], abs=1)
    # Rare, but not as rare as a normal law would have it: that would be worth hundreds of nats.
    assert before[0][6] - after[0][6] < 20
