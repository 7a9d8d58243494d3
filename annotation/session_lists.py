"""Which sessions a table shows and in which order, as its address says."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Q, QuerySet

from annotation.leaving import ANSWERING, LEFT, has_left
from annotation.models import Session, Study
from annotation.screening import n_judged_of_each, newest_of_each, with_newest

UNFINISHED = "unfinished"
STATES = (
    (ANSWERING, "answering now"),
    (LEFT, "left"),
    (UNFINISHED, "left, or failed the practice"),
    *((value, label) for value, label in Session.State.choices if value != Session.State.ACTIVE),
)
NONE = "none"
VERDICTS = (*Session.Verdict.choices, (NONE, "no verdict"))
# What a table may be ordered by: its heading, and the highest first at the first click or not.
COLUMNS = {
    "": ("Session", False),
    "started": ("Started", True),
    "state": ("State", False),
    "judged": ("Judged", True),
    "verdict": ("Screening", False),
    "suspicion": ("Suspicion (%)", True),
}
MOST_SUSPECT = "-suspicion"


@dataclass(frozen=True)
class Asked:
    """Of which sessions, in which order.

    state, verdict: one of STATES, VERDICTS, or "" for all. judged: a range of trials, "10-19", or
    "". sort: a column, with "-" before it downwards.
    """

    state: str = ""
    verdict: str = ""
    judged: str = ""
    sort: str = MOST_SUSPECT

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> "Asked":
        """What an address asks for; what nobody knows asks for nothing."""
        # `active` is both kinds: at work, and left.
        state = LEFT if query.get("left") == "yes" else str(query.get("state", ""))
        verdict, sort = str(query.get("verdict", "")), str(query.get("sort", ""))
        judged = str(query.get("judged", ""))
        return cls(
            state if state in {Session.State.ACTIVE, *dict(STATES)} else "",
            verdict if verdict in dict(VERDICTS) else "",
            judged if re.fullmatch(r"[0-9]{1,9}-[0-9]{1,9}", judged) else "",
            sort if sort.removeprefix("-") in COLUMNS and sort.strip("-") else MOST_SUSPECT,
        )

    @property
    def is_all(self) -> bool:
        return not (self.state or self.verdict or self.judged)

    def query(self, **changed: str) -> str:
        values = {**asdict(self), **changed}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True)
class Column:
    """A heading, the address that orders by it, and how the table is ordered by it now."""

    name: str
    label: str
    query: str
    order: str

    @property
    def is_number(self) -> bool:
        return self.name in ("judged", "suspicion")


def columns(asked: Asked) -> list[Column]:
    return [_column(asked, name, *about) for name, about in COLUMNS.items()]


def _column(asked: Asked, name: str, label: str, begins_down: bool) -> Column:
    if not name:
        return Column(name, label, "", "")
    is_sorted, is_down = asked.sort.removeprefix("-") == name, asked.sort.startswith("-")
    goes_down = not is_down if is_sorted else begins_down
    order = ("descending" if is_down else "ascending") if is_sorted else ""
    return Column(name, label, asked.query(sort=f"{'-' if goes_down else ''}{name}"), order)


def keys(study: Study, asked: Asked) -> QuerySet[Session, UUID]:
    """The sessions' ids in order: only what orders them is worked out for each."""
    found = _filtered(study.sessions.order_by(), asked)
    name, is_down = asked.sort.removeprefix("-"), asked.sort.startswith("-")
    if name == "suspicion":
        found = found.annotate(by=newest_of_each("suspicion"))
    elif name == "judged":
        found = found.annotate(by=n_judged_of_each())
    else:
        found = found.annotate(by=F({"started": "started_at"}.get(name, name)))
    order = F("by").desc(nulls_last=True) if is_down else F("by").asc(nulls_last=True)
    return found.order_by(order, "-started_at", "pk").values_list("pk", flat=True)


def _filtered(sessions: QuerySet[Session], asked: Asked) -> QuerySet[Session]:
    if asked.state == LEFT:
        sessions = sessions.filter(has_left())
    elif asked.state == ANSWERING:
        sessions = sessions.filter(state=Session.State.ACTIVE).exclude(has_left())
    elif asked.state == UNFINISHED:
        sessions = sessions.filter(has_left() | Q(state=Session.State.FAILED))
    elif asked.state:
        sessions = sessions.filter(state=asked.state)
    if asked.verdict:
        sessions = sessions.filter(verdict="" if asked.verdict == NONE else asked.verdict)
    if asked.judged:
        low, high = map(int, asked.judged.split("-"))
        sessions = sessions.alias(n=n_judged_of_each()).filter(n__gte=low, n__lte=high)
    return sessions


def rows(study: Study, keys: list[UUID]) -> list[Session]:
    """These sessions, as a table shows them, in the same order."""
    found = {row.pk: row for row in with_newest(study.sessions.filter(pk__in=keys))}
    return [found[key] for key in keys if key in found]
