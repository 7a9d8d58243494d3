"""How long an answer and a session take: median and quartiles."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F
from django.db.models.functions import Round

from annotation.leaving import minutes_of
from annotation.models import Judgment, Study

# Answers are counted in steps of this: a row a step comes back, however many judgments.
STEP_MS = 10
SHARES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Quartiles:
    """Lower quartile, median, upper quartile of n values; None of none."""

    low: float
    median: float
    high: float
    n: int


def response_s(study: Study) -> Quartiles | None:
    """Seconds from the painted picture to the answer, to 0.01 s; of judgments that count."""
    timed = Judgment.objects.counted().of_study(study).filter(response_ms__isnull=False)
    counts = dict(
        timed.order_by().values_list(Round(F("response_ms") / STEP_MS)).annotate(n=Count("pk"))
    )
    if not counts:
        return None
    steps = np.array(sorted(counts), dtype=float)
    n_up_to = np.cumsum([counts[step] for step in sorted(counts)])
    n = int(n_up_to[-1])
    # The value below or at which the share lies: no interpolation between steps.
    low, median, high = (
        float(steps[np.searchsorted(n_up_to, share * n)]) * STEP_MS / 1000 for share in SHARES
    )
    return Quartiles(low, median, high, n)


def session_minutes(study: Study) -> Quartiles | None:
    """Minutes a finished session, from its beginning to its end."""
    minutes = minutes_of(study)
    if not minutes:
        return None
    low, median, high = (float(value) for value in np.quantile(minutes, SHARES))
    return Quartiles(low, median, high, len(minutes))
