"""What a design will take before it asks anybody: triplets, judgments, people, hours, money."""

import math
from dataclasses import dataclass
from statistics import median

from annotation import checks, triplets
from annotation.design.ordering import Shares, Slot, plan_slots
from annotation.models import Judgment, Study

# Nobody was timed yet: what a forced choice between two still pictures takes, roughly.
SECONDS_A_TRIAL = 6.0
SECONDS_A_CHECK = 60
# A median of fewer answers says little; of more it says no more.
FEWEST_TIMES, MOST_TIMES, MOST_STUDIES = 30, 5000, 8


@dataclass(frozen=True)
class Pace:
    """Seconds a trial, and where the number comes from; n answers were timed, 0: assumed."""

    seconds: float
    said: str
    n: int = 0


@dataclass(frozen=True)
class Forecast:
    """Counts of a plan, and what it takes of people's time.

    n_judgments: those that count, all triplets together. n_people: at least so many, since
    nobody judges a triplet twice. hours: of all people together, reading and breaks apart.
    """

    plan: triplets.Plan
    n_judgments: int
    n_counted_a_session: int
    n_trials: int
    n_sessions: int
    n_people: int
    pace: Pace
    hours: float
    is_long: bool

    @property
    def minutes_a_session(self) -> float:
        return 60 * self.hours / self.n_sessions

    def cost(self, pay_per_hour: float | None) -> float | None:
        """What the hours cost at a pay, in its currency; without a provider's fee."""
        return None if pay_per_hour is None else self.hours * pay_per_hour


def forecast(study: Study, *, measured_in: Study | None = None) -> Forecast:
    """What a study, saved or not, takes. `measured_in`: whose answers tell the pace, if it has any.

    Raises ValueError as planning does, or where a session has no trial that counts.
    """
    plan = triplets.plan_of(study)
    n_triplets = plan.planned.n_triplets
    n_judgments = n_triplets * study.judgments_per_triplet
    slots = _slots(study)
    n_people, n_sessions = _people(study, n_triplets, _n_counted(slots))
    n_beside = n_sessions * (len(slots) - _n_counted(slots)) + n_people * study.n_practice
    pace = pace_of(study, measured_in)
    seconds = (n_judgments + n_beside) * pace.seconds
    seconds += n_people * len(checks.asked(study)) * SECONDS_A_CHECK
    return Forecast(
        plan=plan,
        n_judgments=n_judgments,
        n_counted_a_session=_n_counted(slots),
        n_trials=n_judgments + n_beside,
        n_sessions=n_sessions,
        n_people=n_people,
        pace=pace,
        hours=seconds / 3600,
        is_long=triplets.is_long(study, plan),
    )


def sessions_for(study: Study, n_triplets: int) -> int:
    """How many sessions give so many triplets the judgments that the study wants of each."""
    return _people(study, n_triplets, _n_counted(_slots(study)))[1]


def _slots(study: Study) -> tuple[Slot, ...]:
    """A session without its practice, which is done once a person; all seeds have as many kinds."""
    shares = Shares(study.sentinel_share, study.identical_share, study.repeat_share)
    return plan_slots(study.seed, study.session_length, 0, study.n_warm_up, shares)


def _n_counted(slots: tuple[Slot, ...]) -> int:
    return sum(
        slot.kind == "main" and not slot.is_warm_up and slot.repeats is None for slot in slots
    )


def _people(study: Study, n_triplets: int, n_counted: int) -> tuple[int, int]:
    """How many people and sessions give every triplet its judgments, each person each once.

    A warm-up uses a triplet up for its person without counting.
    """
    if n_counted < 1:
        raise ValueError(
            f"A session of {study.session_length} trials has none that counts; expected more "
            "than its warm-ups and checks."
        )
    n_judgments = n_triplets * study.judgments_per_triplet
    most = max(1, n_triplets * n_counted // (n_counted + study.n_warm_up))
    if study.sessions_per_person:
        most = min(most, study.sessions_per_person * n_counted)
    n_people = max(math.ceil(n_judgments / most), study.judgments_per_triplet)
    return n_people, max(n_people, math.ceil(n_judgments / n_counted))


def pace_of(study: Study, measured_in: Study | None = None) -> Pace:
    """The median response time: of the study itself, of earlier ones in its mode, or assumed."""
    if measured_in is not None and not measured_in.is_simulated:
        own = _times([measured_in.pk])
        if len(own) >= FEWEST_TIMES:
            return _measured(own, "in this study")
    others = (
        Study.objects.real()
        .filter(is_simulated=False, mode=study.mode, opened_at__isnull=False)
        .order_by("-opened_at")
        .values_list("pk", flat=True)[:MOST_STUDIES]
    )
    times = _times(list(others))
    if len(times) >= FEWEST_TIMES:
        return _measured(times, "in earlier studies shown this way")
    return Pace(SECONDS_A_TRIAL, "an assumption: nobody was timed in a study shown this way yet")


def _measured(times: list[float], where: str) -> Pace:
    said = f"the median of {len(times)} answers {where}, loading and breaks apart"
    return Pace(median(times) / 1000, said, len(times))


def _times(studies: list[int]) -> list[float]:
    rows = Judgment.objects.filter(
        trial__session__study__in=studies, response_ms__isnull=False, superseded_by=None
    ).order_by()
    found = rows.values_list("response_ms", flat=True)[:MOST_TIMES]
    return [ms for ms in found if ms is not None]
