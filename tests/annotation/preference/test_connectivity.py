import numpy as np
import pytest

from annotation.preference.comparisons import Comparisons
from annotation.preference.connectivity import Connectivity, connectivity

NAMES = ("jpeg", "webp", "bpg", "av1")


def told(wins: list[list[int]], n_observers: int = 20, **options: int) -> Connectivity:
    """What is said of a study in which row won so often over column."""
    rows = [(i, j) for i in range(4) for j in range(4) for _ in range(wins[i][j])]
    first, second = np.array(rows, dtype=int).reshape(-1, 2).T
    observer = np.arange(len(rows)) % n_observers
    study = Comparisons(4, n_observers, observer, first, second, np.ones(len(rows)))
    return connectivity(study, NAMES, **options)


def test_a_study_of_just_enough_votes_needs_no_warning() -> None:
    found = told([[0, 9, 9, 9], [1, 0, 5, 5], [1, 5, 0, 5], [1, 5, 5, 0]])
    assert found.warnings == ()
    assert found.is_connected
    assert found.parts == ((0, 1, 2, 3),)
    assert found.one_sided == ()


def test_parts_without_a_comparison_between_them_are_named() -> None:
    found = told([[0, 9, 0, 0], [9, 0, 0, 0], [0, 0, 0, 9], [0, 0, 9, 0]])
    assert found.parts == ((0, 1), (2, 3))
    assert not found.is_connected
    assert found.warnings == (
        "The items fall into 2 parts without any comparison between them, so places of different "
        "parts cannot be compared: jpeg, webp; bpg, av1.",
    )


def test_items_that_never_won_or_lost_are_said_to_be_held_by_the_prior() -> None:
    found = told([[0, 0, 0, 0], [9, 0, 9, 0], [9, 9, 0, 0], [9, 9, 9, 0]], least_votes=1)
    assert (found.never_won, found.never_lost) == ((0,), (3,))
    assert found.one_sided == ((1, 2), (0,), (3,))
    assert found.warnings == (
        "jpeg never won: how far it stands from the others is decided by the prior.",
        "av1 never lost: how far it stands from the others is decided by the prior.",
    )


def test_groups_between_which_all_went_one_way_are_named() -> None:
    found = told([[0, 9, 9, 9], [9, 0, 9, 9], [0, 0, 0, 9], [0, 0, 9, 0]], least_votes=1)
    assert (found.never_won, found.never_lost) == ((), ())
    assert found.warnings == (
        "Between these groups every comparison went one way, so the prior decides how far apart "
        "they stand: jpeg, webp; bpg, av1.",
    )


def test_pairs_and_items_with_few_votes_are_counted_and_named() -> None:
    found = told([[0, 9, 9, 1], [9, 0, 9, 0], [9, 9, 0, 0], [1, 0, 0, 0]])
    assert found.thin_pairs == ((0, 3),)
    assert found.thin_items == (3,)
    assert found.never_compared == ((1, 3), (2, 3))
    assert found.warnings == (
        "2 pairs were never compared directly: what is said of such a pair comes through other "
        "items.",
        "1 pair with fewer than 10 votes: jpeg and av1 (2).",
        "1 item with fewer than 10 votes: av1 (2).",
    )


def test_fewer_than_15_observers_are_said() -> None:
    [warning] = told([[0, 9, 9, 9], [9, 0, 9, 9], [9, 9, 0, 9], [9, 9, 9, 0]], 14).warnings
    assert warning == "14 observers gave answers; ITU-R BT.500-15 expects 15 or more."


def test_a_study_without_answers_says_so_and_does_not_fail() -> None:
    found = told([[0] * 4] * 4)
    assert found.thin_items == (0, 1, 2, 3)
    assert found.n_observers == 0


def test_names_must_fit() -> None:
    with pytest.raises(ValueError, match="Found 3 names; expected 4"):
        connectivity(
            Comparisons(4, 1, np.array([0]), np.array([0]), np.array([1]), np.array([1.0])),
            NAMES[:3],
        )
