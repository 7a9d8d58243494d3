"""Gaussian noise on cached means trains to the heads that dropping map elements trains to."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from tests.codecs_eval.training.datasets import Listener

CHANNELS, POINTS, PAIRS, TRIPLETS = 24, 36, 400, 800
CONFIG = TrainMetricConfig(
    head="logistic", warm_start=True, learning_rate=0.02, epochs_flat=15, epochs_decay=0
)


@dataclass(frozen=True)
class MapVotes(Votes):
    """With the maps themselves (pairs, channels, points), half of whose elements are dropped."""

    maps: Tensor
    chance: torch.Generator

    def of(self, rows: Tensor) -> "MapVotes":
        rest = (part[rows] for part in (self.first, self.second, self.share, self.n))
        return MapVotes(self.features, *rest, maps=self.maps, chance=self.chance)

    def noisy(self, rows: Tensor, generator: torch.Generator | None) -> Tensor:
        # Drawn and not used, so that the order of triplets is that of the Gaussian fit.
        torch.randn(len(rows), CHANNELS, generator=generator)
        element = self.maps[rows]
        kept = (torch.rand(element.shape, generator=self.chance) < 0.5).float()
        return (2.0 * kept * element).mean(dim=2)


def make_votes() -> tuple[Votes, Tensor]:
    generator = torch.Generator().manual_seed(0)
    # Few elements carry most of a map, as in real differences.
    maps = torch.rand(PAIRS, CHANNELS, POINTS, generator=generator) ** 6
    maps = maps * torch.rand(PAIRS, 1, 1, generator=generator)
    mean, variance = maps.mean(dim=2), maps.square().mean(dim=2) / POINTS
    first, second = torch.randint(PAIRS, (2, TRIPLETS), generator=generator)
    truth = torch.rand(CHANNELS, generator=generator)
    difference = mean[first] @ truth - mean[second] @ truth
    p = torch.sigmoid(4.0 * difference / difference.abs().mean())
    share = (torch.rand(TRIPLETS, generator=generator) < p).float()
    features = torch.stack([mean, variance], dim=1)
    return Votes(features, first, second, share, torch.ones(TRIPLETS)), maps


def fitted(votes: Votes, config: TrainMetricConfig = CONFIG) -> Tensor:
    fit = HeadsFit(config, votes, Prior(torch.ones(CHANNELS), (CHANNELS,)), seed=1)
    for epoch in range(1, config.epochs + 1):
        fit.run_epoch(epoch, Listener())
    return fit.heads.detach()


def test_heads_differ_no_more_than_those_of_two_seeds_of_dropout() -> None:
    votes, maps = make_votes()
    rest = (votes.features, votes.first, votes.second, votes.share, votes.n)
    exact = [
        fitted(MapVotes(*rest, maps=maps, chance=torch.Generator().manual_seed(seed)))
        for seed in range(4)
    ]

    def apart(a: Tensor, b: Tensor) -> float:
        return float((a - b).norm() / b.norm())

    pairs = [(a, b) for i, a in enumerate(exact) for b in exact[:i]]
    between_seeds = sum(apart(a, b) for a, b in pairs) / len(pairs)
    gaussian, none = fitted(votes), fitted(votes, replace(CONFIG, noise=False))
    assert sum(apart(gaussian, b) for b in exact) / 4 <= 1.2 * between_seeds
    assert sum(apart(none, b) for b in exact) / 4 > 1.2 * between_seeds
