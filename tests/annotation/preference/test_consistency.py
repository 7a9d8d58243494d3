import numpy as np
import pytest

from annotation.preference.consistency import (
    krippendorff_alpha,
    observer_agreements,
    repeat_consistency,
    unbiased_agreement,
)
from annotation.preference.leaving_out import METHOD, NOTHING_LEFT
from codecs_eval.agreement.scores import human_unbiased

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: 4 observers, 12 units.
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def long_form(table: str) -> tuple[list[int], list[int], list[str]]:
    rows = [line.split() for line in table.strip().splitlines()]
    found = [(u, o, v) for o, row in enumerate(rows) for u, v in enumerate(row) if v != "."]
    unit, observer, value = zip(*found, strict=True)
    return list(unit), list(observer), list(value)


def test_alpha_is_the_published_one() -> None:
    assert krippendorff_alpha(*long_form(PUBLISHED)).value == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_two_observers_is_the_one_worked_by_hand() -> None:
    # Krippendorff 2011, example A: 10 units, 2 observers, nominal binary data: 0.095.
    found = krippendorff_alpha(*long_form("0 1 0 0 0 0 0 0 1 0\n1 1 1 0 0 1 0 0 0 0"))
    # 4 of 10 units disagree; of 20 values 14 are 0 and 6 are 1: 1 - 19 * 8 / (2 * 14 * 6).
    assert found.value == pytest.approx(1 - 19 * 8 / (2 * 14 * 6))
    assert found.value == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_1_where_all_agree_and_undefined_where_nothing_could_differ() -> None:
    agreed = krippendorff_alpha([0, 0, 1, 1], [0, 1, 0, 1], ["a", "a", "b", "b"])
    assert agreed.value == 1
    same = krippendorff_alpha([0, 0, 1, 1], [0, 1, 0, 1], ["a"] * 4)
    assert np.isnan(same.value)
    assert same.reason == "no unit with two judgments that could differ"


def test_units_with_one_judgment_do_not_count() -> None:
    unit, observer, value = long_form(PUBLISHED)
    more = krippendorff_alpha([*unit, 99], [*observer, 0], [*value, "9"])
    assert more.value == krippendorff_alpha(unit, observer, value).value


def test_only_judgments_that_can_be_compared_count_for_n_and_for_too_few_observers() -> None:
    # Observers 0 and 1 share two units; eight more judge a unit each that nobody else judges.
    unit = [0, 0, 1, 1, *range(2, 10)]
    observer = [0, 1, 0, 1, *range(2, 10)]
    share = [1, 1, 1, 0, *[1] * 8]
    for found in (
        krippendorff_alpha(unit, observer, share),
        unbiased_agreement(unit, observer, share),
    ):
        assert (found.n_judgments, found.n_observers) == (4, 2)
        assert found.interval is None
        assert found.reason is not None and found.reason.startswith("2 observers gave answers")


def test_who_judges_alone_adds_no_degree_of_freedom() -> None:
    rng = np.random.default_rng(4)
    unit, observer = np.divmod(np.arange(20 * 6), 6)
    share = (rng.random(120) < 0.6).astype(float)
    alone = unbiased_agreement([*unit, 90, 91, 92], [*observer, 7, 8, 9], [*share, 1, 1, 1])
    assert alone == unbiased_agreement(unit, observer, share)
    assert alone.interval is not None and alone.interval.n_observers == alone.n_observers == 6


def test_where_leaving_one_out_leaves_nothing_to_compare_the_reason_says_so() -> None:
    # Observer 0 has a part in every pair.
    unit, observer = np.repeat(np.arange(5), 2), np.array([0, 1, 0, 2, 0, 3, 0, 4, 0, 5])
    found = unbiased_agreement(unit, observer, [1, 1, 1, 0, 0, 0, 1, 1, 0, 1])
    assert found.value == pytest.approx(0.6)
    assert (found.interval, found.reason) == (None, NOTHING_LEFT)


