import numpy as np
import pytest

from annotation.preference.bd_rate import ONE_WAY, human_bd_rate
from annotation.preference.bootstrap import PlacesBootstrap, bootstrap_places
from annotation.preference.comparisons import Comparisons
from tests.annotation.preference.simulated_people import Opinions

RATES = (0.2, 0.4, 0.8, 1.6)
# Items 0 to 3: the anchor; 4 to 7: a codec that is as good at 80 % of the rate. Quality is linear
# in log rate, so the truth is -20 % whatever the curve is drawn with.
QUALITY = 1.8 * np.log(np.array(RATES))
PLACES = tuple((np.concatenate([QUALITY, QUALITY - 1.8 * np.log(0.8)])).tolist())
ANCHOR = [(rate, item) for item, rate in enumerate(RATES)]
OTHER = [(rate, item + 4) for item, rate in enumerate(RATES)]


def make_study(n_observers: int = 30, per_observer: int = 56, seed: int = 1) -> Comparisons:
    return Opinions(PLACES, stubborn=0.4).answer(
        n_observers, per_observer, np.random.default_rng(seed)
    )


def scale_of(study: Comparisons) -> PlacesBootstrap:
    return bootstrap_places(study, resamples=300)


def test_the_rate_that_is_saved_is_found_with_its_overlap_and_interval() -> None:
    found = human_bd_rate(scale_of(make_study(300)), ANCHOR, OTHER)
    assert found.found.percent == pytest.approx(-20, abs=4)
    # The codec starts and ends a fifth of the way higher.
    assert found.found.overlap == pytest.approx(0.8, abs=0.1)
    assert found.interval is not None
    assert found.interval.low < -20 < found.interval.high
    assert (found.interval.level, found.interval.n_observers) == (0.95, 300)
    assert found.interval.resamples == 300


@pytest.mark.slow
def test_the_interval_holds_the_truth() -> None:
    inside = []
    for seed in range(100):
        scale = bootstrap_places(make_study(seed=seed), resamples=150)
        found = human_bd_rate(scale, ANCHOR, OTHER)
        assert found.interval is not None
        inside.append(found.interval.low <= -20 <= found.interval.high)
    assert 0.9 <= np.mean(inside) <= 0.99


def test_the_other_way_round_it_costs_what_it_saved() -> None:
    scale = scale_of(make_study())
    there, back = human_bd_rate(scale, ANCHOR, OTHER), human_bd_rate(scale, OTHER, ANCHOR)
    assert there.found.percent is not None and back.found.percent is not None
    product = (1 + there.found.percent / 100) * (1 + back.found.percent / 100)
    assert product == pytest.approx(1, abs=1e-9)


def test_rates_that_were_never_compared_have_no_number_but_the_reason() -> None:
    study = make_study()
    found = human_bd_rate(scale_of(study.where(study.first % 4 == study.second % 4)), ANCHOR, OTHER)
    assert found.found.percent is None
    assert found.reason is not None
    assert found.reason.startswith("the rates are not on one scale")


def test_rates_between_which_all_went_one_way_have_no_number() -> None:
    study = make_study()
    rates = study.first % 4, study.second % 4
    share = np.where(rates[0] == rates[1], study.share_first, np.greater(*rates).astype(float))
    one_way = Comparisons(8, 30, study.observer, study.first, study.second, share)
    found = human_bd_rate(scale_of(one_way), ANCHOR, OTHER)
    assert (found.found.percent, found.reason) == (None, ONE_WAY)


def test_few_observers_have_a_number_without_an_interval() -> None:
    found = human_bd_rate(scale_of(make_study(4, 400)), ANCHOR, OTHER)
    assert found.found.percent is not None
    assert found.interval is None
    assert found.reason is not None
    assert found.reason.startswith("4 observers")


def test_two_rates_are_no_curve() -> None:
    found = human_bd_rate(scale_of(make_study()), ANCHOR[:2], OTHER[:2])
    assert found.found.percent is None
    assert found.reason == found.found.status
    assert found.reason.startswith("n/a: 2 and 2 points rise")
