"""Known truths lie inside the 95 % intervals as often as they say, of people who hang together.

Two kinds of people (simulated_people.py): whose single answers follow standing opinions, and who
differ in taste, sharpness, side and care; 300 studies of each kind and size.
"""

from functools import cache

import numpy as np
import pytest

from annotation.preference.bootstrap import bootstrap_places
from annotation.preference.intervals import Estimate
from annotation.preference.shares import win_shares
from tests.annotation.preference.simulated_people import Leanings, Opinions

PLACES = (1.2, 0.7, 0.1, -0.2, -0.6, -1.2)
FAR = (2.5, 1.5, 0.5, -0.5, -1.5, -2.5)
STUDIES = 300
PEOPLE = {
    "opinions": Opinions(PLACES),
    "leanings": Leanings(PLACES),
    "far apart": Opinions(FAR),
}

pytestmark = pytest.mark.slow
cases = pytest.mark.parametrize(
    ("people", "n_observers"),
    [("opinions", 20), ("opinions", 40), ("leanings", 20), ("leanings", 40), ("far apart", 40)],
)


def holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.interval is not None
    return estimate.interval.low <= truth <= estimate.interval.high


@cache
def covered(people: str, n_observers: int) -> dict[str, float]:
    """Share of intervals that hold the truth, and the mean estimate of log nu less the truth."""
    model, rng = PEOPLE[people], np.random.default_rng(11)
    truth = model.truth()
    inside: dict[str, list[float]] = {
        name: [] for name in ("shares", "places", "differences", "ties", "ties off by")
    }
    for seed in range(STUDIES):
        study = model.answer(n_observers, 45, rng)
        scale = bootstrap_places(study, resamples=300, seed=seed)
        for share, true_share in zip(win_shares(study), truth.shares, strict=True):
            inside["shares"].append(holds(share.share, true_share))
        for i in range(6):
            inside["places"].append(holds(scale.place(i), truth.places[i]))
            for j in range(i):
                if scale.reason_against(i, j) is None:
                    difference = truth.places[i] - truth.places[j]
                    inside["differences"].append(holds(scale.difference(i, j), difference))
        inside["ties"].append(holds(scale.tie_parameter(), truth.log_nu))
        inside["ties off by"].append(scale.tie_parameter().value - truth.log_nu)
    return {name: float(np.mean(values)) for name, values in inside.items()}


@cases
@pytest.mark.parametrize("what", ["shares", "places", "differences"])
def test_truths_are_inside_93_to_97_percent_of_the_intervals(
    people: str, n_observers: int, what: str
) -> None:
    assert 0.93 <= covered(people, n_observers)[what] <= 0.97


@cases
def test_the_tie_parameter_is_recovered_with_its_interval(people: str, n_observers: int) -> None:
    found = covered(people, n_observers)
    # One number a study: its share in 300 of them is uncertain by 2.5 points.
    assert 0.915 <= found["ties"] <= 0.985
    assert abs(found["ties off by"]) < 0.05


@pytest.mark.parametrize("people", ["opinions", "leanings"])
def test_where_each_answers_much_wilsons_interval_is_too_narrow_and_ours_is_not(
    people: str,
) -> None:
    model, rng = PEOPLE[people], np.random.default_rng(12)
    truth, ours, wilsons = model.truth().shares, [], []
    for _ in range(STUDIES):
        for share, true_share in zip(win_shares(model.answer(20, 90, rng)), truth, strict=True):
            wilson = share.wilson_assuming_independence
            assert wilson is not None
            ours.append(holds(share.share, true_share))
            wilsons.append(wilson.low <= true_share <= wilson.high)
    assert 0.93 <= np.mean(ours) <= 0.97
    assert np.mean(wilsons) < 0.9
