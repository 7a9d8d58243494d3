"""Who does not attend is told from who does; nobody is accused where nothing can be told."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.design.answers import UNKNOWN, Answers
from annotation.design.screening import SIGNALS, Screened, screen
from tests.annotation.observers import GOOD, KINDS, Made, auc, made

NO_CHECKS = {"sentinels": 0.0, "repeats": 0.0}


def screened(study: Made) -> dict[str, list[Screened]]:
    """The results by what each session really was."""
    found: dict[str, list[Screened]] = {}
    for label, result in zip(study.labels, screen(study.answers), strict=True):
        found.setdefault(label, []).append(result)
    return found


def told_apart(n_studies: int = 3, **setting: object) -> float:
    """AUC over the sessions of several studies together."""
    log_odds, is_careless = [], []
    for seed in range(n_studies):
        study = made(seed, **setting)
        log_odds += [result.log_odds for result in screen(study.answers)]
        is_careless += list(study.is_careless)
    return auc(log_odds, np.array(is_careless))


def only(study: Made, **columns: np.ndarray) -> Answers:
    return replace(study.answers, **columns)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_careless_observer_is_told_from_good_ones_at_40_trials(kind: str) -> None:
    assert told_apart(kinds=(kind,)) > 0.95


@pytest.mark.parametrize(
    "setting",
    [
        {},
        NO_CHECKS,
        {"spread": 0.9},
        {"spread": 0.9, **NO_CHECKS},
        {"has_times": False},
        {"careless_share": 0.5},
        {"careless_share": 0.5, **NO_CHECKS},
        {"n_sessions": 12, "votes": 6},
        {"allow_not_sure": True},
    ],
    ids=str,
)
def test_all_kinds_together_are_told_from_good_ones(setting: dict[str, object]) -> None:
    assert told_apart(**setting) > 0.95


@pytest.mark.parametrize("setting", [{}, NO_CHECKS, {"spread": 0.7}, {"votes": 3}], ids=str)
def test_good_observers_are_not_excluded(setting: dict[str, object]) -> None:
    verdicts = [
        result.verdict
        for seed in range(3)
        for result in screen(made(seed, careless_share=0.0, **setting).answers)
    ]
    assert verdicts.count("excluded") == 0
    assert verdicts.count("doubtful") <= 0.03 * len(verdicts)


def test_most_careless_ones_are_excluded_in_a_study_with_checks() -> None:
    found = [screened(made(seed)) for seed in range(3)]
    careless = [
        result.verdict
        for by_label in found
        for label, results in by_label.items()
        for result in results
        if label != GOOD
    ]
    good = [result.verdict for by_label in found for result in by_label[GOOD]]
    assert careless.count("excluded") > 0.7 * len(careless)
    assert careless.count("trusted") < 0.1 * len(careless)
    assert good.count("excluded") == 0


def test_suspicion_and_signals_say_the_same() -> None:
    for result in screen(made(1).answers):
        assert set(result.signals) == set(SIGNALS)
        assert result.prior + sum(result.signals.values()) == pytest.approx(result.log_odds)
        assert result.suspicion == pytest.approx(1 / (1 + np.exp(-result.log_odds)), abs=1e-9)
        assert 0 <= result.suspicion <= 1


def test_the_same_answers_in_any_order_give_the_same_results() -> None:
    study = made(2)
    once = screen(study.answers)
    shuffled = np.random.default_rng(1).permutation(study.answers.size)
    columns = {
        name: values[shuffled]
        for name, values in vars(study.answers).items()
        if isinstance(values, np.ndarray) and len(values) == study.answers.size
        and name in Answers.__dataclass_fields__
    }  # fmt: skip
    again = screen(replace(study.answers, **columns))
    assert [result.suspicion for result in once] == [result.suspicion for result in again]
    assert [result.reasons for result in once] == [result.reasons for result in again]


def test_swapping_left_and_right_of_all_trials_changes_nobody_much() -> None:
    study = made(3)
    answers = study.answers
    mirrored = only(study, first_on_left=~answers.first_on_left)
    for once, again in zip(screen(answers), screen(mirrored), strict=True):
        assert again.suspicion == pytest.approx(once.suspicion, abs=1e-6)


def test_swapping_first_and_second_of_every_triplet_changes_nothing() -> None:
    study = made(3)
    answers = study.answers
    swapped = only(
        study,
        choice=np.where(answers.choice == 2, 2, 1 - answers.choice),
        first_on_left=~answers.first_on_left,
        expected=np.where(answers.expected == UNKNOWN, UNKNOWN, 1 - answers.expected),
    )
    for once, again in zip(screen(answers), screen(swapped), strict=True):
        assert again.suspicion == pytest.approx(once.suspicion, abs=1e-6)


def test_one_wrong_sentinel_excludes_nobody() -> None:
    study = made(4, careless_share=0.0, spread=1.5)
    answers = study.answers
    row = int(np.flatnonzero(answers.is_sentinel)[0])
    choice = answers.choice.copy()
    choice[row] = 1 - answers.expected[row]
    result = screen(only(study, choice=choice))[int(answers.session[row])]
    assert result.verdict == "trusted"


def test_a_quick_person_who_sees_well_is_trusted_and_a_quick_guesser_is_not() -> None:
    study = made(5, kinds=("careless",), careless_share=0.1)
    answers = study.answers
    quick = study.labels.index(GOOD)
    guesser = next(index for index, label in enumerate(study.labels) if label != GOOD)
    times = answers.response_ms.copy()
    times[np.isin(answers.session, [quick, guesser])] *= 0.4
    results = screen(only(study, response_ms=times))
    assert results[quick].verdict == "trusted"
    assert results[guesser].verdict == "excluded"


def test_times_too_short_to_look_speak_against_a_session_by_themselves() -> None:
    study = made(6, careless_share=0.0, **NO_CHECKS)
    answers = study.answers
    times = answers.response_ms.copy()
    own = answers.session == 7
    times[own] = 250 * np.exp(np.random.default_rng(1).normal(0, 0.4, own.sum()))
    before, after = (screen(only(study, response_ms=ms))[7] for ms in (answers.response_ms, times))
    assert before.signals["times"] < 0
    assert after.signals["times"] > 7
    assert any("answers come in 0.3 s" in reason for reason in after.reasons)


def test_near_ties_speak_against_nobody() -> None:
    study = made(7, careless_share=0.0, spread=0.01, **NO_CHECKS)
    results = screen(study.answers)
    assert not [result for result in results if result.verdict in ("excluded", "doubtful")]


def test_one_answer_a_triplet_and_nothing_else_is_left_undecided() -> None:
    study = made(8, n_sessions=12, votes=1, has_times=False, **NO_CHECKS)
    for label, results in screened(replace(study, answers=study.answers)).items():
        for result in results:
            if label in (GOOD, "careless", "fast", "inverted", "drifting"):
                assert result.verdict == ""
                assert "too few to tell" in result.reasons[-1]
                assert "nobody else judged the same comparisons" in result.reasons[-1]


def test_nobody_agrees_with_themselves() -> None:
    """One vote a triplet: a person's own repeats are no opinion of others."""
    study = made(8, n_sessions=12, votes=1, has_times=False, sentinels=0.0, repeats=0.3,
                 careless_share=0.0)  # fmt: skip
    for result in screen(study.answers):
        # What is left is how the sides fell.
        assert abs(result.signals["agreement"]) < 1


