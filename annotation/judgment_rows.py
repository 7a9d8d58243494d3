"""Rows of our own export's columns, from wherever they were written: read and checked, one by one.

Nothing here knows the database; `imported_study` stores what is good.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils import timezone

from annotation.formats.aic3 import COLUMNS as AIC3
from annotation.formats.columns import JUDGMENTS, names
from annotation.formats.reading import READERS

CSV_COLUMNS = names(JUDGMENTS)
KINDS = ("main", "practice", "sentinel", "identical")
CHOICES = ("first", "second", "not_sure")
STATES = ("hit", "nearest", "unreachable")
SESSION_STATES = ("active", "finished", "failed", "screened_out")
SCREENINGS = ("trusted", "doubtful", "excluded", "not screened")
POLARITIES = ("closer", "differs")
MARKS_LENGTH = 500
_TRUE, _FALSE = {"1", "true", "yes"}, {"0", "false", "no"}
_INT_MAX = 2**31 - 1


@dataclass(frozen=True)
class Item:
    """What made one side of a triplet; settings as canonical JSON."""

    codec: str
    target_bpp: float
    bpp: float
    settings: str
    state: str


@dataclass(frozen=True)
class JudgmentRow:
    """One line that can be stored. `triplet` is "" where only the items name it; `trial` and
    `judgment` are what the file calls them, "" where it does not; `values` are columns of a
    Judgment by their names."""

    line: int
    is_simulated: bool
    session: str
    annotator: str
    started: datetime | None
    state: str
    screening: str
    language: str
    question: str
    position: int | None
    trial: str
    is_repeat: bool | None
    is_warm_up: bool
    triplet: str
    kind: str
    expected: str
    collection: str
    source: str
    crop: tuple[int, int, int, int]
    first: Item
    second: Item
    choice: str
    first_on_left: bool | None
    judgment: str
    supersedes: str
    server_time: datetime | None
    values: dict[str, Any]


class JudgmentFile:
    """A file of judgments. `rows()` may be gone through more than once."""

    def __init__(self, path: Path, file_format: str = "csv") -> None:
        if file_format not in READERS:
            raise ValueError(f"Found format {file_format!r}; expected one of {', '.join(READERS)}.")
        self._rows, self.name = READERS[file_format](path), path.name
        self.columns = self._rows.columns
        self.notes: list[str] = list(getattr(self._rows, "notes", []))
        self.known = names(AIC3) if file_format == "aic3" else CSV_COLUMNS
        self.ignored = tuple(name for name in self.columns if name not in self.known)
        self._check(is_own=file_format != "aic3")

    def _check(self, is_own: bool) -> None:
        has = set(self.columns)
        doubles = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if doubles:
            raise ValueError(f"{self.name}: column {doubles[0]!r} stands twice.")
        if not is_own:
            return
        if "session_id" not in has:
            raise ValueError(f"{self.name} has no column session_id; found {self._found()}.")
        if not ("triplet_id" in has or {"source", "first_codec", "second_codec"} <= has):
            raise ValueError(
                f"{self.name} does not say what was compared: expected triplet_id, or "
                f"source, first_codec and second_codec; found {self._found()}."
            )
        if not ("choice" in has or {"chosen_side", "first_on_left"} <= has):
            raise ValueError(
                f"{self.name} does not say what was chosen: expected choice, or chosen_side "
                f"and first_on_left; found {self._found()}."
            )

    def _found(self) -> str:
        return ", ".join(self.columns[:12]) or "an empty file"

    def cells(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Every row as text, with its line."""
        return self._rows.cells()

    def rows(self, study: str | None = None) -> Iterator[JudgmentRow | tuple[int, str]]:
        """Each row of one study, or its line and why it cannot be stored."""
        for line, cells in self.cells():
            if study is not None and cells.get("study", "") != study:
                continue
            try:
                yield parsed(line, cells)
            except ValueError as error:
                yield line, str(error)

    def studies(self) -> dict[str, dict[str, str]]:
        """The studies in the file, each with its first row's cells."""
        found: dict[str, dict[str, str]] = {}
        for _, cells in self.cells():
            found.setdefault(cells.get("study", ""), cells)
        return found


def parsed(line: int, cells: dict[str, str]) -> JudgmentRow:
    """Raises ValueError, saying what was found and what was expected."""
    if cells.get(""):
        raise ValueError(cells[""])
    get = _Cells(cells)
    session = get.text("session_id", 120)
    if not session:
        raise ValueError("session_id is empty")
    kind = get.one_of("triplet_kind", KINDS, default="main")
    target_bpp = get.number("target_bpp", default=0.0)
    triplet = get.text("triplet_id", 120)
    first, second = (_item(get, side, target_bpp) for side in ("first", "second"))
    if not triplet and not (get.text("source", 200) and first.codec and second.codec):
        raise ValueError("nothing says what was compared (no triplet_id, no source and codecs)")
    first_on_left = get.flag("first_on_left")
    return JudgmentRow(
        line=line,
        is_simulated=get.flag("is_simulated") or False,
        session=session,
        annotator=get.text("annotator_id", 120),
        started=get.moment("session_started"),
        state=get.one_of("session_state", SESSION_STATES, default="finished"),
        screening=get.one_of("screening", SCREENINGS, default="not screened"),
        language=get.text("language", 10),
        question=get.text("question", 200),
        position=get.whole("position"),
        trial=get.text("trial_id", 120),
        is_repeat=get.flag("is_repeat"),
        is_warm_up=get.flag("is_warm_up") or False,
        triplet=triplet,
        kind=kind,
        expected=get.one_of("expected", ("first", "second"), default=""),
        collection=get.text("collection", 80),
        source=get.text("source", 200),
        crop=_crop(get),
        first=first,
        second=second,
        choice=_choice(get, first_on_left),
        first_on_left=first_on_left,
        judgment=get.text("judgment_id", 120),
        supersedes=get.text("supersedes", 120),
        server_time=get.moment("server_time"),
        values=_values(get),
    )


