"""The state of one codec's training: networks, their running mean, one step after the other."""

import math
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from codecs_eval.codecs.learned.entropy_nets import OUTPUT_UNIT
from codecs_eval.codecs.learned.model import Coded, LearnedModel
from codecs_eval.codecs.learned.quantising import SCALE_RATIO_LOG, index_of
from codecs_eval.codecs.learned.transforms import BlockAnalysis, BlockSynthesis
from codecs_eval.training.codec.config import TrainCodecConfig
from codecs_eval.training.codec.photos import CropBatch, Photos
from codecs_eval.training.processes import ALONE, Processes

# Distances (n,) of reconstructions (n, 3, h, w) in 0..255 from references, lower is closer.
Distance = Callable[[Tensor, Tensor], Tensor]

_CLIP_NORM = 1.0
_WARM_UP_STEPS = 100
_FLAT_SHARE = 0.3
_LAST_RATE = 0.02
_MEAN_DECAY = 0.999
# Batches whose latents tell each channel's spread before the first step.
_LOOKED_AT = 25
_RAMP_SHARE = 0.1
_HURRY = 8.0
_HURRIED = ("hyper_index", "log_hyper_gain", "log_tilt", "log_hyper_tilt")


class CodecFit:
    """`model` learns, `mean` (its running mean) is what is measured and kept."""

    def __init__(
        self,
        config: TrainCodecConfig,
        photos: Photos,
        device: torch.device,
        distance: Distance | None = None,
        begin: LearnedModel | None = None,
        processes: Processes = ALONE,
    ) -> None:
        self.config, self.photos, self.device = config, photos, device
        self.distance, self.processes = distance, processes
        torch.manual_seed(config.seed)
        self.model = (LearnedModel(config.shape) if begin is None else begin).to(device)
        self.model.is_bf16 = config.bf16
        if begin is None:
            self._look_at_photos()
        self.mean = LearnedModel(config.shape).to(device)
        self.mean.load_state_dict(self.model.state_dict())
        self.runner: nn.Module = self.model
        if processes.count > 1:
            self.runner = DistributedDataParallel(self.model, broadcast_buffers=False)
        self.optimiser = torch.optim.Adam(_groups(self.model))
        self.step = 0

    def _look_at_photos(self) -> None:
        """Begin where scales and the networks' units fit natural photos, not at random."""
        analysis, synthesis = self.model.analysis, self.model.synthesis
        with torch.no_grad():
            latents = [self._plain_latent(step) for step in range(_LOOKED_AT)]
            spread = torch.cat(latents).transpose(0, 1).flatten(1).std(1)
        if isinstance(analysis, BlockAnalysis) and isinstance(synthesis, BlockSynthesis):
            analysis.spread.copy_(spread)
            synthesis.spread.copy_(spread)
        steps, start = self.config.shape.steps_px, 0
        rise = math.log(steps[0] / steps[-1]) / SCALE_RATIO_LOG
        with torch.no_grad():
            for parameters in self.model.groups:
                end = start + parameters.channels
                # Photos differ from place to place: half of the overall spread is typical.
                index = index_of(spread[start:end] * 0.5 / steps[0])
                bias = cast(Tensor, parameters.outward.bias)
                bias[parameters.channels :] = index / OUTPUT_UNIT
                parameters.direct.weight[:, 0, 0, 0] = rise / OUTPUT_UNIT
                start = end

    def _plain_latent(self, step: int) -> Tensor:
        batch = self.photos.batch(self.config, self.config.shape.top_level, step).to(self.device)
        _, fine = self.model.conditions(batch.level, torch.zeros_like(batch.quality_map))
        latent: Tensor = self.model.analysis(batch.pixels, torch.zeros_like(fine))
        return latent

    def learn(self) -> dict[str, float]:
        """One step; the means of the batch: loss, squared error, bits per pixel, metric."""
        config, (rank, count) = self.config, (self.processes.rank, self.processes.count)
        batch = self.photos.batch(config, config.shape.top_level, self.step)
        mine = torch.arange(config.batch_size)[rank::count]
        batch = CropBatch(
            batch.pixels[mine], batch.level[mine], batch.quality_map[mine], batch.weight[mine]
        ).to(self.device)
        rates = (config.learning_rate, *[config.entropy_learning_rate] * 2)
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * group["pace"] * self._decay()
        coded = self.runner(batch.pixels, batch.level, batch.quality_map)
        loss, told = self._loss(batch, coded)
        self.optimiser.zero_grad(set_to_none=True)
        # DistributedDataParallel averages over processes, whose shares may differ by one crop.
        mean = loss.sum() * count / config.batch_size
        mean.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP_NORM)
        self.optimiser.step()
        self._follow()
        self.step += 1
        sums = torch.stack([value.detach().double().cpu().sum() for value in told.values()])
        means = (self.processes.sum(sums) / config.batch_size).tolist()
        if not all(map(math.isfinite, means)):
            raise RuntimeError(
                f"the training diverged at step {self.step}: found a loss of {means[0]}; try a "
                f"lower learning rate or weight of the metric"
            )
        return dict(zip(told, means, strict=True))

    def _loss(self, batch: CropBatch, coded: Coded) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss (n,) and its parts, each (n,)."""
        error = (batch.weight * (coded.pixels - batch.pixels).square()).mean((1, 2, 3))
        bpp = coded.bits / (batch.pixels.shape[2] * batch.pixels.shape[3])
        told = {"squared_error": error, "bpp": bpp}
        distortion = error
        if self.distance is not None and self._ramp() > 0:
            distance = self.distance(batch.pixels, coded.pixels.clamp(0, 255))
            distortion = error + self._ramp() * self.config.metric_weight * distance
            told["metric"] = distance
        loss = self.model.multiplier(batch.level) * distortion + bpp
        return loss, {"loss": loss, **told}

    def _ramp(self) -> float:
        share = self.step / self.config.steps - self.config.metric_from
        return min(1.0, max(0.0, share / _RAMP_SHARE)) if self.config.metric_from else 1.0

    def _decay(self) -> float:
        share = max(0.0, (self.step / self.config.steps - _FLAT_SHARE) / (1 - _FLAT_SHARE))
        cosine = 0.5 * (1 + math.cos(math.pi * share))
        warm = min(1.0, (self.step + 1) / _WARM_UP_STEPS)
        return warm * (_LAST_RATE + (1 - _LAST_RATE) * cosine)

    def _follow(self) -> None:
        decay = min(_MEAN_DECAY, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for own, learned in zip(self.mean.parameters(), self.model.parameters(), strict=True):
                own.lerp_(learned, 1 - decay)

    def snapshot(self) -> dict[str, Any]:
        return {
            "model": _on_cpu(self.model.state_dict()),
            "mean": _on_cpu(self.mean.state_dict()),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.model.load_state_dict(snapshot["model"])
        self.mean.load_state_dict(snapshot["mean"])
        self.optimiser.load_state_dict(snapshot["optimiser"])
        self.step = snapshot["step"]


def _groups(model: LearnedModel) -> list[dict[str, Any]]:
    """Transforms, entropy networks, and few numbers that have far to go: how the quality map
    steers the gains, and the hyper-latent's own gain and distribution."""
    groups: list[dict[str, Any]] = [{"params": [], "pace": pace} for pace in (1.0, 1.0, _HURRY)]
    for name, parameter in model.named_parameters():
        first = name.split(".")[0]
        is_transform = first in ("analysis", "synthesis")
        place = 0 if is_transform else 2 if first in _HURRIED else 1
        groups[place]["params"].append(parameter)
    return groups


def _on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.cpu().clone() for name, value in state.items()}
