"""Whether a side of the screen was favoured, by the plan or by people, with its test."""

from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import Case, F, Q, Value, When
from numpy.typing import NDArray

from annotation.models import Judgment, Study
from annotation.preference.evenness import even_p, even_p_assuming_independence
from annotation.preference.intervals import Estimate
from annotation.preference.shares import clustered_share

_CHOSE_LEFT = Q(choice="first", trial__first_on_left=True) | Q(
    choice="second", trial__first_on_left=False
)
_OBSERVERS = """
WITH answers AS ({answers}),
observers AS (
    SELECT who, SUM(is_right) AS k, SUM(is_sided) AS n, SUM(is_turned) AS l, COUNT(*) AS m
    FROM answers GROUP BY who
)
SELECT k, n, l, m, COUNT(*) FROM observers GROUP BY k, n, l, m
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
        cursor.execute(_OBSERVERS.format(answers=sql), params)
        rows = np.array(sorted(cursor.fetchall()), dtype=np.float64).reshape(-1, 5)
    each = np.repeat(rows[:, :4], rows[:, 4].astype(np.intp), axis=0)
    return Sides(_side(each[:, 0], each[:, 1]), _side(each[:, 2], each[:, 3]))


def _side(k: NDArray[np.float64], n: NDArray[np.float64]) -> Side:
    """From each observer's k of n; who gave no answer for a side says nothing of sides."""
    k, n = k[n > 0], n[n > 0]
    n_one, n_both = int(k.sum()), int(n.sum())
    return Side(
        n_one,
        n_both,
        len(n),
        clustered_share(k, n),
        even_p(k, n),
        even_p_assuming_independence(n_one, n_both),
    )
