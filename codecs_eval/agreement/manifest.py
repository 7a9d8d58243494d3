"""What a frozen dataset says about itself: whose, which question, which filters, which split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

FORMAT = "triad-dataset/1"
POLARITIES = ("closer", "differs")
CHOICES = ("first", "second", "not_sure")


@dataclass(frozen=True)
class Filter:
    """One rule that was applied before freezing, and how many rows it dropped."""

    rule: str
    dropped: int


@dataclass(frozen=True)
class Split:
    """Which sources train and which test; reproducible from the seed and the sorted names."""

    seed: int
    test_share: float
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    sources: int
    triplets: int
    judgments: int
    observers: int


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json; `files` maps relative paths to sha256 hex digests."""

    name: str
    origin: str
    question: str
    polarity: str
    is_simulated: bool
    created: str
    licence: str
    attribution: str
    filters: tuple[Filter, ...]
    split: Split
    counts: Counts
    files: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.polarity not in POLARITIES:
            raise ValueError(f"polarity {self.polarity!r}, expected one of {POLARITIES}")
        for field in ("name", "origin", "question", "licence"):
            if not getattr(self, field):
                raise ValueError(f"a dataset needs a {field}, found an empty one")

    def to_json(self) -> dict[str, Any]:
        """The dictionary that stands in manifest.json."""
        return {"format": FORMAT, **asdict(self)}


def read_manifest(text: str) -> Manifest:
    """Parse manifest.json; ValueError on another format or missing entries."""
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        stated = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise ValueError(f"manifest of format {stated!r}, expected {FORMAT!r}")
    entries = {key: value for key, value in found.items() if key != "format"}
    try:
        split = entries.pop("split")
        return Manifest(
            filters=read_filters(entries.pop("filters")),
            split=Split(
                seed=int(split["seed"]),
                test_share=float(split["test_share"]),
                train=tuple(split["train"]),
                test=tuple(split["test"]),
            ),
            counts=Counts(**entries.pop("counts")),
            **entries,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"manifest is incomplete or has unknown entries: {error}") from error


def read_filters(found: Iterable[Filter | Mapping[str, Any]]) -> tuple[Filter, ...]:
    """Filters as values, from {"rule", "dropped"} mappings or from values already made."""
    filters = []
    for entry in found:
        if isinstance(entry, Filter):
            filters.append(entry)
        elif set(entry) == {"rule", "dropped"}:
            filters.append(Filter(rule=str(entry["rule"]), dropped=int(entry["dropped"])))
        else:
            raise ValueError(f"filter {dict(entry)}, expected the keys rule and dropped")
    return tuple(filters)


def split_sources(sources: Sequence[str], seed: int, test_share: float) -> Split:
    """Draw the test sources by a seeded permutation of the sorted names.

    With two sources or more each part has at least one; a single source trains.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share {test_share}, expected a share between 0 and 1")
    names = sorted(set(sources))
    if not names:
        raise ValueError("no sources to split, expected at least one")
    n_test = 0 if len(names) < 2 else min(max(1, round(test_share * len(names))), len(names) - 1)
    drawn = np.random.default_rng(seed).permutation(len(names))[:n_test]
    test = {names[index] for index in drawn}
    return Split(
        seed=seed,
        test_share=test_share,
        train=tuple(name for name in names if name not in test),
        test=tuple(name for name in names if name in test),
    )
