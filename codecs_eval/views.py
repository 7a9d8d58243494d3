"""The desk's tables and its help: what codecs and metrics there are, and what each number means."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from codecs_eval import run_lists
from codecs_eval.access import researchers_only
from codecs_eval.codecs.table import CODECS
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Run
from codecs_eval.named_codecs import all_entries, probe_every
from codecs_eval.saliency.table import SALIENCY


@researchers_only
@require_GET
def codecs(request: HttpRequest) -> HttpResponse:
    entries = all_entries()
    rows = [{"entry": entries[probe.name], "probe": probe} for probe in probe_every()]
    return render(request, "codecs_eval/codecs.html", {"rows": rows})


@researchers_only
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    trained = [{"run": run, **_heldout(run)} for run in run_lists.trained_metrics()]
    return render(
        request, "codecs_eval/metrics.html", {"metrics": METRICS.values(), "trained": trained}
    )


def _heldout(run: Run) -> dict[str, Any]:
    """A training's agreement on sources that it never saw; empty where it held none out."""
    return {
        "heldout": run.result.get("heldout"),
        "crossed": run.result.get("cross_validated"),
    }


@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "codecs_eval/help.html",
        {
            "metrics": METRICS.values(),
            "codecs": CODECS.values(),
            "saliency": SALIENCY.values(),
        },
    )
