"""The researcher's pages about sessions: screen a study, read one session, decide on it."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError

from annotation import screening, session_lists, tasks
from annotation.access import for_researchers, for_viewers
from annotation.models import Judgment, Session, Study, Trial
from annotation.pages import study_tab
from codecs_eval.access import researcher

SESSIONS_A_PAGE = 100

logger = logging.getLogger(__name__)


@for_researchers
@require_POST
def screen(request: HttpRequest, study: Study) -> HttpResponse:
    if screening.n_to_screen(study) > screening.AT_ONCE:
        _enqueue(request, study)
        return redirect("study_sessions", study.slug)
    rows = screening.screen(study, researcher(request))
    counts = screening.count_verdicts(rows)
    said = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
    messages.success(request, f"Screened: {said or 'no session has answers yet'}.")
    return redirect("study_sessions", study.slug)


def _enqueue(request: HttpRequest, study: Study) -> None:
    try:
        tasks.screen_study.apply_async((study.pk, researcher(request).pk), retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; study %s was not screened.", study.slug)
        messages.error(
            request,
            f"The queue does not answer. Run manage.py screen --study {study.slug} instead.",
        )
    else:
        messages.success(request, "Being screened; look again in a minute.")


@for_viewers
@require_GET
def sessions(request: HttpRequest, study: Study) -> HttpResponse:
    """All sessions, or those that were asked for; the most suspect first unless asked otherwise."""
    asked = session_lists.Asked.of(request.GET)
    page = Paginator(session_lists.keys(study, asked), SESSIONS_A_PAGE).get_page(
        request.GET.get("page")
    )
    return study_tab(
        request,
        study,
        "sessions",
        page=page,
        sessions=session_lists.rows(study, list(page.object_list)),
        asked=asked,
        columns=session_lists.columns(asked),
        states=session_lists.STATES,
        verdicts=session_lists.VERDICTS,
    )


@dataclass(frozen=True)
class _Line:
    """One trial as the page shows it."""

    trial: Trial
    judgment: Judgment | None
    side: str
    checked: str
    n_changed: int


@for_viewers
@require_GET
def session(request: HttpRequest, study: Study, session_id: UUID) -> HttpResponse:
    found = _session(study, session_id)
    rows = list(found.screenings.select_related("created_by"))
    return study_tab(
        request,
        study,
        "session",
        session=found,
        screenings=rows,
        newest=rows[0] if rows else None,
        is_decided=bool(rows) and screening.is_decision(rows[0]),
        verdicts=Session.Verdict.choices,
        lines=_lines(found),
    )


def _session(study: Study, session_id: UUID) -> Session:
    return get_object_or_404(
        Session.objects.select_related("study", "annotator"), pk=session_id, study=study
    )


def _lines(found: Session) -> list[_Line]:
    trials = found.trials.select_related(
        "triplet__source", "triplet__first", "triplet__second"
    ).order_by("position")
    given: dict[UUID, list[Judgment]] = {}
    for judgment in Judgment.objects.filter(trial__session=found).select_related("superseded_by"):
        given.setdefault(judgment.trial_id, []).append(judgment)
    lines: list[_Line] = []
    first_choice: dict[int, str] = {}
    for trial in trials:
        all_given = given.get(trial.pk, [])
        standing = [row for row in all_given if getattr(row, "superseded_by", None) is None]
        last = standing[0] if standing else None
        lines.append(
            _Line(
                trial=trial,
                judgment=last,
                side=trial.side_of_choice(last.choice) if last else "",
                checked=_checked(trial, last, first_choice.get(trial.triplet_id)),
                n_changed=max(0, len(all_given) - 1),
            )
        )
        if last:
            first_choice.setdefault(trial.triplet_id, last.choice)
    return lines


def _checked(trial: Trial, judgment: Judgment | None, before: str | None) -> str:
    """What an answer says of the person, where one is known to be right or was given before."""
    if judgment is None:
        return ""
    if trial.triplet.expected:
        return "right" if judgment.choice == trial.triplet.expected else "wrong"
    if before is not None:
        return "as before" if judgment.choice == before else "other than before"
    return ""


@for_researchers
@require_POST
def decide(request: HttpRequest, study: Study, session_id: UUID) -> HttpResponse:
    found = _session(study, session_id)
    try:
        row = screening.decide(
            found,
            request.POST.get("verdict", ""),
            request.POST.get("reason", ""),
            researcher(request),
        )
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"This session is {row.verdict} by your decision.")
    return redirect("study_session", study.slug, session_id)


@for_researchers
@require_POST
def release(request: HttpRequest, study: Study, session_id: UUID) -> HttpResponse:
    found = _session(study, session_id)
    try:
        row = screening.release(found, researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, f"The screening's own verdict stands again: {row.verdict or 'undecided'}."
        )
    return redirect("study_session", study.slug, session_id)
