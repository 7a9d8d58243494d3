"""Lay a frozen dataset folder on disk: rows checked, files hashed, the whole thing or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from codecs_eval.agreement.manifest import CHOICES, Manifest

TRIPLET_COLUMNS = (
    "triplet_id",
    "source",
    "source_sha256",
    "source_image",
    "first_image",
    "second_image",
    "first_codec",
    "second_codec",
    "first_settings",
    "second_settings",
    "first_bpp",
    "second_bpp",
    "first_target_bpp",
    "second_target_bpp",
    "kind",
)
JUDGMENT_COLUMNS = (
    "judgment_id",
    "triplet_id",
    "choice",
    "observer",
    "response_ms",
    "is_simulated",
)
IMAGE_COLUMNS = ("source_image", "first_image", "second_image")

_TRIPLET_NUMBERS = ("first_bpp", "second_bpp", "first_target_bpp", "second_target_bpp")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

Images = Mapping[str, bytes] | Iterable[tuple[str, bytes]]


def checked_triplets(found: pd.DataFrame) -> pd.DataFrame:
    """Triplet rows in the format's columns and types, sorted by id; ValueError on faults."""
    rows = _with_columns(found, TRIPLET_COLUMNS, "triplets")
    if rows.empty:
        raise ValueError("no triplets, expected at least one")
    _refuse_missing(
        rows, [c for c in TRIPLET_COLUMNS if c not in _TRIPLET_NUMBERS], "triplet", "triplet_id"
    )
    _refuse_doubles(rows["triplet_id"], "triplet_id")
    others = sorted(set(rows["kind"]) - {"main"})
    if others:
        raise ValueError(f"triplets of kind {_few(others)}; only kind 'main' is frozen")
    texts = [column for column in TRIPLET_COLUMNS if column not in _TRIPLET_NUMBERS]
    rows = rows.astype({**dict.fromkeys(texts, "str"), **dict.fromkeys(_TRIPLET_NUMBERS, "float")})
    return rows.sort_values("triplet_id", ignore_index=True)


def checked_judgments(
    found: pd.DataFrame, triplets: pd.DataFrame, is_simulated: bool
) -> pd.DataFrame:
    """Judgment rows in the format's columns and types, sorted by id; ValueError on faults."""
    rows = _with_columns(found, JUDGMENT_COLUMNS, "judgments")
    _refuse_missing(
        rows, ["judgment_id", "triplet_id", "choice", "is_simulated"], "judgment", "judgment_id"
    )
    rows = rows.astype(
        {
            "judgment_id": "str",
            "triplet_id": "str",
            "choice": "str",
            "observer": "str",
            "response_ms": "float",
            "is_simulated": "bool",
        }
    )
    _refuse_doubles(rows["judgment_id"], "judgment_id")
    dangling = sorted(set(rows["triplet_id"]) - set(triplets["triplet_id"]))
    if dangling:
        raise ValueError(f"judgments of triplets that are not in the dataset: {_few(dangling)}")
    unknown = sorted(set(rows["choice"]) - set(CHOICES))
    if unknown:
        raise ValueError(f"unknown choices {_few(unknown)}, expected one of {CHOICES}")
    n_other = int((rows["is_simulated"] != is_simulated).sum())
    if n_other:
        stated, other = ("simulated", "real") if is_simulated else ("real", "simulated")
        raise ValueError(
            f"{n_other} of {len(rows)} judgments are {other} in a dataset stated to be {stated}; "
            "the two are never mixed"
        )
    return rows.sort_values("judgment_id", ignore_index=True)


def write_files(
    folder: Path, triplets: pd.DataFrame, judgments: pd.DataFrame, images: Images
) -> dict[str, str]:
    """Write both tables and every image below `folder`; sha256 by relative path."""
    files: dict[str, str] = {}
    for name, rows in (("triplets", triplets), ("judgments", judgments)):
        path = folder / f"{name}.parquet"
        rows.to_parquet(path, engine="pyarrow", index=False)
        files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for sha in _write_images(folder / "images", triplets, images):
        files[f"images/{sha}.png"] = sha
    return dict(sorted(files.items()))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json and have it on the disk before the folder gets its name."""
    text = json.dumps(manifest.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with (folder / "manifest.json").open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


class UnfinishedFolder:
    """A sibling temporary folder that takes its final name on success and vanishes on failure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.partial = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.partial"

    def __enter__(self) -> Path:
        if self.folder.exists():
            raise ValueError(f"{self.folder} exists; a frozen dataset is never overwritten")
        self.partial.mkdir(parents=True)
        return self.partial

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.partial.rename(self.folder)
        else:
            shutil.rmtree(self.partial, ignore_errors=True)


def _write_images(folder: Path, triplets: pd.DataFrame, images: Images) -> set[str]:
    folder.mkdir()
    wanted = {sha for column in IMAGE_COLUMNS for sha in triplets[column]}
    sizes: dict[str, tuple[int, int]] = {}
    for sha, data in images.items() if isinstance(images, Mapping) else images:
        if sha not in wanted:
            raise ValueError(f"image {sha} belongs to no triplet")
        if sha in sizes:
            continue
        found = hashlib.sha256(data).hexdigest()
        if found != sha:
            raise ValueError(f"image under {sha} has the sha256 {found}")
        sizes[sha] = _png_size(data, sha)
        (folder / f"{sha}.png").write_bytes(data)
    missing = sorted(wanted - set(sizes))
    if missing:
        raise ValueError(f"{len(missing)} images of triplets are missing: {_few(missing)}")
    for row in triplets[["triplet_id", *IMAGE_COLUMNS]].itertuples(index=False):
        if len({sizes[sha] for sha in row[1:]}) != 1:
            found_sizes = [sizes[sha] for sha in row[1:]]
            raise ValueError(f"triplet {row[0]}: images of different sizes {found_sizes}")
    return set(sizes)


def _png_size(data: bytes, sha: str) -> tuple[int, int]:
    if data[:8] != _PNG_SIGNATURE or data[12:16] != b"IHDR":
        raise ValueError(f"image {sha} is not a PNG file")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _with_columns(found: pd.DataFrame, columns: tuple[str, ...], what: str) -> pd.DataFrame:
    missing = [column for column in columns if column not in found.columns]
    extra = [column for column in found.columns if column not in columns]
    if missing or extra:
        raise ValueError(f"{what}: missing columns {missing}, unknown columns {extra}")
    return found[list(columns)].copy()


def _refuse_missing(rows: pd.DataFrame, columns: list[str], what: str, key: str) -> None:
    for column in columns:
        bad = rows[key][rows[column].isna() | (rows[column].astype(str) == "")]
        if len(bad):
            raise ValueError(f"{what} without {column}: {_few(list(bad.astype(str)))}")


def _refuse_doubles(ids: pd.Series, name: str) -> None:
    doubles = sorted(set(ids[ids.duplicated()].astype(str)))
    if doubles:
        raise ValueError(f"duplicate {name}: {_few(doubles)}")


def _few(names: list[str]) -> str:
    shown = ", ".join(map(str, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
