"""A metric's scores of every triplet of a dataset, computed once and kept in the store."""

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from django.conf import settings

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.agreement.judged import values_of
from codecs_eval.metrics.metric import Metric
from codecs_eval.models import Dataset
from codecs_eval.runs import RunReporter


def scores_of(
    row: Dataset,
    dataset: FrozenDataset,
    key: str,
    load: Callable[[], Metric],
    reporter: RunReporter,
) -> pd.DataFrame:
    """triplet_id, d_first and d_second; `key` names the metric, its version and its weights."""
    path = Path(settings.TRIAD_HOME) / "scores" / str(row.pk) / f"{key}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    metric = load()
    pieces = []
    for source, triplets in dataset.triplets.groupby("source_image"):
        reporter.stop_if_asked()
        reconstructions = sorted({*triplets["first_image"], *triplets["second_image"]})
        values = metric.scores(
            dataset.image(str(source)), [dataset.image(sha) for sha in reconstructions]
        )
        pieces.append(values_of(triplets, dict(zip(reconstructions, values, strict=True))))
    scored = pd.concat(pieces, ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    scored.to_parquet(partial, index=False)
    partial.replace(path)
    return scored
