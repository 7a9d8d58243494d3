"""Which triplets each fit of a training learns from and which are held out; always by source.

all sources --folds--> fits without each fold;  train sources --> the final fit
learned rows of each of these --parts--> fits without each part      (where metrics are combined)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from codecs_eval.agreement.folds import deal_sources
from codecs_eval.training.config import TrainMetricConfig

# Of the sources that a fit learns from: so many more fits for each where metrics are combined.
INNER_FOLDS = 3


@dataclass(frozen=True)
class Phase:
    """One fit: rows of the triplet table to train on and to watch; fold is None for the last.

    `validation`: what early stopping watches; neither trained on nor held out. `within`: number of
    the phase of whose rows this one learns a part, if any; `heldout` is the rest of them.
    """

    fold: int | None
    train: Tensor
    heldout: Tensor
    validation: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    within: int | None = None

    @property
    def learned(self) -> Tensor:
        """All rows whose votes had a say in the fit."""
        return torch.cat([self.train, self.validation]).sort().values

    @property
    def is_final(self) -> bool:
        return self.fold is None and self.within is None


def plan_phases(
    sources: Sequence[str], train_sources: Collection[str], config: TrainMetricConfig
) -> list[Phase]:
    """Folds over all sources, then the final fit; `sources` has one name per triplet.

    A source is never on two sides of a fit, whatever its number of triplets.
    """
    phases = []
    if config.folds:
        fold_of = deal_sources(sources, config.folds, config.seed)
        for fold in range(config.folds):
            inside = torch.from_numpy(fold_of == fold)
            phases.append(Phase(fold, (~inside).nonzero()[:, 0], inside.nonzero()[:, 0]))
    is_train = torch.tensor([source in train_sources for source in sources])
    phases.append(Phase(None, is_train.nonzero()[:, 0], (~is_train).nonzero()[:, 0]))
    return [_set_aside(phase, sources, config, index) for index, phase in enumerate(phases)]


def plan_inner(
    phases: Sequence[Phase], sources: Sequence[str], config: TrainMetricConfig
) -> list[Phase]:
    """The fits that tell how a phase's metric fares on sources it has not seen, without its fold.

    A combination's weights are fitted on what these leave: on distances by heads that have seen
    the votes the trained metric would look better than it is, beside the others. None of them
    where nothing is combined.
    """
    if not config.combine_with:
        return []
    inner: list[Phase] = []
    for number, phase in enumerate(phases):
        rows = phase.learned
        names = [sources[row] for row in rows.tolist()]
        n_parts = min(INNER_FOLDS, len(set(names)))
        part_of = torch.from_numpy(deal_sources(names, n_parts, 1000 * config.seed + number))
        for part in range(n_parts):
            fit = Phase(phase.fold, rows[part_of != part], rows[part_of == part], within=number)
            inner.append(_set_aside(fit, sources, config, len(phases) + len(inner)))
    return inner


def _set_aside(
    phase: Phase, sources: Sequence[str], config: TrainMetricConfig, index: int
) -> Phase:
    """The phase with some of its training sources moved to `validation`, for early stopping."""
    if not config.early_stopping:
        return phase
    names = sorted({sources[row] for row in phase.train.tolist()})
    if len(names) < 2:
        raise ValueError(
            f"found {len(names)} training source for early stopping; expected at least 2, one to "
            f"learn from and one to watch: turn it off"
        )
    count = min(len(names) - 1, max(1, round(config.validation_share * len(names))))
    order = np.random.default_rng([config.seed, index]).permutation(len(names))
    watched = {names[i] for i in order[:count]}
    is_watched = torch.tensor([sources[row] in watched for row in phase.train.tolist()])
    return replace(phase, train=phase.train[~is_watched], validation=phase.train[is_watched])
