"""What a vision model finds in compressed photos: the parts of a downstream run."""

from dataclasses import dataclass, field
from functools import lru_cache

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from codecs_eval import encoding, runs, storing
from codecs_eval.downstream.found import Found, from_json
from codecs_eval.downstream.table import MODELS, Model, load_model, model_entry
from codecs_eval.encoding import RATES_BPP, LadderConfig
from codecs_eval.models import Run, SourceImage
from codecs_eval.named_codecs import any_simulated
from codecs_eval.run_kinds import config_of
from codecs_eval.scoring import weight_file

UNCOMPRESSED = "uncompressed"


@dataclass(frozen=True)
class DownstreamConfig:
    """Every photo of a collection, uncompressed and under every codec at every rate."""

    collection: str = field(metadata={"help": "A collection of imported photos."})
    codecs: tuple[str, ...] = field(metadata={"help": "Names from the table of codecs."})
    rates_bpp: tuple[float, ...] = field(
        default=RATES_BPP, metadata={"help": "Target rates in bits per pixel of the whole file."}
    )
    model: str = field(
        default="yolox-nano",
        metadata={
            "help": "Detection: boxes. Segmentation: boxes and masks. Semantic: the class of every "
            "pixel. Words and faces have no truth in a COCO file: they are compared with the "
            "uncompressed photo.",
        },
    )
    annotations: str = field(
        default="",
        metadata={
            "label": "COCO file",
            "help": "Where the instances file lies in the store; none: finds are compared with "
            "those in the uncompressed photo.",
        },
    )
    tolerance: float = field(
        default=0.02, metadata={"help": "A file counts as hit within this share of its target."}
    )
    resamples: int = field(
        default=2000, metadata={"help": "Bootstrap resamples over photos.", "low": 100}
    )
    seed: int = field(default=1, metadata={"help": "Of the bootstrap.", "low": 0})

    def __post_init__(self) -> None:
        # The ladder's own checks: known codecs, rates and tolerance that can be had.
        _ = self.ladder
        if self.model not in MODELS:
            raise ValueError(f"Found model {self.model!r}; expected one of {', '.join(MODELS)}.")
        if not 100 <= self.resamples <= 100_000:
            raise ValueError(f"Found {self.resamples} resamples; expected 100..100000.")
        if self.seed < 0:
            raise ValueError(f"Found seed {self.seed}; expected 0 or more.")

    @property
    def ladder(self) -> LadderConfig:
        return LadderConfig(self.collection, self.codecs, self.rates_bpp, self.tolerance)


def downstream_config(run: Run) -> DownstreamConfig:
    config: DownstreamConfig = config_of(run.kind, run.config)
    return config


def check(config: DownstreamConfig) -> None:
    """Raise ValueError where photos, a codec or the COCO file are missing."""
    encoding.check_available(config.ladder)
    if config.annotations and not default_storage.exists(config.annotations):
        raise ValueError(f"Found no COCO file at {config.annotations}; expected one in the store.")


def create_report(config: DownstreamConfig, title: str, user: User | None = None) -> Run:
    """A queued run; marked where a codec learned from no person's choices."""
    is_simulated = any_simulated(config.codecs)
    return runs.create(
        "downstream", config, title=title[:200], user=user, is_simulated=is_simulated
    )


def downstream_parts(run: Run) -> list[str]:
    """One part a photo and codec: the originals first, then cheap codecs before dear ones."""
    config = downstream_config(run)
    check(config)
    # What the model lacks is said at once, not after hours of encoding.
    _model(config.model)
    keys = SourceImage.objects.in_collection(config.collection).values_list("pk", flat=True)
    pks = list(keys)
    return [f"{codec}:{pk}" for codec in (UNCOMPRESSED, *config.codecs) for pk in pks]


def detect_part(run: Run, key: str) -> None:
    """Encode one photo under one codec, and look at what comes back; done work is not redone."""
    config = downstream_config(run)
    codec, _, pk = key.partition(":")
    source = SourceImage.objects.get(pk=pk)
    if codec == UNCOMPRESSED:
        look(config.model, source.sha256, source.path)
        return
    rows = encoding.encode_source(source, codec, config.rates_bpp, tolerance=config.tolerance)
    for row in rows:
        look(config.model, row.pixels_sha256, row.path)


def look(model: str, pixels_sha256: str, path: str) -> Found:
    """What the model finds in stored pixels; kept by their sum, whichever run asked first."""
    kept_at = finds_path(model, pixels_sha256)
    if not default_storage.exists(kept_at):
        found = _model(model).find(storing.read_pixels(path))
        default_storage.save(kept_at, ContentFile(found.to_json().encode()))
    return kept_finds(model, pixels_sha256)


def kept_finds(model: str, pixels_sha256: str) -> Found:
    """Finds that `look` has kept. Raises ValueError where it has not looked yet."""
    path = finds_path(model, pixels_sha256)
    if not default_storage.exists(path):
        raise ValueError(f"Found no finds of {model} at {path}; expected a run that looked.")
    return from_json(storing.read(path).decode())


def finds_path(model: str, pixels_sha256: str) -> str:
    entry = model_entry(model)
    folder = f"finds/{entry.name}-{entry.version}/{pixels_sha256[:2]}"
    return f"{folder}/{pixels_sha256}.json"


@lru_cache(maxsize=2)
def _model(name: str) -> Model:
    """Loaded once a process: a part is one photo."""
    return load_model(name, weight_file)


def choices() -> list[tuple[str, str]]:
    """Models as a form offers them."""
    return [(entry.name, f"{entry.label}, {entry.task}") for entry in MODELS.values()]
