"""Image files + metrics -> numbers, without a row in the database: batches, errors by file."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from codecs_eval.codecs.reading import Photo, read_photo
from codecs_eval.image_pairs import Pair, by_reference
from codecs_eval.measuring import ROUNDED
from codecs_eval.measuring_trained import is_combined, is_trained, trained_run
from codecs_eval.metrics.metric import Image, Metric
from codecs_eval.metrics.table import finite, load_metric, metric_entry
from codecs_eval.scoring import has_rounded_weights, version_here, weight_file

# Decoded reconstructions that are held at once.
_BATCH_BYTES = 1 << 26


@dataclass
class ScoredPair:
    """`values` by metric; None where it gave none, for a reason that stands in `errors`."""

    reference: str
    distorted: str
    width: int | None = None
    height: int | None = None
    values: dict[str, float | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NamedMetric:
    """A metric with the facts that a number cannot be read without.

    `low` and `high` are None where there is no bound; `is_simulated`: learned from no person.
    """

    name: str
    label: str
    definition: str
    version: str
    low: float | None
    high: float | None
    higher_is_better: bool
    metric: Metric
    is_simulated: bool = False

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "definition": self.definition,
            "version": self.version,
            "range": [self.low, self.high],
            "is_simulated": self.is_simulated,
            "higher_is_better": self.higher_is_better,
        }


def named_metric(name: str) -> NamedMetric:
    """From the table, run:ID or run:ID+combined of a finished training.

    Raises ValueError or RuntimeError.
    """
    if is_trained(name):
        return _trained_metric(name)
    entry = metric_entry(name)
    metric = load_metric(name, weight_file)
    definition = (
        f"{entry.definition}; {ROUNDED}" if has_rounded_weights(entry) else entry.definition
    )
    return NamedMetric(
        name,
        entry.label,
        definition,
        version_here(entry),
        finite(entry.low),
        finite(entry.high),
        entry.higher_is_better,
        metric,
    )


def _trained_metric(name: str) -> NamedMetric:
    # torch: only where it is scored with.
    from codecs_eval.metrics.trained import load_combined, load_trained

    run = trained_run(name)
    on = " on SIMULATED judgments" if run.is_simulated else ""
    said = f"LPIPS ({run.config['backbone']}) trained by run {run.pk}{on}"
    if is_combined(name):
        others = " + ".join(run.config["combine_with"])
        said = f"{said} + {others}: differences are logits, may be negative"
        metric: Metric = load_combined(run.folder, weight_file, name)
    else:
        said = f"{said}; 0 is identical"
        metric = load_trained(run.folder, weight_file, name)
    low = None if is_combined(name) else 0.0
    return NamedMetric(
        name, run.title, said, str(run.pk), low, None, False, metric, run.is_simulated
    )


def score_pairs(
    pairs: Sequence[Pair],
    metrics: Sequence[NamedMetric],
    on_progress: Callable[[int, int, str], None] | None = None,
) -> list[ScoredPair]:
    """Every pair under every metric, in the order of `by_reference`.

    A file that cannot be scored as it is (another size, alpha, more than 8 bits, not an image)
    has its reason in `errors`; the others are scored all the same.
    """
    scored: list[ScoredPair] = []
    for reference, paths in by_reference(pairs):
        for rows in _batches(reference, paths):
            for metric in metrics:
                if on_progress is not None:
                    on_progress(len(scored), len(pairs), f"{metric.label}, {reference.name}")
                _score(rows, metric)
            scored += [row.scored for row in rows]
    return scored


@dataclass(frozen=True)
class _Row:
    """`images`: the reference and the reconstruction, where they can be compared."""

    scored: ScoredPair
    images: tuple[Image, Image] | None = None


def _batches(reference: Path, paths: Sequence[Path]) -> Iterator[list[_Row]]:
    try:
        original = _photo(reference)
    except ValueError as error:
        yield [_Row(ScoredPair(str(reference), str(path), errors=[str(error)])) for path in paths]
        return
    notes = [f"{reference.name}: {note}" for note in original.conversions]
    at_once = max(1, _BATCH_BYTES // original.image.nbytes)
    for start in range(0, len(paths), at_once):
        yield [_row(reference, original.image, notes, path) for path in paths[start:][:at_once]]


def _row(reference: Path, original: Image, notes: list[str], path: Path) -> _Row:
    scored = ScoredPair(str(reference), str(path), notes=list(notes))
    try:
        photo = _photo(path)
    except ValueError as error:
        scored.errors.append(str(error))
        return _Row(scored)
    scored.height, scored.width = photo.image.shape[:2]
    scored.notes += [f"{path.name}: {note}" for note in photo.conversions]
    if photo.image.shape != original.shape:
        scored.errors.append(
            f"{path}: found {scored.width}x{scored.height} px; expected "
            f"{original.shape[1]}x{original.shape[0]} px as its reference has (images are never "
            f"resized)"
        )
        return _Row(scored)
    return _Row(scored, (original, photo.image))


def _photo(path: Path) -> Photo:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); expected a file") from None
    return read_photo(data, name=str(path), max_pixels=settings.MAX_IMAGE_PIXELS)


def _score(rows: Sequence[_Row], named: NamedMetric) -> None:
    for row in rows:
        row.scored.values[named.name] = None
    fit = [(row.scored, row.images) for row in rows if row.images is not None]
    if not fit:
        return
    reference = fit[0][1][0]
    try:
        values = named.metric.scores(reference, [image for _, (_, image) in fit])
    except (ValueError, RuntimeError) as error:
        # The metric cannot take images of this size, or the program behind it failed.
        for scored, _ in fit:
            scored.errors.append(f"{scored.distorted}: {named.name}: {error}")
        return
    for (scored, _), value in zip(fit, values, strict=True):
        scored.values[named.name] = value


def as_json(scored: Sequence[ScoredPair], metrics: Sequence[NamedMetric]) -> dict[str, Any]:
    return {
        "metrics": [metric.facts() for metric in metrics],
        "scores": [asdict(row) for row in scored],
    }


def as_csv(scored: Sequence[ScoredPair], metrics: Sequence[NamedMetric]) -> str:
    """One row a pair, one column a metric; numbers in full, an empty cell where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [metric.name for metric in metrics]
    writer.writerow(["reference", "distorted", "width", "height", *names, "notes", "errors"])
    for row in scored:
        values = [row.values.get(name) for name in names]
        told = ["; ".join(row.notes), "; ".join(row.errors)]
        writer.writerow([row.reference, row.distorted, row.width, row.height, *values, *told])
    return out.getvalue()
