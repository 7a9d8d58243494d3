"""A design tried before people see it, and what comes after it: preview, dry run, power, copies."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from annotation import copying, dry_running, powering, previewing, revising
from annotation.access import for_researchers, for_viewers
from annotation.models import Study
from annotation.pages import study_tab
from annotation.power_forms import DryRunForm, PowerForm
from codecs_eval import tasks
from codecs_eval.access import researcher


@for_viewers
@require_POST
def preview(request: HttpRequest, study: Study) -> HttpResponse:
    """The study's own pages for whoever may see its desk; the preview before is gone."""
    try:
        made = previewing.open_preview(study, researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
        return redirect(study)
    return redirect("welcome", made.slug)


@for_researchers
@require_POST
def dry_run(request: HttpRequest, study: Study) -> HttpResponse:
    form = DryRunForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Nothing was started: {form.errors.as_text()}")
        return redirect(study)
    try:
        run = dry_running.start(
            study, observers=form.cleaned_data["observers"] or 0, user=researcher(request)
        )
    except ValueError as error:
        messages.error(request, str(error))
        return redirect(study)
    transaction.on_commit(lambda: tasks.enqueue(run))
    return redirect(run)


@for_researchers
@require_POST
def new_version(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        made = revising.new_version(study, user=researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(
        request, f"Version {made.version} is a draft with the same triplets: change what is wrong."
    )
    return redirect("edit_study", made.slug)


@for_viewers
@require_POST
def clone(request: HttpRequest, study: Study) -> HttpResponse:
    """A researcher who may see a study may begin one of their own from it."""
    if not researcher(request).is_staff:
        messages.error(request, "Making studies is for researchers; this account is not one.")
        return redirect(study)
    title = request.POST.get("title", "").strip() or f"{study.title} (clone)"
    slug = copying.free_slug(slugify(title)[:50] or f"{study.slug[:50]}-clone")
    try:
        made = revising.clone(study, slug, title=title, user=researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(request, f"{made.title} is a draft of its own, with the same triplets.")
    return redirect("edit_study", made.slug)


@for_viewers
@require_GET
def power(request: HttpRequest, study: Study) -> HttpResponse:
    """How many judgments and observers tell a share from half, by this design."""
    form = PowerForm(request.GET or None)
    context: dict[str, Any] = {"form": form, "found": None, "error": ""}
    if request.GET and form.is_valid():
        try:
            context["found"] = powering.power_of_design(study, **form.shares)
        except ValueError as error:
            context["error"] = str(error)
    return study_tab(request, study, "power", **context)
