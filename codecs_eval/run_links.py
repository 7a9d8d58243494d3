"""Where the thing that a finished run made is to be seen."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from codecs_eval.models import Run

# Kind -> label, URL name, its argument; the pages of studies are known by name alone.
_MADE: dict[str, tuple[str, str, Callable[[Run], Any]]] = {
    "agreement": ("Open the report", "report", lambda run: run.pk),
    "downstream": ("Open the report", "downstream", lambda run: run.pk),
    "encode_ladder": ("Open the collection", "collection", lambda run: run.config["collection"]),
    "saliency": ("Open the saliency", "saliency", lambda run: run.config["collection"]),
    "export_metric": (
        "Download the metric (zip)",
        "metric_zip",
        lambda run: run.config["training"],
    ),
    "study_results": ("Open the results", "study_results", lambda run: run.config["study"]),
    "plan_study": ("Open the study", "study", lambda run: run.result["study"]),
    "dry_run": ("Open its results", "study_results", lambda run: run.result["dry_run"]),
    "freeze_dataset": ("Open the dataset", "dataset", lambda run: run.dataset_id),
}


def made_by(run: Run) -> dict[str, str] | None:
    """A label and an address; None for a run that is not done or made nothing to open."""
    if run.state != Run.State.DONE or run.kind not in _MADE:
        return None
    label, name, found = _MADE[run.kind]
    argument = found(run)
    if not argument:
        return None
    query = f"?model={run.config['model']}" if run.kind == "saliency" else ""
    return {"label": label, "url": reverse(name, args=[argument]) + query}
