"""A study's answers -> what to think of each session: verdict, suspicion, reasons.

The method's results are rows that can be made again; a person's decision stands over them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation import auditing
from annotation.design.answers import FIRST, NOT_SURE, SECOND, UNKNOWN, Answers
from annotation.design.screening import VERSION, Screened
from annotation.design.screening import screen as screen_answers
from annotation.models import Judgment, Screening, Session, Study, Trial, Triplet

CHOICES = {"first": FIRST, "second": SECOND, "not_sure": NOT_SURE}
EXPECTED = {"first": FIRST, "second": SECOND, "": UNKNOWN}
# What a row costs the page that asks: above this the queue does it.
AT_ONCE = 20_000
UNDECIDED = "undecided"

_COLUMNS = (
    "trial__session_id", "trial__position", "trial__triplet_id", "choice",
    "trial__first_on_left", "response_ms", "hidden_ms",
    "trial__triplet__expected", "trial__triplet__kind",
    "trial__triplet__first__codec", "trial__triplet__first__target_bpp",
    "trial__triplet__second__codec", "trial__triplet__second__target_bpp",
)  # fmt: skip


def screen(study: Study, user: auditing.Actor = None) -> list[Screening]:
    """Screen every session of a study that has answers; the newest row of each, as it now stands.

    Appends a row where something changed, so that screening twice is screening once. Practice
    and warm-ups are left out, withdrawn sessions too; where a person decided, that stands.
    """
    sessions, answers = _answers_of(study)
    if not sessions:
        return []
    results = dict(zip(sessions, screen_answers(answers), strict=True))
    with transaction.atomic():
        held = study.sessions.select_for_update().exclude(state=Session.State.WITHDRAWN)
        # In one order, so that two screenings at once wait for each other and go on.
        rows = {row.pk: row for row in held.filter(pk__in=sessions).order_by("pk")}
        standing = newest(rows)
        changed = []
        for pk, session in rows.items():
            row = _row(session, results[pk])
            if pk not in standing or _is_to_replace(standing[pk], row, session):
                changed.append(row)
        Screening.objects.bulk_create(changed)
        standing |= {row.session_id: row for row in changed}
        old = _verdicts(rows.values())
        if n_changed := _keep_verdicts(rows.values(), standing):
            said = f"Screened: {n_changed} verdict{'s' * (n_changed > 1)} changed"
            auditing.record(study, user, said, old, _verdicts(rows.values()))
    for pk, row in standing.items():
        row.session = rows[pk]
    return [standing[pk] for pk in sessions if pk in standing]


def newest(sessions: Iterable[UUID]) -> dict[UUID, Screening]:
    """The screening of each session that stands."""
    found: dict[UUID, Screening] = {}
    for row in Screening.objects.filter(session__in=list(sessions)).order_by("created_at", "pk"):
        found[row.session_id] = row
    return found


def with_newest(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Each with its standing screening and how many trials it judged, for a table."""
    return sessions.select_related("annotator").annotate(
        n_judged=n_judged_of_each(),
        suspicion=newest_of_each("suspicion"),
        reasons=newest_of_each("reasons"),
        screened_at=newest_of_each("created_at"),
    )


def newest_of_each(name: str) -> Subquery:
    """A value of each session's standing screening, for a query over sessions."""
    rows = Screening.objects.filter(session=OuterRef("pk")).order_by("-created_at", "-pk")
    return Subquery(rows.values(name)[:1])


def n_judged_of_each() -> Coalesce:
    """How many trials each session judged, for a query over sessions."""
    judged = Trial.objects.filter(session=OuterRef("pk"), state=Trial.State.JUDGED).order_by()
    counted = judged.values("session").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def _answers_of(study: Study) -> tuple[list[UUID], Answers]:
    """The sessions that have answers, in a stable order, and those answers."""
    counted = (
        Judgment.objects.of_study(study)
        .standing()
        .exclude(trial__session__state=Session.State.WITHDRAWN)
        .exclude(trial__is_warm_up=True)
        .exclude(trial__triplet__kind=Triplet.Kind.PRACTICE)
        .order_by("trial__session__started_at", "trial__session_id", "trial__position")
    )
    table = list(zip(*counted.values_list(*_COLUMNS), strict=True))
    if not table:
        return [], _answers([[] for _ in _COLUMNS], [])
    sessions = list(dict.fromkeys(table[0]))
    return sessions, _answers(table, sessions)


