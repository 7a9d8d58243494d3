"""CLIC's O,A,B,T with its pictures -> rows and images of a frozen dataset.

FOLDER/oracle.csv, without a header: paths of the original, of A and of B, and 0 where A was called
the closer one, 1 where B was (CLIC 2021, perceptual task). One row a judgment.
"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path, PurePosixPath

import pandas as pd

from codecs_eval.agreement.image_files import ImageFiles, refuse_other_size
from codecs_eval.agreement.pairs import Pairs, PairsReport
from codecs_eval.agreement.votes import read_votes
from codecs_eval.agreement.writing import JUDGMENT_COLUMNS, TRIPLET_COLUMNS

ORACLE = "oracle.csv"
NOT_TOLD = "unknown"
HEADER = ["O", "A", "B", "T"]


def read_oabt(folder: Path, n_raters: int = 0, most: int | None = None) -> Pairs:
    """Read oracle.csv, or its first `most` rows; a row that cannot go in is named in the report.

    A copy's codec is the folder that it lies in below copies/, else unknown. An original's source
    is the folder that it lies in below originals/, else the file by itself. `n_raters` is not
    needed: each row is a judgment. ValueError where oracle.csv cannot be read.
    """
    path = folder / ORACLE
    if not path.is_file():
        raise ValueError(f"{folder.name} has no {ORACLE}.")
    reader = _Reader(folder)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for line, cells in enumerate(csv.reader(file), 1):
                if most is not None and line > most:
                    break
                if cells and cells != HEADER:
                    reader.take(line, cells)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{ORACLE} is no CSV in UTF-8: {error}") from error
    return reader.read()


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = ImageFiles(folder)
        votes = read_votes(folder / "votes.csv")
        self._is_simulated = any(row.is_simulated for row in votes.values())
        self._triplets: dict[str, dict[str, object]] = {}
        self._judgments: list[dict[str, object]] = []
        self._refused: list[tuple[int, str]] = []

    def take(self, line: int, cells: list[str]) -> None:
        try:
            if len(cells) != len(HEADER):
                raise ValueError(f"found {len(cells)} cells, expected O, A, B, T")
            *paths, target = (cell.strip() for cell in cells)
            if target not in ("0", "1"):
                raise ValueError(f"found T {target[:20]!r}, expected 0 or 1")
            triplet, is_turned = self._triplet(*paths)
        except ValueError as error:
            self._refused.append((line, str(error)))
            return
        self._judgments.append(
            {
                "judgment_id": f"oabt-{line:08d}",
                "triplet_id": triplet,
                "choice": "second" if (target == "1") != is_turned else "first",
                "observer": None,
                "response_ms": None,
                "is_simulated": self._is_simulated,
            }
        )

    def _triplet(self, original: str, a: str, b: str) -> tuple[str, bool]:
        """Its id, and whether A is its second: A, B and B, A are one comparison."""
        if a == b:
            raise ValueError("A and B are the same file")
        first, second = sorted((a, b))
        told = json.dumps([original, first, second])
        key = f"oabt-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        if key not in self._triplets:
            self._triplets[key] = self._row(key, original, (first, second))
        return key, first != a

    def _row(self, key: str, original: str, copies: tuple[str, str]) -> dict[str, object]:
        pivot = self._files.read(self._inside(original))
        row: dict[str, object] = {
            "triplet_id": key,
            "source": _source(original),
            "source_sha256": pivot.pixels_sha256,
            "source_image": pivot.sha,
            "kind": "main",
        }
        for side, name in zip(("first", "second"), copies, strict=True):
            copy = self._files.read(self._inside(name))
            refuse_other_size(copy, pivot, name)
            row[f"{side}_image"] = copy.sha
            row[f"{side}_codec"] = _codec(name)
            row[f"{side}_settings"] = json.dumps({"file": name})
            row[f"{side}_bpp"] = copy.bpp
            row[f"{side}_target_bpp"] = None
        return row

    def _inside(self, name: str) -> Path:
        """A path of the file's own folder; one that leaves it is refused."""
        path = PurePosixPath(name)
        is_plain = name != "" and "\0" not in name and len(name) < 500
        if not is_plain or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"found path {name[:80]!r}, expected one inside the folder")
        found = self._folder / path
        if not found.resolve().is_relative_to(self._folder.resolve()):
            raise ValueError(f"{name[:80]} leads out of the folder")
        if not found.is_file():
            raise ValueError(f"no file {name[:200]}")
        return found

    def read(self) -> Pairs:
        triplets = pd.DataFrame(list(self._triplets.values()), columns=list(TRIPLET_COLUMNS))
        used = {
            str(sha) for side in ("source", "first", "second") for sha in triplets[f"{side}_image"]
        }
        return Pairs(
            triplets=triplets,
            judgments=pd.DataFrame(self._judgments, columns=list(JUDGMENT_COLUMNS)),
            images={sha: data for sha, data in self._files.kept.items() if sha in used},
            report=PairsReport(accepted=len(self._judgments), refused=self._refused),
            is_simulated=self._is_simulated,
        )


def _source(name: str) -> str:
    """Our own export has a folder a photo, with each crop of it that was shown."""
    path = PurePosixPath(name)
    is_of_photo = len(path.parts) > 2 and path.parts[0] == "originals"
    return (path.parent if is_of_photo else path.with_suffix("")).as_posix()


def _codec(name: str) -> str:
    parts = PurePosixPath(name).parts
    return parts[1] if len(parts) > 2 and parts[0] == "copies" else NOT_TOLD
