"""The desk's tab that says who won: the newest results, their files, and computing them again."""

from functools import partial

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation import running_results
from annotation.access import for_researchers, for_viewers
from annotation.models import Study
from annotation.pages import study_tab
from annotation.result_files import FILES, file_name
from annotation.result_forms import results_form
from annotation.result_pages import results_page
from codecs_eval.access import researcher
from codecs_eval.serving_files import file_reply, is_download
from codecs_eval.tasks import enqueue


@for_viewers
@require_GET
@never_cache
def results(request: HttpRequest, study: Study) -> HttpResponse:
    found = results_page(study, request.GET.get("against", ""))
    return study_tab(request, study, "results", form=results_form(study), **found)


@for_researchers
@require_POST
def compute(request: HttpRequest, study: Study) -> HttpResponse:
    """Queue results; a run that is under way is not started twice."""
    form = results_form(study, request.POST)
    if running_results.results_of(study).active().exists():
        messages.info(request, "Results are being computed already; they will stand here.")
    elif not form.is_valid():
        messages.error(request, f"Nothing was computed: {form.errors.as_text()}")
    else:
        run = form.queue(study, researcher(request))
        transaction.on_commit(partial(enqueue, run))
        messages.success(request, "Queued. The results will stand here when they are computed.")
    return redirect("study_results", study.slug)


@for_viewers
@require_GET
@never_cache
def results_state(request: HttpRequest, study: Study) -> JsonResponse:
    """How far the newest run is: what the page asks for while one is under way."""
    run = running_results.results_of(study).first()
    if run is None:
        raise Http404(f"Study {study.slug} has no results, and none are being computed.")
    return JsonResponse(
        {
            "run": str(run.pk),
            "state": run.state,
            "progress": run.progress,
            "note": run.note,
            "is_active": run.is_active,
        }
    )


@for_viewers
@require_GET
def result_file(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """A file of the newest results; ?download names it."""
    run = running_results.results_of(study).filter(state="done").first()
    stored = file_name(name, is_simulated=study.is_simulated)
    if name not in FILES or run is None or not (run.folder / stored).is_file():
        raise Http404(f"Results have the files {', '.join(FILES)}; found none called {name!r}.")
    path = run.folder / stored
    download_name = file_name(f"{study.slug}-{name}", is_simulated=study.is_simulated)
    return file_reply(path, FILES[name], download_name, as_attachment=is_download(request))
