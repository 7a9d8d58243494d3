"""The tables of a study as they stand: judgments and triplets, as CSV, JSON lines or Parquet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from annotation.formats.columns import JUDGMENTS, TRIPLETS, Column, names
from annotation.formats.writing import Batch, csv_text, jsonl_text, write_parquet
from annotation.judgment_table import judgment_batches
from annotation.models import Study
from annotation.repeated_cells import TRIPLET_READ, triplet_cells

TABLES = ("csv", "jsonl", "parquet")
_ROWS_AT_ONCE = 5_000
_BESIDES = (
    "source__sha256", "source__width", "source__height", "source__licence", "source__attribution",
    "first__codec_version", "first__pixels_sha256", "second__codec_version",
    "second__pixels_sha256", "n_judged",
)  # fmt: skip


def write_judgments(
    file: IO[bytes],
    file_format: str,
    study: Study | None = None,
    *,
    rows: str = "all",
    told: Callable[[int], None] = lambda n: None,
) -> int:
    """A whole table as csv, jsonl or parquet; how many rows. `told` hears of each batch."""
    counted = _Counted(judgment_batches(study, rows=rows), told)
    write_table(file, file_format, counted, JUDGMENTS)
    return counted.n


def write_triplets(file: IO[bytes], file_format: str, study: Study) -> int:
    """Every triplet of a study, judged or not; how many."""
    counted = _Counted(triplet_batches(study))
    write_table(file, file_format, counted, TRIPLETS)
    return counted.n


def write_table(
    file: IO[bytes], file_format: str, batches: Iterable[Batch], columns: Sequence[Column]
) -> None:
    if file_format == "parquet":
        write_parquet(file, batches, columns)
        return
    for text in _TEXTS[file_format](batches, columns):
        file.write(text.encode())


_TEXTS: dict[str, Callable[[Iterable[Batch], Sequence[Column]], Iterator[str]]] = {
    "csv": csv_text,
    "jsonl": jsonl_text,
}


class _Counted:
    """Batches as they pass, and how many rows have."""

    def __init__(
        self, batches: Iterable[Batch], told: Callable[[int], None] = lambda n: None
    ) -> None:
        self._batches, self._told = batches, told
        self.n = 0

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            self.n += len(next(iter(batch.values())))
            yield batch
            self._told(self.n)


def triplet_batches(study: Study) -> Iterator[Batch]:
    """The columns of `formats.columns.TRIPLETS`, in the order in which the triplets were made."""
    last = 0
    while True:
        asked = study.triplets.filter(pk__gt=last).order_by("pk")[:_ROWS_AT_ONCE]
        found = list(asked.values_list(*TRIPLET_READ, *_BESIDES))
        if not found:
            return
        last = found[-1][0]
        cells = [_triplet(study, row) for row in found]
        yield dict(zip(names(TRIPLETS), zip(*cells, strict=True), strict=True))


def _triplet(study: Study, row: tuple[Any, ...]) -> tuple[Any, ...]:
    n = len(TRIPLET_READ)
    return (study.slug, study.is_simulated, *triplet_cells(row[:n]), *row[n:])
