"""A study's judgments and pixels -> a frozen dataset, the folder that never changes."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
from django.contrib.auth.models import User
from django.db.models import Case, F, Q, When

from annotation import auditing
from annotation.models import Judgment, Session, Study, Trial, Triplet
from codecs_eval import datasets, storing
from codecs_eval.agreement.dataset import FrozenDataset, write_dataset
from codecs_eval.models import Dataset, Reconstruction, Run
from codecs_eval.runs import RunReporter


@dataclass(frozen=True)
class FreezeConfig:
    """What of a study goes into a dataset, and how its sources are split."""

    study: str = field(metadata={"help": "The study's short name (slug)."})
    name: str = field(default="", metadata={"help": "Name of the dataset; default: the slug."})
    seed: int = field(default=1, metadata={"help": "Seed of the split by source."})
    test_share: float = field(default=0.25, metadata={"help": "Share of sources held out."})

    def __post_init__(self) -> None:
        if not self.study:
            raise ValueError("Found no study; expected its short name.")
        if self.seed < 0:
            raise ValueError(f"Found seed {self.seed}; expected 0 or more.")
        if not 0 < self.test_share < 1:
            raise ValueError(f"Found test share {self.test_share}; expected between 0 and 1.")


def freeze_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    config = FreezeConfig(**run.config)
    study = Study.objects.get(slug=config.study)
    # The dataset takes the run's own id: an attempt after a killed one finds what is there.
    dataset = Dataset.objects.filter(pk=run.pk).first() or freeze_dataset(
        study, config, user=run.created_by, reporter=reporter, dataset_id=run.pk
    )
    Run.objects.filter(pk=run.pk).update(dataset=dataset)
    return {"dataset": str(dataset.pk), "name": dataset.name, "judgments": dataset.n_judgments}


def freeze_dataset(
    study: Study,
    config: FreezeConfig,
    *,
    user: User | None = None,
    reporter: RunReporter | None = None,
    dataset_id: UUID | None = None,
) -> Dataset:
    """The study's standing judgments as a folder that never changes.

    Filters, in this order, each counting what it dropped: superseded by an undo, sessions
    screened out, warm-ups, repeats and checks, crops seen in part. Raises ValueError where
    nothing is left.
    """
    if study.purpose == Study.Purpose.PREVIEW:
        raise ValueError(f"Study {study.slug} is a preview; nothing in it counts, nor is frozen.")
    kept = _kept(study)
    if kept.judgments.empty:
        raise ValueError(f"Study {study.slug} has no judgment to freeze yet.")
    wanted = set(kept.judgments["triplet_id"])
    judged = study.triplets.filter(trials__state=Trial.State.JUDGED).distinct()
    triplets = [
        triplet
        for triplet in judged.select_related("source", "first", "second")
        if str(triplet.pk) in wanted
    ]
    crops = _Crops(triplets, reporter)
    licences = sorted({t.source.licence for t in triplets})
    attributions = sorted({t.source.attribution for t in triplets if t.source.attribution})

    def write(folder: Path) -> FrozenDataset:
        return write_dataset(
            folder,
            name=name,
            origin=study.origin,
            question=study.question,
            polarity=study.polarity,
            is_simulated=study.is_simulated,
            licence="; ".join(licences),
            attribution="; ".join(attributions),
            filters=kept.filters,
            triplets=pd.DataFrame([_triplet_row(t, crops) for t in triplets]),
            judgments=kept.judgments,
            images=crops.images,
            seed=config.seed,
            test_share=config.test_share,
        )

    def keep_trail(dataset: Dataset) -> None:
        frozen = {"dataset": dataset.pk, "judgments": dataset.n_judgments}
        auditing.record(study, user, f"Frozen as dataset {dataset.name}", {}, frozen)

    name = config.name or study.slug
    return datasets.register(name, write, user=user, dataset_id=dataset_id, beside=keep_trail)


@dataclass(frozen=True, eq=False)
class _Kept:
    """Judgments that count, and how many rows each rule dropped; from one reading of the rows."""

    judgments: pd.DataFrame
    filters: list[dict[str, Any]]


def _kept(study: Study) -> _Kept:
    dropped = {
        "superseded by an undo": 0,
        "session excluded by screening": 0,
        "warm-up, repeat or check trial": 0,
        "seen on a smaller part of the crop": 0,
    }
    rows: list[tuple[Any, ...]] = []
    # The images in a dataset are whole crops: who saw less of one did not judge it.
    is_part = Q(shown_width_px__lt=F("trial__triplet__crop_width_px")) | Q(
        shown_height_px__lt=F("trial__triplet__crop_height_px")
    )
    judgments = Judgment.objects.of_study(study).annotate(
        is_part=Case(When(is_part, then=True), default=False)
    )
    found = judgments.values_list(
        "pk", "trial__triplet_id", "choice", "trial__annotator_id", "response_ms",
        "trial__annotator__is_simulated",
        "superseded_by", "trial__session__verdict",
        "trial__is_warm_up", "trial__is_repeat", "trial__triplet__kind", "is_part",
    )  # fmt: skip
    for *row, later, verdict, warm, again, kind, is_part in found.iterator():
        if later is not None:
            dropped["superseded by an undo"] += 1
        elif verdict == Session.Verdict.EXCLUDED:
            dropped["session excluded by screening"] += 1
        elif warm or again or kind != Triplet.Kind.MAIN:
            dropped["warm-up, repeat or check trial"] += 1
        elif is_part:
            dropped["seen on a smaller part of the crop"] += 1
        else:
            pk, triplet, choice, who, ms, sim = row
            rows.append((str(pk), str(triplet), choice, str(who), ms, sim))
    columns = ["judgment_id", "triplet_id", "choice", "observer", "response_ms", "is_simulated"]
    return _Kept(
        pd.DataFrame(rows, columns=columns),
        [{"rule": rule, "dropped": n} for rule, n in dropped.items()],
    )


class _Crops:
    """The pixels that people saw, cut once each."""

    def __init__(self, triplets: list[Triplet], reporter: RunReporter | None) -> None:
        self.images: dict[str, bytes] = {}
        self._sha: dict[tuple[str, tuple[int, int, int, int]], str] = {}
        for done, triplet in enumerate(triplets):
            for path in (triplet.source.path, triplet.first.path, triplet.second.path):
                self._cut(path, triplet.box)
            if reporter:
                reporter.stop_if_asked()
                reporter.progress(done + 1, len(triplets), "cutting images")

    def _cut(self, path: str, box: tuple[int, int, int, int]) -> None:
        if (path, box) in self._sha:
            return
        left, top, right, bottom = box
        png = storing.png_of(storing.read_pixels(path)[top:bottom, left:right])
        sha = storing.sha256_of(png)
        self.images[sha] = png
        self._sha[path, box] = sha

    def sha_of(self, path: str, box: tuple[int, int, int, int]) -> str:
        return self._sha[path, box]


def _triplet_row(triplet: Triplet, crops: _Crops) -> dict[str, Any]:
    row: dict[str, Any] = {
        "triplet_id": str(triplet.pk),
        "source": triplet.source.name,
        "source_sha256": triplet.source.sha256,
        "source_image": crops.sha_of(triplet.source.path, triplet.box),
        "kind": triplet.kind,
    }
    sides: tuple[tuple[str, Reconstruction], ...] = (
        ("first", triplet.first),
        ("second", triplet.second),
    )
    for side, reconstruction in sides:
        row |= {
            f"{side}_image": crops.sha_of(reconstruction.path, triplet.box),
            f"{side}_codec": reconstruction.codec,
            f"{side}_settings": json.dumps(reconstruction.settings, sort_keys=True),
            f"{side}_bpp": reconstruction.bpp,
            f"{side}_target_bpp": reconstruction.target_bpp,
        }
    return row
