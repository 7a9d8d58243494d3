"""How a study's people come in: its settings, the links to send, and who came."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from annotation import auditing, crowd
from annotation.models import Session, Study


@dataclass(frozen=True)
class Link:
    """An address to send, and what to know about it."""

    label: str
    address: str
    note: str


@dataclass(frozen=True)
class Came:
    """Sessions by state; a withdrawn one is a row without answers."""

    by_state: dict[str, int]
    n_judgments_withdrawn: int

    @property
    def n_sessions(self) -> int:
        return sum(self.by_state.values())

    @property
    def n_withdrawn(self) -> int:
        return self.by_state[Session.State.WITHDRAWN]


def change_recruiting(
    study: Study,
    recruiting: str,
    codes: Mapping[str, str] | None = None,
    user: auditing.Actor = None,
) -> None:
    """Who may come in from now on, and the codes they take back, at any time of a study's life.

    Neither changes what people are asked. None keeps the codes. A session that began goes on.
    """
    if recruiting not in Study.Recruiting.values:
        raise ValueError(
            f"Found recruiting {recruiting!r}; expected one of {', '.join(Study.Recruiting)}."
        )
    if study.is_simulated:
        raise ValueError(f"Study {study.slug} is answered by simulated observers, not by people.")
    names = ("recruiting", "completion_codes")
    before = auditing.standing(study, names)
    study.recruiting = recruiting
    if codes is not None:
        study.completion_codes = crowd.checked_codes(codes)
    with transaction.atomic():
        study.save(update_fields=names)
        auditing.record(study, user, "Recruiting changed", before, auditing.standing(study, names))


def links_for(study: Study, address: str) -> list[Link]:
    """What to send to people; none where each person gets an invitation of their own."""
    if study.is_simulated or study.recruiting == Study.Recruiting.INVITED:
        return []
    if study.recruiting == Study.Recruiting.CROWD:
        return [
            Link(provider.label, crowd.link_for(name, address), provider.note)
            for name, provider in crowd.PROVIDERS.items()
        ]
    if study.recruiting == Study.Recruiting.ACCOUNTS:
        return [
            Link(
                "People with an account",
                address,
                "They are asked to log in first; where annotators are named, only they come in.",
            )
        ]
    return [Link("Everybody", address, "Whoever has it may answer; it can be passed on.")]


def came(study: Study) -> Came:
    found = dict(
        study.sessions.order_by().values_list("state").annotate(n=Count("pk")).values_list(
            "state", "n"
        )
    )  # fmt: skip
    stones = study.sessions.filter(state=Session.State.WITHDRAWN).values_list(
        "withdrawn__judgments", flat=True
    )
    return Came(
        {state: found.get(state, 0) for state in Session.State.values},
        sum(n or 0 for n in stones.order_by()),
    )
