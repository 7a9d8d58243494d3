"""Whether a side of the screen was favoured, by the plan or by people, with its test."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, F, Q, Value, When

from annotation.models import Judgment, Study
from annotation.preference.intervals import Estimate
from annotation.preference.moments import (
    Moments,
    even_p,
    even_p_assuming_independence,
    share_of,
)

_CHOSE_LEFT = Q(choice="first", trial__first_on_left=True) | Q(
    choice="second", trial__first_on_left=False
)
_MOMENTS = """
WITH answers AS ({answers}),
observers AS (
    SELECT who, SUM(is_right) AS k, SUM(is_sided) AS n, SUM(is_turned) AS l, COUNT(*) AS m
    FROM answers GROUP BY who
)
SELECT SUM(CASE WHEN n > 0 THEN 1 ELSE 0 END), SUM(k), SUM(n), SUM(k * k), SUM(k * n), SUM(n * n),
    COUNT(*), SUM(l), SUM(m), SUM(l * l), SUM(l * m), SUM(m * m)
FROM observers
"""


@dataclass(frozen=True)
class Side:
    """A share of n that would be one half, were no side favoured.

    `p` is Student's t over observers, None for fewer than five; `p_independent` the exact
    binomial test as if every answer were another person's.
    """

    k: int
    n: int
    n_observers: int
    estimate: Estimate
    p: float | None
    p_independent: float | None


@dataclass(frozen=True)
class Sides:
    """chosen: answers for the right-hand copy of those for a side ("not sure" left out).
    planned: trials in which the triplet's first copy stood on the right."""

    chosen: Side
    planned: Side


def sides(study: Study) -> Sides:
    """From judgments that count: main trials, nobody excluded."""
    answers = (
        Judgment.objects.counted()
        .of_study(study)
        .order_by()
        .values(
            who=F("trial__annotator_id"),
            is_right=Case(
                When(choice="not_sure", then=0), When(_CHOSE_LEFT, then=0), default=Value(1)
            ),
            is_sided=Case(When(choice="not_sure", then=0), default=Value(1)),
            is_turned=Case(When(trial__first_on_left=True, then=0), default=Value(1)),
        )
    )
    sql, params = answers.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_MOMENTS.format(answers=sql), params)
        sums = cursor.fetchone() or [0] * 12
    return Sides(_side(*sums[:6]), _side(*sums[6:]))


def _side(*sums: Any) -> Side:
    observers, k, n, *squares = (int(value or 0) for value in sums)
    moments = Moments(observers, k, n, *squares)
    return Side(
        k, n, observers, share_of(moments), even_p(moments), even_p_assuming_independence(k, n)
    )
