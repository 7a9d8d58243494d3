"""Leave one codec, or one rate, out of a training of linear heads; on cached features.

dataset --features--> heads without the codec and the source's fold --> agreement beside untouched
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.agreement.folds import deal_sources
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import Judged, MetricDistances, join
from codecs_eval.agreement.leaving_out import By, Fit, HeldOutScore, hold_outs, leave_out
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.features import PairFeatures
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from codecs_eval.training.metric import votes_of
from codecs_eval.training.quick_heads import fitted_heads
from codecs_eval.training.reporter import Reporter

MAX_FOLDS = 5


@dataclass(frozen=True)
class HeldOutTraining:
    """One recipe on everything that was held out; `n_folds` is 1 where the test part is judged."""

    label: str
    config: TrainMetricConfig
    part: str
    n_folds: int
    rows: tuple[HeldOutScore, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "config": self.config.to_json(),
            "part": self.part,
            "n_folds": self.n_folds,
            "rows": [row.to_json() for row in self.rows],
        }


def leave_out_heads(
    dataset: FrozenDataset,
    features: PairFeatures,
    prior: Prior,
    config: TrainMetricConfig,
    by: Sequence[By],
    part: str,
    bootstrap: Bootstrap,
    report: Reporter,
    label: str,
) -> HeldOutTraining:
    """Train `config` without each codec (rate) in turn and score what it has not met.

    Part "test": one fit on the train sources for each; part "all": folds over all sources. Every
    fit runs all its epochs, early stopping or not. ValueError for a mode that trains the trunk:
    cached features cannot follow it.
    """
    if config.mode != "lin":
        raise ValueError(
            f"found mode {config.mode!r}; expected 'lin': with a trained trunk every held-out "
            "codec would take a whole training"
        )
    judged = judged_heads(dataset, features, prior)
    fold_of, folds = _folds(dataset, judged, part, config.seed)
    fit = heads_fit(votes_of(judged.table, features), prior, config, report)
    found = [hold_out for kind in by for hold_out in hold_outs(judged.table, kind)]
    rows = leave_out(judged, found, fold_of, folds, fit, bootstrap)
    return HeldOutTraining(label, config, part, len(folds), tuple(rows))


def heads_fit(votes: Votes, prior: Prior, config: TrainMetricConfig, report: Reporter) -> Fit:
    """A fit of heads from the same seed each time, for `leave_out`."""

    def fit(
        train: NDArray[np.int64], test: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        fitted = HeadsFit(config, votes.of(torch.from_numpy(train)), prior, config.seed)
        held = votes.of(torch.from_numpy(test))
        first, second = held.distances(fitted_heads(fitted, report))
        return first.numpy(), second.numpy()

    return fit


def judged_heads(dataset: FrozenDataset, features: PairFeatures, prior: Prior) -> Judged:
    """All judged triplets of the dataset, with the distances of the untouched heads."""
    votes = dataset.votes()
    empty = pd.DataFrame({"triplet_id": votes["triplet_id"], "d_first": 0.0, "d_second": 0.0})
    judged = join(dataset.triplets, votes, [_untouched(empty)], dataset.answers())
    first, second = votes_of(judged.table, features).distances(prior.heads)
    return Judged(judged.table, judged.metrics, ((first.numpy(), second.numpy()),), judged.ballots)


def _untouched(values: pd.DataFrame) -> MetricDistances:
    return MetricDistances("untouched", "Untouched heads", False, "#000000", "o", values)


def _folds(
    dataset: FrozenDataset, judged: Judged, part: str, seed: int
) -> tuple[NDArray[np.int64], Sequence[int]]:
    """Fold number of each triplet, and the folds that are tested in turn."""
    if part == "test":
        is_test = np.isin(judged.sources, dataset.sources("test"))
        return is_test.astype(np.int64), (1,)
    n_folds = min(MAX_FOLDS, len(set(judged.sources)))
    return deal_sources(judged.sources, n_folds, seed), range(n_folds)
