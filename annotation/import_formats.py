"""The ways in: what each format becomes, and which one a file or folder is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from annotation.formats.reading import NEEDED, CsvRows
from codecs_eval.agreement.bapps import is_bapps, read_bapps
from codecs_eval.agreement.clic import ORACLE, read_oabt
from codecs_eval.agreement.pairs import Pairs, read_pairs


@dataclass(frozen=True)
class ImportFormat:
    """One way in. Tables become a study, pictures with votes become a dataset."""

    label: str
    expects: str
    becomes: str


FORMATS: dict[str, ImportFormat] = {
    "csv": ImportFormat("CSV", "A table in the columns of our own export.", "study"),
    "jsonl": ImportFormat("JSON lines", "The same columns as keys, one object a line.", "study"),
    "parquet": ImportFormat("Parquet", "The same columns, typed.", "study"),
    "aic3": ImportFormat("AIC-3 responses", "CSV in the columns of JPEG-AI-SDR25.", "study"),
    "pairs": ImportFormat(
        "Pairs", "answers.csv with originals/ and stimuli/SETTING/ beside it.", "dataset"
    ),
    "bapps": ImportFormat("BAPPS layout", "ref/, p0/, p1/ and judge/, names equal.", "dataset"),
    "oabt": ImportFormat("O,A,B,T", "oracle.csv with the pictures that it names.", "dataset"),
}
# A reader takes the folder, how many raters a share stands for, and how many rows at most.
READERS: dict[str, Callable[[Path, int, int | None], Pairs]] = {
    "pairs": lambda folder, n_raters, most: read_pairs(folder, most),
    "bapps": read_bapps,
    "oabt": read_oabt,
}
_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".csv": "csv"}


def is_table(file_format: str) -> bool:
    return file_format in FORMATS and file_format not in READERS


def recognised(path: Path) -> str:
    """The format of a file or a folder. Raises ValueError saying what was found."""
    if path.is_file():
        return _format_of_file(path)
    if not path.is_dir():
        raise ValueError(f"{path} is neither a file nor a folder.")
    if is_bapps(path):
        return "bapps"
    for name, found in (("answers.csv", "pairs"), (ORACLE, "oabt"), ("responses.csv", "aic3")):
        if (path / name).is_file():
            return found
    tables = [name for name in path.glob("judgments.*") if name.suffix in _ENDINGS]
    tables = tables or [name for name in path.iterdir() if name.suffix in _ENDINGS]
    if len(tables) == 1:
        return _format_of_file(tables[0])
    shown = ", ".join(sorted(found.name for found in path.iterdir())[:8]) or "nothing"
    raise ValueError(
        f"Found {shown}; expected one table of judgments (.csv, .jsonl, .parquet), or a layout: "
        + "; ".join(entry.expects for name, entry in FORMATS.items() if name in READERS)
    )


def _format_of_file(path: Path) -> str:
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        raise ValueError(
            f"Found a file {path.name}; expected its name to end in {', '.join(_ENDINGS)}."
        )
    if found == "csv" and set(NEEDED) <= set(CsvRows(path).columns):
        return "aic3"
    return found
