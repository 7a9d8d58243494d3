"""Of a conformance report: who answered, who was left out and why, how they were checked."""

from collections import Counter
from typing import Any

from django.db.models import Count, IntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from annotation import screening
from annotation.checks import ACUITY, CARD, COLOUR_PLATES
from annotation.conformance_items import (
    AIC3,
    BT500,
    NOT_ASKED,
    NOT_RECORDED,
    P910,
    REPORTED,
    Item,
    Section,
    item,
    n_of,
    spread,
)
from annotation.conforming_answers import Answers
from annotation.models import Screening, Session, Study

FEWEST_OBSERVERS = 15


def observers(study: Study, answers: Answers) -> Section:
    """How many before and after screening; what is known of them."""
    before = len({row.annotator for row in answers.sessions})
    after = len({row.annotator for row in answers.kept})
    sittings = n_of(len(answers.sessions), "session")
    who = "simulated observer" if study.is_simulated else "observer"
    few = f" Fewer than the {FEWEST_OBSERVERS} valid observers that BT.500-15 asks for."
    return Section(
        "Observers",
        (
            item(
                "Before screening",
                f"{n_of(before, who)} judged a main trial, in {sittings}.",
                by=(P910, BT500),
            ),
            item(
                "After screening",
                f"{n_of(after, who)} in {n_of(len(answers.kept), 'session')}."
                + (few if after < FEWEST_OBSERVERS else ""),
                by=(P910, BT500),
            ),
            item("Left out, and why", *_why(answers), by=(P910, BT500)),
            item("Sessions by end", _ends(study)),
            item("Withdrawn", _withdrawn(study)),
            _verdicts(answers),
            item("Recruiting", f"{study.get_recruiting_display().capitalize()}."),
            item("Sessions a person", _sessions_each(study, answers)),
            item(
                "Payment",
                f"“{study.reward}”" if study.reward else "None told.",
                status=REPORTED if study.reward else NOT_RECORDED,
            ),
            item("Consent", f"“{study.consent}”"),
            item(
                "Age, gender, expertise",
                "Not collected: no question about the person is asked.",
                status=NOT_ASKED,
            ),
        ),
    )


def _why(answers: Answers) -> list[str]:
    """Each excluded session by the signal that spoke most against it, or by who decided."""
    excluded = [row.pk for row in answers.sessions if row.verdict == Session.Verdict.EXCLUDED]
    if not excluded:
        return ["No session was excluded."]
    rows = screening.newest(excluded).values()
    decided = [row for row in rows if screening.is_decision(row)]
    signals = Counter(_strongest(row) for row in rows if not screening.is_decision(row))
    said = [f"{n_of(len(excluded), 'session')} excluded."]
    said += [f"Strongest signal {name}: {n:,}" for name, n in signals.most_common()]
    said += [f"A person's decision: {'; '.join(row.reasons)}" for row in decided]
    return said


def _strongest(row: Screening) -> str:
    return max(row.signals, key=row.signals.__getitem__) if row.signals else "not told"


def _ends(study: Study) -> str:
    labels = dict(Session.State.choices)
    rows = study.sessions.order_by().values_list("state").annotate(n=Count("pk"))
    return "; ".join(f"{labels[state]}: {n:,}" for state, n in sorted(rows)) or "none begun"


def _withdrawn(study: Study) -> str:
    rows = study.sessions.filter(state=Session.State.WITHDRAWN)
    deleted = rows.annotate(
        n=Coalesce(Cast(KeyTextTransform("judgments", "withdrawn"), IntegerField()), 0)
    ).aggregate(total=Sum("n"))["total"]
    return f"{n_of(rows.count(), 'session')}; {deleted or 0:,} judgments were deleted with them."


def _verdicts(answers: Answers) -> Item:
    counts = Counter(row.verdict or "not screened or undecided" for row in answers.sessions)
    said = "; ".join(f"{verdict}: {n:,}" for verdict, n in sorted(counts.items()))
    return item("Verdicts", said or "no session", by=(P910,))


def _sessions_each(study: Study, answers: Answers) -> str:
    rows = study.sessions.order_by().values("annotator").annotate(n=Count("pk"))
    limit: int | str = study.sessions_per_person or "any number"
    if answers.is_imported:
        limit = "not recorded here"
    return f"Allowed: {limit}. Begun: {spread(rows.values_list('n', flat=True))}."


def checks(study: Study, viewings: list[dict[str, Any]]) -> Section:
    """Acuity, colours, size of the screen: what was asked and what came out."""
    done = [viewing.get("checks", {}) for viewing in viewings]
    return Section(
        "Checks of observers",
        (
            _colours(study, done),
            _acuity(study, [check[ACUITY] for check in done if ACUITY in check]),
            _card(study, [check[CARD] for check in done if CARD in check]),
        ),
    )


def _colours(study: Study, done: list[dict[str, Any]]) -> Item:
    plates = [check[COLOUR_PLATES] for check in done if COLOUR_PLATES in check]
    passed = sum(bool(plate["is_passed"]) for plate in plates)
    out = study.sessions.filter(state=Session.State.SCREENED_OUT).count()
    said = (
        f"Plates of our own making: {passed:,} of {n_of(len(plates), 'session')} passed. Sessions "
        f"screened out before the first trial, for these or the screen: {out:,}."
    )
    if not study.ask_colour_plates:
        return item("Colour vision", "Not asked.", status=NOT_ASKED, by=(BT500, AIC3))
    return item("Colour vision", said, by=(BT500, AIC3))


def _acuity(study: Study, rings: list[dict[str, Any]]) -> Item:
    if not study.ask_acuity:
        return item("Acuity", "Not asked.", status=NOT_ASKED, by=(BT500,))
    limited = sum(bool(ring.get("is_limit_of_screen")) for ring in rings)
    said = f"Landolt rings on the own screen, logMAR: {spread((r['logmar'] for r in rings), '', 2)}"
    return item("Acuity", f"{said}. Limited by the screen: {limited:,}.", by=(BT500,))


def _card(study: Study, cards: list[dict[str, Any]]) -> Item:
    if not (study.ask_card or study.ask_acuity):
        return item("Size of the screen", "Not asked.", status=NOT_ASKED, by=(BT500,))
    measured = [card for card in cards if not card.get("is_skipped")]
    said = f"By a bank card held to the screen: {len(measured):,} did, "
    said += f"{len(cards) - len(measured):,} skipped it."
    return item(
        "Size of the screen",
        said,
        f"Device pixels per mm: {spread((c['pixels_per_mm'] for c in measured), '', 2)}.",
        by=(BT500,),
    )


def distance(study: Study, viewings: list[dict[str, Any]]) -> Item:
    """As people said it; nothing keeps them there."""
    cards = [viewing.get("checks", {}).get(CARD, {}) for viewing in viewings]
    told = [card for card in cards if card.get("distance_cm")]
    if not told:
        why = "Not asked." if not study.ask_card else "Asked; nobody told it."
        return item("Viewing distance", why, status=NOT_ASKED, by=(BT500,))
    return item(
        "Viewing distance",
        f"As people said: {spread((card['distance_cm'] for card in told), 'cm')}.",
        f"Pixels per degree: {spread((card['pixels_per_degree'] for card in told), '', 1)}. "
        "It was not held.",
        by=(BT500,),
    )
