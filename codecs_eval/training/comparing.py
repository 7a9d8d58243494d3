"""The trained metric beside the untouched one on the same triplets, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codecs_eval.agreement.scores import agreement_per_triplet
from codecs_eval.training.combining import Floats, fit_combination, out_of_fold_logits
from codecs_eval.training.phases import mean_agreement
from codecs_eval.training.plan import Phase


@dataclass(frozen=True)
class Distances:
    """Distances (float64) of every triplet's first and second image by one metric."""

    first: Tensor
    second: Tensor

    @property
    def difference(self) -> Floats:
        found: Floats = (self.first - self.second).numpy()
        return found


@dataclass(frozen=True)
class Compared:
    """`trained` has one entry a phase; `others` (triplets, metrics): differences to combine.

    `inner`: the fits on parts of a phase's rows, which the weights of a combination need.
    """

    phases: Sequence[Phase]
    table: pd.DataFrame
    trained: Sequence[Distances]
    untouched: Distances
    others: Floats
    is_weighted_by_votes: bool
    inner: Sequence[tuple[Phase, Distances]] = ()

    @property
    def share(self) -> Tensor:
        """As the fits saw it: float32."""
        n = torch.tensor(self.table["n"].to_numpy(), dtype=torch.float32)
        return torch.tensor(self.table["k_second"].to_numpy(), dtype=torch.float32) / n

    @property
    def weight(self) -> Floats:
        n = self.table["n"].to_numpy(np.float64)
        return n if self.is_weighted_by_votes else np.ones_like(n)

    def differences(self, phase: int) -> Floats:
        """(triplets, 1 + metrics): the trained metric of a phase first, then the others."""
        return np.column_stack([self.trained[phase].difference, self.others])

    def unseen_differences(self, phase: int) -> Floats:
        """The same on the rows that the phase learned, by fits without the source; else NaN."""
        found = np.full(len(self.table), np.nan)
        for inner, distances in self.inner:
            if inner.within == phase:
                found[inner.heldout.numpy()] = distances.difference[inner.heldout.numpy()]
        return np.column_stack([found, self.others])


def compare(found: Compared) -> dict[str, Any]:
    """Agreements, 0..1, on the train part, the held-out one, and by folds where there are any."""
    final = found.phases[-1]
    parts = {"train": final.learned, "heldout": final.heldout}
    compared: dict[str, Any] = {
        part: _part(found, rows, found.trained[-1]) for part, rows in parts.items()
    }
    folds = list(zip(found.phases, found.trained, strict=True))[:-1]
    if not folds:
        return {**compared, "cross_validated": None}
    right = 0.0
    for phase, distances in folds:
        right += _agreement(found, phase.heldout, distances) * len(phase.heldout)
    crossed = _part(found, torch.arange(len(found.table)), found.trained[-1])
    assert crossed is not None
    return {**compared, "cross_validated": {**crossed, "trained": right / len(found.table)}}


def combination(found: Compared, names: Sequence[str]) -> tuple[dict[str, Any], Floats | None]:
    """Weights fitted on the training sources, agreement with and without; out-of-fold logits.

    `weights` are of d_first - d_second, each score turned so that lower is closer. The trained
    metric enters their fit by heads that had not seen the source, and the logits by its own.
    """
    share = found.share.double().numpy()
    number, final = len(found.phases) - 1, found.phases[-1]
    learned = final.learned.numpy()
    unseen = found.unseen_differences(number)[learned]
    weights = fit_combination(unseen, share[learned], found.weight[learned])
    logits = found.differences(number) @ weights
    told: dict[str, Any] = {
        "metrics": ["trained", *names],
        "weights": weights.tolist(),
        "fitted_on": "the training sources, each scored by heads that had not seen it",
        "heldout": _with_and_without(logits, found.trained[-1], share, final.heldout),
        "cross_validated": None,
    }
    if len(found.phases) == 1:
        return told, None
    fold, crossed = out_of_fold(found)
    folds = range(len(found.phases) - 1)
    logits = out_of_fold_logits(
        np.stack([found.unseen_differences(number) for number in folds]),
        np.stack([found.differences(number) for number in folds]),
        *(share, found.weight, fold),
    )
    told["cross_validated"] = _with_and_without(logits, crossed, share, torch.arange(len(share)))
    return told, logits


def out_of_fold(found: Compared) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Distances]:
    """Per triplet the fold that held it out, and its distances by the metric of that fold."""
    fold = np.zeros(len(found.table), dtype=np.int64)
    first = torch.zeros(len(found.table), dtype=torch.float64)
    second = torch.zeros_like(first)
    for phase, distances in list(zip(found.phases, found.trained, strict=True))[:-1]:
        assert phase.fold is not None
        rows = phase.heldout
        fold[rows.numpy()] = phase.fold
        first[rows], second[rows] = distances.first[rows], distances.second[rows]
    return fold, Distances(first, second)


def _with_and_without(
    logits: Floats, distances: Distances, share: Floats, rows: Tensor
) -> dict[str, float | int] | None:
    if len(rows) == 0:
        return None
    picked = rows.numpy()
    # A logit above 0 says that the second is closer, as a smaller second distance does.
    combined = agreement_per_triplet(logits[picked], np.zeros(len(picked)), share[picked])
    first, second = (side[rows].numpy() for side in (distances.first, distances.second))
    return {
        "with": float(combined.mean()),
        "without": float(agreement_per_triplet(first, second, share[picked]).mean()),
        "n_triplets": len(picked),
    }


def _agreement(found: Compared, rows: Tensor, distances: Distances) -> float:
    return mean_agreement(distances.first[rows], distances.second[rows], found.share[rows])


def _part(found: Compared, rows: Tensor, trained: Distances) -> dict[str, float | int] | None:
    if len(rows) == 0:
        return None
    picked = found.table.iloc[rows.numpy()]
    return {
        "trained": _agreement(found, rows, trained),
        "untouched": _agreement(found, rows, found.untouched),
        "n_triplets": len(picked),
        "n_judgments": int(picked["n"].sum()),
        "n_sources": int(picked["source"].nunique()),
    }
