"""The study builder: a new design, a draft changed, what it would take, what it leaves out."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation import (
    designing,
    long_planning,
    pairs,
    powering,
    revising,
    team,
)
from annotation.access import for_designers, for_owners, for_researchers, for_viewers
from annotation.builder_forms import StudyForm, as_typed
from annotation.builder_pages import counted, encoded_in, errors_of, with_a_name
from annotation.design.presets import PRESETS
from annotation.models import Study
from annotation.pages import study_tab
from annotation.triplets import Planned
from codecs_eval import runs, tasks
from codecs_eval.access import researcher, researchers_only
from codecs_eval.models import SourceImage
from codecs_eval.scoring import ScoreConfig

# What a careful study begins with; a preset's own settings go before them.
STARTING_SETTINGS = {
    "n_practice": 3,
    "n_warm_up": 2,
    "sentinel_share": 0.1,
    "repeat_share": 0.1,
    "break_every": 40,
}
LEFT_OUT_A_PAGE = 500


@researchers_only
@require_http_methods(["GET", "POST"])
def new_study(request: HttpRequest) -> HttpResponse:
    preset = PRESETS.get(request.GET.get("preset", ""))
    begin_with = {**STARTING_SETTINGS, **(preset.values if preset else {})}
    initial = {**begin_with, **_photos(request), "preset": preset.name if preset else ""}
    form = StudyForm(request.POST or None, initial=initial)
    if _is_to_save(request, form):
        try:
            study, planned = designing.create_study(
                form.design, user=researcher(request), may_take_long=False
            )
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            _tell_plan(request, study, planned)
            return redirect(study)
    return _builder(request, form, presets=PRESETS.values(), preset=preset)


@for_researchers
@require_http_methods(["GET", "POST"])
def edit_study(request: HttpRequest, study: Study) -> HttpResponse:
    """A draft's design in the same form. What was opened is changed by a new version."""
    if study.is_frozen or study.purpose != Study.Purpose.REAL:
        messages.error(request, f"{study.title} was opened; make a new version to change it.")
        return redirect(study)
    initial = as_typed(designing.typed_in(study))
    form = StudyForm(request.POST or None, initial=initial)
    if _is_to_save(request, form):
        try:
            planned = revising.revise(
                study, form.design_of(study), user=researcher(request), may_take_long=False
            )
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            changed = Study.objects.get(pk=study.pk)
            _tell_plan(request, changed, planned)
            return redirect(changed)
    return _builder(request, form, study=study)


def _photos(request: HttpRequest) -> dict[str, Any]:
    """The collection that was asked for, else the first, with all that is encoded in it."""
    known = [row["collection"] for row in SourceImage.objects.collections()]
    asked = request.GET.get("collection", "")
    collection = asked if asked in known else next(iter(known), "")
    return {"collection": collection, "codecs": list(encoded_in(collection)["codecs"])}


def _is_to_save(request: HttpRequest, form: StudyForm) -> bool:
    """Without scripts the page counts by a button of its own, which saves nothing."""
    return request.method == "POST" and "count" not in request.POST and form.is_valid()


def _builder(request: HttpRequest, form: StudyForm, **context: Any) -> HttpResponse:
    found = counted(form, context.get("study")) if form.is_bound else {}
    return render(
        request,
        "annotation/study_builder.html",
        {"form": form, **found, **context},
    )


def _tell_plan(request: HttpRequest, study: Study, planned: Planned | None) -> None:
    if planned is None:
        messages.success(request, "Saved; the triplets stand as they are.")
        return
    if planned.is_later:
        run = long_planning.start(study, user=researcher(request))
        transaction.on_commit(lambda: tasks.enqueue(run))
        messages.success(
            request,
            f"Saved; {planned.n_triplets} triplets are being planned, which reads many pictures. "
            "The study can be opened once they are there.",
        )
        return
    left_out = "; ".join(f"{n} left out: {why}" for why, n in planned.left_out.items())
    checks = ", ".join(f"{n} {kind}" for kind, n in planned.n_checks.items())
    besides = f" Besides them: {checks}." if checks else ""
    messages.success(request, f"{planned.n_triplets} triplets planned.{besides} {left_out}")


@for_designers
@require_GET
def count(request: HttpRequest) -> JsonResponse:
    """What the design typed so far would take: numbers, and the same as a part of the page."""
    form = StudyForm(with_a_name(request.GET))
    measured_in = team.visible_to(request.user).filter(slug=request.GET.get("of", "")).first()
    found = counted(form, measured_in)
    reply = {
        "numbers": found["numbers"],
        "errors": found["count_errors"],
        "encoded": encoded_in(request.GET.get("collection", "")),
        "texts": dict(form.known_texts),
        "html": render_to_string("annotation/_forecast.html", found, request),
    }
    return JsonResponse(reply, headers={"Cache-Control": "private, no-store"})


@for_designers
@require_GET
def power_of(request: HttpRequest) -> JsonResponse:
    """What the design typed so far could find: 55:45 at 5 % with 80 % power, by simulation."""
    form = StudyForm(with_a_name(request.GET))
    reply: dict[str, Any] = {"html": "", "n_observers": None, "errors": []}
    try:
        if form.is_valid():
            found = powering.power_of_design(Study(**form.design.columns))
            reply["n_observers"] = found.one.n_observers
            reply["html"] = render_to_string("annotation/_power_said.html", {"found": found})
        else:
            reply["errors"] = errors_of(form)
    except ValueError as error:
        reply["errors"] = [str(error)]
    return JsonResponse(reply, headers={"Cache-Control": "private, no-store"})


@for_designers
@require_POST
def score(request: HttpRequest) -> HttpResponse:
    """Start the scores that a pairing goes by, from the builder, which stays open beside."""
    metrics = [request.POST.get(name, "") for name in ("ranking_metric", "rival_metric")]
    collection = request.POST.get("collection", "")
    try:
        designing.check_collection(collection)
        config = ScoreConfig(collection, tuple(name for name in metrics if name))
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("new_study")
    run = runs.create("score", config, title=f"Scores of {collection}", user=researcher(request))
    transaction.on_commit(lambda: tasks.enqueue(run))
    return redirect(run)


@for_researchers
@require_POST
def plan(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        planned = revising.plan_anew(study, user=researcher(request), may_take_long=False)
    except ValueError as error:
        messages.error(request, str(error))
    else:
        _tell_plan(request, study, planned)
    return redirect(study)


@for_owners
@require_POST
def delete(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        revising.discard(study)
    except ValueError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(request, f"The draft {study.title} is deleted.")
    return redirect("studies")


@for_viewers
@require_GET
def left_out(request: HttpRequest, study: Study) -> HttpResponse:
    """The pairs that a study does not ask about for their rates, as the ladder stands now."""
    context: dict[str, Any] = {"rows": [], "n_left_out": 0, "left_out": {}, "error": ""}
    try:
        found = pairs.pairs_of(study)
    except ValueError as error:
        context["error"] = str(error)
    else:
        context |= {
            "rows": found.left_out_pairs(LEFT_OUT_A_PAGE),
            "n_left_out": len(found.pairing.refused),
            "left_out": found.left_out,
        }
    return study_tab(request, study, "left_out", **context)
