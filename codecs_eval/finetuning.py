"""A frozen dataset -> a trained metric, as a run: the doors of `training` to the rows."""

from typing import Any

from codecs_eval import datasets
from codecs_eval.models import Dataset, Run
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weight_file
from codecs_eval.training.metric import train_metric


def train_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    if run.dataset is None:
        raise ValueError("Found no dataset; a metric is trained on one.")
    return train_metric(
        datasets.frozen(run.dataset),
        config_of(run.kind, run.config),
        run.folder,
        weight_file,
        reporter,
    )


def trained_runs(dataset: Dataset | None = None) -> Any:
    """Finished training runs, newest first."""
    found = Run.objects.filter(kind="train_metric", state=Run.State.DONE)
    return found if dataset is None else found.filter(dataset=dataset)
