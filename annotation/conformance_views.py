"""A study as the standards ask it to be reported: a page, a PDF, JSON."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation import conforming
from annotation.access import for_viewers
from annotation.conformance_items import Conformance
from annotation.models import Study
from annotation.pages import study_tab
from codecs_eval.serving_files import named


@for_viewers
@require_GET
def conformance(request: HttpRequest, study: Study) -> HttpResponse:
    return study_tab(request, study, "conformance", report=conforming.recent_conformance(study))


@for_viewers
@require_GET
def conformance_file(request: HttpRequest, study: Study, format: str) -> HttpResponse:
    if format not in ("pdf", "json"):
        raise Http404(f"Found the ending {format!r}; expected pdf or json.")
    report = conforming.recent_conformance(study)
    reply = _pdf(report) if format == "pdf" else _json(report)
    return named(reply, conforming.file_name(report, format), as_attachment=True)


def _pdf(report: Conformance) -> HttpResponse:
    # Its fonts come with matplotlib, which takes a while to load: only where a PDF is made.
    from annotation.conformance_pdf import pdf

    return HttpResponse(pdf(report), content_type="application/pdf")


def _json(report: Conformance) -> HttpResponse:
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=1)
    return HttpResponse(text, content_type="application/json")
