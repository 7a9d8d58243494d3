"""Photos of a collection -> where each draws the eye, as rows with 8-bit maps in the store."""

from dataclasses import dataclass, field
from typing import Any

from codecs_eval import storing, weights
from codecs_eval.mask_agreement import agree_where_missing
from codecs_eval.models import Run, SaliencyMap, SourceImage
from codecs_eval.runs import RunReporter
from codecs_eval.saliency.agreement import as_levels
from codecs_eval.saliency.saliency import Map, Saliency
from codecs_eval.saliency.table import DEFAULT, SALIENCY, SaliencyEntry, load_saliency
from codecs_eval.scoring import weight_file


@dataclass(frozen=True)
class SaliencyConfig:
    collection: str = field(metadata={"help": "A collection of photos."})
    model: str = field(
        default=DEFAULT,
        metadata={
            "label": "Model",
            "choices": tuple(SALIENCY),
            "help": "u2netp segments salient objects and needs its weights (5 MB, fetched once); "
            "spectral-residual needs none and is coarser.",
        },
    )

    def __post_init__(self) -> None:
        if self.model not in SALIENCY:
            raise ValueError(
                f"Found saliency model {self.model!r}; expected one of {', '.join(SALIENCY)}."
            )


def find_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    """A map for every photo that has none of this model and version; then its agreements."""
    config = SaliencyConfig(**run.config)
    entry = SALIENCY[config.model]
    sources = SourceImage.objects.in_collection(config.collection)
    n_photos = sources.count()
    if not n_photos:
        raise ValueError(f"Found no photo with pixels in a collection {config.collection!r}.")
    missing = list(
        sources.exclude(
            pk__in=SaliencyMap.objects.filter(model=entry.name, model_version=entry.version).values(
                "source"
            )
        )
    )
    n_new = _find(missing, entry, reporter) if missing else 0
    n_agreements = agree_where_missing(config.collection, reporter.stop_if_asked)
    return {
        "collection": config.collection,
        "model": entry.name,
        "model_version": entry.version,
        "n_photos": n_photos,
        "n_new": n_new,
        "n_agreements": n_agreements,
    }


def _find(sources: list[SourceImage], entry: SaliencyEntry, reporter: RunReporter) -> int:
    model = load_saliency(entry.name, weight_file)
    origin = _origin(entry)
    n_new = 0
    for at, source in enumerate(sources):
        reporter.stop_if_asked()
        reporter.progress(at, len(sources), source.name)
        n_new += find_in_source(source, model, origin)
    return n_new


def find_in_source(source: SourceImage, model: Saliency, origin: str) -> bool:
    """Whether the row is new: another worker may have stored the same meanwhile."""
    path = store_map(model.map(storing.read_pixels(source.path)))
    _, is_new = SaliencyMap.objects.get_or_create(
        source=source,
        model=model.name,
        model_version=model.version,
        defaults={"path": path, "origin": origin},
    )
    return is_new


def store_map(found: Map) -> str:
    """(height, width) in [0, 1] as an 8-bit grey PNG in the store."""
    return storing.store(storing.png_of(as_levels(found)), folder="saliency", extension="png")


def _origin(entry: SaliencyEntry) -> str:
    """Which weights computed it, for the row."""
    files = [weights.file_of(name, weight_file(name)) for name in entry.needs_weights]
    return ", ".join(f"{file.name} {file.sha256[:12]}" for file in files) or "no weights"
