"""Fits of linear heads on features alone."""

import math
from dataclasses import replace

import pytest
import torch

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from codecs_eval.training.phases import mean_agreement
from tests.codecs_eval.training.datasets import Listener

WIDTHS = (4, 4)
CONFIG = TrainMetricConfig(
    head="logistic",
    learning_rate=0.02,
    epochs_flat=30,
    epochs_decay=30,
    batch_size=200,
    noise=False,
    vote_weighting="binomial",
)


def make_votes(truth: torch.Tensor, n_triplets: int = 3000, slope: float = 30.0) -> Votes:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(n_triplets, 2, len(truth), generator=generator)
    first, second = torch.randint(n_triplets, (2, n_triplets), generator=generator)
    d = features[:, 0] @ truth
    share = torch.sigmoid(slope * (d[first] - d[second]))
    return Votes(features, first, second, share, torch.full((n_triplets,), 4.0))


def fitted(config: TrainMetricConfig, votes: Votes, prior: torch.Tensor) -> torch.Tensor:
    fit = HeadsFit(config, votes, Prior(prior, WIDTHS), seed=1)
    for epoch in range(1, config.epochs + 1):
        fit.run_epoch(epoch, Listener())
    return fit.heads.detach()


def agreement(votes: Votes, heads: torch.Tensor) -> float:
    return mean_agreement(*votes.distances(heads), votes.share)


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a, b, dim=0))


def entropy(p: float) -> float:
    return -(p * math.log(p) + (1 - p) * math.log(1 - p))


TRUTH = torch.tensor([0.5, 0.0, 0.1, 0.9, 0.0, 0.3, 0.7, 0.2])


@pytest.mark.parametrize("head", ["logistic", "reference"])
def test_a_planted_weight_vector_is_recovered(head: str) -> None:
    votes = make_votes(TRUTH)
    heads = fitted(replace(CONFIG, head=head), votes, torch.ones(8))
    assert cosine(heads, TRUTH) > 0.995
    assert agreement(votes, heads) == pytest.approx(agreement(votes, TRUTH), abs=0.005)


def test_heads_are_never_negative_though_the_votes_ask_for_it() -> None:
    against = torch.tensor([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0])
    heads = fitted(CONFIG, make_votes(against), torch.ones(8))
    assert float(heads.min()) == 0.0
    assert torch.equal(heads.nonzero()[:, 0], torch.tensor([0, 1, 2, 3, 6, 7]))


def test_a_strong_ridge_keeps_the_official_heads() -> None:
    prior = torch.ones(8)
    kept = fitted(replace(CONFIG, warm_start=True, ridge=1000.0), make_votes(TRUTH), prior)
    free = fitted(replace(CONFIG, warm_start=True), make_votes(TRUTH), prior)
    assert float((kept - prior).abs().max()) < 0.1 < float((free - prior).abs().max())


def test_binomial_weighting_follows_the_triplet_with_more_judgments() -> None:
    # The same pair twice, nine judgments one way and one mostly the other.
    features = torch.zeros(2, 2, 8)
    features[1, 0] = 1.0
    rows = torch.tensor([0, 0]), torch.tensor([1, 1])
    votes = Votes(features, *rows, torch.tensor([0.0, 0.8]), torch.tensor([9.0, 1.0]))
    losses = {}
    for weighting in ("share", "binomial"):
        config = replace(CONFIG, vote_weighting=weighting, warm_start=True, batch_size=2)
        losses[weighting] = HeadsFit(config, votes, Prior(torch.ones(8), WIDTHS), 1).run_epoch(
            1, Listener()
        )
    # The best a fit can do on one pair is the entropy of its mean share.
    assert losses["binomial"] == pytest.approx(entropy(0.08), abs=1e-4)
    assert losses["share"] == pytest.approx(entropy(0.4), abs=1e-4)


def test_noise_has_the_moments_of_map_dropout() -> None:
    generator = torch.Generator().manual_seed(0)
    element = torch.rand(49, generator=generator)
    mean, variance = element.mean(), element.square().mean() / 49
    features = torch.stack([mean, variance]).view(1, 2, 1)
    votes = Votes(features, *(torch.zeros(1, dtype=torch.long),) * 2, torch.ones(1), torch.ones(1))
    rows = torch.zeros(20_000, dtype=torch.long)
    noisy = votes.noisy(rows, generator)
    kept = (torch.rand(20_000, 49, generator=generator) < 0.5).float()
    dropped = (2 * kept * element).mean(dim=1)
    assert float(noisy.mean()) == pytest.approx(float(dropped.mean()), rel=0.01)
    assert float(noisy.std()) == pytest.approx(float(dropped.std()), rel=0.03)


def test_a_restored_fit_goes_on_to_the_same_bits() -> None:
    config = replace(CONFIG, head="reference", noise=True, epochs_flat=2, epochs_decay=2)
    votes = make_votes(TRUTH, n_triplets=300)
    straight = HeadsFit(config, votes, Prior(torch.ones(8), WIDTHS), seed=1)
    broken = HeadsFit(config, votes, Prior(torch.ones(8), WIDTHS), seed=1)
    for epoch in (1, 2):
        straight.run_epoch(epoch, Listener())
        broken.run_epoch(epoch, Listener())
    resumed = HeadsFit(config, votes, Prior(torch.ones(8), WIDTHS), seed=99)
    resumed.restore(broken.snapshot())
    for epoch in (3, 4):
        assert straight.run_epoch(epoch, Listener()) == resumed.run_epoch(epoch, Listener())
    assert torch.equal(straight.heads, resumed.heads)
