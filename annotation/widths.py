"""How well each codec's share at each rate is known now, and would be with every judgment in.

The database adds up per observer and counts observers of equal sums: however many judgments, a
few hundred rows a codec and rate come back.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Case, F, When
from numpy.typing import NDArray

from annotation.coverage import Coverage, coverage
from annotation.models import Judgment, Study, at_one_rate
from annotation.preference.evenness import forecast_half_width
from annotation.preference.shares import clustered_share
from codecs_eval.named_codecs import codec_entry

LEVEL = 0.95
# Twice the win, so that a tie is one: whole numbers add up exactly.
_TWICE_WON = Case(When(choice="first", then=2), When(choice="second", then=0), default=1)
_OBSERVERS = """
WITH answers AS ({answers}),
halves AS (
    SELECT who, rate, one AS codec, twice AS won FROM answers
    UNION ALL
    SELECT who, rate, other, 2 - twice FROM answers
),
observers AS (
    SELECT who, rate, codec, SUM(won) AS won, COUNT(*) AS n FROM halves GROUP BY who, rate, codec
)
SELECT rate, codec, won, n, COUNT(*) FROM observers GROUP BY rate, codec, won, n
"""


@dataclass(frozen=True)
class Width:
    """One codec at one rate: half the width of its share's interval, as a share (0..1).

    `half_width` is None with `reason` where too few observers answered; the forecast with it.
    n counts judgments in which the codec took part, n_wanted those that the study asks for.
    """

    target_bpp: float
    codec: str
    n_observers: int
    n: int
    n_wanted: int
    half_width: float | None
    forecast: float | None
    reason: str

    @property
    def entry(self) -> Any:
        return codec_entry(self.codec)

    @property
    def share_done(self) -> float:
        return self.n / self.n_wanted if self.n_wanted else 0.0


def widths(study: Study, cells: Coverage | None = None) -> list[Width]:
    """Every codec at every rate of the main triplets, by rate; from judgments that count.

    Intervals at 95 %, over observers; whoever was excluded by the screening is left out. `cells`:
    the study's coverage, where it is known already.
    """
    found = _answered(study)
    wanted = _wanted(coverage(study) if cells is None else cells)
    return [
        _width(rate, codec, n, found.get((rate, codec)))
        for (rate, codec), n in sorted(wanted.items())
    ]


def widest(found: list[Width]) -> float | None:
    """The widest half width; None where one of them has no interval yet."""
    halves = [row.half_width for row in found]
    known = [half for half in halves if half is not None]
    return max(known) if known and len(known) == len(halves) else None


def _width(rate: float, codec: str, n_wanted: int, answered: "_Answered | None") -> Width:
    if answered is None:
        return Width(rate, codec, 0, 0, n_wanted, None, None, "nobody compared it")
    estimate, n = clustered_share(answered.won, answered.n, level=LEVEL), int(answered.n.sum())
    half = estimate.interval.half_width if estimate.interval else None
    forecast = None if half is None else forecast_half_width(half, n, n_wanted)
    reason = estimate.reason or ""
    return Width(rate, codec, len(answered.n), n, n_wanted, half, forecast, reason)


@dataclass(frozen=True, eq=False)
class _Answered:
    """Of each observer: answers about one codec at one rate, and how many it won; (G,) each."""

    won: NDArray[np.float64]
    n: NDArray[np.float64]


def _answered(study: Study) -> dict[tuple[float, str], _Answered]:
    answers = (
        Judgment.objects.counted()
        .of_study(study)
        # As in the results.
        .filter(at_one_rate(study.rate_tolerance, "trial__triplet__"))
        .order_by()
        .values(
            who=F("trial__annotator_id"),
            rate=F("trial__triplet__first__target_bpp"),
            one=F("trial__triplet__first__codec"),
            other=F("trial__triplet__second__codec"),
            twice=_TWICE_WON,
        )
    )
    sql, params = answers.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_OBSERVERS.format(answers=sql), params)
        found: dict[tuple[float, str], list[tuple[Any, ...]]] = defaultdict(list)
        for rate, codec, *counts in cursor.fetchall():
            found[rate, codec].append(tuple(counts))
    return {condition: _by_observer(rows) for condition, rows in found.items()}


def _by_observer(rows: list[tuple[Any, ...]]) -> _Answered:
    """From (twice the wins, answers, observers with both). In one order, for equal sums."""
    twice, n, observers = np.array(sorted(rows), dtype=np.float64).T
    times = observers.astype(np.intp)
    return _Answered(np.repeat(twice / 2, times), np.repeat(n, times))


def _wanted(cells: Coverage) -> dict[tuple[float, str], int]:
    """Judgments that the study asks for in which each codec takes part."""
    wanted: dict[tuple[float, str], int] = defaultdict(int)
    for _, row in cells.rows:
        for cell in filter(None, row):
            for codec in cell.pair:
                wanted[cell.target_bpp, codec] += cell.n_wanted
    return dict(wanted)
