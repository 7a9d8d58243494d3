"""Answers from elsewhere, stored in pieces: trials and judgments, each once, none half."""

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from annotation.imported_triplets import Placed, triplet_key
from annotation.judgment_rows import JudgmentRow
from annotation.models import Judgment, Session, Study, Trial

_AT_ONCE = 2000
_OTHER = {"first": "second", "second": "first", "not_sure": "not_sure"}


class Ids:
    """Ids of new rows: what the file calls them where that is free here, else made from it."""

    def __init__(self, study: Study, model: type[Any], told: Iterable[str]) -> None:
        self._study, self._name = study, model._meta.model_name
        wanted = {text: found for text in told if (found := _as_uuid(text)) is not None}
        taken: set[UUID] = set()
        asked = list(wanted.values())
        for start in range(0, len(asked), 500):
            taken |= set(
                model._default_manager.filter(pk__in=asked[start : start + 500]).values_list(
                    "pk", flat=True
                )
            )
        self._free = {text: found for text, found in wanted.items() if found not in taken}

    def of(self, text: str) -> UUID:
        free = self._free.get(text)
        if free is not None:
            return free
        return uuid5(NAMESPACE_URL, f"triad:import:{self._study.pk}:{self._name}:{text}")


def _as_uuid(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


@dataclass(frozen=True)
class _Stood:
    """A trial that is stored or waits to be."""

    pk: UUID
    triplet: Hashable
    is_swapped: bool


class AnswerWriter:
    """Takes rows in the file's order; raises ValueError for one that cannot stand."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        triplets: Mapping[Hashable, Placed],
        trial_ids: Ids,
        judgment_ids: Ids,
    ) -> None:
        self._sessions, self._triplets = sessions, triplets
        self._trial_ids, self._judgment_ids = trial_ids, judgment_ids
        self._trials: dict[tuple[str, str], _Stood] = {}
        self._owners: dict[str, str] = {}
        self._places: dict[str, set[int]] = {}
        self._seen: dict[tuple[UUID, Hashable], set[bool]] = {}
        # Which trial each judgment belongs to, and which are superseded already.
        self._judged: dict[str, UUID] = {}
        self._superseded: set[str] = set()
        self._new_trials: list[Trial] = []
        self._new_judgments: list[Judgment] = []
        self._server_times: list[tuple[datetime, UUID]] = []
        self.n_judgments = 0

    def add(self, row: JudgmentRow) -> None:
        name = row.judgment or f"line {row.line}"
        if name in self._judged:
            raise ValueError(f"judgment_id {row.judgment} stands twice")
        known = self._trials.get((row.session, _trial_name(row)))
        if known is None:
            if row.supersedes:
                raise ValueError(f"judgment {row.supersedes}, which it supersedes, is not above it")
            known = self._new_trial(row)
        else:
            self._check_superseding(row, known)
        self._add_judgment(row, name, known)
        if len(self._new_judgments) >= _AT_ONCE:
            self.flush()

    def _check_superseding(self, row: JudgmentRow, known: _Stood) -> None:
        if known.triplet != triplet_key(row):
            if row.trial:
                raise ValueError("its trial shows another triplet further up")
            raise ValueError(f"position {row.position} stands twice in session {row.session}")
        if not row.supersedes:
            raise ValueError("its trial was judged already, and it supersedes nothing")
        if self._judged.get(row.supersedes) != known.pk:
            raise ValueError(f"judgment {row.supersedes}, which it supersedes, is not above it")
        if row.supersedes in self._superseded:
            raise ValueError(f"judgment {row.supersedes} is superseded already")

    def _new_trial(self, row: JudgmentRow) -> _Stood:
        session = self._sessions[row.session]
        key = triplet_key(row)
        placed = self._triplets[key]
        if row.trial and self._owners.setdefault(row.trial, row.session) != row.session:
            raise ValueError(f"trial {row.trial} belongs to another session further up")
        places = self._places.setdefault(row.session, set())
        position = len(places) if row.position is None else row.position
        if position in places:
            raise ValueError(f"position {position} stands twice in session {row.session}")
        is_repeat = self._is_repeat(row, session.annotator_id, key)
        places.add(position)
        name = _trial_name(row)
        pk = self._trial_ids.of(row.trial or f"{row.session} {name}")
        stood = _Stood(pk, key, placed.is_swapped)
        self._trials[row.session, name] = stood
        trial = Trial(
            id=stood.pk,
            session_id=session.pk,
            annotator_id=session.annotator_id,
            triplet_id=placed.pk,
            position=position,
            first_on_left=_first_on_left(row, position) != placed.is_swapped,
            is_repeat=is_repeat,
            is_warm_up=row.is_warm_up,
            state=Trial.State.JUDGED,
            lease_until=timezone.now(),
        )
        self._new_trials.append(trial)
        return stood

    def _is_repeat(self, row: JudgmentRow, annotator: UUID, key: Hashable) -> bool:
        """Where the file does not say so, the second showing to a person is the repeat."""
        seen = self._seen.setdefault((annotator, key), set())
        is_repeat = bool(row.is_repeat) or bool(seen)
        if is_repeat in seen:
            raise ValueError("this person has judged this triplet twice before")
        seen.add(is_repeat)
        return is_repeat

    def _add_judgment(self, row: JudgmentRow, name: str, trial: _Stood) -> None:
        pk = self._judgment_ids.of(name)
        superseded = self._judgment_ids.of(row.supersedes) if row.supersedes else None
        self._judged[name] = trial.pk
        if row.supersedes:
            self._superseded.add(row.supersedes)
        self._new_judgments.append(
            Judgment(
                id=pk,
                trial_id=trial.pk,
                supersedes_id=superseded,
                choice=_OTHER[row.choice] if trial.is_swapped else row.choice,
                **row.values,
            )
        )
        if row.server_time is not None:
            self._server_times.append((row.server_time, pk))
        self.n_judgments += 1

    def flush(self) -> None:
        Trial.objects.bulk_create(self._new_trials)
        Judgment.objects.bulk_create(self._new_judgments)
        keep_times(Judgment, "server_time", self._server_times)
        self._new_trials, self._new_judgments, self._server_times = [], [], []


def _trial_name(row: JudgmentRow) -> str:
    if row.trial:
        return f"trial {row.trial}"
    return f"line {row.line}" if row.position is None else f"position {row.position}"


def _first_on_left(row: JudgmentRow, position: int) -> bool:
    """Where the file does not tell the sides, a coin of its own: sides then tell nothing."""
    if row.first_on_left is not None:
        return row.first_on_left
    return hashlib.sha256(f"{row.session}:{position}".encode()).digest()[0] < 128


def keep_times(model: type[Model], name: str, times: Iterable[tuple[datetime, UUID]]) -> None:
    """A column fills itself with now when a row is made; these were made before."""
    moment: Any = model._meta.get_field(name)
    pk: Any = model._meta.pk
    table, quoted = model._meta.db_table, connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quoted(table)} SET {quoted(moment.column)} = %s "
            f"WHERE {quoted(pk.column)} = %s",
            [
                (moment.get_db_prep_save(at, connection), pk.get_db_prep_value(key, connection))
                for at, key in times
            ],
        )