def test_alphas_interval_is_the_jackknife_over_observers() -> None:
    rng = np.random.default_rng(1)
    unit, observer = np.divmod(np.arange(30 * 8), 8)
    kept = rng.random(240) < 0.7
    unit, observer = unit[kept], observer[kept]
    value = (rng.random(len(unit)) < np.linspace(0.1, 0.9, 30)[unit]).astype(int)
    found = krippendorff_alpha(unit, observer, value)
    left_out = np.array(
        [
            krippendorff_alpha(*(column[observer != o] for column in (unit, observer, value))).value
            for o in range(8)
        ]
    )
    error = np.sqrt(7 / 8 * ((left_out - left_out.mean()) ** 2).sum())
    assert found.interval is not None
    # Student's t of 7 degrees of freedom.
    assert found.value - found.interval.low == pytest.approx(2.3646 * error, rel=1e-4)
    assert (found.interval.n_observers, found.interval.method) == (8, METHOD)


def test_a_second_judgment_of_one_unit_by_one_observer_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one"):
        krippendorff_alpha([0, 0], [1, 1], ["a", "b"])


def test_unbiased_agreement_is_the_share_of_agreeing_pairs_of_people() -> None:
    # Unit 0: 3 : 1, three of six pairs disagree. Unit 1: 2 : 0.
    unit, observer = [0, 0, 0, 0, 1, 1], [0, 1, 2, 3, 4, 5]
    found = unbiased_agreement(unit, observer, [1, 1, 1, 0, 0, 0])
    assert human_unbiased(*np.array([[4.0], [1.0], [0.0]]))[0] == pytest.approx(0.5)
    assert found.value == pytest.approx((4 * 0.5 + 2 * 1) / 6)


def test_a_not_sure_agrees_by_half() -> None:
    found = unbiased_agreement([0, 0], [0, 1], [1, 0.5])
    assert found.value == 0.5


def test_each_observer_is_held_against_the_majority_of_the_others() -> None:
    # Unit 0: 1 1 0; unit 1: 0 1 -; unit 2: only observer 2.
    unit, observer = [0, 0, 0, 1, 1, 2], [7, 8, 9, 7, 8, 9]
    found = observer_agreements(unit, observer, [1, 1, 0, 0, 1, 1])
    # Of unit 0 observers 7 and 8 face an even split, 9 a majority against itself.
    assert [(row.observer, row.n, row.agreement) for row in found] == [
        (7, 2, pytest.approx(0.25)),
        (8, 2, pytest.approx(0.25)),
        (9, 1, 0.0),
    ]


def test_a_not_sure_sides_with_a_majority_by_half() -> None:
    found = observer_agreements([0, 0, 0], [0, 1, 2], [0.5, 1, 1])
    assert [row.agreement for row in found] == [0.5, 1.0, 1.0]


def test_repeats_that_got_the_same_answer_are_counted_with_an_interval_over_observers() -> None:
    observer = np.repeat(np.arange(10), 4)
    again = np.ones(40)
    again[::5] = 0
    again[1] = 0.5
    found = repeat_consistency(observer, np.ones(40), again)
    assert found.value == pytest.approx(31 / 40)
    assert found.interval is not None
    assert found.interval.low < 31 / 40 < found.interval.high
    assert found.interval.n_observers == 10


def test_no_repeats_are_no_number() -> None:
    found = repeat_consistency([], [], [])
    assert np.isnan(found.value)
    assert found.interval is None


def test_answers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="none of 0, 0.5 and 1"):
        observer_agreements([0, 0], [0, 1], [1, 2])


def test_intervals_of_agreement_hold_the_truth() -> None:
    """40 units of known chances, each judged by 10 of 20 alike observers."""
    rng = np.random.default_rng(3)
    chance = rng.random(40)
    agree = np.mean(chance**2 + (1 - chance) ** 2)
    expected = 1 - (1 - agree) / (2 * chance.mean() * (1 - chance.mean()))
    inside = []
    for _ in range(300):
        asked = [rng.permutation(40)[:20] for _ in range(20)]
        unit, observer = np.concatenate(asked), np.repeat(np.arange(20), 20)
        share = (rng.random(400) < chance[unit]).astype(float)
        for found, truth in (
            (unbiased_agreement(unit, observer, share), agree),
            (krippendorff_alpha(unit, observer, share), expected),
        ):
            assert found.interval is not None
            inside.append(found.interval.low <= truth <= found.interval.high)
    # It is on the safe side where few judge each unit.
    assert 0.93 <= np.mean(inside) <= 0.99
