"""AIC-3 style responses: the columns that JPEG-AI-SDR25 publishes, in both directions.

AIC-3 asks which of two copies differs more from the pivot (the original between them); a study
that asks which is closer turns each answer round on its way out. Source of the columns: README of
jpeg-aic/dataset-JPEG-AI-SDR25 (2025).
"""

from __future__ import annotations

from collections.abc import Mapping

from annotation.formats.columns import columns

COLUMNS = columns("""
assignment | text | | One person's sitting.
worker | whole | | The person, numbered within this file.
method | text | | PTC (toggled in place), BTC (boosted), or the mode of a study that is neither.
task | whole | | Always 1: a study is one task.
question_id | text | | The triplet.
img_num | whole | | The original, as images.csv numbers it.
codec_left | whole | | Codec on the left, as codecs.csv numbers it; 0: the original.
codec_pivot | whole | | Always 0: the pivot is the original.
codec_right | whole | | Codec on the right, as codecs.csv numbers it; 0: the original.
dlevel_left | whole | | Distortion on the left, as levels.csv numbers it; 0: none.
dlevel_pivot | whole | | Always 0.
dlevel_right | whole | | Distortion on the right, as levels.csv numbers it; 0: none.
img_left | text | | What stood on the left, in words; no such file is here.
img_pivot | text | | Name of the original; no such file is here.
img_right | text | | What stood on the right, in words; no such file is here.
is_same | flag | | Both sides by one codec.
is_cross | flag | | The sides by two codecs.
is_bias | flag | | Two equal copies, which show a liking for a side.
is_trap | flag | | An obvious answer, or practice.
question_order | whole | | Place in the sitting, from 0.
response | text | | The side that differs more from the pivot: left, right or not sure.
submission_time | moment | | When the server stored the answer.
response_time | number | s | From the first frame to the answer.
reload_count | whole | | Empty: not counted here.
resolution | text | | The screen in its own pixels, width x height.
toggle_count | whole | | Changes of view before the answer.
is_simulated | flag | | 1: answered by a simulated observer; no column of the published files.
""")

_MODES = {"PTC": "toggle_original", "BTC": "flicker"}
_OTHER = {"left": "right", "right": "left"}


def response(chosen_side: str, polarity: str) -> str:
    """The side that differs more, from the side that was chosen; "" (not sure) stays so."""
    if not chosen_side:
        return "not sure"
    return _OTHER[chosen_side] if polarity == "closer" else chosen_side


class Numbers:
    """What the numbers of a file mean, where its lookups lie beside it; else they stay numbers."""

    def __init__(
        self,
        codecs: Mapping[str, str] | None = None,
        rates: Mapping[str, str] | None = None,
        images: Mapping[str, str] | None = None,
    ) -> None:
        self._codecs, self._rates, self._images = codecs or {}, rates or {}, images or {}

    def codec(self, number: str) -> str:
        return self._codecs.get(number) or ("original" if number == "0" else f"codec {number}")

    def rate(self, number: str) -> str:
        return self._rates.get(number, "")

    def image(self, number: str) -> str:
        return self._images.get(number) or f"image {number}"


def judgment_cells(row: Mapping[str, str], numbers: Numbers, time_unit_ms: float) -> dict[str, str]:
    """A row in our own columns, as text; what is faulty is left for their reader to refuse."""
    left = (row.get("codec_left", ""), row.get("dlevel_left", ""))
    right = (row.get("codec_right", ""), row.get("dlevel_right", ""))
    # One comparison whichever way round it stood.
    is_first_left = _place(left) <= _place(right)
    first, second = (left, right) if is_first_left else (right, left)
    kind = _kind(row)
    cells = {
        "session_id": row.get("assignment", ""),
        "annotator_id": row.get("worker", ""),
        "position": row.get("question_order", ""),
        "polarity": "differs",
        "question": "Which one differs more from the original?",
        "mode": _MODES.get(row.get("method", ""), ""),
        "is_simulated": row.get("is_simulated", "") or "0",
        "triplet_kind": kind,
        # The more distorted one differs more; between equal levels nobody knows.
        "expected": _expected(first[1], second[1]) if kind == "sentinel" else "",
        "source": numbers.image(row.get("img_num", "")),
        "target_bpp": numbers.rate(first[1]) or numbers.rate(second[1]),
        "first_codec": numbers.codec(first[0]),
        "first_target_bpp": numbers.rate(first[1]),
        "first_settings": f'{{"dlevel": {_whole(first[1])}}}',
        "second_codec": numbers.codec(second[0]),
        "second_target_bpp": numbers.rate(second[1]),
        "second_settings": f'{{"dlevel": {_whole(second[1])}}}',
        "first_on_left": "1" if is_first_left else "0",
        "chosen_side": row.get("response", "").strip().lower().replace(" ", "_"),
        "response_ms": _milliseconds(row.get("response_time", ""), time_unit_ms),
        "n_switches": row.get("toggle_count", ""),
        "server_time": row.get("submission_time", ""),
    }
    return {name: value for name, value in cells.items() if value != ""}


def _place(side: tuple[str, str]) -> tuple[int, int]:
    return _whole(side[0]), _whole(side[1])


def _whole(text: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return -1


def _kind(row: Mapping[str, str]) -> str:
    if row.get("is_bias", "").strip() == "1":
        return "identical"
    return "sentinel" if row.get("is_trap", "").strip() == "1" else "main"


def _expected(first: str, second: str) -> str:
    levels = _whole(first), _whole(second)
    if levels[0] == levels[1]:
        return ""
    return "first" if levels[0] > levels[1] else "second"


def _milliseconds(text: str, unit_ms: float) -> str:
    try:
        return repr(float(text) * unit_ms)
    except ValueError:
        return text
