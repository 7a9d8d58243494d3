"""What the trial page says to the server: JSON in, one verb, JSON out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from annotation import serving
from annotation.models import Session, Trial
from annotation.recognising import owns

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
)
# Three years: a page's clock runs on for as long as the page is left open.
_LARGEST_MS = 1e11


class BadRequest(Exception):
    """What was sent cannot be read; the text says what was found and expected."""


class Conflict(Exception):
    """What was asked for came too late."""


def _json_view(
    view: Callable[[Session, dict[str, Any]], dict[str, Any]],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """Parse the body and find the session; only its own browser may speak for it."""

    def answer(request: HttpRequest, slug: str) -> HttpResponse:
        try:
            body = json.loads(request.body)
            session_id = UUID(body["session"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return _error("Found no readable JSON with a session; expected one.", 400)
        session = (
            Session.objects.select_related("study").filter(pk=session_id, study__slug=slug).first()
        )
        if session is None or not owns(request, session):
            return _error("This browser has no such session; open the study's page again.", 403)
        try:
            reply = view(session, body)
        except BadRequest as error:
            return _error(str(error), 400)
        except Conflict as error:
            return _error(str(error), 409)
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
    return _next(session, body)


@_json_view
def judgments(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """Store answers and hand out the next trials in one round trip."""
    answers = body.get("judgments")
    if not isinstance(answers, list) or len(answers) > MOST_ANSWERS:
        raise BadRequest(f"Expected a list of at most {MOST_ANSWERS} judgments.")
    _note_viewing(session, body.get("viewing"))
    readable, refused = _read(answers)
    receipt = serving.record(session, readable)
    return {
        "stored": receipt.stored,
        "refused": refused + receipt.refused,
        **_next(session, body),
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
        "missing": missing,
        "completion_code": session.completion_code,
    }


def _next(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    want = body.get("want", 0)
    if not isinstance(want, int) or not 0 <= want <= MOST_AHEAD:
        raise BadRequest(f"Found want={want!r}; expected 0..{MOST_AHEAD}.")
    try:
        held = [UUID(text) for text in body.get("have", [])]
    except (ValueError, TypeError, AttributeError):
        raise BadRequest("Expected 'have' to be a list of trial ids.") from None
    trials = serving.trials_for(session, want, held) if want else []
    standing = serving.standing_of(session, is_asked=bool(want), n_new=len(trials))
    return {
        "trials": [_trial(session, trial) for trial in trials],
        "judged": standing.n_judged,
        "total": standing.n_total,
        "is_done": standing.is_done,
    }


def _trial(session: Session, trial: Trial) -> dict[str, Any]:
    """What the browser may know of a trial: nothing about codecs, rates or files."""
    return {
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
        "hidden_ms": _number(entry.get("hidden_ms"), "hidden_ms") or 0.0,
        "input": found_input,
        "events": events,
        "client_time": _time(entry.get("client_time")),
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
    """The first report stands; later changes are events of their trials."""
    if not isinstance(viewing, dict) or session.viewing:
        return
    if len(_json_text(viewing, "viewing")) < 5_000:
        session.viewing = viewing
        session.save(update_fields=["viewing"])
