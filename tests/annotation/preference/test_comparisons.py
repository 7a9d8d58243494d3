import numpy as np
import pytest

from annotation.preference.comparisons import Comparisons


def make_comparisons(rows: list[tuple[int, int, int, float]], n_items: int = 3) -> Comparisons:
    """Rows of observer, first, second, share of the first."""
    columns = np.array(rows).reshape(-1, 4).T
    codes = columns[:3].astype(int)
    return Comparisons(n_items, 4, *codes, columns[3])


def test_each_judgment_is_counted_for_its_observer_and_pair_whichever_stood_first() -> None:
    rows = [(0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 0, 0), (2, 2, 1, 0.5), (2, 1, 2, 0)]
    counts = make_comparisons(rows).counts()
    assert counts.pairs.tolist() == [[0, 1], [1, 2]]
    # Observers 1 and 3 gave no answer: they are no part of the sample.
    assert counts.won.tolist() == [[2, 0], [0, 0]]
    assert counts.lost.tolist() == [[1, 0], [0, 1]]
    assert counts.tied.tolist() == [[0, 0], [0, 1]]
    assert counts.score.tolist() == [[1, 0], [0, -1]]


def test_wins_and_ties_are_tables_of_items() -> None:
    found = make_comparisons([(0, 0, 1, 1), (1, 1, 0, 1), (1, 2, 1, 1), (3, 0, 2, 0.5)])
    assert found.wins().tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert found.ties().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert found.is_tie.tolist() == [False, False, False, True]
    assert (found.n, found.n_active_observers) == (4, 3)


def test_some_of_the_items_are_numbered_anew() -> None:
    found = make_comparisons([(0, 0, 1, 1), (1, 2, 1, 0), (2, 0, 2, 0.5)]).among([2, 1])
    assert (found.n_items, found.n) == (2, 1)
    assert (found.first.tolist(), found.second.tolist()) == ([0], [1])
    assert found.wins().tolist() == [[0, 0], [1, 0]]


def test_no_judgment_at_all_is_counted_too() -> None:
    found = make_comparisons([])
    assert found.counts().n.shape == (0, 0)
    assert found.wins().tolist() == [[0] * 3] * 3


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((0, 0, 3, 1), "Found items 0 to 3; expected 0 to 2"),
        ((4, 0, 1, 1), "Found observers 4 to 4; expected 0 to 3"),
        ((0, 1, 1, 1), "compared with itself"),
        ((0, 0, 1, 0.25), "expected 0, 0.5 or 1"),
        ((0, -1, 1, 1), "Found items -1"),
    ],
)
def test_judgments_that_cannot_be_are_refused(
    row: tuple[int, int, int, float], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_comparisons([row])


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        Comparisons(3, 4, np.array([0]), np.array([0, 1]), np.array([1, 2]), np.array([1.0, 0.0]))


def test_an_item_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="each one once"):
        make_comparisons([(0, 0, 1, 1)]).among([1, 1])
