"""The desk's tab that shows how a study goes."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation import screening, watching
from annotation.access import for_viewers
from annotation.models import Study
from annotation.pages import study_tab


@for_viewers
@require_GET
def watch(request: HttpRequest, study: Study) -> HttpResponse:
    sessions = screening.with_newest(study.sessions.all())[:100]
    return study_tab(request, study, "watch", watch=watching.watch(study), sessions=sessions)
