"""Who began, who finished, who left and where; how long a session takes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from annotation.models import Session, Study, Trial
from annotation.screening import n_judged_of_each

# A session at work, and one that was left: both are active to the database.
ANSWERING, LEFT = "answering", "left"
MOST_BINS = 10


def has_left() -> Q:
    """Active, but no trial of it is under a lease any more, and it began longer ago than one.

    Who comes back goes on all the same; until then the triplets are others'.
    """
    now = timezone.now()
    leased = Trial.objects.filter(
        session=OuterRef("pk"), state=Trial.State.LEASED, lease_until__gte=now
    )
    began_before = now - timedelta(seconds=settings.TRIAL_LEASE_S)
    return Q(~Exists(leased), state=Session.State.ACTIVE, started_at__lt=began_before)


@dataclass(frozen=True)
class Step:
    """Sessions that reached a stretch of trials, and those that ended unfinished within it.

    `low` to `high`: trials judged. A session is still `here` where it goes on.
    """

    low: int
    high: int
    n_reached: int
    n_left: int

    @property
    def share(self) -> float:
        return self.n_left / self.n_reached if self.n_reached else 0.0


@dataclass(frozen=True)
class Sessions:
    """Sessions by what became of them and by verdict; people; where unfinished ones ended."""

    n_begun: int
    n_annotators: int
    by_state: dict[str, int]
    by_verdict: dict[str, int]
    steps: list[Step]

    @property
    def n_unfinished(self) -> int:
        return self.by_state[LEFT] + self.by_state[Session.State.FAILED]


def sessions_of(study: Study) -> Sessions:
    rows = study.sessions.order_by()
    by_end = _by_end(rows)
    states = dict.fromkeys(
        [ANSWERING, LEFT, *(s for s in Session.State.values if s != "active")], 0
    )
    for (state, _), n in by_end.items():
        states[state] += n
    verdicts = dict.fromkeys([*Session.Verdict.values, ""], 0)
    verdicts |= dict(rows.values_list("verdict").annotate(n=Count("pk")))
    return Sessions(
        n_begun=sum(states.values()),
        n_annotators=rows.aggregate(n=Count("annotator", distinct=True))["n"],
        by_state=states,
        by_verdict=verdicts,
        steps=_steps(by_end),
    )


def _by_end(rows: QuerySet[Session]) -> dict[tuple[str, int], int]:
    """Sessions by what became of them and by trials judged; withdrawn ones kept no trials."""
    ends = Case(
        When(has_left(), then=Value(LEFT)),
        When(state=Session.State.ACTIVE, then=Value(ANSWERING)),
        default=F("state"),
    )
    found = rows.annotate(ended=ends, n_trials=n_judged_of_each())
    counted = found.values_list("ended", "n_trials").annotate(n=Count("pk"))
    return {(state, n_trials): n for state, n_trials, n in counted}


def _steps(by_end: dict[tuple[str, int], int]) -> list[Step]:
    """Where unfinished sessions ended, in about ten stretches of equal length."""
    told = {key: n for key, n in by_end.items() if key[0] != Session.State.WITHDRAWN}
    most = max((n_trials for _, n_trials in told), default=0)
    if not most:
        return []
    length = -(-most // MOST_BINS)
    steps = []
    for low in range(0, most + 1, length):
        high = min(low + length - 1, most)
        reached = sum(n for (_, at), n in told.items() if at >= low)
        left = sum(
            n
            for (state, at), n in told.items()
            if low <= at <= high and state in (LEFT, Session.State.FAILED)
        )
        steps.append(Step(low, high, reached, left))
    return steps


def minutes_of(study: Study) -> list[float]:
    """How long each finished session took from its beginning to its end, breaks and all."""
    finished: Any = study.sessions.order_by().filter(
        state=Session.State.FINISHED, finished_at__isnull=False
    )
    times = finished.values_list("started_at", "finished_at")
    return [(end - start).total_seconds() / 60 for start, end in times.iterator()]
