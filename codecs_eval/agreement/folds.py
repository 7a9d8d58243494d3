"""Folds by source: no photo is ever on both sides of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def deal_sources(sources: Sequence[str], n_folds: int, seed: int) -> NDArray[np.int64]:
    """Fold number of each triplet: the sources are shuffled from the seed and dealt in turn."""
    names, codes = np.unique(np.asarray(sources, dtype=str), return_inverse=True)
    if not 2 <= n_folds <= len(names):
        raise ValueError(
            f"found {len(names)} sources for {n_folds} folds; expected at least two folds and one "
            "source in each"
        )
    dealt = np.random.default_rng(seed).permutation(len(names)) % n_folds
    return np.asarray(dealt[codes], dtype=np.int64)
