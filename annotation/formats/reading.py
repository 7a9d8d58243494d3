"""Rows of a file of judgments as text, whatever wrote it: CSV, JSON lines, Parquet, AIC-3.

Each has `name`, `columns`, and `cells()`: every row with its line and its cells that are not
empty, by column. A row that is broken has the key "" with what is wrong.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Protocol, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.formats import aic3
from annotation.formats.writing import unguarded

Cells = dict[str, str]
# What one row may hold, in characters, and what Parquet may unpack to.
LONGEST_LINE = 1_000_000
MOST_PARQUET_BYTES = 8_000_000_000
_ROWS_OF_A_LOOK = 500
_ROWS_OF_A_BATCH = 256


class Rows(Protocol):
    name: str
    columns: tuple[str, ...]

    def cells(self) -> Iterator[tuple[int, Cells]]: ...


class _BoundedLines:
    """Lines for a CSV reader, which joins them where a cell holds breaks: bounded row by row."""

    def __init__(self, file: TextIO, name: str) -> None:
        self._file, self._name, self._line = file, name, 0
        self.begin_row()

    def begin_row(self) -> None:
        self._left = LONGEST_LINE

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = self._file.readline(self._left + 1)
        if not text:
            raise StopIteration
        self._line += 1
        self._left -= len(text)
        if self._left < 0:
            raise ValueError(f"{self._name}: the row on line {self._line} is longer than 1 MB.")
        return text


class CsvRows:
    """Lines are those on which a row ends."""

    def __init__(self, path: Path) -> None:
        self._path, self.name = path, path.name
        self.columns = tuple(name.strip() for name in next(self._lines())[1])

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """The header, then every row that is not empty, with the line on which it ends."""
        try:
            with self._path.open(newline="", encoding="utf-8-sig") as file:
                lines = _BoundedLines(file, self.name)
                reader = csv.reader(lines)
                yield 1, next(reader, [])
                lines.begin_row()
                for values in reader:
                    lines.begin_row()
                    if values:
                        yield reader.line_num, values
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{self.name} is no CSV in UTF-8: {error}.") from error

    def cells(self) -> Iterator[tuple[int, Cells]]:
        for line, values in islice(self._lines(), 1, None):
            named = {
                name: unguarded(value) if value[0] == "'" else value
                for name, value in zip(self.columns, values, strict=False)
                if value
            }
            if len(values) > len(self.columns):
                named[""] = f"found {len(values)} cells, expected {len(self.columns)}"
            yield line, named


class JsonRows:
    """One object a line; its columns are the keys of the first lines, in their order."""

    def __init__(self, path: Path) -> None:
        self._path, self.name = path, path.name
        keys: dict[str, None] = {}
        for _, row in islice(self.cells(is_whole=True), _ROWS_OF_A_LOOK):
            keys |= dict.fromkeys(row)
        keys.pop("", None)
        self.columns = tuple(keys)

    def cells(self, is_whole: bool = False) -> Iterator[tuple[int, Cells]]:
        """`is_whole`: empty cells too."""
        try:
            with self._path.open(encoding="utf-8-sig") as file:
                line = 0
                while text := file.readline(LONGEST_LINE + 1):
                    line += 1
                    if len(text) > LONGEST_LINE:
                        raise ValueError(f"{self.name}: line {line} is longer than 1 MB.")
                    if text.strip():
                        yield line, _object(text, is_whole)
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.name} is not in UTF-8: {error}.") from error


def _object(text: str, is_whole: bool) -> Cells:
    try:
        read = json.loads(text)
        if not isinstance(read, dict):
            return {"": f"found JSON of type {type(read).__name__}; expected an object"}
        cells = {str(name): as_text(value) for name, value in read.items() if name}
    except (json.JSONDecodeError, RecursionError):
        return {"": "found no JSON on this line; expected one object"}
    except ValueError:
        # Python reads whole numbers of some thousand digits at most.
        return {"": "found a whole number of thousands of digits; expected shorter numbers"}
    return cells if is_whole else {name: text for name, text in cells.items() if text}


def as_text(value: object) -> str:
    """A value as a cell of CSV would hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, dict | list) else repr(value)


