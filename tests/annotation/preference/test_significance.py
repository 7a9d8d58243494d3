import numpy as np
import pytest

from annotation.preference.comparisons import Comparisons
from annotation.preference.sign_flips import sign_flip_p
from annotation.preference.significance import pair_tests
from tests.annotation.preference.simulated_people import Opinions


def test_every_two_items_are_told_with_counts_and_test() -> None:
    rows = [(o, 0, 1, 1.0) for o in range(12)] + [(o, 2, 1, 0.5) for o in range(6)]
    rows += [(o, 1, 2, float(o % 2)) for o in range(6)]
    observer, first, second, share = np.array(rows).T
    study = Comparisons(3, 12, observer.astype(int), first.astype(int), second.astype(int), share)
    found = pair_tests(study)
    assert [(test.first, test.second) for test in found] == [(0, 1), (0, 2), (1, 2)]
    clear, never, even = found
    assert (clear.n_first, clear.n_second, clear.n_tied, clear.n_observers) == (12, 0, 0, 12)
    assert clear.p_value == pytest.approx(2 / 2**12)
    # Two pairs were compared: the smaller p counts twice.
    assert clear.p_adjusted == pytest.approx(4 / 2**12)
    assert clear.is_different()
    assert (never.n, never.p_value, never.p_adjusted) == (0, None, None)
    assert never.share_first.reason == "never compared directly"
    assert not never.is_different()
    assert (even.n_first, even.n_second, even.n_tied, even.p_value) == (3, 3, 6, 1)
    assert even.share_first.value == 0.5


def test_p_is_that_of_the_observers_balances() -> None:
    study = Opinions((0.5, 0.0, -0.5)).answer(20, 12, np.random.default_rng(1))
    counts = study.counts()
    for at, test in enumerate(pair_tests(study)):
        assert test.p_value == sign_flip_p(counts.won[:, at] - counts.lost[:, at])


def test_items_that_are_equal_are_rarely_called_different() -> None:
    """The chance of any false difference among all pairs of equal items is at most 5 %."""
    rng = np.random.default_rng(2)
    wrong = [
        any(test.is_different() for test in pair_tests(Opinions((0.0,) * 4).answer(20, 18, rng)))
        for _ in range(300)
    ]
    assert np.mean(wrong) <= 0.08
