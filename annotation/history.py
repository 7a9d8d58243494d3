"""What was done to a study, newest first, as a page and a file read it."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from annotation.formats.writing import guarded
from annotation.models import Study, StudyChange

COLUMNS = ("at", "by", "what", "setting", "before", "after")


@dataclass(frozen=True)
class Line:
    """One value that changed; None: there was none, or there is none any more."""

    name: str
    before: Any
    after: Any
    had: bool
    has: bool


def changes_of(study: Study) -> QuerySet[StudyChange]:
    return study.changes.select_related("user")


def lines_of(change: StudyChange) -> list[Line]:
    """Each value of a change beside what stood before it."""
    names = dict.fromkeys([*change.before, *change.after])
    return [
        Line(
            name,
            change.before.get(name),
            change.after.get(name),
            had=name in change.before,
            has=name in change.after,
        )
        for name in names
    ]


def history_csv(study: Study) -> Iterator[str]:
    """One line a value that changed, or one for what has no values; oldest first."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for change in study.changes.order_by("at", "pk").iterator(chunk_size=2000):
        about = [change.at.isoformat(), change.by, change.what]
        for line in lines_of(change) or [Line("", None, None, had=False, has=False)]:
            before = _text(line.before) if line.had else ""
            after = _text(line.after) if line.has else ""
            cells = [*about, line.name, before, after]
            yield writer.writerow([guarded(cell) for cell in cells])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Echo:
    """A file that hands each written line back."""

    def write(self, line: str) -> str:
        return line
