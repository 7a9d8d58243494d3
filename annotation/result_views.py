"""The desk's tab that says who won."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation import watching
from annotation.access import for_viewers
from annotation.models import Study
from annotation.pages import study_tab


@for_viewers
@require_GET
def results(request: HttpRequest, study: Study) -> HttpResponse:
    return study_tab(request, study, "results", cells=watching.wins_by_codec(study))
