"""What the trial page says to the server: JSON in, one verb, JSON out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from annotation import checks, planning, serving
from annotation.models import Session, Trial, Triplet
from annotation.recognising import may_bring, owns

MOST_AHEAD = 8
MOST_ANSWERS = 200
INPUTS = {"key", "mouse", "touch", "pen"}
_MEASURED_NUMBERS = (
    "decoded_ms",
    "painted_ms",
    "answered_ms",
    "response_ms",
    "clock_resolution_ms",
    "device_pixel_ratio",
    "flicker_hz",
)
LARGEST_ZOOM = 16
VIEWS = ("original", "left", "right")
MARKS = {"ratio", "window", "monitor", "hidden", "time_up", "menu", "blurred"}
# Three years: a page's clock runs on for as long as the page is left open.
_LARGEST_MS = 1e11


# What answers and leases read; a column that is missing here costs a query of its own.
_NEEDED = (
    *("annotator__user", "annotator__is_simulated"),
    *("seed", "n_practice", "state", "viewing"),
    *("study__slug", "study__state", "study__allow_not_sure", "study__practice_pass_share"),
    *("study__session_length", "study__judgments_per_triplet", "study__n_warm_up"),
    *("study__sentinel_share", "study__identical_share", "study__repeat_share"),
    *("study__ask_card", "study__ask_colour_plates", "study__ask_acuity"),
)


class BadRequest(Exception):
    """What was sent cannot be read; the text says what was found and expected."""


class Conflict(Exception):
    """What was asked for came too late."""


def _json_view(
    view: Callable[[Session, dict[str, Any]], dict[str, Any]], *, takes_key: bool = False
) -> Callable[[HttpRequest, str], HttpResponse]:
    """Parse the body and find the session; only its own browser may speak for it.

    With `takes_key`, also whoever has the session's key, but no trial is handed to them.
    """

    def answer(request: HttpRequest, slug: str) -> HttpResponse:
        try:
            body = json.loads(request.body)
            session_id = UUID(body["session"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return _error("Found no readable JSON with a session; expected one.", 400)
        rows = Session.objects.select_related("study", "annotator").only(*_NEEDED)
        session = rows.filter(pk=session_id, study__slug=slug).first()
        is_known = session is not None and owns(request, session)
        may_speak = is_known or (session and takes_key and may_bring(session, body.get("key")))
        if session is None or not may_speak:
            return _error("This browser has no such session; open the study's page again.", 403)
        if not is_known:
            body["want"] = 0
        try:
            reply = view(session, body)
        except BadRequest as error:
            return _error(str(error), 400)
        except Conflict as error:
            return _error(str(error), 409)
        if takes_key:
            reply["is_known"] = is_known
        response = JsonResponse(reply)
        response["Cache-Control"] = "private, no-store"
        return response

    return require_POST(answer)


def _error(text: str, status: int) -> JsonResponse:
    return JsonResponse({"error": text}, status=status)


@_json_view
def lease(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    if session.state == Session.State.FINISHED:
        raise Conflict("This session is finished; its completion code is on the last page.")
    return _reply(session, serving.exchange(session, [], *_wanted(session, body)))


@partial(_json_view, takes_key=True)
def judgments(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """Store answers and hand out the next trials in one round trip."""
    answers = body.get("judgments")
    if not isinstance(answers, list) or len(answers) > MOST_ANSWERS:
        raise BadRequest(f"Expected a list of at most {MOST_ANSWERS} judgments.")
    _note_viewing(session, body.get("viewing"))
    readable, refused = _read(answers)
    done = serving.exchange(session, readable, *_wanted(session, body))
    return {
        "stored": done.receipt.stored,
        "refused": refused + done.receipt.refused,
        **_reply(session, done),
    }


def _read(entries: list[Any]) -> tuple[list[serving.Answer], list[dict[str, str]]]:
    """One unreadable answer never holds up the others: it is refused under its own key."""
    readable, refused = [], []
    for entry in entries:
        try:
            readable.append(_answer(entry))
        except BadRequest as error:
            if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
                raise
            refused.append({"id": entry["id"], "reason": str(error)})
    return readable, refused


@_json_view
def finish(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    missing = serving.finish(session)
    return {
        "is_complete": session.state == Session.State.FINISHED,
        "state": session.state,
        "missing": missing,
        "completion_code": session.completion_code,
    }


@_json_view
def screen_out(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """A person whose screen does not meet the study's requirements ends with that outcome."""
    with transaction.atomic():
        planning.lock(session)
        if session.state == Session.State.ACTIVE:
            serving.close(session, Session.State.SCREENED_OUT)
    return {"state": session.state}


def _wanted(session: Session, body: dict[str, Any]) -> tuple[int, list[UUID]]:
    """How many trials the browser wants to have ahead, and which it has.

    None before the viewing checks that the study asks for are done.
    """
    want = body.get("want", 0)
    if not isinstance(want, int) or not 0 <= want <= MOST_AHEAD:
        raise BadRequest(f"Found want={want!r}; expected 0..{MOST_AHEAD}.")
    try:
        return 0 if checks.due(session) else want, [UUID(text) for text in body.get("have", [])]
    except (ValueError, TypeError, AttributeError):
        raise BadRequest("Expected 'have' to be a list of trial ids.") from None


