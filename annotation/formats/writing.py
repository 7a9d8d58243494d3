"""Columns -> lines of CSV and JSON, row groups of Parquet: batch by batch, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.formats.columns import Column

# A batch: a column's name -> its values, all of one length. Moments are ISO 8601 text.
Batch = Mapping[str, Sequence[Any]]

GUARDED = "=+-@\t\r\n＝＋－＠"
BYTE_ORDER_MARK = "\ufeff"
_ROW_GROUP = 32_768

_TYPES = {
    "id": pa.string(),
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "moment": pa.timestamp("us", tz="UTC"),
}


def guarded(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers.

    So does text that already looks guarded, so that taking the apostrophe away again always gives
    what stood there. Source: OWASP, CSV Injection (= + - @ tab CR, and the full-width forms).
    """
    if isinstance(value, str) and value:
        bare = value.lstrip("'")
        if bare[:1] and bare[0] in GUARDED:
            return "'" + value
    return value


def unguarded(value: str) -> str:
    """The cell as it was before `guarded`."""
    bare = value.lstrip("'")
    if value[:1] == "'" and bare[:1] and bare[0] in GUARDED:
        return value[1:]
    return value


def csv_text(batches: Iterable[Batch], columns: Sequence[Column]) -> Iterator[str]:
    """Pieces of a CSV file, header first: UTF-8 with a byte order mark, lines end in CRLF.

    Without the mark, spreadsheets read UTF-8 as something else.
    """
    yield BYTE_ORDER_MARK + ",".join(column.name for column in columns) + "\r\n"
    line = ",".join(["%s"] * len(columns)) + "\r\n"
    for batch in batches:
        cells = (_csv_cells(batch[c.name], c) for c in columns)
        yield "".join([line % row for row in zip(*cells, strict=True)])


def _csv_cells(values: Sequence[Any], column: Column) -> Sequence[Any]:
    if column.kind in ("id", "moment"):
        return values
    if column.kind == "text":
        # Few of a column's texts differ: each is made a cell once.
        encoded = {text: _quoted(guarded(text)) for text in set(values)}
        return [encoded[value] for value in values]
    if column.kind == "flag":
        return ["1" if value else "" if value is None else "0" for value in values]
    return _numbers(values, "")


def _numbers(values: Sequence[Any], nothing: str) -> Sequence[Any]:
    """Whole numbers and floats as they are: %s writes them as repr does, so that they come back."""
    if None not in values:
        return values
    return [nothing if value is None else value for value in values]


def _quoted(text: str) -> str:
    """RFC 4180: in quotation marks, its own doubled, where a reader would take it apart."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def jsonl_text(batches: Iterable[Batch], columns: Sequence[Column]) -> Iterator[str]:
    """Pieces of a file of JSON objects, one a line, all with the same keys; UTF-8."""
    keys = [json.dumps(column.name).replace("%", "%%") for column in columns]
    line = "{" + ",".join(f"{key}:%s" for key in keys) + "}\n"
    for batch in batches:
        cells = (_json_cells(batch[c.name], c) for c in columns)
        yield "".join([line % row for row in zip(*cells, strict=True)])


def _json_cells(values: Sequence[Any], column: Column) -> Sequence[Any]:
    if column.kind in ("whole", "number"):
        return _numbers(values, "null")
    if column.kind == "flag":
        words = {None: "null", True: "true", False: "false"}
        return [words[value] for value in values]
    if column.kind in ("id", "moment"):
        return [f'"{value}"' if value else '""' for value in values]
    encoded = {text: json.dumps(text, ensure_ascii=False) for text in set(values)}
    return [encoded[value] for value in values]


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The Parquet types, each field with its unit and meaning beside it."""
    return pa.schema(
        [
            pa.field(
                column.name,
                _TYPES[column.kind],
                metadata={"unit": column.unit, "meaning": column.meaning},
            )
            for column in columns
        ]
    )


def write_parquet(
    file: IO[bytes],
    batches: Iterable[Batch],
    columns: Sequence[Column],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """A Parquet file (zstd), its row groups written as the batches come."""
    schema = schema_of(columns).with_metadata(dict(metadata or {}))
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        for batch in batches:
            waiting.append(_table(batch, columns, schema))
            if sum(table.num_rows for table in waiting) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def _table(batch: Batch, columns: Sequence[Column], schema: pa.Schema) -> pa.Table:
    arrays = [_array(batch[c.name], c) for c in columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], column: Column) -> pa.Array:
    if column.kind == "moment":
        # An empty text is no moment.
        texts = pa.array([value or None for value in values], pa.string())
        return texts.cast(_TYPES["moment"])
    return pa.array(values, _TYPES[column.kind])
