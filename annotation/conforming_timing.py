"""Of a conformance report: when judgments were given, and how long they took."""

from datetime import datetime

from annotation.asked_elsewhere import elsewhere
from annotation.conformance_items import BT500, P910, Item, Section, item, minute, spread
from annotation.conforming_answers import Answers
from annotation.models import Session, Study

LONGEST_SESSION_MIN = 30


def timing(study: Study, answers: Answers) -> Section:
    """When, and for how long."""
    finished = study.sessions.filter(state=Session.State.FINISHED).values_list(
        "started_at", "finished_at"
    )
    minutes = [_minutes(started, ended) for started, ended in finished]
    n_long = sum(found > LONGEST_SESSION_MIN for found in minutes if found is not None)
    return Section(
        "Dates and times",
        (
            _given(study, answers),
            item("Study opened", minute(study.opened_at)),
            item("Trials in a session", f"{study.session_length:,}, practice apart."),
            item(
                "Duration of finished sessions",
                f"{spread(minutes, 'min', 1)}; breaks and pauses are within.",
                f"Longer than {LONGEST_SESSION_MIN} min: {n_long:,}. BT.500-15 advises about "
                f"{LONGEST_SESSION_MIN} min at most.",
                by=(P910, BT500),
            ),
            item(
                "Response time",
                f"{spread(answers.active_ms, 'ms')}: {_measured_how(answers)}; counted judgments.",
                by=(P910,),
            ),
        ),
    )


def _given(study: Study, answers: Answers) -> Item:
    label, by = "Judgments given", (P910,)
    said = f"{minute(answers.first_at)} to {minute(answers.last_at)}"
    if not answers.is_imported:
        return item(label, f"{said}, as the server stored them.", by=by)
    # Of what the file did not tell, the moment of the import stands in its place.
    if study.opened_at and answers.last_at and answers.last_at >= study.opened_at:
        return elsewhere(label, by=by)
    return item(label, f"{said}, as the file told.", by=by)


def _measured_how(answers: Answers) -> str:
    if answers.is_imported:
        return "as the file told, how it was measured is not recorded here"
    return (
        "answer's own timestamp minus the frame that showed the decoded pictures, hidden time "
        "taken off"
    )


def _minutes(started: datetime, ended: datetime | None) -> float | None:
    return (ended - started).total_seconds() / 60 if ended else None
