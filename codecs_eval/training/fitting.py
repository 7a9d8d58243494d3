"""One fit of linear heads to votes, epoch by epoch, on cached features; resumable exactly."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.judging import LogisticHead, ReferenceHead
from codecs_eval.training.reporter import Reporter, stop_if_asked


@dataclass(frozen=True)
class Votes:
    """Triplets as rows of the feature array, with their votes; tensors of one length.

    `features` (pairs, 2, channels); `first`, `second`: rows; `share`: for the second, 0..1.
    """

    features: Tensor
    first: Tensor
    second: Tensor
    share: Tensor
    n: Tensor

    def __len__(self) -> int:
        return len(self.first)

    def of(self, rows: Tensor) -> "Votes":
        return Votes(
            self.features, self.first[rows], self.second[rows], self.share[rows], self.n[rows]
        )

    def distances(self, heads: Tensor) -> tuple[Tensor, Tensor]:
        """Exact distances (float64) of the first and of the second images."""
        # By pair, not by triplet: an image that stands in many triplets is computed once.
        means = self.features[:, 0].double() @ heads.double()
        return means[self.first], means[self.second]

    def noisy(self, rows: Tensor, generator: torch.Generator | None) -> Tensor:
        """Feature means of `rows` (n, channels), with dropout-like noise if a generator is given.

        Dropping half of a map's elements gives its mean the variance that is cached beside it;
        noise of these moments, per channel, trains to the same heads.
        """
        mean, variance = self.features[rows].unbind(1)
        if generator is None:
            return mean
        normal = torch.randn(mean.shape, generator=generator)
        return normal.mul_(variance.sqrt_()).add_(mean)


@dataclass(frozen=True)
class Prior:
    """The official heads, concatenated, and how many channels each tap has."""

    heads: Tensor
    widths: tuple[int, ...]


class HeadsFit(nn.Module):
    """The state of one fit: heads, judgment head, optimiser, chance."""

    prior: Tensor

    def __init__(self, config: TrainMetricConfig, votes: Votes, prior: Prior, seed: int) -> None:
        super().__init__()
        self.config = config
        self.votes = votes
        self.generator = torch.Generator().manual_seed(seed)
        self.register_buffer("prior", prior.heads, persistent=False)
        start = prior.heads if config.warm_start else random_heads(prior.widths, self.generator)
        self.heads = nn.Parameter(start.clone())
        self.judge = self._judgment_head()
        self.optimiser = torch.optim.Adam(
            self.parameters(), lr=config.learning_rate, betas=(0.5, 0.999), fused=True
        )

    def _judgment_head(self) -> nn.Module:
        if self.config.head == "reference":
            return ReferenceHead(self.generator)
        d_first, d_second = self.votes.distances(self.heads.detach().clamp_min(0.0))
        difference = (d_first - d_second).float()
        return LogisticHead(difference, self.votes.share, self._weights(self.votes.n))

    def _weights(self, n: Tensor) -> Tensor:
        if self.config.vote_weighting == "share":
            return torch.ones_like(n)
        return n / self.votes.n.mean()

    def run_epoch(self, epoch: int, report: Reporter) -> float:
        """Epoch 1, 2, ... over all triplets; returns the mean loss. May raise Stopped."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate_at(epoch)
        order = torch.randperm(len(self.votes), generator=self.generator)
        total = 0.0
        for rows in torch.split(order, self.config.batch_size):
            stop_if_asked(report)
            loss = self._loss(self.votes.of(rows))
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            # The heads by name: the judgment head's weights are free.
            with torch.no_grad():
                self.heads.clamp_(min=0.0)
            total += float(loss.detach()) * len(rows)
        return total / len(self.votes)

    def _loss(self, batch: Votes) -> Tensor:
        noise = self.generator if self.config.noise else None
        vectors = batch.noisy(torch.cat([batch.first, batch.second]), noise)
        d_first, d_second = (vectors @ self.heads).chunk(2)
        logits = self.judge(d_first, d_second)
        weights = self._weights(batch.n)
        loss = binary_cross_entropy_with_logits(logits, batch.share, weight=weights)
        if self.config.ridge > 0.0:
            change = (self.heads - self.prior).square().sum() / self.prior.square().sum()
            loss = loss + self.config.ridge * change
        return loss

    def loss_of(self, votes: Votes) -> float:
        """Mean loss on other triplets, without noise and ridge."""
        with torch.no_grad():
            d_first, d_second = (d.float() for d in votes.distances(self.heads))
            weight = self._weights(votes.n)
            logits = self.judge(d_first, d_second)
            return float(binary_cross_entropy_with_logits(logits, votes.share, weight=weight))

    def snapshot(self) -> dict[str, Any]:
        return {
            "model": self.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.load_state_dict(snapshot["model"])
        self.optimiser.load_state_dict(snapshot["optimiser"])
        self.generator.set_state(snapshot["generator"])


def random_heads(widths: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """torch's start of a 1x1 convolution; about half is negative and clamped at the first step."""
    parts = [torch.empty(width).uniform_(-1, 1, generator=generator) for width in widths]
    return torch.cat([part / width**0.5 for part, width in zip(parts, widths, strict=True)])