def _answers(table: Sequence[Sequence[Any]], sessions: list[UUID]) -> Answers:
    session, position, triplet, choice, on_left, response, hidden, expected, kind, *items = table
    kinds = np.array(kind, dtype=str)
    times = np.array([np.nan if ms is None else ms for ms in response], dtype=np.float64)
    names = dict.fromkeys([*zip(items[0], items[1], strict=True), *zip(*items[2:], strict=True)])
    codes = {name: code for code, name in enumerate(names)}
    return Answers(
        n_sessions=len(sessions),
        session=_codes(session, {pk: code for code, pk in enumerate(sessions)}),
        position=np.array(position, dtype=np.int64),
        triplet=_codes(triplet, {pk: code for code, pk in enumerate(dict.fromkeys(triplet))}),
        choice=_codes(choice, CHOICES),
        first_on_left=np.array(on_left, dtype=np.bool_),
        response_ms=times - np.array(hidden, dtype=np.float64),
        expected=_codes(expected, EXPECTED),
        is_sentinel=kinds == Triplet.Kind.SENTINEL,
        is_identical=kinds == Triplet.Kind.IDENTICAL,
        first_item=_codes(zip(items[0], items[1], strict=True), codes),
        second_item=_codes(zip(items[2], items[3], strict=True), codes),
    )


def _codes(values: Iterable[Any], codes: dict[Any, int]) -> Any:
    return np.array([codes[value] for value in values], dtype=np.int64)


def _row(session: Session, found: Screened) -> Screening:
    return Screening(
        session=session,
        verdict=found.verdict,
        suspicion=found.suspicion,
        reasons=list(found.reasons),
        signals={name: round(value, 3) for name, value in found.signals.items()},
        version=VERSION,
    )


def is_decision(row: Screening) -> bool:
    """Whether a person said so; their account may be gone since."""
    return row.suspicion is None and bool(row.verdict)


def _is_to_replace(old: Screening, new: Screening, session: Session) -> bool:
    if is_decision(old):
        return False
    is_newly_finished = session.finished_at is not None and session.finished_at > old.created_at
    return is_newly_finished or any(
        getattr(old, name) != getattr(new, name)
        for name in ("verdict", "suspicion", "signals", "version")
    )


def _verdicts(sessions: Iterable[Session]) -> dict[str, int]:
    """How many sessions of each verdict."""
    return dict(Counter(session.verdict or UNDECIDED for session in sessions))


def _keep_verdicts(sessions: Iterable[Session], standing: dict[UUID, Screening]) -> int:
    """How many changed."""
    by_verdict: dict[str, list[UUID]] = {}
    for session in sessions:
        verdict = standing[session.pk].verdict
        if session.verdict != verdict:
            session.verdict = verdict
            by_verdict.setdefault(verdict, []).append(session.pk)
    for verdict, pks in by_verdict.items():
        Session.objects.filter(pk__in=pks).update(verdict=verdict)
    return sum(len(pks) for pks in by_verdict.values())


def decide(session: Session, verdict: str, reason: str, user: User) -> Screening:
    """A person's own verdict; it stands over the method's until it is released."""
    if verdict not in Session.Verdict.values:
        raise ValueError(
            f"Found verdict {verdict!r}; expected one of {', '.join(Session.Verdict.values)}."
        )
    if not reason.strip():
        raise ValueError("Found no reason; expected a sentence that says why.")
    return _append(
        session,
        Screening(verdict=verdict, reasons=[reason.strip()], version=VERSION, created_by=user),
        user,
        f"Session {named(session)} decided {verdict}",
    )


