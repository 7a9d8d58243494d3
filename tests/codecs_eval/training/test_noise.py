"""Gaussian noise on cached means trains to the heads that dropping map elements trains to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch import Tensor

from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import load_trunk
from codecs_eval.metrics.trunk import Trunk
from codecs_eval.training.config import PRESETS, TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture
from tests.codecs_eval.metrics.pretrained import as_input
from tests.codecs_eval.training.datasets import STRENGTHS, Listener

CHANNELS, POINTS, PAIRS, TRIPLETS = 24, 36, 400, 800
CONFIG = TrainMetricConfig(
    head="logistic", warm_start=True, learning_rate=0.02, epochs_flat=15, epochs_decay=0
)


@dataclass(frozen=True)
class MapVotes(Votes):
    """With each tap's maps (pairs, channels, points), half of whose elements are dropped."""

    maps: Sequence[Tensor]
    chance: torch.Generator

    def of(self, rows: Tensor) -> "MapVotes":
        rest = (part[rows] for part in (self.first, self.second, self.share, self.n))
        return MapVotes(self.features, *rest, maps=self.maps, chance=self.chance)

    def noisy(self, rows: Tensor, generator: torch.Generator | None) -> Tensor:
        # Drawn and not used, so that the order of triplets is that of the Gaussian fit.
        torch.randn(len(rows), self.features.shape[2], generator=generator)
        means = []
        for element in (tap[rows] for tap in self.maps):
            kept = torch.empty_like(element).random_(0, 2, generator=self.chance)
            means.append(2.0 * (kept * element).mean(dim=2))
        return torch.cat(means, dim=1)


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


def fitted(votes: Votes, prior: Prior, config: TrainMetricConfig) -> Tensor:
    fit = HeadsFit(config, votes, prior, seed=1)
    for epoch in range(1, config.epochs + 1):
        fit.run_epoch(epoch, Listener())
    return fit.heads.detach()


def compare(
    votes: Votes, maps: Sequence[Tensor], prior: Prior, config: TrainMetricConfig, n_seeds: int
) -> tuple[float, float]:
    """How far heads of Gaussian noise, and of none, are from those of map dropout.

    As multiples of how far those of two seeds of map dropout are from each other.
    """
    rest = (votes.features, votes.first, votes.second, votes.share, votes.n)
    exact = []
    for seed in range(n_seeds):
        dropped = MapVotes(*rest, maps=maps, chance=torch.Generator().manual_seed(seed))
        exact.append(fitted(dropped, prior, config))

    def apart(pairs: Sequence[tuple[Tensor, Tensor]]) -> float:
        return sum(float((a - b).norm() / b.norm()) for a, b in pairs) / len(pairs)

    between_seeds = apart(list(combinations(exact, 2)))
    others = (fitted(votes, prior, replace(config, noise=is_on)) for is_on in (True, False))
    gaussian, none = (apart([(heads, b) for b in exact]) / between_seeds for heads in others)
    return gaussian, none


def test_heads_differ_no_more_than_those_of_two_seeds_of_dropout() -> None:
    votes, maps = make_votes()
    prior = Prior(torch.ones(CHANNELS), (CHANNELS,))
    gaussian, none = compare(votes, [maps], prior, CONFIG, n_seeds=4)
    assert gaussian <= 1.2
    assert none > 1.2


N_SOURCES, N_PEOPLE = 60, 2


def make_maps(trunk: Trunk) -> list[Tensor]:
    """Of each tap the squared differences (pairs, channels, points) of damaged pictures."""
    maps: list[list[Tensor]] = [[] for _ in trunk.backbone.channels]
    for source in range(N_SOURCES):
        picture = make_picture(48, 48, seed=source)
        versions = [picture, *(make_damaged(picture, s, seed=source) for s in STRENGTHS)]
        taps = trunk.taps(torch.cat([as_input(version) for version in versions]))
        for kept, found in zip(maps, taps, strict=True):
            unit = found / (found.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
            kept.append((unit[1:] - unit[:1]).square().flatten(2))
    return [torch.cat(kept) for kept in maps]


def judged(maps: Sequence[Tensor]) -> Votes:
    """All pairs of one source's versions, each by some people: mostly the weaker damage wins."""
    mean = torch.cat([tap.mean(dim=2) for tap in maps], dim=1)
    variance = torch.cat([tap.square().mean(dim=2) / tap.shape[2] for tap in maps], dim=1)
    n = len(STRENGTHS)
    pairs = [(n * s + i, n * s + j) for s in range(N_SOURCES) for i, j in combinations(range(n), 2)]
    weaker, stronger = torch.tensor(pairs * N_PEOPLE).T
    generator = torch.Generator().manual_seed(0)
    is_turned, is_wrong = torch.rand(2, len(weaker), generator=generator) < torch.tensor(
        [[0.5], [0.2]]
    )
    first, second = (
        torch.where(is_turned, stronger, weaker),
        torch.where(is_turned, weaker, stronger),
    )
    share = (is_turned != is_wrong).float()
    return Votes(torch.stack([mean, variance], 1), first, second, share, torch.ones(len(share)))


@pytest.mark.slow
def test_so_do_heads_of_the_papers_recipe_on_alexnets_features(
    weight_file: Callable[[str], Path],
) -> None:
    """From random heads, with the reference's judgment head, rate and epochs; 720 triplets."""
    trunk = load_trunk("alex", weight_file, torch.device("cpu"))
    maps = make_maps(trunk)
    prior = Prior(torch.cat(official_heads("alex")), trunk.backbone.channels)
    gaussian, none = compare(judged(maps), maps, prior, PRESETS["reference"], n_seeds=3)
    assert gaussian <= 1.2, none
    assert none > 1.2, gaussian
