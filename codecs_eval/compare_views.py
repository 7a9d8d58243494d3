"""Trainings side by side: ?run=ID&run=ID says which, so that the page can be sent to somebody."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from codecs_eval import run_lists
from codecs_eval.access import researchers_only
from codecs_eval.models import Run
from codecs_eval.run_comparison import LETTERS, compared, points_by_run
from codecs_eval.serving_files import is_download, svg_reply

TRAININGS_TO_CHOOSE = 50


@researchers_only
@require_GET
@never_cache
def compare_runs(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    if len(chosen) < 2:
        runs = list(run_lists.listed("train_metric")[:TRAININGS_TO_CHOOSE])
        ticked = {run.pk for run in chosen}
        context = {"runs": runs, "ticked": ticked, "most": len(LETTERS)}
        return render(request, "codecs_eval/compare_choose.html", context)
    return render(
        request,
        "codecs_eval/compare.html",
        {**compared(chosen), "query": request.GET.urlencode()},
    )


@researchers_only
@require_GET
def compared_curves_svg(request: HttpRequest) -> HttpResponse:
    from codecs_eval.agreement import drawing
    from codecs_eval.compared_plots import Compared, compared_curves

    chosen = _chosen(request)
    points = points_by_run(chosen)
    if not any(points.values()):
        raise Http404("These runs have no curve yet.")
    series = [
        Compared(f"{letter} {run.title}", run.is_simulated, points[run.pk])
        for letter, run in zip(LETTERS, chosen, strict=False)
    ]
    return svg_reply(
        drawing.svg(compared_curves(series)),
        "compared-curves.svg",
        as_attachment=is_download(request),
    )


def _chosen(request: HttpRequest) -> list[Run]:
    """The trainings that the address names, in its order, each once."""
    texts = list(dict.fromkeys(request.GET.getlist("run")))
    if len(texts) > len(LETTERS):
        raise Http404(f"Found {len(texts)} runs to compare; expected at most {len(LETTERS)}.")
    try:
        ids = [UUID(text) for text in texts]
    except ValueError:
        raise Http404(f"Found {texts}; expected ids of training runs.") from None
    found = run_lists.listed("train_metric").defer(None).in_bulk(ids)
    missing = [str(pk) for pk in ids if pk not in found]
    if missing:
        raise Http404(f"No training run is called {', '.join(missing)}.")
    return [found[pk] for pk in ids]
