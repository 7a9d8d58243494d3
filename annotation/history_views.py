"""The desk's page of what was done to a study, by whom and when."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from annotation import history as trail
from annotation.access import for_viewers
from annotation.models import Study
from annotation.pages import study_tab

CHANGES_A_PAGE = 50


@for_viewers
@require_GET
def history(request: HttpRequest, study: Study) -> HttpResponse:
    page = Paginator(trail.changes_of(study), CHANGES_A_PAGE).get_page(request.GET.get("page"))
    rows = [(change, trail.lines_of(change)) for change in page]
    return study_tab(request, study, "history", page=page, rows=rows)


@for_viewers
@require_GET
def history_csv(request: HttpRequest, study: Study) -> StreamingHttpResponse:
    label = "-simulated" if study.is_simulated else ""
    return StreamingHttpResponse(
        trail.history_csv(study),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="history-{study.slug}{label}.csv"'},
    )
