"""The fit of `HeadsFit` without autograd, for the many fits of leaving out; to the same heads.

Where the judgment head is logistic and there is no noise, a triplet is one vector, the difference
of its two feature means, and the gradient is written down; a step costs a tenth of torch's.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit
from codecs_eval.training.judging import LogisticHead
from codecs_eval.training.reporter import Reporter, stop_if_asked

Floats = NDArray[np.float32]

_BETAS = (0.5, 0.999)
_EPSILON = 1e-8
# 200 MB of differences; beyond it the fit of `HeadsFit` itself.
_MOST_ENTRIES = 50_000_000


def fitted_heads(fit: HeadsFit, report: Reporter) -> Tensor:
    """Run all epochs of a fresh fit and return its heads, quickly where that can be done."""
    if is_quick(fit.config, len(fit.votes), len(fit.prior)):
        return torch.from_numpy(_run(fit, report))
    for epoch in range(1, fit.config.epochs + 1):
        fit.run_epoch(epoch, report)
    return fit.heads.detach()


def is_quick(config: TrainMetricConfig, n_triplets: int, n_channels: int) -> bool:
    is_plain = config.head == "logistic" and not config.noise
    return is_plain and n_triplets * n_channels <= _MOST_ENTRIES


def _run(fit: HeadsFit, report: Reporter) -> Floats:
    config, votes = fit.config, fit.votes
    assert isinstance(fit.judge, LogisticHead)
    means = votes.features[:, 0].numpy()
    difference = means[votes.first.numpy()] - means[votes.second.numpy()]
    share, n = votes.share.numpy(), votes.n.numpy()
    weight = np.ones_like(n) if config.vote_weighting == "share" else n / n.mean()
    prior = fit.prior.numpy()
    pull = np.float32(2 * config.ridge / float(np.sum(prior**2)))
    unit = float(fit.judge.unit)
    # Heads, then the logarithm of the slope: the parameters of HeadsFit in their order.
    found = np.append(fit.heads.detach().numpy(), float(fit.judge.log_slope.detach()))
    found = found.astype(np.float32)
    adam = _Adam(len(found))
    for epoch in range(1, config.epochs + 1):
        stop_if_asked(report)
        order = torch.randperm(len(votes), generator=fit.generator)
        for batch in torch.split(order, config.batch_size):
            rows = batch.numpy()
            x, heads = difference[rows], found[:-1]
            slope = np.exp(found[-1]) / unit
            logit = slope * (x @ heads)
            error = weight[rows] * (expit(logit) - share[rows]) / len(rows)
            gradient = np.append(
                slope * (error @ x) + pull * (heads - prior), np.sum(error * logit)
            )
            found -= adam.step(gradient.astype(np.float32), config.rate_at(epoch))
            np.maximum(found[:-1], 0.0, out=found[:-1])
    return found[:-1].copy()


class _Adam:
    """Kingma and Ba 2015, arXiv 1412.6980, algorithm 1, as torch.optim.Adam runs it."""

    def __init__(self, size: int) -> None:
        self.first = np.zeros(size, dtype=np.float32)
        self.second = np.zeros(size, dtype=np.float32)
        self.steps = 0

    def step(self, gradient: Floats, rate: float) -> Floats:
        self.steps += 1
        for moment, value, beta in (
            (self.first, gradient, _BETAS[0]),
            (self.second, gradient**2, _BETAS[1]),
        ):
            moment *= np.float32(beta)
            moment += np.float32(1 - beta) * value
        one, two = (1 - beta**self.steps for beta in _BETAS)
        size = np.float32(rate / one)
        spread = np.sqrt(self.second) / np.float32(two**0.5) + np.float32(_EPSILON)
        return np.asarray(size * self.first / spread, dtype=np.float32)
