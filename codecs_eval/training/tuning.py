"""One fit of trunk and heads to votes on image crops, step by step; resumable exactly.

All chance is a function of (seed, epoch, step), so that a resumed fit needs no generator's state
and several processes draw what one would.
"""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.parallel import DistributedDataParallel

from codecs_eval.metrics.lpips import default_device, distances
from codecs_eval.metrics.pooling import exact_float32, pool
from codecs_eval.metrics.trunk import Trunk, random_state
from codecs_eval.training.capacity import parts_of_batch
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.crops import Crops, Size, equal_size_batches
from codecs_eval.training.fitting import Prior, random_heads
from codecs_eval.training.judging import LogisticHead, ReferenceHead
from codecs_eval.training.phases import Watch, mean_agreement
from codecs_eval.training.plan import Phase
from codecs_eval.training.processes import Processes
from codecs_eval.training.reporter import Stopped
from codecs_eval.training.tuned_model import TunedModel, make_batch

# A fit that is killed in mid-epoch loses no more than this.
_KEEP_EVERY_S = 60.0
# What chance is asked for: each has generators of its own. Numbers without such a tag would not do,
# because SeedSequence takes (seed, epoch) and (seed, epoch, 0) for the same.
ORDER, NOISE = 1, 2
# Triplets whose distances under a random trunk tell the judgment head its first slope.
_SLOPE_TRIPLETS = 200


@dataclass(frozen=True)
class Judged:
    """Triplets as people saw them: (reference, first, second) image names, sizes, votes."""

    crops: Crops
    triplets: Sequence[tuple[str, str, str]]
    sizes: Sequence[Size]
    share: Tensor
    n: Tensor


