"""Agreement reports: the list, one report, its files."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from codecs_eval import report_pages, run_lists
from codecs_eval.access import researchers_only
from codecs_eval.models import Run
from codecs_eval.report_conclusion import conclusion
from codecs_eval.serving_files import file_reply, is_download

REPORTS_ON_PAGE = 50
# What may be taken from a report's folder, and as what.
FILES = {
    "report.json": "application/json",
    "report.csv": "text/csv; charset=utf-8",
    "table.tex": "text/x-tex; charset=utf-8",
    "table.md": "text/markdown; charset=utf-8",
    "differences.csv": "text/csv; charset=utf-8",
    "calibration.csv": "text/csv; charset=utf-8",
    "held_out.csv": "text/csv; charset=utf-8",
    "agreement.svg": "image/svg+xml",
    "by_rate.svg": "image/svg+xml",
    "reliability.svg": "image/svg+xml",
}
FIGURES = {
    "agreement.svg": "Agreement of every metric, with its interval",
    "by_rate.svg": "Agreement by rate",
    "reliability.svg": "Stated probability against what proved right",
}
# The numbers of a figure.
FIGURE_TABLES = {"reliability.svg": "calibration.csv"}


@researchers_only
@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "codecs_eval/reports.html",
        {"reports": run_lists.finished_reports()[:REPORTS_ON_PAGE]},
    )


@researchers_only
@require_GET
def report(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _report_run(run_id)
    if run.state != Run.State.DONE:
        return redirect(run)
    found: dict[str, Any] = run.result
    return render(
        request,
        "codecs_eval/report.html",
        {
            "run": run,
            "report": found,
            "metrics": report_pages.sorted_metrics(found),
            "people": report_pages.people_rows(found),
            "intervals": report_pages.interval_words(found),
            "reference": report_pages.reference_label(found),
            "probabilities": report_pages.probabilities(found),
            "probability_heads": report_pages.probability_heads(found),
            "slices": report_pages.slices(found),
            "conclusion": conclusion(found),
            "figures": [
                {"name": name, "words": words, "table": FIGURE_TABLES.get(name, "report.csv")}
                for name, words in FIGURES.items()
                if (run.folder / name).is_file()
            ],
            "files": [name for name in FILES if (run.folder / name).is_file()],
        },
    )


def _report_run(run_id: UUID) -> Run:
    return get_object_or_404(Run.objects.select_related("dataset"), pk=run_id, kind="agreement")


@researchers_only
@require_GET
def report_file(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    run = _report_run(run_id)
    path = run.folder / name
    if name not in FILES or not path.is_file():
        raise Http404(f"A report has the files {', '.join(FILES)}; found none called {name!r}.")
    marked = "SIMULATED-" if run.is_simulated else ""
    download_name = f"{marked}{str(run.pk)[:8]}-{name}"
    return file_reply(path, FILES[name], download_name, as_attachment=is_download(request))
