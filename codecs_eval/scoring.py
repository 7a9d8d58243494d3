"""Reconstruction + metric -> Score."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from codecs_eval import storing, weights
from codecs_eval.metrics.table import METRICS, MetricEntry, load_metric
from codecs_eval.models import Reconstruction, Run, Score, SourceImage
from codecs_eval.runs import RunReporter

ROUNDED = "its trunk's weights are rounded to 16 bits: development offline, not for publication"


def weight_file(name: str) -> Path:
    """A verified weight file of this installation, fetched on first use."""
    return weights.obtain(
        name,
        cache=settings.TRIAD_HOME / "weights",
        local=Path(settings.TRIAD_WEIGHTS) if settings.TRIAD_WEIGHTS else None,
    )


def weights_key(entry: MetricEntry) -> str:
    """A metric's version with the weights that it has here: scores by others are not its own."""
    files = [weights.file_of(name, weight_file(name)) for name in entry.needs_weights]
    return "-".join([entry.version, *(file.sha256[:12] for file in files)])


def has_rounded_weights(entry: MetricEntry) -> bool:
    return any(weights.file_of(name, weight_file(name)).is_rounded for name in entry.needs_weights)


def version_here(entry: MetricEntry) -> str:
    """What a stored score says of its metric: the version, and that weights were rounded."""
    return f"{entry.version}-fp16" if has_rounded_weights(entry) else entry.version


@dataclass(frozen=True)
class ScoreConfig:
    collection: str = field(metadata={"help": "A collection with reconstructions."})
    metrics: tuple[str, ...] = field(metadata={"help": "Names from the table of metrics."})

    def __post_init__(self) -> None:
        unknown = [name for name in self.metrics if name not in METRICS]
        if unknown or not self.metrics:
            raise ValueError(
                f"Found metrics {list(self.metrics)}; expected some of {', '.join(METRICS)}."
            )


def score_collection(run: Run, reporter: RunReporter) -> dict[str, Any]:
    """Every reconstruction of a collection under every metric; known scores are kept."""
    config = ScoreConfig(collection=run.config["collection"], metrics=tuple(run.config["metrics"]))
    sources = list(SourceImage.objects.in_collection(config.collection))
    if not sources:
        raise ValueError(f"Found no photo with pixels in a collection {config.collection!r}.")
    n_new = 0
    left_out: dict[str, list[str]] = {}
    for index, name in enumerate(config.metrics):
        try:
            metric = load_metric(name, weight_file)
        except (ValueError, RuntimeError) as error:
            left_out[name] = [f"{source.name}: {error}" for source in sources]
            continue
        for at, source in enumerate(sources):
            reporter.stop_if_asked()
            reporter.progress(
                index * len(sources) + at, len(config.metrics) * len(sources), METRICS[name].label
            )
            try:
                n_new += score_source(source, name, metric)
            except (ValueError, RuntimeError) as error:
                # A metric that cannot take this photo (its size, say) does not cost the others.
                left_out.setdefault(name, []).append(f"{source.name}: {error}")
    result: dict[str, Any] = {
        "collection": config.collection,
        "metrics": list(config.metrics),
        "n_new": n_new,
    }
    if left_out:
        n_left_out = sum(map(len, left_out.values()))
        if n_left_out == len(sources) * len(config.metrics):
            raise ValueError("; ".join(reasons[0] for reasons in left_out.values()))
        result["n_left_out"] = n_left_out
        result["notes"] = [
            f"{name} was left out for {len(reasons)} of {len(sources)} photos, such as {reasons[0]}"
            for name, reasons in left_out.items()
        ]
    return result


def score_source(source: SourceImage, name: str, metric: Any) -> int:
    version = version_here(METRICS[name])
    rows = list(
        Reconstruction.objects.filter(source=source)
        .exclude(path="")
        .exclude(
            pk__in=Score.objects.filter(
                metric=name, metric_version=version, reconstruction__source=source
            ).values("reconstruction")
        )
    )
    if not rows:
        return 0
    values = metric.scores(
        storing.read_pixels(source.path), [storing.read_pixels(row.path) for row in rows]
    )
    Score.objects.bulk_create(
        [
            Score(reconstruction=row, metric=name, metric_version=version, value=value)
            for row, value in zip(rows, values, strict=True)
        ],
        ignore_conflicts=True,
    )
    return len(rows)
