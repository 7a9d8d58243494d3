import math
from collections import Counter

import numpy as np
import pytest
from scipy.stats import norm

from annotation.design.simulation import SimulatedObserver, make_population

RUNS = 6000


def _share_second(observer: SimulatedObserver, difference: float, first_on_left: bool) -> float:
    rng = observer.generator()
    answers = [observer.choose(0.0, difference, first_on_left, rng) for _ in range(RUNS)]
    return sum(answer.choice == "second" for answer in answers) / RUNS


@pytest.mark.parametrize("difference", [-1.0, 0.0, 0.5, 2.0])
def test_choices_follow_thurstones_law_with_lapses(difference: float) -> None:
    observer = SimulatedObserver(seed=1, sharpness=1.5, lapse=0.1)
    expected = 0.05 + 0.9 * norm.cdf(1.5 * difference)
    assert _share_second(observer, difference, True) == pytest.approx(expected, abs=0.02)


def test_a_side_bias_favours_the_left_whatever_stands_there() -> None:
    observer = SimulatedObserver(seed=2, lapse=0.0, side_bias=0.5)
    assert _share_second(observer, 0.0, first_on_left=True) == pytest.approx(
        norm.cdf(-0.5), abs=0.02
    )
    assert _share_second(observer, 0.0, first_on_left=False) == pytest.approx(
        norm.cdf(0.5), abs=0.02
    )


def test_hard_trials_take_longer() -> None:
    observer = SimulatedObserver(seed=3, lapse=0.0)
    rng = observer.generator()
    hard = [observer.choose(0.0, 0.0, True, rng).response_ms for _ in range(RUNS)]
    easy = [observer.choose(0.0, 6.0, True, rng).response_ms for _ in range(RUNS)]
    assert np.median(hard) == pytest.approx(2500 * 2.5, rel=0.03)
    assert np.median(easy) == pytest.approx(2500, rel=0.03)
    assert np.std(np.log(hard)) == pytest.approx(0.4, rel=0.05)


def test_not_sure_is_given_only_where_it_is_allowed() -> None:
    observer = SimulatedObserver(seed=4, lapse=0.0, indifference=0.5)
    rng = observer.generator()
    allowed = [observer.choose(0, 0, True, rng, allow_not_sure=True).choice for _ in range(RUNS)]
    forced = [observer.choose(0, 0, True, rng).choice for _ in range(RUNS)]
    expected = norm.cdf(0.5) - norm.cdf(-0.5)
    assert allowed.count("not_sure") / RUNS == pytest.approx(expected, abs=0.02)
    assert set(forced) == {"first", "second"}


def test_the_same_seed_gives_the_same_answers() -> None:
    observer = SimulatedObserver(seed=5)
    once, again = (
        [observer.choose(0.0, 0.3, True, rng) for _ in range(20)]
        for rng in (observer.generator(), observer.generator())
    )
    assert once == again
    assert once != [SimulatedObserver(seed=6).choose(0.0, 0.3, True, np.random.default_rng(6))] * 20


def test_a_population_is_made_from_its_seed_and_has_its_share_of_careless_ones() -> None:
    population = make_population(40, seed=1, sharpness=2.0, careless_share=0.25)
    assert population == make_population(40, seed=1, sharpness=2.0, careless_share=0.25)
    assert population != make_population(40, seed=2, sharpness=2.0, careless_share=0.25)
    assert sum(observer.lapse >= 0.6 for observer in population) == 10
    assert len({observer.seed for observer in population}) == 40
    middle = np.median([observer.sharpness for observer in population])
    assert math.isclose(middle, 2.0, rel_tol=0.2)


def _answers(observer: SimulatedObserver, n: int = 2000) -> tuple[float, float, float]:
    """Shares of the better image and of the left side, and the median time, with one obvious."""
    rng = observer.generator()
    right = left = 0
    times = []
    for place in range(n):
        on_left = place % 2 == 0
        answer = observer.choose(0.0, 6.0, on_left, rng, place=place)
        right += answer.choice == "second"
        left += (answer.choice == "first") == on_left
        times.append(answer.response_ms)
    return right / n, left / n, float(np.median(times))


def test_each_behaviour_answers_as_it_is_called() -> None:
    def of(behaviour: str, **values: float) -> tuple[float, float, float]:
        return _answers(SimulatedObserver(seed=7, lapse=0.0, behaviour=behaviour, **values))

    attentive, careless, fast = of("attentive"), of("careless"), of("fast")
    assert attentive[0] > 0.99
    assert careless[0] == pytest.approx(0.5, abs=0.04)
    assert fast[0] == pytest.approx(0.5, abs=0.04)
    assert careless[2] > attentive[2]
    assert fast[2] < attentive[2] / 2
    assert of("one_sided", side_bias=0.1)[1] == pytest.approx(0.93, abs=0.02)
    assert of("one_sided", side_bias=-0.1)[1] == pytest.approx(0.07, abs=0.02)


def test_who_drifts_attends_until_then() -> None:
    observer = SimulatedObserver(seed=8, lapse=0.0, behaviour="drifting", drifts_after=1000)
    rng = observer.generator()
    right = [
        observer.choose(0.0, 6.0, True, rng, place=place).choice == "second"
        for place in range(2000)
    ]
    assert sum(right[:1000]) > 990
    assert sum(right[1000:]) == pytest.approx(500, abs=50)


def test_a_population_behaves_carelessly_in_the_ways_that_are_asked_for() -> None:
    kinds = ("careless", "fast", "one_sided", "drifting")
    population = make_population(40, seed=1, careless_share=0.2, careless=kinds)
    counts = Counter(observer.behaviour for observer in population)
    assert counts == {"attentive": 32, **dict.fromkeys(kinds, 2)}
    assert all(observer.lapse < 0.3 for observer in population)


def test_observers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="lapse 2"):
        SimulatedObserver(seed=0, lapse=2)
    with pytest.raises(ValueError, match="sharpness -1"):
        SimulatedObserver(seed=0, sharpness=-1)
    with pytest.raises(ValueError, match="median_ms 0"):
        SimulatedObserver(seed=0, median_ms=0)
    with pytest.raises(ValueError, match="at least 1"):
        make_population(0, seed=0)
    with pytest.raises(ValueError, match="behaviour 'asleep'"):
        SimulatedObserver(seed=0, behaviour="asleep")
    with pytest.raises(ValueError, match="drifts_after -1"):
        SimulatedObserver(seed=0, drifts_after=-1)
    with pytest.raises(ValueError, match="careless"):
        make_population(3, seed=0, careless=("asleep",))
    with pytest.raises(ValueError, match=r"careless_share 1\.5"):
        make_population(3, seed=0, careless_share=1.5)
