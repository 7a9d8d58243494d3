"""Photos -> a learned codec, as a run: the doors of `training.codec` to the rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from codecs_eval import storing
from codecs_eval.codecs.learned.shape import MODEL_FILE
from codecs_eval.measuring_trained import is_combined, is_trained, trained_run
from codecs_eval.models import Run, SourceImage
from codecs_eval.named_codecs import learned_name, look_of
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import Cancelled, RunReporter
from codecs_eval.scoring import weight_file
from codecs_eval.training.codec.config import TrainCodecConfig
from codecs_eval.training.reporter import Reporter

LOSSES = ("lpips-alex", "lpips-vgg", "lpips-squeeze")


def check_codec_training(config: TrainCodecConfig) -> None:
    """Raise ValueError where photos, metric, saliency or the training to begin at are not there."""
    photos = SourceImage.objects.in_collection(config.collection)
    if photos.count() <= config.held_out:
        raise ValueError(
            f"Found {photos.count()} photos in collection {config.collection!r}; expected more "
            f"than the {config.held_out} that are held out."
        )
    if is_trained(config.metric):
        if is_combined(config.metric):
            raise ValueError("A combination has no gradient; expected run:ID alone.")
        trained_run(config.metric)
    elif config.metric and config.metric not in LOSSES:
        raise ValueError(
            f"Found metric {config.metric!r}; expected run:ID of a trained metric, or one of "
            f"{', '.join(LOSSES)}."
        )
    if config.saliency:
        from codecs_eval.saliency.table import SALIENCY

        if config.saliency not in SALIENCY:
            raise ValueError(
                f"Found saliency {config.saliency!r}; expected one of {', '.join(SALIENCY)}."
            )
    if config.start:
        started_at(config)


def title_of(config: TrainCodecConfig) -> str:
    """What a training is called unless somebody says otherwise."""
    losses = "MSE" if not config.metric else f"MSE + {config.metric[:12]}"
    looked = f" + {config.saliency}" if config.saliency else ""
    return f"Learned codec ({losses}{looked}) on {config.collection}"[:200]


def started_at(config: TrainCodecConfig) -> Path:
    """The file of the training to begin at; ValueError where there is none."""
    found = Run.objects.filter(kind="train_codec", state=Run.State.DONE)
    try:
        run = found.get(pk=UUID(config.start))
    except (Run.DoesNotExist, ValueError):
        raise ValueError(
            f"Found start {config.start!r}; expected the ID of a finished training of a codec."
        ) from None
    return run.folder / MODEL_FILE


def is_simulated(config: TrainCodecConfig) -> bool:
    """Whether its loss learned from no person."""
    return is_trained(config.metric) and trained_run(config.metric).is_simulated


def train_codec_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    from codecs_eval.codecs.learned.codec import version_of
    from codecs_eval.training_together import tell_others

    check_codec_training(config_of(run.kind, run.config))
    tell_others(run)
    result = train(run, reporter)
    if not result["is_finished"]:
        raise Cancelled
    data = (run.folder / MODEL_FILE).read_bytes()
    sha256 = storing.sha256_of(data)
    return {
        **result,
        "codec": learned_name(run),
        "sha256": sha256,
        "version": version_of(sha256),
        "model_bytes": len(data),
    }


def train(run: Run, reporter: Reporter) -> dict[str, Any]:
    """The training itself, in each of its processes."""
    from codecs_eval.training.codec.training import train_codec
    from codecs_eval.training.processes import current

    config: TrainCodecConfig = config_of(run.kind, run.config)
    return train_codec(_material(config), config, run.folder, reporter, current())


def _material(config: TrainCodecConfig) -> Any:
    from codecs_eval.training.codec.photos import Photos, check_sizes
    from codecs_eval.training.codec.training import Material

    rows = list(SourceImage.objects.in_collection(config.collection).order_by("sha256"))
    held_out, learned = rows[: config.held_out], rows[config.held_out :]
    sizes = [(row.height, row.width) for row in learned]
    fitting = check_sizes([row.name for row in learned], sizes, config.crop_px)
    learned = [learned[index] for index in fitting]
    look = look_of(config.saliency)
    return Material(
        photos=Photos(
            [row.name for row in learned],
            lambda index: storing.read_pixels(learned[index].path),
            look,
        ),
        held_out=tuple(storing.read_pixels(row.path) for row in held_out),
        held_out_names=tuple(row.name for row in held_out),
        distance=frozen_distance(config.metric),
        look=look,
        begin=started_at(config) if config.start else None,
    )


def frozen_distance(name: str) -> Callable[[Any, Any], Any] | None:
    """Distances of (n, 3, h, w) in 0..255 by a metric whose weights do not learn; None for ""."""
    if not name:
        return None
    import torch

    from codecs_eval.metrics.lpips import Lpips
    from codecs_eval.metrics.table import load_metric
    from codecs_eval.metrics.trained import load_trained

    found: Any = (
        load_trained(trained_run(name).folder, weight_file, name)
        if is_trained(name)
        else load_metric(name, weight_file)
    )
    heads = torch.split(found.weights.float(), list(found.trunk.backbone.channels))
    metric = Lpips(found.trunk, heads, input_range=(0.0, 255.0)).requires_grad_(False)
    return metric.to(next(found.trunk.parameters()).device)
