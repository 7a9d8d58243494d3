"""What is in a file, told before any of it is stored: columns, first rows, refused rows."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from annotation.formats.aic3 import COLUMNS as AIC3
from annotation.formats.columns import JUDGMENTS, Column
from annotation.import_formats import READERS, is_table, recognised
from annotation.imported_study import file_of
from annotation.imported_triplets import Compared
from annotation.judgment_rows import JudgmentFile, JudgmentRow

FIRST_ROWS = 5
REFUSED_SHOWN = 200
# What an import does where a column is not there.
WITHOUT = {
    "is_simulated": "taken as answers of people",
    "polarity": "taken as: which is closer",
    "question": "our own question stands in its place",
    "position": "numbered in the order of the file",
    "first_on_left": "a coin decides, so that sides tell nothing",
    "annotator_id": "each session counts as a person of its own",
    "triplet_id": "rows on the same source and sides are one triplet",
    "response_ms": "no response times",
    "screening": "not screened",
    "target_bpp": "taken as 0 where no side tells its own: results by rate are not possible",
}


@dataclass(frozen=True)
class ImportReport:
    """`n_read` rows were looked at, all of them unless `is_partial`; nothing was stored."""

    file_format: str
    columns: list[dict[str, str]]
    missing: list[dict[str, str]]
    first_rows: list[dict[str, str]]
    n_read: int
    n_good: int
    n_refused: int
    refused: list[tuple[int, str]]
    is_partial: bool
    facts: list[tuple[str, Any]]
    notes: list[str]
    is_simulated: bool


def report_of(
    path: Path, file_format: str = "", *, n_raters: int = 0, most: int | None = None
) -> ImportReport:
    """Read a file or folder, or its first `most` rows. Raises ValueError where none can be read."""
    found = file_format or recognised(path)
    if is_table(found):
        return _of_table(path, found, most)
    if found not in READERS:
        raise ValueError(f"Found format {found!r}; expected a known one.")
    return _of_pictures(path, found, n_raters, most)


def _of_table(path: Path, file_format: str, most: int | None) -> ImportReport:
    file = JudgmentFile(file_of(path, file_format), file_format)
    seen = _Seen()
    for row in islice(file.rows(), most):
        seen.add(row)
    meanings = AIC3 if file_format == "aic3" else JUDGMENTS
    cells = [{"": str(line)} | row for line, row in islice(file.cells(), FIRST_ROWS)]
    return ImportReport(
        file_format=file_format,
        columns=_columns(file.columns, meanings),
        missing=_missing(file.columns) if file_format != "aic3" else [],
        first_rows=[{(k if k else "line"): v for k, v in row.items()} for row in cells],
        n_read=seen.n_read,
        n_good=seen.n_good,
        n_refused=seen.n_refused,
        refused=seen.refused,
        is_partial=most is not None and seen.n_read >= most,
        facts=seen.facts(),
        notes=file.notes,
        is_simulated=seen.n_simulated > 0,
    )


class _Seen:
    """What the rows of a table hold, one by one."""

    def __init__(self) -> None:
        self._compared = Compared()
        self._sessions: set[str] = set()
        self._people: set[str] = set()
        self._sources: set[tuple[str, str]] = set()
        self._choices = {"first": 0, "second": 0, "not_sure": 0}
        self.refused: list[tuple[int, str]] = []
        self.n_read = self.n_good = self.n_refused = self.n_simulated = 0

    def add(self, row: JudgmentRow | tuple[int, str]) -> None:
        self.n_read += 1
        if not isinstance(row, JudgmentRow):
            self._refuse(*row)
            return
        try:
            self._compared.add(row)
        except ValueError as error:
            self._refuse(row.line, str(error))
            return
        self.n_good += 1
        self.n_simulated += row.is_simulated
        self._sessions.add(row.session)
        self._people.add(row.annotator or row.session)
        self._sources.add((row.collection, row.source))
        self._choices[row.choice] += 1

    def _refuse(self, line: int, reason: str) -> None:
        self.n_refused += 1
        if len(self.refused) < REFUSED_SHOWN:
            self.refused.append((line, reason))

    def facts(self) -> list[tuple[str, Any]]:
        return [
            ("sessions", len(self._sessions)),
            ("people", len(self._people)),
            ("sources", len(self._sources)),
            *((f"choice {choice}", n) for choice, n in self._choices.items()),
            ("simulated rows", self.n_simulated),
        ]


def _columns(found: tuple[str, ...], known: tuple[Column, ...]) -> list[dict[str, str]]:
    meanings = {column.name: column for column in known}
    return [
        {
            "name": name,
            "unit": meanings[name].unit if name in meanings else "",
            "meaning": meanings[name].meaning if name in meanings else "",
        }
        for name in found
    ]


def _missing(found: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name, "then": then} for name, then in WITHOUT.items() if name not in found]


def _of_pictures(folder: Path, file_format: str, n_raters: int, most: int | None) -> ImportReport:
    pairs = READERS[file_format](folder, n_raters, most)
    triplets, judgments = pairs.triplets, pairs.judgments
    counts = judgments["choice"].value_counts()
    n_refused = len(pairs.report.refused)
    # A row of BAPPS is a triplet with all its judgments, elsewhere one judgment.
    n_rows = n_refused + (len(triplets) if file_format == "bapps" else pairs.report.accepted)
    return ImportReport(
        file_format=file_format,
        columns=[],
        missing=[],
        first_rows=[
            {name: str(row[name]) for name in ("triplet_id", "source", "first_codec",
                                               "second_codec")}
            for row in triplets.head(FIRST_ROWS).to_dict("records")
        ],
        n_read=pairs.report.accepted + n_refused,
        n_good=pairs.report.accepted,
        n_refused=n_refused,
        refused=pairs.report.refused[:REFUSED_SHOWN],
        is_partial=most is not None and n_rows >= most,
        facts=[
            ("triplets", len(triplets)),
            ("sources", int(triplets["source"].nunique())),
            *((f"choice {choice}", int(n)) for choice, n in counts.items()),
        ],
        notes=[],
        is_simulated=pairs.is_simulated,
    )  # fmt: skip