def _crop(get: "_Cells") -> tuple[int, int, int, int]:
    left, top = get.whole("crop_left_px") or 0, get.whole("crop_top_px") or 0
    return left, top, get.whole("crop_width_px") or 0, get.whole("crop_height_px") or 0


def _item(get: "_Cells", side: str, target_bpp: float) -> Item:
    settings = get.text(f"{side}_settings", 2000)
    try:
        canonical = _canonical(settings)
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(f"found {side}_settings {settings[:40]!r}; expected JSON") from None
    return Item(
        codec=get.text(f"{side}_codec", 40),
        # An older file, or one written by hand, may tell one rate for both.
        target_bpp=get.number(f"{side}_target_bpp", default=target_bpp),
        bpp=get.number(f"{side}_bpp", default=0.0),
        settings=canonical,
        state=get.one_of(f"{side}_state", STATES, default="hit"),
    )


@lru_cache(maxsize=4096)
def _canonical(settings: str) -> str:
    return json.dumps(json.loads(settings or "{}"), sort_keys=True)


def _choice(get: "_Cells", first_on_left: bool | None) -> str:
    choice = get.one_of("choice", CHOICES, default="")
    side = get.one_of("chosen_side", ("left", "right", "not_sure"), default="")
    if choice:
        return choice
    if side == "not_sure":
        return side
    if not side or first_on_left is None:
        raise ValueError("nothing says what was chosen (no choice, no chosen_side)")
    return "first" if (side == "left") == first_on_left else "second"


def _values(get: "_Cells") -> dict[str, Any]:
    """Columns of the judgment beside its choice; what is empty stays at its default."""
    dwell = {view: get.number(f"dwell_{view}_ms") for view in ("original", "left", "right")}
    found: dict[str, Any] = {name: get.number(name) for name in _NUMBERS}
    found |= {name: get.whole(name) for name in _WHOLE}
    found |= {
        "input": get.text("input", 10),
        "marks": get.text("marks", MARKS_LENGTH).split(),
        "dwell_ms": {view: ms for view, ms in dwell.items() if ms is not None},
        "client_time": get.moment("client_time"),
    }
    return {name: value for name, value in found.items() if value is not None}


_NUMBERS = (
    "decoded_ms", "painted_ms", "answered_ms", "response_ms", "hidden_ms", "clock_resolution_ms",
    "device_pixel_ratio", "flicker_hz",
)  # fmt: skip
_WHOLE = (
    "window_width_px", "window_height_px", "n_switches",
    "shown_left_px", "shown_top_px", "shown_width_px", "shown_height_px", "zoom",
)  # fmt: skip


class _Cells:
    """A row's cells, each as what its column holds."""

    def __init__(self, cells: dict[str, str]) -> None:
        self._cells = cells

    def text(self, name: str, longest: int) -> str:
        value = self._cells.get(name, "")
        if not value:
            return ""
        value = value.strip()
        if len(value) > longest:
            raise ValueError(f"{name} has {len(value)} characters; expected {longest} at most")
        if "\0" in value:
            raise ValueError(f"{name} holds a null character")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...], *, default: str) -> str:
        value = self._cells.get(name, "").strip()
        if value and value not in allowed:
            raise ValueError(f"found {name} {value[:40]!r}; expected one of {', '.join(allowed)}")
        return value or default

    def flag(self, name: str) -> bool | None:
        value = self._cells.get(name, "").strip().lower()
        if not value:
            return None
        if value not in _TRUE and value not in _FALSE:
            raise ValueError(f"found {name} {value[:40]!r}; expected 1 or 0")
        return value in _TRUE

    def _numeric(self, name: str) -> float | None:
        value = self._cells.get(name, "").strip()
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"found {name} {value[:40]!r}; expected a number") from None
        if not math.isfinite(number):
            raise ValueError(f"found {name} {value[:40]!r}; expected a finite number")
        return number

    def number(self, name: str, default: float | None = None) -> Any:
        number = self._numeric(name)
        if number is None:
            return default
        if name.endswith("_bpp") and number < 0:
            raise ValueError(f"found {name} {number:g}; expected 0 or more")
        return number

    def whole(self, name: str) -> int | None:
        number = self._numeric(name)
        if number is None:
            return None
        if number != int(number) or not 0 <= number <= _INT_MAX:
            raise ValueError(f"found {name} {number:g}; expected a whole number from 0 up")
        return int(number)

    def moment(self, name: str) -> datetime | None:
        value = self._cells.get(name, "").strip()
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"found {name} {value[:40]!r}; expected a time in ISO 8601") from None
        aware = found if timezone.is_aware(found) else timezone.make_aware(found)
        try:
            # In the first and the last day of all, another zone's time has none in UTC.
            return aware.astimezone(UTC)
        except OverflowError:
            raise ValueError(
                f"found {name} {value[:40]!r}; expected a time within our era"
            ) from None
