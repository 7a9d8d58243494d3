"""Photos -> a learned codec: steps, measurements on held-out photos, one file to code with."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from codecs_eval.codecs.learned.codec import Look
from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.saving import load_model, model_file
from codecs_eval.codecs.learned.shape import MODEL_FILE
from codecs_eval.metrics.lpips import default_device
from codecs_eval.training.capacity import check_bf16
from codecs_eval.training.checkpoint import read_in_all, write_checkpoint
from codecs_eval.training.codec.config import TrainCodecConfig
from codecs_eval.training.codec.fitting import CodecFit, Distance
from codecs_eval.training.codec.measuring import LevelPoint, measured_levels, write_samples
from codecs_eval.training.codec.photos import Photos, Pixels
from codecs_eval.training.processes import ALONE, Processes
from codecs_eval.training.progress import ProgressShare
from codecs_eval.training.reporter import Reporter

_KEEP_EVERY_S = 60.0
_TELL_EVERY = 50
SAMPLES = "samples"


@dataclass(frozen=True)
class Material:
    """What a training works with. `held_out` photos are measured on, `look` tells their saliency;
    `begin`: the file of an earlier training; `sources`: what the photos are, for the record."""

    photos: Photos
    held_out: tuple[Pixels, ...]
    held_out_names: tuple[str, ...]
    distance: Distance | None = None
    look: Look | None = None
    begin: Path | None = None


def train_codec(
    material: Material,
    config: TrainCodecConfig,
    folder: Path,
    report: Reporter,
    processes: Processes = ALONE,
) -> dict[str, Any]:
    """Train; the codec is `folder`/codec.safetensors.

    Continues from `folder`/checkpoint.pt to the very numbers of a training that was never
    interrupted. Where `report` asks to stop, the result is {"is_finished": False}.
    """
    _check_machine(processes, config)
    key = _key(config, material)
    fit = CodecFit(
        config,
        material.photos,
        default_device(),
        material.distance,
        _begin(material, config),
        processes,
    )
    state = read_in_all(folder / "checkpoint.pt", key, processes)
    curve: list[dict[str, Any]] = []
    if state is not None:
        fit.restore(state["fit"])
        curve = state["curve"]
        report.log(f"Going on from step {fit.step}.")
    bar = ProgressShare(report, 0.0, config.steps, may_end_early=False)
    bar.begin(fit.step)

    def keep() -> None:
        if processes.is_first:
            state = {"key": key, "fit": fit.snapshot(), "curve": curve}
            write_checkpoint(folder / "checkpoint.pt", state)

    kept_at = time.monotonic()
    means: list[dict[str, float]] = []
    while fit.step < config.steps:
        if processes.is_any(report.should_stop()):
            keep()
            return {"is_finished": False}
        if time.monotonic() - kept_at > _KEEP_EVERY_S:
            keep()
            kept_at = time.monotonic()
        means.append(fit.learn())
        if fit.step % _TELL_EVERY == 0 or fit.step == config.steps:
            _tell(fit.step, means, report)
            means = []
        bar.tell(fit.step, f"step {fit.step} of {config.steps}")
        is_due = fit.step % config.measure_every == 0 or fit.step == config.steps
        if is_due and processes.is_first:
            curve.append(_measured(fit, material, folder, report))
    keep()
    if processes.is_first:
        _write(fit.mean, config, material, folder)
    return {
        "is_finished": True,
        "n_photos": len(material.photos),
        "held_out": list(material.held_out_names),
        "n_parameters": sum(p.numel() for p in fit.mean.parameters()),
        "curve": curve,
    }


def _check_machine(processes: Processes, config: TrainCodecConfig) -> None:
    if config.bf16:
        check_bf16(default_device(), torch.cpu.get_capabilities())
    if processes.count > config.batch_size:
        raise ValueError(
            f"found {processes.count} processes for batches of {config.batch_size} crops; "
            f"expected at least one crop for each"
        )


def _begin(material: Material, config: TrainCodecConfig) -> LearnedModel | None:
    if material.begin is None:
        return None
    model = load_model(material.begin).model
    if model.shape != config.shape:
        raise ValueError(
            f"the training to begin at is of another size ({model.shape}); expected {config.size}"
        )
    return model


def _tell(step: int, means: list[dict[str, float]], report: Reporter) -> None:
    for name in means[-1]:
        report.metric(step, name, float(np.mean([m[name] for m in means if name in m])))


def _measured(fit: CodecFit, material: Material, folder: Path, report: Reporter) -> dict[str, Any]:
    points, samples = measured_levels(fit.mean, material.held_out, folder, material.look)
    write_samples(folder / SAMPLES, fit.step, material.held_out[0], samples)
    for point in points:
        report.metric(fit.step, f"level {point.level:g}: bpp", point.bpp)
        report.metric(fit.step, f"level {point.level:g}: PSNR, dB", point.psnr_db)
    report.log(f"Step {fit.step}: " + ", ".join(map(_said, points)))
    return {"step": fit.step, "levels": [asdict(point) for point in points]}


def _said(point: LevelPoint) -> str:
    return f"{point.psnr_db:.2f} dB at {point.bpp:.3f} bpp"


def _write(model: LearnedModel, config: TrainCodecConfig, material: Material, folder: Path) -> None:
    facts = {"config": config.to_json(), "photos": material.photos.names}
    data = model_file(model, is_guided=bool(config.saliency), facts=facts)
    part = folder / f".{MODEL_FILE}"
    part.write_bytes(data)
    part.replace(folder / MODEL_FILE)


def _key(config: TrainCodecConfig, material: Material) -> str:
    begin = b""
    if material.begin is not None:
        begin = material.begin.read_bytes()
    stated = json.dumps([config.to_json(), material.photos.names], sort_keys=True)
    return hashlib.sha256(stated.encode() + begin).hexdigest()
