"""Outside judgments in the 'pairs' layout -> rows and images that a frozen dataset is made of.

FOLDER/originals/NAME.png, FOLDER/stimuli/SETTING/NAME.ext and FOLDER/answers.csv with the columns
original, first, second, closer and optionally observer, response_ms.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd

from codecs_eval.agreement.image_files import ImageFile, ImageFiles, refuse_other_size
from codecs_eval.agreement.writing import JUDGMENT_COLUMNS, TRIPLET_COLUMNS

REQUIRED_COLUMNS = ("original", "first", "second", "closer")
OPTIONAL_COLUMNS = ("observer", "response_ms")
MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class PairsReport:
    """How many rows went in, and each refused row with its line number and reason."""

    accepted: int
    refused: list[tuple[int, str]]


@dataclass(frozen=True)
class Pairs:
    """Frames in the dataset's columns, PNG bytes by sha256, and what happened to each row."""

    triplets: pd.DataFrame
    judgments: pd.DataFrame
    images: dict[str, bytes]
    report: PairsReport
    is_simulated: bool = False


@dataclass(frozen=True)
class _Answer:
    original: str
    first: str
    second: str
    choice: str
    observer: str | None
    response_ms: float | None


class _Folder:
    """The layout's files by what they are called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = ImageFiles(root)
        self._listed: dict[Path, dict[str, list[Path]]] = {}

    def original(self, name: str) -> ImageFile:
        return self.files.read(self._find(self.root / "originals", name))

    def stimulus(self, setting: str, name: str) -> ImageFile:
        return self.files.read(self._find(self.root / "stimuli" / setting, name))

    def _find(self, folder: Path, name: str) -> Path:
        if folder not in self._listed:
            by_stem: dict[str, list[Path]] = {}
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                if path.is_file():
                    by_stem.setdefault(path.stem, []).append(path)
            self._listed[folder] = by_stem
        found = self._listed[folder].get(name, [])
        where = f"{folder.relative_to(self.root)}/{name}"
        if not found:
            raise ValueError(f"no file {where}.*")
        if len(found) > 1:
            raise ValueError(f"several files {where}.*: {[path.name for path in found]}")
        return found[0]


def read_pairs(folder: Path, most: int | None = None) -> Pairs:
    """Read the layout, or its first `most` rows; who cannot go in is named in the report.

    Rows on the same original and the same two settings are one triplet with several judgments,
    its first the setting that sorts first. Observers without a name are null. ValueError where
    answers.csv itself is missing or lacks a column.
    """
    layout = _Folder(folder)
    triplets: dict[str, dict[str, object]] = {}
    judgments: list[dict[str, object]] = []
    refused: list[tuple[int, str]] = []
    for line, row in _rows(folder / "answers.csv", most):
        try:
            answer = _parse(row)
            triplet_id = _triplet_id(answer)
            if triplet_id not in triplets:
                triplets[triplet_id] = _triplet(layout, answer, triplet_id)
        except ValueError as error:
            refused.append((line, str(error)))
            continue
        judgments.append(
            {
                "judgment_id": f"pairs-{line:08d}",
                "triplet_id": triplet_id,
                "choice": answer.choice,
                "observer": answer.observer,
                "response_ms": answer.response_ms,
                "is_simulated": False,
            }
        )
    rows = pd.DataFrame(list(triplets.values()), columns=list(TRIPLET_COLUMNS))
    used = {str(sha) for name in ("source", "first", "second") for sha in rows[f"{name}_image"]}
    return Pairs(
        triplets=rows,
        judgments=pd.DataFrame(judgments, columns=list(JUDGMENT_COLUMNS)),
        images={sha: data for sha, data in layout.files.kept.items() if sha in used},
        report=PairsReport(accepted=len(judgments), refused=refused),
    )


def codec_of(setting: str) -> str:
    """The codec in a setting's name: what stands before the first '-q', else the whole name."""
    return setting.split("-q", 1)[0] or setting


def _rows(path: Path, most: int | None) -> list[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise ValueError(f"{path} is missing, expected a CSV with the columns {REQUIRED_COLUMNS}")
    try:
        # utf-8-sig: spreadsheets write a byte order mark, which would join a column's name.
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            columns = tuple(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in islice(reader, most)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a UTF-8 CSV file: {error}") from error
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    unknown = [c for c in columns if c not in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)]
    if missing or unknown:
        raise ValueError(f"{path}: missing columns {missing}, unknown columns {unknown}")
    return rows


def _parse(row: dict[str, str]) -> _Answer:
    if "" in row:
        raise ValueError(f"more values than columns: {row['']}")
    values = {column: value.strip() for column, value in row.items()}
    original, first, second, closer = (values[column] for column in REQUIRED_COLUMNS)
    for column in ("original", "first", "second"):
        # Names become paths; one with a separator or dots would leave the folder.
        name = values[column]
        if Path(name).name != name or name in ("", "..") or len(name) > MAX_NAME_LENGTH:
            raise ValueError(f"{column} {name[:80]!r}, expected a plain name")
    if first == second:
        raise ValueError(f"first and second are the same setting {first!r}")
    if closer not in ("first", "second"):
        raise ValueError(f"closer {closer!r}, expected 'first' or 'second'")
    if first > second:
        first, second = second, first
        closer = "second" if closer == "first" else "first"
    return _Answer(
        original,
        first,
        second,
        closer,
        values.get("observer") or None,
        _response_ms(values.get("response_ms", "")),
    )


def _response_ms(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"response_ms {text!r}, expected a number of milliseconds") from None
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"response_ms {text!r}, expected a number of milliseconds from 0 up")
    return value


def _triplet_id(answer: _Answer) -> str:
    named = json.dumps([answer.original, answer.first, answer.second])
    return f"pairs-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


def _triplet(layout: _Folder, answer: _Answer, triplet_id: str) -> dict[str, object]:
    original = layout.original(answer.original)
    row: dict[str, object] = {
        "triplet_id": triplet_id,
        "source": answer.original,
        "source_sha256": original.pixels_sha256,
        "source_image": original.sha,
        "kind": "main",
    }
    for side, setting in (("first", answer.first), ("second", answer.second)):
        stimulus = layout.stimulus(setting, answer.original)
        refuse_other_size(stimulus, original, f"{setting}/{answer.original}")
        row[f"{side}_image"] = stimulus.sha
        row[f"{side}_codec"] = codec_of(setting)
        row[f"{side}_settings"] = json.dumps({"setting": setting})
        row[f"{side}_bpp"] = stimulus.bpp
        row[f"{side}_target_bpp"] = None
    return row