class TuneFit:
    """The state of one fit; every process holds the same and takes its share of each batch."""

    def __init__(
        self,
        config: TrainMetricConfig,
        judged: Judged,
        prior: Prior,
        untouched: Trunk,
        phase: Phase,
        seed: int,
        processes: Processes,
    ) -> None:
        self.config, self.judged, self.prior = config, judged, prior
        self.phase, self.seed, self.processes = phase, seed, processes
        self.device = default_device()
        self.mean_n = judged.n[phase.train].mean()
        generator = torch.Generator().manual_seed(seed)
        name = untouched.backbone.name
        state = untouched.features.state_dict()
        if config.mode == "scratch":
            state = random_state(name, generator)
        trunk = Trunk(name, {key: value.cpu() for key, value in state.items()}).to(self.device)
        heads = prior.heads if config.warm_start else random_heads(prior.widths, generator)
        judge = self._judgment_head(trunk, heads.clamp_min(0.0), generator)
        self.model = TunedModel(trunk, heads, judge, is_bf16=config.bf16).to(self.device)
        self.runner: nn.Module = self.model
        if processes.count > 1:
            self.runner = DistributedDataParallel(self.model, broadcast_buffers=False)
        others = [self.model.heads, *self.model.judge.parameters()]
        self.optimiser = torch.optim.Adam(
            [{"params": list(trunk.parameters())}, {"params": others}],
            betas=(0.5, 0.999),
            fused=True,
        )
        self.step, self.loss_sum = 0, 0.0

    def _judgment_head(self, trunk: Trunk, heads: Tensor, generator: torch.Generator) -> nn.Module:
        if self.config.head == "reference":
            return ReferenceHead(generator)
        order = torch.randperm(len(self.phase.train), generator=generator)
        rows = self.phase.train[order[:_SLOPE_TRIPLETS]]
        d_first, d_second = self._distances(trunk, heads, rows)
        difference = (d_first - d_second).float()
        return LogisticHead(difference, self.judged.share[rows], self._weights(rows))

    def _weights(self, rows: Tensor) -> Tensor:
        n = self.judged.n[rows]
        return torch.ones_like(n) if self.config.vote_weighting == "share" else n / self.mean_n

    def run_epoch(self, epoch: int, watch: Watch) -> float:
        """Epoch 1, 2, ... over the training triplets; returns the mean loss. May raise Stopped."""
        config = self.config
        rates = (config.trunk_learning_rate, config.learning_rate)
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * config.decay_at(epoch)
        order = chance(self.seed, ORDER, epoch)
        batches = equal_size_batches(self.phase.train, self.judged.sizes, config.batch_size, order)
        kept_at = time.monotonic()
        with exact_float32():
            while self.step < len(batches):
                if self.processes.is_any(watch.report.should_stop()):
                    watch.keep()
                    raise Stopped
                if time.monotonic() - kept_at > _KEEP_EVERY_S:
                    watch.keep()
                    kept_at = time.monotonic()
                rows = batches[self.step]
                noise = chance(self.seed, NOISE, epoch, self.step)
                self.loss_sum += self._learn(rows, noise) * len(rows)
                self.step += 1
                watch.tell(self.step / len(batches))
        mean = self.loss_sum / len(self.phase.train)
        self.step, self.loss_sum = 0, 0.0
        return mean

    def _learn(self, rows: Tensor, generator: torch.Generator) -> float:
        """One step on a batch of triplets; the mean loss over all processes."""
        rank, count = self.processes.rank, self.processes.count
        mine = torch.arange(len(rows))[rank::count]
        scale = 1.0
        if len(mine) == 0:
            # It must take part in the sum of gradients all the same.
            mine, scale = torch.zeros(1, dtype=torch.long), 0.0
        noise = None
        if self.config.noise:
            noise = torch.randn(2, len(rows), len(self.prior.heads), generator=generator)
        self.optimiser.zero_grad(set_to_none=True)
        size, backbone = self.judged.sizes[int(rows[0])], self.config.backbone
        n_parts = parts_of_batch(len(mine), size, backbone, self.config.accumulation)
        parts = torch.tensor_split(mine, n_parts)
        total = 0.0
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            with self._gradients_stay(not is_last):
                loss = scale * self._loss(rows[part], noise, part, len(rows))
                if is_last:
                    loss = loss + self._ridge() / count
                # DistributedDataParallel averages; the sum is wanted.
                (loss * count).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        if self.config.clip_norm > 0.0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimiser.step()
        with torch.no_grad():
            # By name: SqueezeNet's own 1x1 convolutions stay free.
            self.model.heads.clamp_(min=0.0)
        return float(self.processes.sum(torch.tensor(total, dtype=torch.float64)))

    def _gradients_stay(self, is_wanted: bool) -> AbstractContextManager[None]:
        if is_wanted and isinstance(self.runner, DistributedDataParallel):
            stay: AbstractContextManager[None] = self.runner.no_sync()
            return stay
        return nullcontext()

    def _loss(self, rows: Tensor, noise: Tensor | None, part: Tensor, n_batch: int) -> Tensor:
        """Summed over `rows`, divided by the triplets of the whole batch."""
        triplets = [self.judged.triplets[row] for row in rows.tolist()]
        batch = make_batch(self.judged.crops, triplets).to(self.device)
        if noise is not None:
            noise = noise[:, part].to(self.device)
        logits = self.runner(batch, noise)
        share, weight = self.judged.share[rows], self._weights(rows)
        total = binary_cross_entropy_with_logits(
            logits, share.to(self.device), weight=weight.to(self.device), reduction="sum"
        )
        return total / n_batch

    def _ridge(self) -> Tensor:
        if self.config.ridge == 0.0:
            return torch.zeros((), device=self.device)
        prior = self.prior.heads.to(self.device)
        change = (self.model.heads - prior).square().sum() / prior.square().sum()
        return self.config.ridge * change

    def distances(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Exact distances (float64) of the first and second images of `rows`."""
        return self._distances(self.model.trunk, self.model.heads.detach(), rows)

    def _distances(self, trunk: Trunk, heads: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        groups: dict[str, dict[str, int]] = {}
        places: list[tuple[int, int]] = []
        n_pairs = 0
        for row in rows.tolist():
            reference, *images = self.judged.triplets[row]
            group = groups.setdefault(reference, {})
            for image in images:
                if image not in group:
                    group[image] = n_pairs
                    n_pairs += 1
            places.append((group[images[0]], group[images[1]]))
        found = torch.zeros(n_pairs, dtype=torch.float64)
        crops = self.judged.crops
        for reference in list(groups)[self.processes.rank :: self.processes.count]:
            group = groups[reference]
            pooled = pool(trunk, crops.image(reference), [crops.image(sha) for sha in group])
            found[list(group.values())] = distances(pooled.mean, heads.cpu())
        found = self.processes.sum(found)
        sides = torch.tensor(places, dtype=torch.long).reshape(-1, 2)
        return found[sides[:, 0]], found[sides[:, 1]]

    def agreement(self, rows: Tensor) -> float:
        return mean_agreement(*self.distances(rows), self.judged.share[rows])

    def loss(self, rows: Tensor) -> float:
        d_first, d_second = (d.float().to(self.device) for d in self.distances(rows))
        with torch.no_grad():
            logits = self.model.judge(d_first, d_second).cpu()
        weight = self._weights(rows)
        return float(
            binary_cross_entropy_with_logits(logits, self.judged.share[rows], weight=weight)
        )

    def weights(self) -> dict[str, Tensor]:
        return {key: value.cpu().clone() for key, value in self.model.state_dict().items()}

    def take(self, weights: dict[str, Tensor]) -> None:
        self.model.load_state_dict(weights)

    def outcome(self) -> dict[str, Tensor]:
        """Distances of all triplets; of the last fit the trunk and the heads too."""
        d_first, d_second = self.distances(torch.arange(len(self.judged.triplets)))
        found = {"d_first": d_first, "d_second": d_second}
        if not self.phase.is_final:
            return found
        trunk = self.model.trunk.features.state_dict()
        kept = {f"trunk.{key}": value.cpu().clone() for key, value in trunk.items()}
        return {**found, **kept, "heads": self.model.heads.detach().cpu().clone()}

    def snapshot(self) -> dict[str, Any]:
        return {
            "model": self.weights(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "loss_sum": self.loss_sum,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.model.load_state_dict(snapshot["model"])
        self.optimiser.load_state_dict(snapshot["optimiser"])
        self.step, self.loss_sum = snapshot["step"], snapshot["loss_sum"]


def chance(*numbers: int) -> torch.Generator:
    """A generator of its own for these numbers."""
    [seed] = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed) >> 1)
