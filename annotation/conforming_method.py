"""Of a conformance report: how people were asked, trained and checked, and in which order."""

from django.db.models import Count, Q
from scipy.stats import binomtest

from annotation.asked_elsewhere import elsewhere
from annotation.conformance_items import (
    AIC3,
    BT500,
    P910,
    Item,
    Section,
    counted,
    item,
    n_of,
    spread,
)
from annotation.conforming_answers import Answers
from annotation.models import Judgment, Study, Trial

TRAINING = "Training and checks within sessions"
_KINDS = {
    "Practice": "practice",
    "Warm-up": "warm_up",
    "Sentinels": "sentinel",
    "Identical pairs": "identical",
    "Repeats": "repeat",
}


def method(study: Study, answers: Answers) -> Section:
    """What was shown and asked."""
    return Section(
        "Test method",
        (
            item(
                "Method",
                "Pair comparison of two reconstructions with their original as explicit reference "
                "(a triplet).",
                by=(P910, AIC3),
            ),
            item("Presentation", *_presentation(study), by=(P910, AIC3)),
            item(
                "Question",
                f"“{study.question}”",
                f"Polarity: {study.get_polarity_display()}.",
                "AIC-3 asks which differs more; answers to the two questions are never pooled."
                if study.polarity == Study.Polarity.CLOSER
                else "",
                by=(P910, AIC3),
            ),
            item("Answers", _answers(study, answers)),
            item("Instructions", f"“{study.instructions}”"),
            item("Languages", _languages(study)),
            item("Settings from", study.preset or "no preset"),
        ),
    )


def _answers(study: Study, answers: Answers) -> str:
    if study.allow_not_sure:
        return "First, second or “not sure”."
    if answers.is_imported:
        return "First or second; whether “not sure” was offered is not recorded here."
    return "Forced choice: first or second."


def _presentation(study: Study) -> list[str]:
    said = [f"{study.get_mode_display().capitalize()}."]
    if study.mode == Study.Mode.FLICKER:
        measured = Judgment.objects.of_study(study).standing().exclude(flicker_hz=None)
        rates = measured.values_list("flicker_hz", flat=True)[:100_000]
        said.append(
            f"Changes a second: {study.flicker_hz:g} asked for; measured {spread(rates, 'Hz', 2)}."
        )
    limit = f"{study.time_limit_s} s" if study.time_limit_s else "none"
    said.append(
        f"Time limit: {limit}. Switches needed: {study.min_switches}. Largest zoom: "
        f"{study.largest_zoom}×. One image pixel on one device pixel at 1×."
    )
    return said


def _languages(study: Study) -> str:
    return counted(study.sessions.values_list("language", flat=True)) + " sessions"


def order_and_sides(study: Study, answers: Answers) -> Section:
    """How trials were ordered, and whether sides were even in the end."""
    return Section(
        "Order and sides",
        (
            item("Scheduler", f"{study.get_scheduler_display().capitalize()}.", by=(P910,)),
            item(
                "Order",
                f"Random, from the study's seed {study.seed} and a seed of each session; a triplet "
                "is never shown twice to a person, repeats apart.",
                by=(P910,),
            ),
            item("Sides planned", "Balanced within a session, from its seed; repeats mirrored."),
            _sides(study, answers),
        ),
    )


def _sides(study: Study, answers: Answers) -> Item:
    n, left, right = answers.n(), answers.n("n_left"), answers.n("n_right")
    if not left + right:
        return item("Sides realised", "No judgment that counts yet.", by=(P910,))
    test = binomtest(right, left + right)
    low, high = test.proportion_ci(0.95, "wilson")
    first_left = answers.n("n_first_left")
    return item(
        "Sides realised",
        f"The first copy stood left in {first_left:,} of {n:,} counted judgments "
        f"({100 * first_left / n:.1f} %).",
        f"Chosen: left {left:,}, right {right:,} ({100 * test.statistic:.1f} % "
        f"right, 95 % {100 * low:.1f} to {100 * high:.1f}; binomial test against a half "
        f"p = {_p(test.pvalue)}). Interval and test take judgments as independent.",
        "Where the imported file did not tell a side, a coin did." if answers.is_imported else "",
        by=(P910,),
    )


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def training(study: Study, answers: Answers) -> Section:
    """What stood before and between the trials that count."""
    kinds = _trials_by_kind(study)
    if answers.is_imported:
        return _trained_elsewhere(kinds)
    passing = study.practice_pass_share
    return Section(
        TRAINING,
        (
            item(
                "Practice",
                f"{n_of(study.n_practice, 'trial')} with feedback; {kinds['practice']:,} judged."
                if study.n_practice
                else "None.",
                f"Qualification: {100 * passing:.0f} % right, or the session ends there."
                if passing is not None
                else "",
                by=(P910,),
            ),
            item(
                "Warm-up",
                f"{n_of(study.n_warm_up, 'trial')} at the start of a session, left out of "
                f"analysis; {kinds['warm_up']:,} judged."
                if study.n_warm_up
                else "None. BT.500-15 drops about 5 stabilising presentations.",
                by=(BT500,),
            ),
            _check("Sentinels", study.sentinel_share, kinds["sentinel"], "an obvious answer"),
            _check("Identical pairs", study.identical_share, kinds["identical"], "equal copies"),
            _check("Repeats", study.repeat_share, kinds["repeat"], "the same triplet, mirrored"),
            item(
                "Breaks",
                f"After every {n_of(study.break_every, 'trial')}."
                if study.break_every
                else "None offered.",
            ),
        ),
    )


def _trained_elsewhere(kinds: dict[str, int]) -> Section:
    """What was planned is not known; what the file has is."""
    labels = ("Practice", "Warm-up", "Sentinels", "Identical pairs", "Repeats", "Breaks")
    return Section(
        TRAINING,
        tuple(elsewhere(label, _in_file(kinds.get(_KINDS.get(label, ""), 0))) for label in labels),
    )


def _in_file(n: int) -> str:
    return f"{n_of(n, 'judgment')} in the file." if n else ""


def _check(label: str, share: float, n_judged: int, what: str) -> Item:
    if not share and not n_judged:
        return item(label, "None.")
    said = f"{100 * share:.0f} % of a session planned ({what}); {n_judged:,} judged."
    return item(label, said)


def _trials_by_kind(study: Study) -> dict[str, int]:
    judged = Q(state=Trial.State.JUDGED)
    kinds = {
        kind: Count("pk", filter=judged & Q(triplet__kind=kind))
        for kind in ("practice", "sentinel", "identical")
    }
    found: dict[str, int] = Trial.objects.filter(session__study=study).aggregate(
        **kinds,
        warm_up=Count("pk", filter=judged & Q(is_warm_up=True)),
        repeat=Count("pk", filter=judged & Q(is_repeat=True)),
    )
    return found
