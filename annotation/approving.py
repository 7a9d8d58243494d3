"""Who is paid: a file to read before approving, and the provider's own file for a bonus."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from annotation.crowd import PROVIDERS
from annotation.formats.writing import guarded
from annotation.models import Screening, Session, Study, Trial

APPROVE, LOOK, REJECT = "approve", "look", "reject-proposal"
MOST_A_PERSON = Decimal(100)
APPROVAL_COLUMNS = (
    "provider", "participant", "provider_session", "provider_project", "session", "started",
    "state", "verdict", "reasons", "n_judged", "minutes_active", "code", "decision", "why",
)  # fmt: skip


def approvals_csv(study: Study) -> Iterator[str]:
    """Lines of CSV, header first, one row a session, withdrawn ones too; in constant memory.

    `decision` proposes; a person decides. Begins with a byte order mark, for spreadsheets.
    """
    yield "\ufeff" + _line(APPROVAL_COLUMNS)
    for session in _sessions(study).iterator(chunk_size=500):
        yield _line(guarded(value) for value in _row(session))


def _line(cells: Iterable[Any], end: str = "\r\n") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerow(cells)
    return text.getvalue()


def _sessions(study: Study) -> QuerySet[Session, Any]:
    newest = Screening.objects.filter(session=OuterRef("pk")).order_by("-created_at", "-pk")
    judgments = "trials__judgments"
    return (
        study.sessions.select_related("annotator")
        .annotate(
            n_judged=Count("trials", filter=Q(trials__state=Trial.State.JUDGED), distinct=True),
            active_ms=Sum(F(f"{judgments}__response_ms") - F(f"{judgments}__hidden_ms")),
            reasons=Subquery(newest.values("reasons")[:1]),
        )
        .order_by("started_at", "pk")
    )


def _row(session: Any) -> list[Any]:
    reasons = session.reasons or []
    decision, why = decide(session.state, session.verdict, reasons, session.completion_code)
    provider = PROVIDERS.get(session.crowd.get("provider", ""))
    sent = session.crowd
    return [
        session.crowd.get("provider", ""),
        sent.get(provider.person, "") if provider else session.outside_id,
        sent.get(provider.sitting, "") if provider else "",
        sent.get(provider.project, "") if provider else "",
        session.pk, session.started_at.isoformat(timespec="seconds"),
        session.state, session.verdict or "not screened", "; ".join(reasons),
        session.n_judged,
        "" if session.active_ms is None else round(session.active_ms / 60_000, 2),
        session.completion_code, decision, why,
    ]  # fmt: skip


def decide(state: str, verdict: str, reasons: list[str], code: str) -> tuple[str, str]:
    """What is proposed for a session, and why. One reason alone never proposes a rejection."""
    if state == Session.State.WITHDRAWN:
        if code:
            return APPROVE, "finished, then took the answers back, which is everybody's right"
        return LOOK, "took the answers back before the end"
    if state != Session.State.FINISHED:
        return LOOK, _UNFINISHED[state]
    if verdict == Session.Verdict.TRUSTED:
        return APPROVE, "finished; the screening found nothing against it"
    if verdict == Session.Verdict.EXCLUDED and len(reasons) > 1:
        return REJECT, f"finished; {len(reasons)} reasons against it: read them, then decide"
    if verdict == Session.Verdict.EXCLUDED:
        return LOOK, "excluded from the analysis; that alone is no reason not to pay"
    if verdict == Session.Verdict.DOUBTFUL:
        return LOOK, "finished; the screening is in doubt"
    return LOOK, "finished; not screened yet"


_UNFINISHED: dict[str, str] = {
    Session.State.ACTIVE: "not finished",
    Session.State.FAILED: "ended after the practice: pay what was promised for that",
    Session.State.SCREENED_OUT: "the screen or window did not fit: pay what was promised for that",
}


@dataclass(frozen=True)
class Bonuses:
    """A bonus file's lines, and what it would cost before the provider's fees."""

    provider: str
    lines: tuple[str, ...]
    n_people: int
    total: Decimal
    left_out: dict[str, int] = field(default_factory=dict)


def bonuses(study: Study, amount: str, *, only: str = "", provider: str = "") -> Bonuses:
    """The same amount for each finished session that was not excluded; `only`: "trusted".

    Prolific: participant_id,amount without a header; Mechanical Turk: four columns with one.
    Raises ValueError for an amount, a provider or a filter that cannot be.
    """
    if only not in ("", Session.Verdict.TRUSTED):
        raise ValueError(f"Found only={only!r}; expected trusted, or nothing.")
    each = _amount(amount)
    name = _provider(study, provider)
    kept, left_out = [], {"not finished": 0, "screening": 0, "no assignment id": 0}
    finished = study.sessions.filter(crowd__provider=name).order_by("started_at", "pk")
    for session in finished.iterator(chunk_size=500):
        reason = _against(session, name, only)
        if reason:
            left_out[reason] += 1
        else:
            kept.append(session.crowd)
    lines = _LINES[name](kept, each, study)
    return Bonuses(name, tuple(lines), len(kept), each * len(kept), left_out)


def _amount(text: str) -> Decimal:
    # No NaN, no exponent, no sign: what is written is what is paid.
    whole, _, part = text.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdigit() and whole and len(part) <= 2):
        raise ValueError(f"Found amount {text!r}; expected a number such as 0.50.")
    found = Decimal(text)
    if not 0 < found <= MOST_A_PERSON:
        raise ValueError(f"Found amount {text}; expected more than 0, at most {MOST_A_PERSON}.")
    return found


def _provider(study: Study, wanted: str) -> str:
    sent = study.sessions.filter(crowd__provider__isnull=False).order_by()
    found = sorted(set(sent.values_list("crowd__provider", flat=True)))
    if wanted and wanted not in PROVIDERS:
        raise ValueError(f"Found provider {wanted!r}; expected one of {', '.join(PROVIDERS)}.")
    if not wanted and len(found) != 1:
        raise ValueError(
            f"People came from {', '.join(found) or 'no crowd provider'}; expected one provider "
            "for a bonus file: say which."
        )
    name = wanted or found[0]
    if name not in _LINES:
        raise ValueError(
            f"{PROVIDERS[name].label} has no published form of a bonus file; take the "
            "participants from the approval file."
        )
    return name


def _against(session: Session, provider: str, only: str) -> str:
    """Why a session gets no bonus; empty where it does."""
    if session.state != Session.State.FINISHED:
        return "not finished"
    if session.verdict == Session.Verdict.EXCLUDED or (only and session.verdict != only):
        return "screening"
    is_lost = provider == "mturk" and not session.crowd.get("assignmentId")
    return "no assignment id" if is_lost else ""


def _prolific(kept: list[dict[str, str]], each: Decimal, study: Study) -> Iterator[str]:
    # docs.prolific.com, "Set up bonuses": <participant_id>,<amount>\n
    return (f"{sent['PROLIFIC_PID']},{each:.2f}\n" for sent in kept)


def _mturk(kept: list[dict[str, str]], each: Decimal, study: Study) -> Iterator[str]:
    yield _line(["WorkerId", "AssignmentId", "BonusAmount", "Reason"], "\n")
    reason = f"Thank you for your answers in {study.title}"
    for sent in kept:
        yield _line([sent["workerId"], sent["assignmentId"], f"{each:.2f}", reason], "\n")


_LINES = {"prolific": _prolific, "mturk": _mturk}
WITH_BONUS_FILE = tuple(_LINES)
