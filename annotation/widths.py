"""How well each codec's share at each rate is known now, and would be with every judgment in.

The database adds up per observer, then over observers: however many judgments, a row a codec and
rate comes back.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, When

from annotation.models import Judgment, Study, Triplet
from annotation.preference.moments import Moments, forecast_half_width, share_of
from codecs_eval.named_codecs import codec_entry

LEVEL = 0.95
# Twice the win, so that a tie is one: whole numbers add up exactly.
_TWICE_WON = Case(When(choice="first", then=2), When(choice="second", then=0), default=1)
_MOMENTS = """
WITH answers AS ({answers}),
halves AS (
    SELECT who, rate, one AS codec, SUM(twice) AS won, COUNT(*) AS n
    FROM answers GROUP BY who, rate, one
    UNION ALL
    SELECT who, rate, other, SUM(2 - twice), COUNT(*)
    FROM answers GROUP BY who, rate, other
),
observers AS (
    SELECT who, rate, codec, SUM(won) AS won, SUM(n) AS n FROM halves GROUP BY who, rate, codec
)
SELECT rate, codec, COUNT(*), SUM(won), SUM(n), SUM(won * won), SUM(won * n), SUM(n * n)
FROM observers GROUP BY rate, codec ORDER BY rate, codec
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


def widths(study: Study) -> list[Width]:
    """Every codec at every rate of the main triplets, by rate; from judgments that count.

    Intervals at 95 %, over observers; whoever was excluded by the screening is left out.
    """
    found = _moments(study)
    return [
        _width(rate, codec, wanted, found.get((rate, codec)))
        for (rate, codec), wanted in sorted(_wanted(study).items())
    ]


def widest(found: list[Width]) -> float | None:
    """The widest half width; None where one of them has no interval yet."""
    halves = [row.half_width for row in found]
    known = [half for half in halves if half is not None]
    return max(known) if known and len(known) == len(halves) else None


def _width(rate: float, codec: str, n_wanted: int, moments: Moments | None) -> Width:
    if moments is None:
        return Width(rate, codec, 0, 0, n_wanted, None, None, "nobody compared it")
    estimate, n = share_of(moments, level=LEVEL), round(moments.n)
    half = estimate.interval.half_width if estimate.interval else None
    forecast = None if half is None else forecast_half_width(half, n, n_wanted)
    return Width(
        rate, codec, moments.n_observers, n, n_wanted, half, forecast, estimate.reason or ""
    )


def _moments(study: Study) -> dict[tuple[float, str], Moments]:
    answers = (
        Judgment.objects.counted()
        .of_study(study)
        .order_by()
        .values(
            who=F("trial__annotator_id"),
            rate=F("trial__triplet__target_bpp"),
            one=F("trial__triplet__first__codec"),
            other=F("trial__triplet__second__codec"),
            twice=_TWICE_WON,
        )
    )
    sql, params = answers.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_MOMENTS.format(answers=sql), params)
        rows = cursor.fetchall()
    return {(rate, codec): _halved(*sums) for rate, codec, *sums in rows}


def _halved(observers: int, won: Any, n: Any, won_won: Any, won_n: Any, n_n: Any) -> Moments:
    """Wins were counted twice each."""
    sums = (float(won) / 2, float(n), float(won_won) / 4, float(won_n) / 2, float(n_n))
    return Moments(observers, *sums)


def _wanted(study: Study) -> dict[tuple[float, str], int]:
    """Judgments that the study asks for in which each codec takes part."""
    main = study.triplets.filter(kind=Triplet.Kind.MAIN).order_by()
    rows = main.values_list("target_bpp", "first__codec", "second__codec").annotate(n=Count("pk"))
    wanted: dict[tuple[float, str], int] = defaultdict(int)
    for rate, *codecs, n in rows:
        for codec in codecs:
            wanted[rate, codec] += n * study.judgments_per_triplet
    return dict(wanted)
