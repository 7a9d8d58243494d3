"""Runs: the list, one run with its live state, and what a person may ask of it."""

import csv
import io
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from codecs_eval import exporting_metric, run_lists, runs
from codecs_eval.access import may_change_run, researcher, researchers_only
from codecs_eval.models import Run
from codecs_eval.run_kinds import KINDS
from codecs_eval.run_links import made_by
from codecs_eval.run_pages import (
    comparison_of,
    config_rows,
    curve_points,
    download_of,
    facts_of,
    parts_of,
    points_of,
)
from codecs_eval.serving_files import csv_reply, is_download, svg_reply, zip_reply
from codecs_eval.tasks import enqueue
from codecs_eval.training_pictures import sample_steps

RUNS_ON_PAGE = 50
LINES_ON_PAGE = 500
POINTS_A_REPLY = 5000


@researchers_only
@require_GET
@never_cache
def run_list(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("kind", "")
    if kind and kind not in KINDS:
        raise Http404(f"No run kind is called {kind!r}; known: {', '.join(KINDS)}.")
    page = Paginator(run_lists.listed(kind), RUNS_ON_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "codecs_eval/runs.html",
        {
            "page": page,
            "kinds": KINDS,
            "kind": kind,
            "is_active": any(run.is_active for run in page),
        },
    )


@researchers_only
@require_GET
@never_cache
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = get_object_or_404(Run.objects.select_related("dataset", "created_by"), pk=run_id)
    lines = list(found.lines.order_by("-pk")[:LINES_ON_PAGE])[::-1]
    return render(
        request,
        "codecs_eval/run.html",
        {
            "run": found,
            "kind": KINDS.get(found.kind),
            "config": config_rows(found),
            "lines": lines,
            "last_line": lines[-1].pk if lines else 0,
            "has_curves": curve_points(found).exists(),
            "parts": parts_of(found),
            "facts": facts_of(found),
            "made": made_by(found),
            "download": download_of(found),
            "sample_steps": sample_steps(found),
            **comparison_of(found),
            "result_templates": [
                f"codecs_eval/_result_{found.kind}.html",
                "codecs_eval/_result_facts.html",
            ],
        },
    )


@researchers_only
@require_GET
@never_cache
def run_state(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """What changed since the browser asked last: ?line= and ?point= name the last it has seen."""
    found = get_object_or_404(Run.objects.defer("traceback", "result"), pk=run_id)
    lines = found.lines.filter(pk__gt=_whole(request, "line"))[:LINES_ON_PAGE]
    points = (
        curve_points(found).filter(pk__gt=_whole(request, "point")).order_by("pk")[:POINTS_A_REPLY]
    )
    return JsonResponse(
        {
            "state": found.state,
            "is_simulated": found.is_simulated,
            "is_active": found.is_active,
            "is_cancel_wanted": found.is_cancel_wanted,
            "progress": found.progress,
            "note": found.note,
            "elapsed_s": found.elapsed.total_seconds() if found.elapsed else None,
            "remaining_s": found.remaining_s,
            "lines": [{"id": x.pk, "at": x.at.isoformat(), "text": x.text} for x in lines],
            "points": [
                {"id": x.pk, "name": x.name, "step": x.step, "value": x.value} for x in points
            ],
        }
    )


def _whole(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "0")
    return int(text) if text.isdigit() and len(text) < 19 else 0


@researchers_only
@require_GET
def run_curves_svg(request: HttpRequest, run_id: UUID) -> HttpResponse:
    from codecs_eval.agreement import drawing
    from codecs_eval.desk_plots import curves

    found = get_object_or_404(Run, pk=run_id)
    series = points_of(found)
    if not series:
        raise Http404("This run has no curve yet.")
    marked = " — SIMULATED judgments" if found.is_simulated else ""
    figure = curves(series, f"{found.title} ({found.state}){marked}")
    name = f"run-{str(found.pk)[:8]}-curves.svg"
    return svg_reply(drawing.svg(figure), name, as_attachment=is_download(request))


@researchers_only
@require_GET
def run_curves_csv(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = get_object_or_404(Run, pk=run_id)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["name", "step", "value", "is_simulated"])
    for name, points in points_of(found).items():
        writer.writerows([name, step, value, found.is_simulated] for step, value in points)
    return csv_reply(buffer.getvalue(), f"run-{str(found.pk)[:8]}-curves.csv")


def _changeable(request: HttpRequest, run_id: UUID) -> Run:
    found = get_object_or_404(Run.objects.select_related("dataset"), pk=run_id)
    if not may_change_run(researcher(request), found):
        raise PermissionDenied("This run works on a study; its researchers may do that.")
    return found


@researchers_only
@require_POST
def cancel_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = _changeable(request, run_id)
    if found.is_active:
        runs.cancel(found)
        messages.info(request, "Cancelling. What is finished is kept.")
    else:
        messages.info(request, f"This run is {found.state} already; nothing was cancelled.")
    return redirect(found)


@researchers_only
@require_POST
def run_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = _changeable(request, run_id)
    try:
        new = runs.again(found, researcher(request))
    except ValueError as error:
        messages.error(request, f"This run cannot be repeated: {error}")
        return redirect(found)
    transaction.on_commit(partial(enqueue, new))
    messages.success(request, "Queued again, with the same settings.")
    return redirect(new)


@researchers_only
@require_POST
def export_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Queue what makes a trained metric's download."""
    found = get_object_or_404(Run.objects.select_related("dataset"), pk=run_id)
    try:
        training = exporting_metric.trained_run(str(found.pk))
    except ValueError as error:
        messages.error(request, str(error))
        return redirect(found)
    new = exporting_metric.create_export(training, researcher(request))
    transaction.on_commit(partial(enqueue, new))
    messages.success(request, "Queued. The download stands here when it is made.")
    return redirect(new)


@researchers_only
@require_GET
def metric_zip(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    """A trained metric's export, streamed."""
    found = get_object_or_404(Run.objects.select_related("dataset"), pk=run_id, kind="train_metric")
    names = exporting_metric.exported_files(found)
    if not names:
        raise Http404(f"Training {found.pk} was not exported yet; its page says how.")
    return zip_reply(
        exporting_metric.export_folder(found), names, exporting_metric.export_name(found)
    )


def launched(request: HttpRequest, form: Any) -> HttpResponse:
    """Queue what a valid form describes and go to its page."""
    new = form.create_run(researcher(request))
    transaction.on_commit(partial(enqueue, new))
    messages.success(request, f"{KINDS[new.kind].label}: queued.")
    return redirect(new)