def _reply(session: Session, done: serving.Exchange) -> dict[str, Any]:
    return {
        "trials": [_trial(session, trial) for trial in done.trials],
        "judged": done.standing.n_judged,
        "total": done.standing.n_total,
        "is_done": done.standing.is_done,
        "state": session.state,
    }


def _trial(session: Session, trial: Trial) -> dict[str, Any]:
    """What the browser may know of a trial: nothing of codecs, rates, files or checks."""
    is_practice = trial.triplet.kind == Triplet.Kind.PRACTICE
    return {
        "is_practice": is_practice,
        "feedback": (trial.expected_side or None) if is_practice else None,
        "id": str(trial.pk),
        "position": trial.position,
        "width": trial.triplet.crop_width_px,
        "height": trial.triplet.crop_height_px,
        **{
            side: reverse("trial_image", args=[session.study.slug, trial.pk, side])
            for side in ("original", "left", "right")
        },
    }


def _answer(entry: Any) -> serving.Answer:
    if not isinstance(entry, dict):
        raise BadRequest("Expected every judgment to be an object.")
    try:
        supersedes = entry.get("supersedes")
        return serving.Answer(
            id=UUID(entry["id"]),
            trial=UUID(entry["trial"]),
            side=str(entry["side"]),
            supersedes=UUID(supersedes) if supersedes else None,
            measured=_measured(entry),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadRequest(f"Cannot read a judgment: {error}.") from error


def _measured(entry: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: _number(entry.get(name), name) for name in _MEASURED_NUMBERS}
    sizes = {
        name: _whole(entry.get(name), name) for name in ("window_width_px", "window_height_px")
    }
    events = entry.get("events") or []
    if not isinstance(events, list) or len(_json_text(events, "events")) > 20_000:
        raise BadRequest("Expected events to be a list of at most 20,000 characters.")
    found_input = entry.get("input") or ""
    if found_input and (not isinstance(found_input, str) or found_input not in INPUTS):
        raise BadRequest(f"Found input {found_input!r}; expected one of {sorted(INPUTS)}.")
    return {
        **numbers,
        **sizes,
        **_viewed(entry),
        "hidden_ms": _number(entry.get("hidden_ms"), "hidden_ms") or 0.0,
        "input": found_input,
        "events": events,
        "client_time": _time(entry.get("client_time")),
    }


def _viewed(entry: dict[str, Any]) -> dict[str, Any]:
    """Which views were on the screen for how long, and which part of the crop."""
    dwell_ms, shown = entry.get("dwell_ms") or {}, entry.get("shown") or {}
    marks = entry.get("marks") or []
    if not isinstance(dwell_ms, dict) or not set(dwell_ms) <= set(VIEWS):
        raise BadRequest(f"Found dwell_ms={dwell_ms!r}; expected times of {', '.join(VIEWS)}.")
    if not isinstance(shown, dict):
        raise BadRequest(f"Found shown={shown!r}; expected left, top, width and height.")
    if not isinstance(marks, list) or not {str(mark) for mark in marks} <= MARKS:
        raise BadRequest(f"Found marks={marks!r}; expected some of {', '.join(sorted(MARKS))}.")
    return {
        "dwell_ms": {view: _number(dwell_ms[view], f"dwell_ms {view}") for view in dwell_ms},
        "n_switches": _whole(entry.get("n_switches"), "n_switches") or 0,
        "zoom": min(_whole(entry.get("zoom"), "zoom") or 1, LARGEST_ZOOM),
        "marks": marks,
        **{
            f"shown_{side}_px": _whole(shown.get(side), f"shown {side}")
            for side in ("left", "top", "width", "height")
        },
    }


def _number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"Found {name}={value!r}; expected a number.")
    if not -_LARGEST_MS < value < _LARGEST_MS:
        raise BadRequest(f"Found {name}={value!r}; expected a finite, plausible number.")
    return float(value)


def _whole(value: Any, name: str) -> int | None:
    number = _number(value, name)
    if number is not None and not 0 <= number < 100_000:
        raise BadRequest(f"Found {name}={value!r}; expected 0..99999.")
    return None if number is None else round(number)


def _json_text(value: Any, name: str) -> str:
    """As it will be stored: PostgreSQL's JSON knows no NaN, no NUL and no half surrogate pair."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        raise BadRequest(f"Expected {name} to be plain JSON: finite numbers, whole text.") from None
    if "\\u0000" in text:
        raise BadRequest(f"Found a NUL character in {name}; expected plain text.")
    return text


def _time(value: Any) -> datetime | None:
    found = parse_datetime(value) if isinstance(value, str) else None
    if value is not None and (found is None or found.tzinfo is None):
        raise BadRequest(f"Found client_time={value!r}; expected ISO 8601 with a zone.")
    try:
        return found.astimezone(UTC) if found else None
    except OverflowError:
        raise BadRequest(f"Found client_time={value!r}; expected a time within our era.") from None


def _note_viewing(session: Session, viewing: Any) -> None:
    """The first report stands, beside the checks; later changes are events of their trials."""
    is_withdrawn = session.state == Session.State.WITHDRAWN
    is_known = bool(session.viewing.keys() - {"checks"})
    if is_withdrawn or is_known or not isinstance(viewing, dict):
        return
    if len(_json_text(viewing, "viewing")) < 5_000:
        # Checks are the server's to judge: what a page sends under their name is dropped.
        measured = {name: value for name, value in viewing.items() if name != "checks"}
        session.viewing = {**measured, **session.viewing}
        session.save(update_fields=["viewing"])
