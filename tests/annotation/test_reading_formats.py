"""Tables of unknown origin: one row at a time, none of any size, broken ones refused by number."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.formats.reading import LONGEST_LINE, CsvRows, JsonRows, ParquetRows


def test_a_line_of_csv_without_end_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n" + "3," * LONGEST_LINE)
    rows = CsvRows(path).cells()
    assert next(rows) == (2, {"a": "1", "b": "2"})
    with pytest.raises(ValueError, match=r"a\.csv: the row on line 3 is longer than 1 MB"):
        next(rows)


def test_a_row_of_csv_that_goes_on_over_lines_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n"' + '","\n' * LONGEST_LINE)
    with pytest.raises(ValueError, match="longer than 1 MB"):
        list(CsvRows(path).cells())


def test_many_rows_of_csv_are_more_than_one_row_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + f"1,{'x' * 100_000}\n" * 20)
    assert [line for line, _ in CsvRows(path).cells()] == list(range(2, 22))


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 20_000, "{"])
def test_a_bad_line_of_json_costs_that_line_alone(tmp_path: Path, value: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a": 1}}\n{{"a": {value}}}\n{{"a": 3}}\n')
    rows = dict(JsonRows(path).cells())
    assert (rows[1], rows[3]) == ({"a": "1"}, {"a": "3"})
    assert list(rows[2]) == [""]


def test_no_depth_of_brackets_ends_the_reading_of_json(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    depths = range(500, 1000)
    path.write_text("".join(f'{{"a": {"[" * depth}{"]" * depth}}}\n' for depth in depths))
    assert len(list(JsonRows(path).cells())) == len(depths)


@pytest.mark.parametrize("n_rows", [1, 20])
def test_a_cell_of_parquet_without_end_is_refused(tmp_path: Path, n_rows: int) -> None:
    path = tmp_path / "a.parquet"
    long = "x" * (LONGEST_LINE + 1)
    pq.write_table(pa.table({"a": ["1"] * n_rows, "b": ["y"] * (n_rows - 1) + [long]}), path)
    with pytest.raises(ValueError, match="longer than 1 MB"):
        list(ParquetRows(path).cells())


def test_a_value_of_parquet_that_stands_once_and_is_meant_often_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": ["x" * 2 * LONGEST_LINE] * 100}), path)
    assert path.stat().st_size < LONGEST_LINE
    with pytest.raises(ValueError, match="rows after 0 are longer than 1 MB"):
        list(ParquetRows(path).cells())


def test_rows_of_parquet_are_numbered_over_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": list(range(600))}), path)
    rows = list(ParquetRows(path).cells())
    assert rows[0] == (1, {"a": "0"})
    assert rows[-1] == (600, {"a": "599"})
