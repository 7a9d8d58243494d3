"""Which runs a page shows, each with all that its row needs in one query."""

from typing import Any

from codecs_eval.models import Dataset, Run, RunQuerySet


def listed(kind: str = "") -> RunQuerySet:
    """Rows of a table: results (whole reports) and tracebacks stay in the database."""
    found = Run.objects.select_related("dataset", "created_by").defer("traceback", "result")
    return found.filter(kind=kind) if kind else found


def of_dataset(dataset: Dataset) -> RunQuerySet:
    return listed().filter(dataset=dataset)


def of_collection(collection: str) -> RunQuerySet:
    return listed().filter(config__collection=collection)


def trained_metrics() -> RunQuerySet:
    """Finished trainings with their results, newest first."""
    return listed("train_metric").filter(state=Run.State.DONE).defer(None)


def trained_codecs() -> RunQuerySet:
    """Finished trainings of codecs with their results, newest first."""
    return listed("train_codec").filter(state=Run.State.DONE).defer(None)


def exports_of(training: Run) -> RunQuerySet:
    """The runs that made or make this training's download, newest first."""
    return listed("export_metric").filter(config__training=str(training.pk))


def finished_reports() -> RunQuerySet:
    """Reports with their numbers, newest first."""
    return listed("agreement").filter(state=Run.State.DONE).defer(None)


def parts_by_group(run: Run) -> list[dict[str, Any]]:
    """Parts of a run by what stands before the colon of their key (a ladder's codec)."""
    groups: dict[str, dict[str, Any]] = {}
    for part in run.parts.values("key", "is_done", "error"):
        name, _, _ = part["key"].partition(":")
        group = groups.setdefault(name, {"name": name, "n": 0, "n_done": 0, "n_failed": 0})
        group["n"] += 1
        group["n_done"] += part["is_done"]
        group["n_failed"] += part["error"] != ""
    return list(groups.values())


def failed_parts(run: Run) -> list[dict[str, Any]]:
    failed = run.parts.exclude(error="").order_by("key")
    return [dict(row) for row in failed.values("key", "error")]
