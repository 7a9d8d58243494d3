"""Single judgments whose raters are known: what a second factor beside the sources needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ballots:
    """One entry a judgment, sorted by triplet: row of its triplet, rater 0.., vote for the second.

    `vote` is 1, 0, or 0.5 for a not_sure.
    """

    triplet: Ints
    rater: Ints
    vote: Floats
    n_raters: int

    def where(self, is_member: NDArray[np.bool_]) -> Ballots:
        """The judgments of some triplets (rows numbered anew), and the raters who gave them."""
        kept = is_member[self.triplet]
        row = np.cumsum(is_member) - 1
        raters, codes = np.unique(self.rater[kept], return_inverse=True)
        return Ballots(row[self.triplet[kept]], codes, self.vote[kept], len(raters))


def ballots_of(answers: pd.DataFrame, triplet_ids: pd.Series) -> Ballots | None:
    """Ballots of answers (triplet_id, observer, vote_second) in the order of `triplet_ids`.

    None unless every answer names its observer and there are at least two of them: raters that
    are known in part cannot be resampled.
    """
    observer = answers["observer"]
    if observer.isna().any() or (observer == "").any() or observer.nunique() < 2:
        return None
    row_of = pd.Series(np.arange(len(triplet_ids)), index=list(triplet_ids))
    rows = row_of.reindex(answers["triplet_id"]).to_numpy(dtype=float)
    if np.isnan(rows).any():
        raise ValueError("answers on triplets that have no votes; expected the same judgments")
    codes = np.unique(np.asarray(observer, dtype=str), return_inverse=True)[1]
    # By rater within a triplet: the order of the rows in the file decides nothing.
    order = np.lexsort((codes, rows))
    return Ballots(
        rows[order].astype(np.int64),
        codes[order].astype(np.int64),
        answers["vote_second"].to_numpy(dtype=np.float64)[order],
        int(codes.max()) + 1,
    )
