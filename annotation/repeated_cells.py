"""What all judgments of one session, or of one triplet, repeat: looked up once and kept."""

import json
from collections.abc import Sequence
from typing import Any

from annotation.models import Session, Triplet

# Enough for every triplet of nearly all studies, and a few ten MB at most.
TRIPLETS_KEPT = 20_000
# A statement takes a limited number of parameters.
_KEYS_AT_ONCE = 500


def session_cells(ids: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """What `formats.columns.SESSION` names, by the session's id."""
    found = Session.objects.filter(pk__in=ids).select_related("study").defer("viewing", "crowd")
    return {str(session.pk): _session_cells(session) for session in found}


def _session_cells(session: Session) -> tuple[Any, ...]:
    study = session.study
    return (
        study.slug, study.version, study.is_simulated, study.polarity,
        session.texts.get("question") or study.question, study.mode, study.rate_tolerance,
        study.preset,
        session.language, session.outside_id or str(session.pk), str(session.annotator_id),
        session.started_at.isoformat(), session.state, session.verdict or "not screened",
    )  # fmt: skip


class TripletCells:
    """What `formats.columns.TRIPLET` names of each triplet, read once and kept for a while."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, ...]] = {}

    def cells(self, ids: Sequence[int]) -> list[tuple[Any, ...]]:
        missing = list(set(ids) - self._kept.keys())
        if len(self._kept) + len(missing) > TRIPLETS_KEPT:
            self._kept, missing = {}, list(set(ids))
        for start in range(0, len(missing), _KEYS_AT_ONCE):
            self._read(missing[start : start + _KEYS_AT_ONCE])
        return list(map(self._kept.__getitem__, ids))

    def _read(self, ids: Sequence[int]) -> None:
        found = Triplet.objects.filter(pk__in=ids).values_list(*TRIPLET_READ)
        for row in found:
            self._kept[row[0]] = triplet_cells(row)


_SIDE = ("codec", "target_bpp", "bpp", "settings", "state")
TRIPLET_READ = (
    "pk", "kind", "expected", "source__collection", "source__name", "crop_left_px", "crop_top_px",
    "crop_width_px", "crop_height_px", "target_bpp",
    *(f"first__{name}" for name in _SIDE), *(f"second__{name}" for name in _SIDE),
)  # fmt: skip


def triplet_cells(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The columns of TRIPLET from those that `TRIPLET_READ` names."""
    cells = list(row)
    cells[0] = str(row[0])
    for at in (TRIPLET_READ.index("first__settings"), TRIPLET_READ.index("second__settings")):
        cells[at] = json.dumps(row[at], sort_keys=True)
    return tuple(cells)
