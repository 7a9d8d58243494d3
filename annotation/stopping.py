"""The stop rule: a study pauses once every share is known as well as was asked for.

Stopping when an interval is narrow enough looks at its width, not at who leads: a fixed-width
interval keeps its level as the width wanted becomes small (Chow and Robbins 1965, Annals of
Mathematical Statistics 36, 457). Stopping once a difference is significant has no such limit.
"""

from dataclasses import dataclass

from django.core.cache import cache
from django.db import transaction

from annotation import auditing, designing, keeping
from annotation.models import Study
from annotation.progressing import n_judged
from annotation.widths import Width, widest, widths

# ITU-R BT.500-15 asks for at least 15 valid observers.
LEAST_OBSERVERS = 15
NARROWEST, WIDEST = 0.01, 0.5


@dataclass(frozen=True)
class Checked:
    """What the rule found: whether every share is known well enough, and the widest of them.

    `widest` is half an interval's width as a share (0..1), None where one has no interval yet;
    `n_observers` is the smallest number of observers behind a share.
    """

    half_width: float | None
    widest: float | None
    n_observers: int
    n_shares: int
    n_narrow: int

    @property
    def is_met(self) -> bool:
        return bool(
            self.half_width
            and self.widest is not None
            and self.widest <= self.half_width
            and self.n_observers >= LEAST_OBSERVERS
        )


def check(study: Study, found: list[Width] | None = None) -> Checked:
    """Hold the rule against the intervals as they are now; changes nothing."""
    rows = widths(study) if found is None else found
    wanted = study.stop_half_width
    return Checked(
        half_width=wanted,
        widest=widest(rows),
        n_observers=min((row.n_observers for row in rows), default=0),
        n_shares=len(rows),
        n_narrow=sum(
            row.half_width is not None and wanted is not None and row.half_width <= wanted
            for row in rows
        ),
    )


def stop_if_met(study: Study, rows: list[Width] | None = None) -> Checked:
    """Pause an open study whose rule is met, as Triad's doing; what the rule found."""
    found = check(study, rows)
    if not found.is_met:
        return found
    with transaction.atomic():
        held = Study.objects.select_for_update().get(pk=study.pk)
        # Somebody may have paused it, or changed the rule, while it was being counted.
        if held.is_open and held.stop_half_width == study.stop_half_width:
            designing.change_state(held, Study.State.PAUSED, auditing.TRIAD)
            auditing.record(held, auditing.TRIAD, "Stop rule met", {}, _told(found))
    study.refresh_from_db(fields=["state"])
    return found


def _told(found: Checked) -> dict[str, float | int | None]:
    return {
        "wanted half width": found.half_width,
        "widest half width": None if found.widest is None else round(found.widest, 4),
        "fewest observers": found.n_observers,
        "shares": found.n_shares,
    }


def due() -> list[Study]:
    """Open studies with a rule and with judgments since it was last looked at."""
    studies = Study.objects.filter(state=Study.State.OPEN).exclude(stop_half_width=None)
    return [study for study in studies if cache.get(_memory_of(study)) != n_judged(study)]


def check_due(study: Study) -> Checked:
    """`stop_if_met`, remembering how many judgments it was that were looked at."""
    n = n_judged(study)
    rows = keeping.kept(study, "widths", n, lambda: widths(study)).value
    found = stop_if_met(study, rows)
    cache.set(_memory_of(study), n, timeout=None)
    return found


def _memory_of(study: Study) -> str:
    return f"stopping:{study.pk}:{study.slug}:{study.stop_half_width}"


def set_rule(study: Study, half_width: float | None, user: auditing.Actor = None) -> None:
    """The half width at which the study pauses (0.01..0.5); None: it has no such rule.

    At any time of its life: it changes how long people are asked, not what they are asked.
    """
    if half_width is not None and not NARROWEST <= half_width <= WIDEST:
        raise ValueError(
            f"Found a half width of {half_width}; expected {NARROWEST} to {WIDEST}, as a share."
        )
    with transaction.atomic():
        held = Study.objects.select_for_update().get(pk=study.pk)
        before = auditing.standing(held, ["stop_half_width"])
        held.stop_half_width = half_width
        held.save(update_fields=["stop_half_width"])
        after = auditing.standing(held, ["stop_half_width"])
        auditing.record(held, user, "Stop rule changed", before, after)
    study.refresh_from_db(fields=["stop_half_width"])
