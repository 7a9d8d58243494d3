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
from codecs_eval.metrics.metric import Image
from codecs_eval.named_metrics import NamedMetric

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
    if on_progress is not None:
        on_progress(len(scored), len(pairs), "scored")
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


def as_json(
    scored: Sequence[ScoredPair], metrics: Sequence[NamedMetric], unused: Sequence[Path] = ()
) -> dict[str, Any]:
    """`unused`: references that have no reconstruction."""
    return {
        "is_simulated": any(metric.is_simulated for metric in metrics),
        "unused_references": [str(path) for path in unused],
        "metrics": [metric.facts() for metric in metrics],
        "scores": [asdict(row) for row in scored],
    }


def as_csv(scored: Sequence[ScoredPair], metrics: Sequence[NamedMetric]) -> str:
    """One row a pair, one column a metric; numbers in full, an empty cell where there is none.

    `is_simulated`: at least one of the metrics learned from no person.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [metric.name for metric in metrics]
    sizes, told = ("width", "height"), ("notes", "errors", "is_simulated")
    writer.writerow(["reference", "distorted", *sizes, *names, *told])
    is_simulated = any(metric.is_simulated for metric in metrics)
    for row in scored:
        values = [row.values.get(name) for name in names]
        said = ["; ".join(row.notes), "; ".join(row.errors), is_simulated]
        writer.writerow([row.reference, row.distorted, row.width, row.height, *values, *said])
    return out.getvalue()
