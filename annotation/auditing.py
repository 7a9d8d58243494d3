"""Who did what to a study: a row beside each change, written in the change's own transaction."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from annotation.models import Study, StudyChange

# Who changes a study: an account; by name what is none; None is a command.
Actor = User | str | None
TRIAD = "Triad"
COMMAND = "a command"


def record(
    study: Study,
    user: Actor,
    what: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> StudyChange | None:
    """Append what was done, in words, with what stood before and what stands now.

    Only what differs is kept; None, and no row, where values are given and none of them differs.
    Runs in the transaction of the change, so that there is both or neither; else RuntimeError.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("record() runs in the transaction of the change that it records.")
    old, new = _plain(before or {}), _plain(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    if same and same == old.keys() | new.keys():
        return None
    return StudyChange.objects.create(
        study=study,
        user=user if isinstance(user, User) else None,
        by=name_of(user),
        what=what[:200],
        before={name: value for name, value in old.items() if name not in same},
        after={name: value for name, value in new.items() if name not in same},
    )


def standing(study: Study, names: Iterable[str]) -> dict[str, Any]:
    """A study's own values, to be handed to `record` as before or after."""
    return {name: study.serializable_value(name) for name in names}


def name_of(user: Actor) -> str:
    if isinstance(user, User):
        return user.get_username()
    return user or COMMAND


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds them: dates and ids as text, tuples as lists."""
    text = json.dumps(dict(values), cls=DjangoJSONEncoder)
    plain: dict[str, Any] = json.loads(text)
    return plain
