"""A collection and its COCO file -> the photos of a downstream report, each with its truth."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codecs_eval import storing
from codecs_eval.detecting import DownstreamConfig
from codecs_eval.downstream import coco
from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.categories import Mapped, mapped
from codecs_eval.downstream.coco import CocoFile, CocoImage, Instance
from codecs_eval.downstream.table import MASK_TASKS, TRUE_TASKS, model_entry
from codecs_eval.ingesting import source_names
from codecs_eval.models import SourceImage

SHRUNK = "shrunk by two"


@dataclass(frozen=True)
class Truth:
    """Photos with their rows, in one order; `by_label` is empty where there is no COCO file."""

    photos: list[Photo]
    sources: list[SourceImage]
    by_label: Mapping[str, int]
    notes: list[str]


def photos_of(config: DownstreamConfig) -> Truth:
    """Raises ValueError where the file knows no photo of the collection, or no category."""
    sources = list(SourceImage.objects.in_collection(config.collection))
    entry = model_entry(config.model)
    task = entry.task
    if not config.annotations or task not in TRUE_TASKS:
        photos = [Photo(s.pk, s.name, s.width, s.height, ()) for s in sources]
        notes = (
            [f"A COCO file has no truth for {task}: it was not used."] if config.annotations else []
        )
        return Truth(photos, sources, {}, notes)
    file = coco.read_coco(
        storing.read(config.annotations), name="COCO file", with_masks=task in MASK_TASKS
    )
    known = mapped(entry.labels, file)
    return _joined(sources, file, known)


def is_shrunk(source: SourceImage) -> bool:
    return any(SHRUNK in words for words in source.conversions)


def is_jpeg_flagged(source: SourceImage) -> bool:
    """It has been through a JPEG encoder and still shows it."""
    return source.is_jpeg_born and not is_shrunk(source)


def _joined(sources: Sequence[SourceImage], file: CocoFile, known: Mapped) -> Truth:
    images = _by_source_name(file.images)
    truth = defaultdict(list)
    evaluated = set(known.by_label.values())
    for instance in file.instances:
        if instance.category_id in evaluated:
            truth[instance.image_id].append(instance)
    photos, kept = [], []
    notes = [*(f"The COCO file: {note}." for note in file.notes), *known.notes()]
    unnamed: list[str] = []
    misfits: list[str] = []
    met = set()
    for source in sources:
        image = images.get(source.name)
        if image is None:
            unnamed.append(source.name)
            continue
        met.add(image.id)
        fitted = _fitted(source, image, truth[image.id])
        if fitted is None:
            misfits.append(
                f"{source.name} ({source.width}x{source.height} px, by the file {image.width}x"
                f"{image.height})"
            )
            continue
        photos.append(Photo(source.pk, source.name, source.width, source.height, tuple(fitted)))
        kept.append(source)
    missing = [image.file_name for image in file.images if image.id not in met]
    notes += _said("without a photo in the collection", missing)
    notes += _said("of the collection that the COCO file does not name", unnamed)
    notes += _said("of another size than the COCO file says", misfits)
    if not photos:
        raise ValueError(
            f"Found no photo that the collection and the COCO file share ({'; '.join(notes)}); "
            "expected the photos that the file names."
        )
    return Truth(photos, kept, known.by_label, notes)


def _by_source_name(images: Sequence[CocoImage]) -> dict[str, CocoImage]:
    """Importing names photos by their files; the same rule finds them again."""
    names = source_names([image.file_name for image in images])
    stems = source_names([image.file_name.rpartition("/")[2] for image in images])
    found = {stems[image.file_name.rpartition("/")[2]]: image for image in images}
    return {**found, **{names[image.file_name]: image for image in images}}


def _fitted(
    source: SourceImage, image: CocoImage, instances: Sequence[Instance]
) -> list[Instance] | None:
    """The instances in the source's own pixels; None where its size is not the file's."""
    size = (source.width, source.height)
    if size == (image.width, image.height):
        return list(instances)
    if is_shrunk(source) and size == (image.width // 2, image.height // 2):
        return [half for each in instances if (half := coco.halved(each)) is not None]
    return None


def _said(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
    return [f"Left out: {len(names)} photo{'s' if len(names) > 1 else ''} {what}: {shown}."]