def release(session: Session, user: auditing.Actor = None) -> Screening:
    """Take a person's decision back: the method's newest verdict stands again."""
    standing = newest([session.pk]).get(session.pk)
    if standing is None or not is_decision(standing):
        raise ValueError("Nobody decided on this session; there is nothing to take back.")
    last = session.screenings.exclude(suspicion=None).first()
    said = f"The decision {standing.verdict!r} was taken back."
    what = f"Decision on session {named(session)} taken back"
    if last is None:
        return _append(session, Screening(verdict="", reasons=[said], version=VERSION), user, what)
    return _append(
        session,
        Screening(
            verdict=last.verdict,
            suspicion=last.suspicion,
            reasons=[*last.reasons, said],
            signals=last.signals,
            version=last.version,
        ),
        user,
        what,
    )


def named(session: Session) -> str:
    """As the desk's tables name it: a few letters of its id."""
    return session.outside_id[:16] or str(session.pk)[:8]


def _append(session: Session, row: Screening, user: auditing.Actor, what: str) -> Screening:
    with transaction.atomic():
        held = Session.objects.select_for_update().get(pk=session.pk)
        if held.state == Session.State.WITHDRAWN:
            raise ValueError("This session was withdrawn; nothing of it is left to judge.")
        row.session = session
        row.save()
        Session.objects.filter(pk=session.pk).update(verdict=row.verdict)
        # Why stands in the row itself, which goes when the person takes the answers back.
        after = {"verdict": row.verdict, "session": session.pk}
        auditing.record(session.study, user, what, {"verdict": held.verdict}, after)
    session.refresh_from_db()
    return row


def study_called(name: str) -> Study:
    """By short name; else by title, where only one has it."""
    found = Study.objects.filter(slug=name).first()
    if found is not None:
        return found
    titled = list(Study.objects.filter(title=name)[:2])
    if len(titled) > 1:
        raise ValueError(f"Several studies are titled {name!r}; give one's short name.")
    if not titled:
        raise ValueError(f"No study is called {name!r}.")
    return titled[0]


def told(study: Study, rows: Iterable[Screening]) -> dict[str, Any]:
    """The result of a screening for a file or another program."""
    rows = list(rows)
    counts = {
        found["pk"]: found
        for found in Session.objects.filter(pk__in=[row.session_id for row in rows])
        .values("pk")
        .annotate(
            n_trials=Count("trials", distinct=True),
            n_judged=Count("trials__judgments", filter=Q(trials__judgments__superseded_by=None)),
        )
    }
    return {
        "study": study.slug,
        "is_simulated": study.is_simulated,
        "version": VERSION,
        "sessions": [
            {
                "session": row.session.outside_id or str(row.session_id),
                "session_id": str(row.session_id),
                "annotator": str(row.session.annotator_id),
                "verdict": row.verdict or UNDECIDED,
                "suspicion": row.suspicion,
                "is_decision": is_decision(row),
                "reasons": row.reasons,
                "signals": row.signals,
                "version": row.version,
                "n_trials": counts[row.session_id]["n_trials"],
                "n_judged": counts[row.session_id]["n_judged"],
            }
            for row in rows
        ],
        "counts": count_verdicts(rows),
    }


def count_verdicts(rows: Iterable[Screening]) -> dict[str, int]:
    counts = dict.fromkeys([*Session.Verdict.values, UNDECIDED], 0)
    for row in rows:
        counts[row.verdict or UNDECIDED] += 1
    return counts


def n_to_screen(study: Study) -> int:
    """Standing judgments: what a screening has to read."""
    return Judgment.objects.of_study(study).standing().count()


def due() -> list[Study]:
    """Studies that are asking people and have a session finished since its last screening."""
    since = Screening.objects.filter(
        session=OuterRef("pk"), created_at__gte=OuterRef("finished_at")
    )
    decided = Screening.objects.filter(~Q(verdict=""), session=OuterRef("pk"), suspicion=None)
    answers = Trial.objects.filter(
        session=OuterRef("pk"), state=Trial.State.JUDGED, is_warm_up=False
    ).exclude(triplet__kind=Triplet.Kind.PRACTICE)
    finished = Session.objects.filter(
        Exists(answers),
        ~Exists(since),
        ~Exists(decided),
        study=OuterRef("pk"),
        state=Session.State.FINISHED,
        finished_at__isnull=False,
    )
    states = [Study.State.OPEN, Study.State.PAUSED]
    return list(Study.objects.filter(Exists(finished), state__in=states))
