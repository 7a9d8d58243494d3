"""What stands beside studies and runs: datasets, and the tables of codecs and metrics."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from annotation.rest_access import needs, researcher_of
from annotation.rest_pages import BY_TIME, USUAL, Cursor, Limit, page_of
from annotation.rest_problems import Problem
from annotation.rest_run_schemas import CodecOut, DatasetOut, DatasetRead, MetricOut
from annotation.rest_schemas import Page, answers
from codecs_eval import run_lists
from codecs_eval.measuring_trained import RUN_PREFIX
from codecs_eval.metrics.table import METRICS, finite
from codecs_eval.models import ApiToken, Dataset, Run
from codecs_eval.named_codecs import all_entries, probe_every

READ = needs(ApiToken.Scope.RUNS_READ)
router = Router(tags=["datasets, codecs, metrics"])


@router.get("/datasets", **READ, response=answers(Page[DatasetOut]))
def list_datasets(request: HttpRequest, cursor: Cursor = None, limit: Limit = USUAL) -> Any:
    """Frozen judgments, the newest first."""
    researcher_of(request)
    keys = ("created_at", "pk")
    rows = Dataset.objects.all()
    items, following = page_of(rows, keys, BY_TIME, cursor, limit, newest_first=True)
    return {"items": items, "next": following}


@router.get("/datasets/{dataset_id}", **READ, response=answers(DatasetRead, 404))
def read_dataset(request: HttpRequest, dataset_id: UUID) -> Any:
    """One dataset with its manifest."""
    researcher_of(request)
    found = Dataset.objects.filter(pk=dataset_id).first()
    if found is None:
        raise Problem(404, f"No dataset is called {dataset_id}.")
    path = found.folder / "manifest.json"
    plain = {name: getattr(found, name) for name in DatasetOut.model_fields}
    return {**plain, "manifest": json.loads(path.read_text()) if path.is_file() else None}


@router.get("/codecs", **READ, response=answers(list[CodecOut]))
def list_codecs(request: HttpRequest) -> Any:
    """Every codec of the table and every one that was trained here."""
    researcher_of(request)
    entries = all_entries()
    return [
        {
            "name": probe.name,
            "label": probe.label,
            "note": entries[probe.name].note,
            "is_available": probe.is_available,
            "version": probe.version,
            "reason": probe.reason,
        }
        for probe in probe_every()
    ]


@router.get("/metrics", **READ, response=answers(list[MetricOut]))
def list_metrics(request: HttpRequest) -> Any:
    """Every metric of the table and every one that was trained here."""
    researcher_of(request)
    table = [
        {
            **{
                name: getattr(entry, name)
                for name in ("name", "label", "definition", "version", "higher_is_better")
            },
            "low": finite(entry.low),
            "high": finite(entry.high),
            "is_simulated": False,
        }
        for entry in METRICS.values()
    ]
    return [*table, *(_trained(run) for run in run_lists.trained_metrics())]


def _trained(run: Run) -> dict[str, Any]:
    return {
        "name": f"{RUN_PREFIX}{run.pk}",
        "label": run.title,
        "definition": f"LPIPS ({run.config['backbone']}) trained by run {run.pk}; 0 is identical",
        "version": str(run.pk),
        "low": 0.0,
        "high": None,
        "higher_is_better": False,
        "is_simulated": run.is_simulated,
    }
