"""What the others see in a triplet: never one's own answer, nor more than was said."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.design.answers import UNKNOWN, Answers
from annotation.design.beliefs import DIFFERENCES, Beliefs


def make_answers(
    session: list[int], triplet: list[int], choice: list[int], **columns: list[int]
) -> Answers:
    n = len(session)

    def column(name: str, default: int) -> np.ndarray:
        return np.array(columns.get(name, [default] * n))

    return Answers(
        n_sessions=max(session) + 1,
        session=np.array(session),
        position=np.arange(n),
        triplet=np.array(triplet),
        choice=np.array(choice),
        first_on_left=np.ones(n, dtype=bool),
        response_ms=np.full(n, np.nan),
        expected=column("expected", UNKNOWN),
        is_sentinel=column("is_sentinel", 0).astype(bool),
        is_identical=column("is_identical", 0).astype(bool),
        first_item=column("first_item", UNKNOWN),
        second_item=column("second_item", UNKNOWN),
    )


def vote(second: int) -> np.ndarray:
    """A clear vote for the second, or for the first."""
    favour = DIFFERENCES if second else -DIFFERENCES
    return np.asarray(np.log(1 / (1 + np.exp(-1.7 * favour))))


def votes(answers: Answers) -> np.ndarray:
    return np.stack([vote(int(choice)) for choice in answers.choice])


def test_the_others_answers_shape_a_belief_and_ones_own_does_not() -> None:
    answers = make_answers([0, 1, 2], [0, 0, 0], [1, 1, 0])
    belief = Beliefs(answers).update(votes(answers))
    means = belief @ DIFFERENCES
    assert belief.sum(axis=1) == pytest.approx(1)
    # Session 2 chose the first; the two others chose the second.
    assert means[2] > 0.3
    assert means[0] == pytest.approx(0, abs=1e-9)
    alone = make_answers([0], [0], [1])
    assert (Beliefs(alone).update(votes(alone)) @ DIFFERENCES)[0] == pytest.approx(0, abs=1e-9)


def test_a_repeat_is_not_anothers_opinion() -> None:
    answers = make_answers([0, 0, 1], [0, 0, 0], [1, 1, 0])
    messages = votes(answers)
    messages[1] = 0
    means = Beliefs(answers).update(messages) @ DIFFERENCES
    assert means[0] == means[1] < 0


def test_sentinels_are_believed_before_anybody_answers_and_equal_pairs_are_equal() -> None:
    answers = make_answers(
        [0, 0, 0, 0], [0, 1, 2, 3], [1, 1, 1, 1],
        expected=[1, 0, UNKNOWN, UNKNOWN], is_sentinel=[1, 1, 1, 0], is_identical=[0, 0, 0, 1],
    )  # fmt: skip
    belief = Beliefs(answers).update(np.zeros((4, len(DIFFERENCES))))
    second, first, untold, equal = belief @ DIFFERENCES
    assert second > 1.5
    assert first == pytest.approx(-second)
    # Obvious, but nobody says which: both, and hardly a tie.
    assert untold == pytest.approx(0, abs=1e-9)
    assert belief[2][np.abs(DIFFERENCES) < 0.3].sum() < 0.05
    assert equal == 0
    assert belief[3].max() == pytest.approx(1)


def made_by_items(n: int, worth: list[float], seed: int = 1) -> Answers:
    """Triplets of two items each, answered by the difference of their worths, once each."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(worth), n)
    second = (first + rng.integers(1, len(worth), n)) % len(worth)
    gain = np.array(worth)[second] - np.array(worth)[first]
    choice = (rng.random(n) < 1 / (1 + np.exp(-1.7 * gain))).astype(int)
    answers = make_answers(list(rng.integers(0, 10, n)), list(range(n)), list(choice))
    return replace(answers, first_item=first[answers.triplet], second_item=second[answers.triplet])


def test_items_foretell_triplets_that_nobody_else_has_judged() -> None:
    worth = [-1.5, 0.0, 1.5]
    answers = made_by_items(400, worth)
    beliefs = Beliefs(answers)
    for _ in range(4):
        means = beliefs.update(votes(answers)) @ DIFFERENCES
    expected = np.array(worth)[answers.second_item] - np.array(worth)[answers.first_item]
    assert np.corrcoef(means, expected)[0, 1] > 0.95
    # Turning every triplet round turns every belief round.
    turned = replace(
        answers, first_item=answers.second_item, second_item=answers.first_item,
        choice=1 - answers.choice,
    )  # fmt: skip
    others = Beliefs(turned)
    for _ in range(4):
        opposite = others.update(votes(turned)) @ DIFFERENCES
    assert opposite == pytest.approx(-means, abs=1e-6)


def test_items_that_differ_in_nothing_foretell_nothing() -> None:
    answers = made_by_items(400, [0.0, 0.0, 0.0])
    beliefs = Beliefs(answers)
    for _ in range(4):
        means = beliefs.update(votes(answers)) @ DIFFERENCES
    assert np.abs(means).max() < 0.5


def test_the_spread_of_differences_is_learned() -> None:
    spreads = []
    for truth in (0.3, 2.0):
        rng = np.random.default_rng(2)
        gain = rng.normal(0, truth, 120)
        triplet = np.repeat(np.arange(120), 12)
        choice = (rng.random(1440) < 1 / (1 + np.exp(-1.7 * gain[triplet]))).astype(int)
        answers = make_answers(list(np.tile(np.arange(12), 120)), list(triplet), list(choice))
        beliefs = Beliefs(answers)
        beliefs.update(votes(answers))
        spreads.append(beliefs.scale.spread)
    assert spreads[0] == pytest.approx(0.3, abs=0.15)
    assert spreads[1] == pytest.approx(2.0, abs=0.5)
