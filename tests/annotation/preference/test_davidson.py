import choix
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from annotation.preference.davidson import JND, Davidson, fit_davidson, settle, share_of_jnd
from annotation.preference.scale import fit_scale
from tests.annotation.preference.simulated_people import davidson_chances

Floats = NDArray[np.float64]


def made_counts(seed: int, n: int = 5, times: int = 40) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    wins = rng.integers(1, times, (n, n)).astype(np.float64)
    np.fill_diagonal(wins, 0)
    ties = np.triu(rng.integers(0, times // 2, (n, n)), 1).astype(np.float64)
    return wins, ties + ties.T


def expected_counts(places: Floats, nu: float, times: float) -> tuple[Floats, Floats]:
    won, tied = davidson_chances(places[:, None] - places[None, :], nu)
    away = 1 - np.eye(len(places))
    return times * won * away, times * tied * away


def test_the_model_is_recovered_from_what_it_expects() -> None:
    places = np.array([1.5, 0.5, 0.0, -0.4, -1.6])
    found = fit_davidson(*expected_counts(places, 0.7, 1e6))
    assert found.places == pytest.approx(places, abs=1e-4)
    assert np.exp(found.log_nu) == pytest.approx(0.7, abs=1e-4)
    won, lost, tied = found.chances(0, 4)
    assert (won, tied) == pytest.approx(davidson_chances(np.array(3.1), 0.7), abs=1e-4)
    assert won + lost + tied == pytest.approx(1)


def test_the_summit_is_the_one_a_general_optimiser_finds() -> None:
    wins, ties = made_counts(3)

    def downhill(at: Floats) -> float:
        won, tied = davidson_chances(at[:-1, None] - at[None, :-1], np.exp(at[-1]))
        likelihood = (wins * np.log(won)).sum() + (ties * np.log(tied)).sum() / 2
        return float(at @ at / 2 / 1.5**2 - likelihood)

    expected = minimize(downhill, np.zeros(6), tol=1e-10).x
    found = fit_davidson(wins, ties, prior_sd=1.5)
    assert [*found.places, found.log_nu] == pytest.approx(expected, abs=1e-4)


def test_two_items_have_davidsons_closed_form() -> None:
    # Odds of the wins, and nu = ties / geometric mean of the wins.
    wins, ties = np.array([[0.0, 600.0], [150.0, 0.0]]), np.array([[0.0, 90.0], [90.0, 0.0]])
    found = fit_davidson(wins, ties, prior_sd=1e3)
    assert found.places[0] - found.places[1] == pytest.approx(np.log(4), abs=1e-4)
    assert np.exp(found.log_nu) == pytest.approx(90 / np.sqrt(600 * 150), abs=1e-4)


def test_without_ties_it_is_bradley_terrys_model_as_the_schedulers() -> None:
    wins, _ = made_counts(4)
    found = fit_davidson(wins, np.zeros_like(wins), prior_sd=2.0)
    assert found.places == pytest.approx(fit_scale(wins, prior_sd=2.0).mean, abs=1e-6)
    assert found.log_nu == -np.inf
    assert found.chances(0, 1)[2] == 0


def test_without_ties_and_prior_it_is_choixs_bradley_terry() -> None:
    wins, _ = made_counts(5, n=8)
    data = [
        (i, j) for i in range(8) for j in range(8) for _ in range(int(wins[i, j]))
    ]  # fmt: skip
    expected = choix.opt_pairwise(8, data, alpha=1e-9, tol=1e-10)
    found = fit_davidson(wins, np.zeros_like(wins), prior_sd=1e3)
    assert found.places == pytest.approx(expected - expected.mean(), abs=1e-3)


def test_a_published_example_comes_out_as_published() -> None:
    """American League baseball 1987, wins of row over column (Agresti 2002, Categorical Data
    Analysis, table 10.10), with the log-odds against Baltimore in the vignette of BradleyTerry2
    (Turner and Firth 2012, Journal of Statistical Software 48, 9)."""
    wins = np.array(
        [
            [0, 7, 9, 7, 7, 9, 11],
            [6, 0, 7, 5, 11, 9, 9],
            [4, 6, 0, 7, 7, 8, 12],
            [6, 8, 6, 0, 6, 7, 10],
            [6, 2, 6, 7, 0, 7, 12],
            [4, 4, 5, 6, 6, 0, 6],
            [2, 4, 1, 3, 1, 7, 0],
        ],
        dtype=np.float64,
    )
    found = fit_davidson(wins, np.zeros((7, 7)), prior_sd=1e3).places
    published = [1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0.0]
    assert found - found[-1] == pytest.approx(published, abs=1e-3)


def test_one_jnd_is_three_quarters_of_those_who_decide() -> None:
    assert share_of_jnd(1.0) == pytest.approx(0.75)
    wins, ties = np.array([[0.0, 750.0], [250.0, 0.0]]), np.array([[0.0, 300.0], [300.0, 0.0]])
    found = fit_davidson(wins, ties, prior_sd=1e3)
    assert found.places_jnd[0] - found.places_jnd[1] == pytest.approx(1, abs=1e-3)
    assert pytest.approx(1.0986, abs=1e-4) == JND


def held_by(wins: list[list[float]], ties: list[list[float]] | None = None) -> Davidson:
    table = np.array(wins)
    return fit_davidson(table, np.zeros_like(table) if ties is None else np.array(ties))


def test_an_item_that_never_lost_stands_at_a_finite_place_that_the_prior_decides() -> None:
    found = held_by([[0, 9, 9], [0, 0, 5], [0, 4, 0]])
    assert np.isfinite(found.places).all()
    assert found.places[0] == found.places.max()
    assert found.is_held_by_prior.tolist() == [True] * 3
    assert found.bound[1] == found.bound[2] != found.bound[0]


def test_a_tie_binds_both_ways() -> None:
    ties = [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    found = held_by([[0, 9, 9], [0, 0, 5], [0, 4, 0]], ties)  # type: ignore[arg-type]
    assert not found.is_held_by_prior.any()


def test_parts_that_were_never_compared_have_mean_0_each() -> None:
    found = held_by([[0, 6, 0, 0], [2, 0, 0, 0], [0, 0, 0, 3], [0, 0, 8, 0]])
    assert found.part.tolist() == [0, 0, 1, 1]
    assert found.places[:2].sum() == pytest.approx(0, abs=1e-8)
    assert found.places[2:].sum() == pytest.approx(0, abs=1e-8)
    assert not found.is_held_by_prior.any()


def test_the_prior_hardly_moves_what_answers_decide() -> None:
    places = np.array([2.0, 0.0, -2.0])
    found = fit_davidson(*expected_counts(places, 0.4, 100))
    assert found.places == pytest.approx(places, rel=0.03)


def test_many_tables_at_once_give_what_each_gives_alone() -> None:
    tables = [made_counts(seed) for seed in (6, 7, 8)]
    pairs = np.stack(np.triu_indices(5, 1), axis=1)
    i, j = pairs.T
    counts = np.array([[wins[i, j], wins[j, i], ties[i, j]] for wins, ties in tables])
    at_once = settle(5, pairs, counts, start=np.array([3.0, -3, 3, -3, 0, 2]))
    for row, table in zip(at_once, tables, strict=True):
        alone = fit_davidson(*table)
        assert row == pytest.approx([*alone.places, alone.log_nu], abs=1e-5)


def test_far_apart_and_unanimous_counts_settle() -> None:
    found = fit_davidson(np.triu(np.full((30, 30), 1000.0), 1), np.zeros((30, 30)))
    assert np.all(np.diff(found.places) < 0)


def test_answers_that_are_ties_alone_settle() -> None:
    ties = 20 * (1 - np.eye(4))
    found = fit_davidson(np.zeros((4, 4)), ties)
    assert found.places == pytest.approx(np.zeros(4))
    assert found.log_nu > 3


@pytest.mark.parametrize(
    ("wins", "ties", "sentence"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3)), "shape"),
        (np.zeros((2, 2)), np.zeros((3, 3)), "shape"),
        (-np.ones((2, 2)), np.zeros((2, 2)), "negative"),
        (np.eye(2), np.zeros((2, 2)), "itself"),
        (np.zeros((2, 2)), np.triu(np.ones((2, 2)), 1), "symmetric"),
    ],
)
def test_counts_that_cannot_be_are_refused(wins: Floats, ties: Floats, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit_davidson(wins, ties)
