"""The answers as preference sees them: who compared which two items and chose which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts of each observer and pair: (observers, pairs) each; `pairs` (pairs, 2), i < j.

    `won`: the pair's first item was chosen; `lost`: its second one; `tied`: not sure.
    """

    pairs: Ints
    won: Floats
    lost: Floats
    tied: Floats

    @property
    def n(self) -> Floats:
        return self.won + self.lost + self.tied

    @property
    def score(self) -> Floats:
        """Judgments for the pair's first item less those for its second one."""
        return self.won - self.lost


@dataclass(frozen=True, eq=False)
class Comparisons:
    """One row a judgment. A higher place on any scale = chosen more often as the better one.

    observer, first, second: (m,) codes from 0. share_first: (m,), 1 where the first was chosen, 0
    where the second was, 0.5 for "not sure" (a tie). Where the question was "which differs more",
    the caller has turned the answers. ValueError where something cannot be.
    """

    n_items: int
    n_observers: int
    observer: Ints
    first: Ints
    second: Ints
    share_first: Floats

    def __post_init__(self) -> None:
        for name in ("observer", "first", "second"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.int64))
        object.__setattr__(self, "share_first", np.asarray(self.share_first, dtype=np.float64))
        shapes = {getattr(self, name).shape for name in _COLUMNS}
        if len(shapes) > 1 or self.first.ndim != 1:
            raise ValueError(f"Found columns of shapes {sorted(shapes)}; expected (m,) each.")
        _check_codes("observers", self.observer, self.n_observers)
        _check_codes("items", np.concatenate([self.first, self.second]), self.n_items)
        if np.any(self.first == self.second):
            raise ValueError("Found an item compared with itself; expected two different ones.")
        wrong = set(np.unique(self.share_first).tolist()) - {0.0, 0.5, 1.0}
        if wrong:
            raise ValueError(f"Found shares of the first {sorted(wrong)}; expected 0, 0.5 or 1.")

    @property
    def n(self) -> int:
        return len(self.first)

    @property
    def is_tie(self) -> Bools:
        return np.asarray(self.share_first == 0.5)

    @property
    def n_active_observers(self) -> int:
        """Observers with at least one judgment here."""
        return len(np.unique(self.observer))

    def where(self, is_kept: Bools) -> Comparisons:
        """The same items and observers with some of the judgments."""
        return Comparisons(
            self.n_items, self.n_observers,
            *(getattr(self, name)[is_kept] for name in _COLUMNS),
        )  # fmt: skip

    def among(self, items: Sequence[int]) -> Comparisons:
        """Judgments between these items alone, which are numbered anew in the order given."""
        if len(set(items)) != len(items):
            raise ValueError(f"Found items {list(items)}; expected each one once.")
        place = np.full(self.n_items, -1)
        place[list(items)] = np.arange(len(items))
        is_kept = (place[self.first] >= 0) & (place[self.second] >= 0)
        return Comparisons(
            len(items), self.n_observers, self.observer[is_kept], place[self.first[is_kept]],
            place[self.second[is_kept]], self.share_first[is_kept],
        )  # fmt: skip

    def counts(self) -> PairCounts:
        """Per-observer counts of every pair that was compared; observers without judgments are
        left out (they are no part of the sample)."""
        return self._counts

    @cached_property
    def _counts(self) -> PairCounts:
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        keys, pair = np.unique(low * self.n_items + high, return_inverse=True)
        observers, observer = np.unique(self.observer, return_inverse=True)
        share = np.where(self.first < self.second, self.share_first, 1 - self.share_first)
        shape = (len(observers), len(keys))

        def counted(is_kept: Bools) -> Floats:
            at = observer[is_kept] * len(keys) + pair[is_kept]
            found = np.bincount(at, minlength=shape[0] * shape[1]).reshape(shape)
            return found.astype(np.float64)

        pairs = np.stack(np.divmod(keys, max(self.n_items, 1)), axis=1).astype(np.int64)
        return PairCounts(pairs, counted(share == 1), counted(share == 0), counted(share == 0.5))

    def wins(self) -> Floats:
        """(n, n): how often i was chosen over j, ties apart."""
        counts = self.counts()
        return _square(self.n_items, counts.pairs, counts.won, counts.lost)

    def ties(self) -> Floats:
        """(n, n), symmetric: how often i and j were not told apart."""
        counts = self.counts()
        return _square(self.n_items, counts.pairs, counts.tied, counts.tied)


_COLUMNS = ("observer", "first", "second", "share_first")


def _square(n_items: int, pairs: Ints, upper: Floats, lower: Floats) -> Floats:
    found = np.zeros((n_items, n_items))
    found[pairs[:, 0], pairs[:, 1]] = upper.sum(axis=0)
    found[pairs[:, 1], pairs[:, 0]] = lower.sum(axis=0)
    return found


def _check_codes(what: str, codes: Ints, n: int) -> None:
    if codes.size and not 0 <= codes.min() <= codes.max() < n:
        raise ValueError(f"Found {what} {codes.min()} to {codes.max()}; expected 0 to {n - 1}.")
