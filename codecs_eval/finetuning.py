"""A frozen dataset -> a trained metric, as a run: the doors of `training` to the rows."""

from typing import Any

from django.conf import settings

from codecs_eval import datasets
from codecs_eval.models import Run
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weight_file
from codecs_eval.training.metric import train_metric
from codecs_eval.training.processes import current
from codecs_eval.training.reporter import Reporter


class _Silent:
    """What the other processes of a training say: the first one speaks for them."""

    def progress(self, done: float, total: float, note: str = "") -> None: ...

    def log(self, line: str) -> None: ...

    def metric(self, step: int, name: str, value: float) -> None: ...

    def should_stop(self) -> bool:
        return False


def train_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    # The other processes of torchrun wait for this run's name.
    current().share(str(run.pk).encode())
    return _train(run, reporter)


def help_train() -> None:
    """The part of torchrun's other processes: join the training that the first one has begun."""
    run_id = current().share(b"").decode()
    _train(Run.objects.select_related("dataset").get(pk=run_id), _Silent())


def _train(run: Run, reporter: Reporter) -> dict[str, Any]:
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
