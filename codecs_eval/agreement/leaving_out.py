"""How a training generalises: scored on a codec, or a rate, that it has never met.

Every triplet that touches the codec (or the rate) is kept out of the training and is the test;
crossed with folds over sources, so that neither the codec nor the photo is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from codecs_eval.agreement.differences import holm
from codecs_eval.agreement.estimates import estimate_json
from codecs_eval.agreement.intervals import Bootstrap, Estimate
from codecs_eval.agreement.judged import Judged
from codecs_eval.agreement.scores import agreement_per_triplet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
By = Literal["codec", "rate"]

# Rows to train on, rows to score -> distances of the first and of the second images of the latter.
Fit = Callable[[Ints, Ints], tuple[Floats, Floats]]


@dataclass(frozen=True, eq=False)
class HoldOut:
    """A codec or a rate, and which triplets have it on at least one side."""

    by: By
    label: str
    touches: Bools


@dataclass(frozen=True)
class HeldOutScore:
    """Agreement on the triplets that touch what was held out, each trained without its source.

    `unmet`: trained without those triplets; `met`: trained with them; `untouched`: not trained.
    `gain` is unmet minus untouched, paired; its p-value is adjusted for all rows by Holm's
    procedure. Without numbers, `reason` says why.
    """

    by: By
    label: str
    n_triplets: int
    n_judgments: int
    n_sources: int
    n_trained_on: int
    unmet: Estimate | None
    met: Estimate | None
    untouched: Estimate | None
    gain: Estimate | None
    reason: str | None
    gain_p_adjusted: float | None = None

    def to_json(self) -> dict[str, Any]:
        found = {"unmet": self.unmet, "met": self.met, "untouched": self.untouched}
        return {
            "by": self.by,
            "label": self.label,
            "n_triplets": self.n_triplets,
            "n_judgments": self.n_judgments,
            "n_sources": self.n_sources,
            "n_trained_on": self.n_trained_on,
            "reason": self.reason,
            "gain_p_value": None if self.gain is None else self.gain.p_value,
            "gain_p_adjusted": self.gain_p_adjusted,
            **{
                name: None if estimate is None else estimate_json(estimate, "value")
                for name, estimate in {**found, "gain": self.gain}.items()
            },
        }


def hold_outs(triplets: pd.DataFrame, by: By) -> tuple[HoldOut, ...]:
    """Every codec, or every rate, of a table of triplets.

    Rates are the target rates; a triplet of which a side has none is placed by the octave of that
    side's achieved rate. A side without any rate touches none.
    """
    first, second = (_marks(triplets, side, by) for side in ("first", "second"))
    labels = sorted({*first.tolist(), *second.tolist()} - {""}, key=lambda label: _rank(label, by))
    return tuple(HoldOut(by, label, (first == label) | (second == label)) for label in labels)


def splits(hold_out: HoldOut, fold_of: Ints, folds: Sequence[int]) -> Iterator[tuple[Ints, Ints]]:
    """(train rows, test rows) of each fold: test touches, train neither touches nor has a photo
    of the test's fold. Folds without a test triplet do not appear."""
    for fold in folds:
        inside = fold_of == fold
        test = np.flatnonzero(inside & hold_out.touches)
        if len(test):
            yield np.flatnonzero(~inside & ~hold_out.touches), test


def leave_out(
    judged: Judged,
    found: Sequence[HoldOut],
    fold_of: Ints,
    folds: Sequence[int],
    fit: Fit,
    bootstrap: Bootstrap,
) -> list[HeldOutScore]:
    """Scores of one training recipe on everything that it has not met.

    `judged` holds one metric: the untouched one. `fold_of` numbers each triplet's fold by source;
    `folds` are those that are tested in turn (one of them, for a train and a test part).
    """
    distances = judged.distances[0]
    met = np.full((2, len(fold_of)), np.nan)
    for fold in folds:
        inside = fold_of == fold
        train, test = np.flatnonzero(~inside), np.flatnonzero(inside)
        if len(train) and len(test):
            met[:, test] = fit(train, test)
    scores = []
    for hold_out in found:
        unmet = np.full((2, len(fold_of)), np.nan)
        n_trained_on = len(fold_of)
        for train, test in splits(hold_out, fold_of, folds):
            n_trained_on = min(n_trained_on, len(train))
            if len(train):
                unmet[:, test] = fit(train, test)
        tested = hold_out.touches & np.isin(fold_of, folds)
        columns = (unmet, met, np.stack(distances))
        scores.append(_score(judged, hold_out, tested, columns, n_trained_on, bootstrap))
    adjusted = holm([None if score.gain is None else score.gain.p_value for score in scores])
    return [replace(score, gain_p_adjusted=p) for score, p in zip(scores, adjusted, strict=True)]


def _score(
    judged: Judged,
    hold_out: HoldOut,
    tested: Bools,
    columns: tuple[Floats, Floats, Floats],
    n_trained_on: int,
    bootstrap: Bootstrap,
) -> HeldOutScore:
    part = judged.where(tested)
    n_judgments = int(part.column("n").sum())
    counts = (len(part.table), n_judgments, len(set(part.sources)), n_trained_on)
    reason = None
    if not tested.any():
        reason = "no triplet of the tested sources touches it"
    elif n_trained_on == 0 or any(np.isnan(column[:, tested]).any() for column in columns):
        reason = "every triplet touches it: none is left to train on"
    if reason is not None:
        return HeldOutScore(
            hold_out.by, hold_out.label, *counts, None, None, None, None, reason=reason
        )
    votes = []
    for share in (0.0, 1.0):
        shares = np.full(len(part.table), share)
        agreed = [agreement_per_triplet(c[0, tested], c[1, tested], shares) for c in columns]
        votes.append(np.stack([*agreed, agreed[0] - agreed[2]], axis=1))
    unmet, met, untouched = part.means(votes[0][:, :3], votes[1][:, :3], bootstrap)
    gain = part.means(votes[0][:, 3:], votes[1][:, 3:], bootstrap, (-1.0, 1.0), null=0.0)[0]
    return HeldOutScore(
        hold_out.by, hold_out.label, *counts, unmet, met, untouched, gain, reason=None
    )


def _marks(triplets: pd.DataFrame, side: str, by: By) -> NDArray[np.str_]:
    """What each triplet has on one side: its codec, or its rate in words; "" for none."""
    if by == "codec":
        return np.asarray(triplets[f"{side}_codec"], dtype=str)
    target = triplets[f"{side}_target_bpp"].to_numpy(dtype=float)
    achieved = triplets[f"{side}_bpp"].to_numpy(dtype=float)
    has_achieved = np.isfinite(achieved) & (achieved > 0)
    octave = np.floor(np.log2(np.where(has_achieved, achieved, 1.0)))
    labels = []
    for rate, is_there, step in zip(target, has_achieved, octave, strict=True):
        if np.isfinite(rate):
            labels.append(f"{rate:g} bpp")
        else:
            labels.append(f"{2.0**step:g} to {2.0 ** (step + 1):g} bpp" if is_there else "")
    return np.asarray(labels, dtype=str)


def _rank(label: str, by: By) -> tuple[float, str]:
    return (0.0 if by == "codec" else float(label.split(" ")[0]), label)
