"""Judgments as columns, batch by batch: sessions in turn, each row's triplet looked up once.

A query names one batch of sessions, so that no cursor stays open for as long as a download takes,
and memory stays at one batch whatever the study holds.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import F, TextField
from django.db.models.functions import Cast

from annotation.formats.columns import SESSION, TRIPLET, names
from annotation.formats.writing import Batch
from annotation.models import Judgment, Session, Study
from annotation.repeated_cells import TripletCells, session_cells

SESSIONS_AT_ONCE = 100
ROWS_AT_ONCE = 8_192

_UUIDS = ("id", "trial_id", "trial__session_id", "trial__annotator_id", "supersedes_id",
          "superseded_by__id")  # fmt: skip
_MEASURED = (
    "decoded_ms", "painted_ms", "answered_ms", "response_ms", "hidden_ms", "clock_resolution_ms",
    "input", "device_pixel_ratio", "window_width_px", "window_height_px", "n_switches",
    "flicker_hz", "shown_left_px", "shown_top_px", "shown_width_px", "shown_height_px", "zoom",
)  # fmt: skip
_FLAGS = ("trial__is_repeat", "trial__is_warm_up", "trial__first_on_left")
_MOMENTS = ("client_time", "server_time")
_DOCUMENTS = ("dwell_ms", "marks")
_READ = (
    *_FLAGS, "trial__triplet_id", "trial__position", "choice", *_MEASURED,
    *(f"{name}_text" for name in (*_UUIDS, *_MOMENTS, *_DOCUMENTS)),
)  # fmt: skip


def judgment_batches(
    study: Study | None = None, *, rows: str = "all", sessions: Sequence[Any] | None = None
) -> Iterator[Batch]:
    """The columns of `formats.columns.JUDGMENTS`, sessions by their beginning, trials in order.

    rows: all; standing (not replaced by an undo); counted (what analyses rest on).
    sessions: the ids of those that are asked for.
    """
    asked = session_ids(study) if sessions is None else sessions
    triplets = TripletCells()
    for start in range(0, len(asked), SESSIONS_AT_ONCE):
        some = asked[start : start + SESSIONS_AT_ONCE]
        told = session_cells(some)
        for found in _raw(some, rows):
            yield _batch(found, told, triplets)


def session_ids(study: Study | None = None) -> list[Any]:
    found = Session.objects.order_by("started_at", "pk")
    # Nothing in a preview counts; a dry run is exported by its own name, if anybody wants it.
    studies = Study.objects.real() if study is None else Study.objects.filter(pk=study.pk)
    found = found.filter(study__in=studies.exclude(purpose=Study.Purpose.PREVIEW))
    return list(found.values_list("pk", flat=True))


def _raw(sessions: Sequence[Any], rows: str) -> Iterator[dict[str, Sequence[Any]]]:
    """Columns as the database driver has them: the ORM's own conversions take as long again."""
    judgments = Judgment.objects.filter(trial__session__in=sessions)
    if rows != "all":
        judgments = judgments.counted() if rows == "counted" else judgments.standing()
    as_text = {
        f"{name}_text": Cast(name, TextField()) for name in (*_UUIDS, *_MOMENTS, *_DOCUMENTS)
    }
    asked = (
        judgments.annotate(**as_text)
        .order_by(
            F("trial__session__started_at"),
            F("trial__session_id"),
            "trial__position",
            "server_time",
            "pk",
        )
        .values_list(*_READ)
    )
    sql, parameters = asked.query.get_compiler(connection=connection).as_sql()
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while found := cursor.fetchmany(ROWS_AT_ONCE):
            yield dict(zip(_READ, zip(*found, strict=True), strict=True))


def _batch(
    found: Mapping[str, Sequence[Any]], told: Mapping[str, tuple[Any, ...]], triplets: TripletCells
) -> Batch:
    ids = {name: _uuid_texts(found[f"{name}_text"]) for name in _UUIDS}
    left = list(map(bool, found["trial__first_on_left"]))
    shown = triplets.cells(found["trial__triplet_id"])
    columns: dict[str, Sequence[Any]] = {
        "judgment_id": ids["id"],
        **_spread(SESSION, [told[key] for key in ids["trial__session_id"]]),
        "trial_id": ids["trial_id"],
        "position": found["trial__position"],
        "is_repeat": list(map(bool, found["trial__is_repeat"])),
        "is_warm_up": list(map(bool, found["trial__is_warm_up"])),
        **_spread(TRIPLET, shown),
        "first_on_left": left,
        "choice": found["choice"],
        "supersedes": ids["supersedes_id"],
        "superseded_by": ids["superseded_by__id"],
        **{name: found[name] for name in _MEASURED},
        **{name: _moments(found[f"{name}_text"]) for name in _MOMENTS},
    }
    # A trial's own annotator: the session's, copied so that the database can refuse doubles.
    columns["annotator_id"] = ids["trial__annotator_id"]
    return columns | _derived(columns) | _documents(found)


def _spread(columns: Any, rows: Sequence[tuple[Any, ...]]) -> dict[str, Sequence[Any]]:
    return dict(zip(names(columns), zip(*rows, strict=True), strict=True))


def _derived(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    choices, left = columns["choice"], columns["first_on_left"]
    codecs = zip(choices, columns["first_codec"], columns["second_codec"], strict=True)
    times = zip(columns["response_ms"], columns["hidden_ms"], strict=True)
    return {
        "chosen_codec": [
            first if choice == "first" else second if choice == "second" else ""
            for choice, first, second in codecs
        ],
        "chosen_side": [_SIDES.get(pair, "") for pair in zip(choices, left, strict=True)],
        "active_ms": [None if took is None else took - hidden for took, hidden in times],
    }


_SIDES = {
    ("first", True): "left",
    ("first", False): "right",
    ("second", True): "right",
    ("second", False): "left",
}


def _documents(found: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    # Many rows share one document, above all the empty one.
    dwells = {text: _dwell(text) for text in set(found["dwell_ms_text"])}
    marks = {text: " ".join(json.loads(text)) for text in set(found["marks_text"])}
    shown = [dwells[text] for text in found["dwell_ms_text"]]
    return {
        **{f"dwell_{v}_ms": list(map(itemgetter(at), shown)) for at, v in enumerate(_VIEWS)},
        "marks": [marks[text] for text in found["marks_text"]],
    }


_VIEWS = ("original", "left", "right")


def _dwell(text: str) -> tuple[float | None, ...]:
    read = json.loads(text)
    return tuple(None if (ms := read.get(view)) is None else float(ms) for view in _VIEWS)


def _uuid_texts(values: Sequence[Any]) -> list[str]:
    """SQLite hands over 32 digits; PostgreSQL was asked for text."""
    if connection.vendor == "postgresql":
        return [value or "" for value in values]
    return ["" if not v else f"{v[:8]}-{v[8:12]}-{v[12:16]}-{v[16:20]}-{v[20:]}" for v in values]


def _moments(texts: Sequence[str | None]) -> list[str]:
    """ISO 8601 in UTC of what either database writes as text; "" for none."""
    return [_moment(text) if text else "" for text in texts]


def _moment(text: str) -> str:
    clock = text[11:].removesuffix("+00")
    # PostgreSQL leaves trailing zeros of the microseconds away.
    clock = clock.ljust(15, "0") if len(clock) > 8 else clock
    return f"{text[:10]}T{clock}+00:00"
