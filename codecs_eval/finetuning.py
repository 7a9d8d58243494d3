"""A frozen dataset -> a trained metric, as a run: the doors of `training` to the rows."""

from typing import Any

from django.conf import settings

from codecs_eval import datasets
from codecs_eval.models import Run
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import Cancelled, RunReporter
from codecs_eval.scoring import weight_file
from codecs_eval.training.metric import train_metric
from codecs_eval.training.processes import current
from codecs_eval.training.reporter import Reporter
from codecs_eval.training_together import tell_others


def train_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    tell_others(run)
    result = train(run, reporter)
    if not result["is_finished"]:
        # Another process may have seen a moment before this one that it should stop.
        raise Cancelled
    return result


def train(run: Run, reporter: Reporter) -> dict[str, Any]:
    if run.dataset is None:
        raise ValueError("Found no dataset; a metric is trained on one.")
    return train_metric(
        datasets.frozen(run.dataset),
        config_of(run.kind, run.config),
        run.folder,
        weight_file,
        reporter,
        # Features depend on the dataset and the trunk alone: later trainings find them here.
        cache=settings.TRIAD_HOME / "features",
        processes=current(),
    )
