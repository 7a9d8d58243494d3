"""Where the thing that a finished run made is to be seen."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from codecs_eval.models import Run

Made = tuple[str, str, list[Any]]


def _imported(run: Run) -> Made:
    """Tables become a study, layouts with pictures a dataset."""
    if run.result.get("study"):
        return "Open the study", "study", [run.result["study"]]
    return "Open the dataset", "dataset", [run.dataset_id]


# Kind -> label, URL name and its arguments; the pages of studies are known by name alone.
_MADE: dict[str, Callable[[Run], Made]] = {
    "agreement": lambda run: ("Open the report", "report", [run.pk]),
    "downstream": lambda run: ("Open the report", "downstream", [run.pk]),
    "encode_ladder": lambda run: ("Open the collection", "collection", [run.config["collection"]]),
    "saliency": lambda run: ("Open the saliency", "saliency", [run.config["collection"]]),
    "export_metric": lambda run: (
        "Download the metric (zip)", "metric_zip", [run.config["training"]],
    ),
    "study_results": lambda run: ("Open the results", "study_results", [run.config["study"]]),
    "plan_study": lambda run: ("Open the study", "study", [run.result["study"]]),
    "dry_run": lambda run: ("Open its results", "study_results", [run.result["dry_run"]]),
    "export_study": lambda run: (
        "Download the export (zip)", "study_export_file", [run.config["study"], run.pk],
    ),
    "import_judgments": _imported,
    "freeze_dataset": lambda run: ("Open the dataset", "dataset", [run.dataset_id]),
}  # fmt: skip


def made_by(run: Run) -> dict[str, str] | None:
    """A label and an address; None for a run that is not done or made nothing to open."""
    if run.state != Run.State.DONE or run.kind not in _MADE:
        return None
    label, name, arguments = _MADE[run.kind](run)
    if None in arguments:
        return None
    query = f"?model={run.config['model']}" if run.kind == "saliency" else ""
    return {"label": label, "url": reverse(name, args=arguments) + query}
