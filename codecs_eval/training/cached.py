"""The fit of mode lin: heads alone, on the features that the frozen trunk left."""

from typing import Any

from torch import Tensor

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from codecs_eval.training.phases import Watch, mean_agreement
from codecs_eval.training.plan import Phase


class CachedFit:
    """A HeadsFit on the training rows of `votes`."""

    def __init__(
        self, config: TrainMetricConfig, votes: Votes, prior: Prior, phase: Phase, seed: int
    ) -> None:
        self.votes = votes
        self.fit = HeadsFit(config, votes.of(phase.train), prior, seed)

    def run_epoch(self, epoch: int, watch: Watch) -> float:
        return self.fit.run_epoch(epoch, watch.report)

    def agreement(self, rows: Tensor) -> float:
        votes = self.votes.of(rows)
        return mean_agreement(*votes.distances(self.fit.heads.detach()), votes.share)

    def loss(self, rows: Tensor) -> float:
        return self.fit.loss_of(self.votes.of(rows))

    def weights(self) -> dict[str, Tensor]:
        return {key: value.clone() for key, value in self.fit.state_dict().items()}

    def take(self, weights: dict[str, Tensor]) -> None:
        self.fit.load_state_dict(weights)

    def outcome(self) -> dict[str, Tensor]:
        return {"heads": self.fit.heads.detach().clone()}

    def snapshot(self) -> dict[str, Any]:
        return self.fit.snapshot()

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.fit.restore(snapshot)
