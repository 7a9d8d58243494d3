"""The BAPPS 2AFC layout -> rows and images of a frozen dataset (Zhang et al. 2018).

FOLDER/ref/NAME.png, p0/NAME.png, p1/NAME.png and judge/NAME.npy, one number: the share of raters
who call p1 the closer one. Our own export has votes.csv beside them, with the counts.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from codecs_eval.agreement.image_files import FORMATS, ImageFiles, refuse_other_size
from codecs_eval.agreement.pairs import Pairs, PairsReport
from codecs_eval.agreement.votes import Counted, VoteRow, counted_of_share, read_votes
from codecs_eval.agreement.writing import JUDGMENT_COLUMNS, TRIPLET_COLUMNS

_MOST_JUDGE_BYTES = 10_000
# What np.save writes of plain numbers. NumPy itself would open a zip or a pickle too, and believe
# a header of any size.
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '[<>|=][biuf]\d\d?', 'fortran_order': (True|False), "
    rb"'shape': \([\dL, ]{0,40}\),? *\} *\n",
    re.DOTALL,
)
FOLDERS = ("ref", "p0", "p1", "judge")


def is_bapps(folder: Path) -> bool:
    return all((folder / name).is_dir() for name in FOLDERS)


def read_bapps(folder: Path, n_raters: int = 0, most: int | None = None) -> Pairs:
    """Read the layout, or its first `most` triplets; who cannot go in is named in the report.

    n_raters: how many people a share stands for (BAPPS: 2 in train, 5 in val), where no votes.csv
    says it. Triplets are numbered from 1 in the order of their names. ValueError where a folder is
    missing, or where nothing says how many people there were.
    """
    if not is_bapps(folder):
        raise ValueError(f"{folder.name} lacks one of the folders {', '.join(FOLDERS)}.")
    votes = read_votes(folder / "votes.csv")
    if not votes and n_raters < 1:
        raise ValueError(
            "judge/ holds shares and votes.csv is not there: expected the number of raters a "
            "triplet (BAPPS: 2 in train, 5 in val)."
        )
    reader = _Reader(folder, votes, n_raters)
    for line, name in enumerate(_names(folder)[:most], 1):
        reader.take(line, name)
    return reader.read()


def _names(folder: Path) -> list[str]:
    """Every name that any of the four folders has."""
    return sorted({path.stem for name in FOLDERS for path in (folder / name).iterdir()})


class _Reader:
    def __init__(self, folder: Path, votes: dict[str, VoteRow], n_raters: int) -> None:
        self._folder, self._votes, self._n_raters = folder, votes, n_raters
        self._files = ImageFiles(folder)
        self._found = {name: _by_stem(folder / name) for name in FOLDERS}
        self._triplets: list[dict[str, object]] = []
        self._judgments: list[dict[str, object]] = []
        self._refused: list[tuple[int, str]] = []

    def take(self, line: int, name: str) -> None:
        try:
            row, counted = self._triplet(name)
        except ValueError as error:
            self._refused.append((line, f"{name}: {error}"))
            return
        self._triplets.append(row)
        self._judgments += [
            {
                "judgment_id": f"{row['triplet_id']}-{at:04d}",
                "triplet_id": row["triplet_id"],
                "choice": choice,
                "observer": None,
                "response_ms": None,
                "is_simulated": self._is_simulated(name),
            }
            for at, choice in enumerate(counted.choices)
        ]

    def _is_simulated(self, name: str) -> bool:
        return name in self._votes and self._votes[name].is_simulated

    def _triplet(self, name: str) -> tuple[dict[str, object], Counted]:
        share = self._share(name)
        told = self._votes.get(name)
        if self._votes and told is None:
            raise ValueError("votes.csv does not name it")
        counted = told.counted if told else counted_of_share(share, self._n_raters)
        if not counted.choices:
            raise ValueError("votes.csv counts no judgment of it")
        stated = (counted.n_second + counted.n_not_sure / 2) / len(counted.choices)
        if abs(stated - share) > 1e-3:
            raise ValueError(f"judge says {share:.4g}, votes.csv {stated:.4g}")
        original = self._files.read(self._path("ref", name))
        row: dict[str, object] = {
            "triplet_id": f"bapps-{name}",
            # The same reference is one source, whatever it is called: splits go by source.
            "source": told.source if told else f"ref-{original.pixels_sha256[:16]}",
            "source_sha256": original.pixels_sha256,
            "source_image": original.sha,
            "kind": "main",
        }
        for at, (side, shown) in enumerate((("first", "p0"), ("second", "p1"))):
            copy = self._files.read(self._path(shown, name))
            refuse_other_size(copy, original, f"{shown}/{name}")
            row[f"{side}_image"] = copy.sha
            row[f"{side}_codec"] = told.codecs[at] if told else shown
            row[f"{side}_settings"] = told.settings[at] if told else "{}"
            row[f"{side}_bpp"] = told.bpp[at] if told else None
            row[f"{side}_target_bpp"] = told.target_bpp[at] if told else None
        return row, counted

    def _path(self, folder: str, name: str) -> Path:
        found = self._found[folder].get(name)
        if found is None:
            raise ValueError(f"no file {folder}/{name}.*")
        return found

    def _share(self, name: str) -> float:
        path = self._path("judge", name)
        try:
            read = np.asarray(np.load(_npy_of(path), allow_pickle=False), dtype=float)
        except (OSError, ValueError, EOFError, MemoryError, OverflowError) as error:
            raise ValueError(f"judge/{name} is no .npy of a number") from error
        if read.size != 1 or not 0 <= float(read.reshape(-1)[0]) <= 1:
            raise ValueError(f"judge/{name} holds {read.size} numbers, expected one from 0 to 1")
        return float(read.reshape(-1)[0])

    def read(self) -> Pairs:
        triplets = pd.DataFrame(self._triplets, columns=list(TRIPLET_COLUMNS))
        judgments = pd.DataFrame(self._judgments, columns=list(JUDGMENT_COLUMNS))
        used = {
            str(sha) for side in ("source", "first", "second") for sha in triplets[f"{side}_image"]
        }
        return Pairs(
            triplets=triplets,
            judgments=judgments,
            images={sha: data for sha, data in self._files.kept.items() if sha in used},
            report=PairsReport(accepted=len(judgments), refused=self._refused),
            is_simulated=bool(judgments["is_simulated"].any()),
        )


def _npy_of(path: Path) -> BytesIO:
    """Raises ValueError where the file is larger than a judge's, or its header is of no numbers."""
    with path.open("rb") as file:
        data = file.read(_MOST_JUDGE_BYTES + 1)
    if len(data) > _MOST_JUDGE_BYTES or not _NPY.match(data):
        raise ValueError(f"{path.name} is no small .npy")
    return BytesIO(data)


def _by_stem(folder: Path) -> dict[str, Path]:
    endings = {*FORMATS, ".npy"}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in endings}