def test_one_sidedness_needs_nobody_else() -> None:
    study = made(9, n_sessions=10, votes=1, has_times=False, kinds=("always_left",), **NO_CHECKS)
    found = screened(study)
    assert {result.verdict for result in found["always_left"]} == {"excluded"}
    assert "excluded" not in {result.verdict for result in found[GOOD]}


def test_a_handful_of_answers_judges_nobody() -> None:
    study = made(10, n_trials=7, sentinels=0.0, repeats=0.0, votes=5)
    assert {result.verdict for result in screen(study.answers)} == {""}


def test_a_study_without_answers_is_screened_all_the_same() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = Answers(
        2, nothing, nothing, nothing, nothing, nothing.astype(bool), nothing.astype(float),
        nothing, nothing.astype(bool), nothing.astype(bool), nothing, nothing,
    )  # fmt: skip
    assert [result.verdict for result in screen(empty)] == ["", ""]


def test_a_session_without_answers_among_others_stays_undecided() -> None:
    study = made(11)
    results = screen(replace(study.answers, n_sessions=41))
    assert results[40].verdict == ""
    assert results[40].reasons == ("no answer yet",)
    assert [r.suspicion for r in results[:40]] == pytest.approx(
        [r.suspicion for r in screen(study.answers)], abs=0.02
    )


