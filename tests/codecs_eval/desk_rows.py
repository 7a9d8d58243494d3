"""Rows for the desk's pages: a frozen dataset on disk, runs in every state, a finished report."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from codecs_eval import datasets, runs
from codecs_eval.agreement.dataset import FrozenDataset, write_dataset
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import MetricDistances
from codecs_eval.agreement.pixels import encode_png
from codecs_eval.agreement.report import evaluate_dataset
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Dataset, Run
from codecs_eval.reports import AgreementConfig, write

QUESTION = "Which one is closer to the picture in the middle?"


def make_dataset(
    name: str = "garden",
    *,
    is_simulated: bool = False,
    n_sources: int = 4,
    n_judgments: int = 3,
    user: Any = None,
) -> Dataset:
    triplets, judgments, images = _rows(n_sources, n_judgments, is_simulated)

    def freeze(folder: Path) -> FrozenDataset:
        return write_dataset(
            folder,
            name=name,
            origin="study:garden v1",
            question=QUESTION,
            polarity="closer",
            is_simulated=is_simulated,
            licence="CC0",
            attribution="Ada",
            filters=[{"rule": "superseded by an undo", "dropped": 7}],
            triplets=triplets,
            judgments=judgments,
            images=images,
            seed=5,
        )

    return datasets.register(name, freeze, user=user)


def _rows(
    n_sources: int, n_judgments: int, is_simulated: bool
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, bytes]]:
    triplets, judgments, images = [], [], {}
    for source in range(n_sources):
        shas = []
        for step in range(3):
            data = encode_png(np.full((8, 12, 3), 10 * source + step, dtype=np.uint8))
            shas.append(hashlib.sha256(data).hexdigest())
            images[shas[-1]] = data
        triplet_id = f"t{source}"
        triplets.append(
            {
                "triplet_id": triplet_id,
                "source": f"photo{source}",
                "source_sha256": shas[0],
                **dict(zip(["source_image", "first_image", "second_image"], shas, strict=True)),
                "first_codec": "jpeg",
                "second_codec": "webp",
                "first_settings": "{}",
                "second_settings": "{}",
                "first_bpp": 0.5,
                "second_bpp": 0.5,
                "first_target_bpp": 0.5,
                "second_target_bpp": 0.5,
                "kind": "main",
            }
        )
        judgments += [
            {
                "judgment_id": f"{triplet_id}-{number}",
                "triplet_id": triplet_id,
                "choice": "first" if number == 0 else "second",
                "observer": f"observer{number}",
                "response_ms": 900.0,
                "is_simulated": is_simulated,
            }
            for number in range(n_judgments)
        ]
    return pd.DataFrame(triplets), pd.DataFrame(judgments), images


def make_run(state: str = "queued", *, dataset: Dataset | None = None, **about: Any) -> Run:
    """An agreement run; `about` are columns written over it."""
    run = runs.create(
        "agreement", AgreementConfig(), title=about.pop("title", "Agreement"), dataset=dataset
    )
    Run.objects.filter(pk=run.pk).update(state=state, **about)
    run.refresh_from_db()
    return run


def make_report(dataset: Dataset) -> Run:
    """A finished report of two metrics, on all sources, with its files."""
    frozen = datasets.frozen(dataset)
    ids = frozen.triplets["triplet_id"]
    metrics = [_always(name, second, ids) for name, second in (("psnr", 40.0), ("ssim", 0.0))]
    report = evaluate_dataset(frozen, metrics, "all", Bootstrap(resamples=100))
    run = make_run("done", dataset=dataset, progress=1, title=f"Agreement on {dataset.name}")
    run.folder.mkdir(parents=True)
    run.result = write(run.folder, report.to_json(), report.to_csv(), ["A note of the report."])
    run.save(update_fields=["result"])
    return run


def _always(name: str, second: float, ids: pd.Series) -> MetricDistances:
    """A metric that finds the second image at `second` and the first at half of the range."""
    entry = METRICS[name]
    middle = entry.high / 3
    values = pd.DataFrame({"triplet_id": ids, "d_first": middle, "d_second": second})
    return MetricDistances(
        name, entry.label, entry.higher_is_better, entry.colour, entry.marker, values
    )
