"""The quick fit is the fit of HeadsFit: the same heads from the same seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from codecs_eval.training.config import PRESETS, TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from codecs_eval.training.quick_heads import fitted_heads, is_quick
from codecs_eval.training.reporter import Stopped
from tests.codecs_eval.training.datasets import Listener

SMALL = replace(PRESETS["small_data"], epochs_flat=4, epochs_decay=4)


def _fit(config: TrainMetricConfig, seed: int = 3) -> HeadsFit:
    rng = np.random.default_rng(1)
    features = torch.from_numpy(rng.exponential(size=(60, 2, 30)).astype(np.float32))
    first, second = (torch.from_numpy(rng.integers(0, 60, 130)) for _ in range(2))
    planted = features[:, 0] @ torch.linspace(0, 1, 30)
    n = torch.from_numpy(rng.integers(1, 5, 130).astype(np.float32))
    p = torch.sigmoid(planted[first] - planted[second]).numpy()
    share = torch.from_numpy((rng.binomial(n.numpy().astype(int), p) / n.numpy()).astype("f"))
    prior = Prior(torch.full((30,), 0.5), (10, 20))
    return HeadsFit(config, Votes(features, first, second, share, n), prior, seed)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ridge": 0.0},
        {"ridge": 5.0, "batch_size": 17},
        {"warm_start": False, "learning_rate": 0.01},
        {"vote_weighting": "share"},
    ],
    ids=str,
)
def test_it_ends_at_the_heads_of_the_fit_that_it_stands_for(changes: dict[str, object]) -> None:
    config = replace(SMALL, **changes)
    slow = _fit(config)
    for epoch in range(1, config.epochs + 1):
        slow.run_epoch(epoch, Listener())
    assert is_quick(config, 130, 30)
    quick = fitted_heads(_fit(config), Listener())
    kept = slow.heads.detach()
    moved = torch.linalg.norm(kept - 0.5)
    assert float(torch.linalg.norm(quick - kept) / moved) < 2e-3
    assert float(quick.min()) >= 0.0


def test_noise_and_the_other_head_are_left_to_the_fit_itself() -> None:
    for changes in ({"noise": True}, {"head": "reference"}):
        config = replace(SMALL, epochs_flat=1, epochs_decay=0, **changes)
        assert not is_quick(config, 130, 30)
        slow = _fit(config)
        slow.run_epoch(1, Listener())
        assert torch.equal(fitted_heads(_fit(config), Listener()), slow.heads.detach())
    assert not is_quick(SMALL, 1_000_000, 1472)


def test_it_stops_when_asked() -> None:
    with pytest.raises(Stopped):
        fitted_heads(_fit(SMALL), Listener(stop_at=2))