def test_what_made_each_side_helps_where_votes_are_few() -> None:
    rng = np.random.default_rng(1)
    worth = np.array([-0.8, -0.3, 0.1, 0.5, 0.9])
    aucs = []
    for with_items in (False, True):
        log_odds, is_careless = [], []
        for seed in range(3):
            study = made(seed, votes=2, spread=0.01, has_times=False, kinds=("careless",),
                         **NO_CHECKS)  # fmt: skip
            answers = study.answers
            n = answers.n_triplets
            first = rng.integers(0, 5, n)
            second = (first + rng.integers(1, 5, n)) % 5
            p = 1 / (1 + np.exp(-1.7 * (worth[second] - worth[first])))
            attends = ~study.is_careless[answers.session]
            chosen = (rng.random(answers.size) < p[answers.triplet]).astype(np.int64)
            told = only(
                study,
                choice=np.where(attends, chosen, answers.choice),
                first_item=first[answers.triplet] if with_items else answers.first_item,
                second_item=second[answers.triplet] if with_items else answers.second_item,
            )
            log_odds += [result.log_odds for result in screen(told)]
            is_careless += list(study.is_careless)
        aucs.append(auc(log_odds, np.array(is_careless)))
    assert aucs[1] > 0.95
    assert aucs[1] > aucs[0] + 0.03


def test_reasons_name_what_was_seen() -> None:
    found = screened(made(1, careless_share=0.4))
    said = {label: " | ".join(results[0].reasons) for label, results in found.items()}
    assert "chose the left side 40 of 40 times" in said["always_left"]
    assert "changed sides in 39 of 39 answers" in said["alternating"]
    assert "chose the opposite of what the others see" in said["inverted"]
    assert "answers come in 0.5 s at the median; others take" in said["fast"]
    assert "obvious comparisons right; attentive people get" in said["careless"]


def test_a_change_is_dated() -> None:
    study = made(12, kinds=("drifting_left",), n_trials=60)
    for result in screened(study)["drifting_left"]:
        if result.verdict == "excluded" and result.signals["change"] > 3:
            (reason,) = [text for text in result.reasons if text.startswith("from about trial")]
            assert 14 <= int(reason.split()[3]) <= 28
            assert "left side" in reason
            return
    raise AssertionError("no change was found in any drifting session")


def test_always_not_sure_is_careless_and_often_not_sure_is_not() -> None:
    study = made(13, allow_not_sure=True, careless_share=0.0)
    answers = study.answers
    choice = answers.choice.copy()
    choice[answers.session == 3] = 2
    results = screen(only(study, choice=choice))
    assert results[3].verdict == "excluded"
    assert any('"not sure" 40 of 40 times' in reason for reason in results[3].reasons)
    assert "excluded" not in {r.verdict for index, r in enumerate(results) if index != 3}


def test_sentinels_whose_answer_nobody_tells_are_judged_by_the_others() -> None:
    study = made(14, spread=0.4, sentinels=0.3, repeats=0.0, has_times=False)
    untold = only(study, expected=np.full(study.answers.size, UNKNOWN))
    log_odds = [result.log_odds for result in screen(untold)]
    assert auc(log_odds, study.is_careless) > 0.95


def test_answers_that_cannot_be_are_refused() -> None:
    study = made(1, n_sessions=2, votes=1)
    with pytest.raises(ValueError, match="lengths"):
        only(study, choice=study.answers.choice[:-1])
    with pytest.raises(ValueError, match="choices"):
        only(study, choice=study.answers.choice + 5)
    with pytest.raises(ValueError, match="expected 0 to 0"):
        replace(study.answers, n_sessions=1)