class ParquetRows:
    """Rows are numbered from 1."""

    def __init__(self, path: Path) -> None:
        self._path, self.name = path, path.name
        try:
            with pq.ParquetFile(path) as file:
                groups = range(file.metadata.num_row_groups)
                n_bytes = sum(file.metadata.row_group(at).total_byte_size for at in groups)
                self.columns = tuple(file.schema_arrow.names)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ValueError(f"{path.name} is no Parquet file: {error}.") from error
        if n_bytes > MOST_PARQUET_BYTES:
            raise ValueError(f"{path.name} unpacks to {n_bytes:,} bytes; split it.")

    def cells(self) -> Iterator[tuple[int, Cells]]:
        line = 0
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(batch_size=_ROWS_OF_A_BATCH):
                    # Before they become Python's: a value may stand once and be meant often.
                    if batch.nbytes > LONGEST_LINE * batch.num_rows:
                        raise ValueError(f"{self.name}: rows after {line} are longer than 1 MB.")
                    for row in batch.to_pylist():
                        line += 1
                        yield line, self._texts(line, row)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.name} is damaged after row {line}: {error}.") from error

    def _texts(self, line: int, row: dict[str, object]) -> Cells:
        texts = {name: text for name, value in row.items() if (text := as_text(value))}
        for name, text in texts.items():
            if len(text) > LONGEST_LINE:
                raise ValueError(f"{self.name}: {name[:80]} of row {line} is longer than 1 MB.")
        return texts


class Aic3Rows:
    """Responses in AIC-3's columns as rows of our own; the lookups beside the file are used.

    The published files say seconds and hold whole milliseconds: whole numbers whose median is
    100 or more are taken as milliseconds. `notes` say what was taken.
    """

    def __init__(self, path: Path) -> None:
        self._rows, self.name = CsvRows(path), path.name
        self.columns = self._rows.columns
        lacking = [name for name in NEEDED if name not in self.columns]
        if lacking:
            raise ValueError(f"{path.name} lacks the columns {', '.join(lacking)} of AIC-3.")
        self._numbers = aic3.Numbers(
            codecs=_lookup(path.with_name("codecs.csv"), "codec", "name"),
            rates=_lookup(path.with_name("levels.csv"), "dlevel", "target_bpp"),
            images=_lookup(path.with_name("images.csv"), "img_num", "name"),
        )
        self._unit_ms = self._time_unit()
        unit = "milliseconds" if self._unit_ms == 1 else "seconds"
        self.notes = [
            f"response_time was taken as {unit}",
            "the question is AIC-3's: which differs more",
        ]

    def _time_unit(self) -> float:
        texts = (cells.get("response_time") for _, cells in self._rows.cells())
        times = [_time(text) for text in islice(texts, _ROWS_OF_A_LOOK) if text]
        told = [time for time in times if time is not None]
        is_whole = bool(told) and all(time == int(time) for time in told)
        return 1.0 if is_whole and median(told) >= 100 else 1000.0

    def cells(self) -> Iterator[tuple[int, Cells]]:
        for line, row in self._rows.cells():
            cells = aic3.judgment_cells(row, self._numbers, self._unit_ms)
            yield line, {**cells, "": row[""]} if "" in row else cells


NEEDED = ("assignment", "img_num", "codec_left", "codec_right", "response")


def _time(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _lookup(path: Path, key: str, value: str) -> dict[str, str]:
    if not path.is_file():
        return {}
    return {row.get(key, ""): row.get(value, "") for _, row in CsvRows(path).cells()}


READERS: dict[str, Callable[[Path], Rows]] = {
    "csv": CsvRows,
    "jsonl": JsonRows,
    "parquet": ParquetRows,
    "aic3": Aic3Rows,
}
