"""A frozen dataset: judgments, triplets, images and split in one folder that stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from codecs_eval.agreement.manifest import (
    Counts,
    Filter,
    Manifest,
    read_filters,
    read_manifest,
    split_sources,
)
from codecs_eval.agreement.pixels import Pixels, decode_rgb
from codecs_eval.agreement.writing import (
    JUDGMENT_COLUMNS,
    TRIPLET_COLUMNS,
    Images,
    UnfinishedFolder,
    checked_judgments,
    checked_triplets,
    write_files,
    write_manifest,
)

Part = Literal["train", "test", "all"]


@dataclass(frozen=True, eq=False)
class FrozenDataset:
    """A dataset folder in memory, images left on disk. Treat both frames as read-only."""

    folder: Path
    manifest: Manifest
    triplets: pd.DataFrame
    judgments: pd.DataFrame

    @property
    def is_simulated(self) -> bool:
        return self.manifest.is_simulated

    def votes(self) -> pd.DataFrame:
        """Judgments summed per triplet: triplet_id, source, n, k_second, n_not_sure.

        `n` counts all judgments; `k_second` those that call the second image the closer one, each
        not_sure counting half; `n_not_sure` counts these apart. Where the question asked which
        image differs more, a choice of the first is a vote for the second. Triplets without a
        judgment have no row.
        """
        answers = self.answers()
        counted = pd.DataFrame(
            {
                "triplet_id": answers["triplet_id"],
                "n": 1,
                "k_second": answers["vote_second"],
                "n_not_sure": (answers["vote_second"] == 0.5).astype(int),
            }
        )
        summed = counted.groupby("triplet_id", sort=True, as_index=False).sum()
        named = summed.merge(self.triplets[["triplet_id", "source"]], on="triplet_id")
        return named[["triplet_id", "source", "n", "k_second", "n_not_sure"]]

    def answers(self) -> pd.DataFrame:
        """One row a judgment: triplet_id, observer, vote_second (1, 0, or 0.5 for a not_sure).

        Where the question asked which image differs more, a choice of the first is a vote for the
        second. `observer` is missing where it was not recorded.
        """
        for_second = "second" if self.manifest.polarity == "closer" else "first"
        choice = self.judgments["choice"]
        return pd.DataFrame(
            {
                "triplet_id": self.judgments["triplet_id"],
                "observer": self.judgments["observer"],
                "vote_second": (choice == for_second).astype(float) + 0.5 * (choice == "not_sure"),
            }
        )

    def sources(self, part: Part) -> tuple[str, ...]:
        """Source names of one part of the split that this dataset has triplets of, sorted."""
        present = set(self.triplets["source"])
        split = self.manifest.split
        parts = {"train": split.train, "test": split.test, "all": (*split.train, *split.test)}
        if part not in parts:
            raise ValueError(f"part {part!r}, expected one of {tuple(parts)}")
        return tuple(sorted(present.intersection(parts[part])))

    def restricted_to(self, sources: Collection[str]) -> FrozenDataset:
        """The same dataset, only the triplets and judgments of `sources`; manifest unchanged."""
        unknown = sorted(set(sources) - set(self.triplets["source"]))
        if unknown:
            raise ValueError(f"sources {unknown} have no triplets in {self.manifest.name!r}")
        triplets = self.triplets[self.triplets["source"].isin(list(sources))]
        judgments = self.judgments[self.judgments["triplet_id"].isin(triplets["triplet_id"])]
        return replace(
            self,
            triplets=triplets.reset_index(drop=True),
            judgments=judgments.reset_index(drop=True),
        )

    def image_path(self, sha: str) -> Path:
        """Where the PNG of that sha256 lies; ValueError where the manifest does not list it."""
        relative = f"images/{sha}.png"
        if relative not in self.manifest.files:
            raise ValueError(f"image {sha} is not in dataset {self.manifest.name!r}")
        return self.folder / relative

    def image(self, sha: str) -> Pixels:
        """Decode one image to (height, width, 3) uint8 sRGB."""
        path = self.image_path(sha)
        if not path.is_file():
            raise ValueError(f"image {sha} is listed in the manifest but missing in {self.folder}")
        return decode_rgb(path.read_bytes(), ("PNG",), f"image {sha}")


def write_dataset(
    folder: Path,
    *,
    name: str,
    origin: str,
    question: str,
    polarity: str,
    is_simulated: bool,
    licence: str,
    attribution: str,
    filters: Iterable[Filter | Mapping[str, Any]],
    triplets: pd.DataFrame,
    judgments: pd.DataFrame,
    images: Images,
    seed: int,
    test_share: float = 0.25,
    created: datetime | None = None,
) -> FrozenDataset:
    """Freeze rows and images (sha256 -> PNG bytes) into `folder`: the whole folder or nothing.

    Columns as in `writing.TRIPLET_COLUMNS` and `JUDGMENT_COLUMNS`. `created` is now unless given.
    ValueError names duplicate or dangling ids, unknown choices, missing or foreign images, mixed
    simulated and real judgments, and a folder that exists already.
    """
    triplets = checked_triplets(triplets)
    judgments = checked_judgments(judgments, triplets, is_simulated)
    split = split_sources(list(triplets["source"]), seed, test_share)
    with UnfinishedFolder(folder) as partial:
        manifest = Manifest(
            name=name,
            origin=origin,
            question=question,
            polarity=polarity,
            is_simulated=is_simulated,
            created=(created or datetime.now(UTC)).isoformat(timespec="seconds"),
            licence=licence,
            attribution=attribution,
            filters=read_filters(filters),
            split=split,
            counts=Counts(
                sources=triplets["source"].nunique(),
                triplets=len(triplets),
                judgments=len(judgments),
                observers=judgments["observer"].nunique(),
            ),
            files=write_files(partial, triplets, judgments, images),
        )
        write_manifest(partial, manifest)
    return FrozenDataset(folder, manifest, triplets, judgments)


def read_dataset(folder: Path, verify: bool = False) -> FrozenDataset:
    """Read a frozen folder; `verify` recomputes the sha256 of every file in the manifest."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise ValueError(f"{folder} is not a frozen dataset: it has no manifest.json")
    manifest = read_manifest(path.read_text(encoding="utf-8"))
    if verify:
        _verify_files(folder, manifest)
    triplets = pd.read_parquet(folder / "triplets.parquet", columns=list(TRIPLET_COLUMNS))
    judgments = pd.read_parquet(folder / "judgments.parquet", columns=list(JUDGMENT_COLUMNS))
    if len(triplets) != manifest.counts.triplets or len(judgments) != manifest.counts.judgments:
        raise ValueError(
            f"{folder} holds {len(triplets)} triplets and {len(judgments)} judgments, "
            f"its manifest says {manifest.counts.triplets} and {manifest.counts.judgments}"
        )
    return FrozenDataset(folder, manifest, triplets, judgments)


def _verify_files(folder: Path, manifest: Manifest) -> None:
    for relative, stated in manifest.files.items():
        path = folder / relative
        if not path.is_file():
            raise ValueError(f"{relative} is listed in the manifest but missing in {folder}")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != stated:
            raise ValueError(f"{relative} has the sha256 {found}, its manifest says {stated}")
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    foreign = sorted(present - set(manifest.files) - {"manifest.json"})
    if foreign:
        raise ValueError(f"{folder} holds files that its manifest does not list: {foreign[:5]}")
