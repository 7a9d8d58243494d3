"""The researcher's pages about studies: design, watch, results, gallery, export."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotation import designing, exporting, screening, watching
from annotation.design.presets import PRESETS
from annotation.forms import FreezeForm, StudyForm
from annotation.models import Study, Trial
from codecs_eval import runs, tasks
from codecs_eval.access import researcher, researchers_only

TRIPLETS_A_PAGE = 24
# What a careful study begins with; a preset's own settings go before them.
STARTING_SETTINGS = {
    "n_practice": 3,
    "n_warm_up": 2,
    "sentinel_share": 0.1,
    "repeat_share": 0.1,
    "break_every": 40,
}


@researchers_only
@require_GET
def studies(request: HttpRequest) -> HttpResponse:
    rows = Study.objects.annotate(
        n_triplets=Count("triplets", distinct=True),
        n_judged=Count(
            "triplets__trials", filter=Q(triplets__trials__state=Trial.State.JUDGED), distinct=True
        ),
    )
    return render(request, "annotation/studies.html", {"studies": rows})


@researchers_only
def new_study(request: HttpRequest) -> HttpResponse:
    preset = PRESETS.get(request.GET.get("preset", ""))
    begin_with = {**STARTING_SETTINGS, **(preset.values if preset else {})}
    initial = {**begin_with, "preset": preset.name if preset else ""}
    form = StudyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            study, planned = designing.create_study(form.design, user=researcher(request))
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            left_out = "; ".join(f"{n} left out: {why}" for why, n in planned.left_out.items())
            checks = ", ".join(f"{n} {kind}" for kind, n in planned.n_checks.items())
            besides = f" Besides them: {checks}." if checks else ""
            messages.success(request, f"{planned.n_triplets} triplets planned.{besides} {left_out}")
            return redirect(study)
    context = {"form": form, "presets": PRESETS.values(), "preset": preset}
    return render(request, "annotation/study_new.html", context)


def _tab(request: HttpRequest, slug: str, tab: str, **context: Any) -> HttpResponse:
    return render(
        request,
        f"annotation/study_{tab}.html",
        {"tab": tab, "answer_url": request.build_absolute_uri(f"/s/{slug}/"), **context},
    )


@researchers_only
@require_GET
def study(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    return _tab(
        request,
        slug,
        "design",
        study=found,
        n_triplets=dict(
            found.triplets.order_by().values_list("kind").annotate(n=Count("pk")).order_by("kind")
        ),
        n_in_block=found.triplets.filter(kind="main", priority__gt=0).count(),
        sections=designing.described(found),
    )


@researchers_only
@require_GET
def watch(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    sessions = screening.with_newest(found.sessions.all())[:100]
    return _tab(request, slug, "watch", study=found, watch=watching.watch(found), sessions=sessions)


@researchers_only
@require_GET
def results(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    return _tab(request, slug, "results", study=found, cells=watching.wins_by_codec(found))


@researchers_only
@require_GET
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    triplets = found.triplets.select_related("source", "first", "second").annotate(
        n_seen=Count("trials", filter=Q(trials__state=Trial.State.JUDGED), distinct=True),
        k_first=Count("trials__judgments", filter=_standing_choice("first")),
        k_second=Count("trials__judgments", filter=_standing_choice("second")),
    )
    page = Paginator(triplets.order_by("-n_seen", "shuffle"), TRIPLETS_A_PAGE).get_page(
        request.GET.get("page")
    )
    return _tab(request, slug, "gallery", study=found, page=page)


def _standing_choice(choice: str) -> Q:
    return Q(trials__judgments__choice=choice, trials__judgments__superseded_by=None)


@researchers_only
@require_GET
def export(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    return _tab(
        request,
        slug,
        "export",
        study=found,
        columns=exporting.CSV_COLUMNS,
        form=FreezeForm(initial={"name": found.slug}),
    )


@researchers_only
@require_GET
def judgments_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    found = get_object_or_404(Study, slug=slug)
    label = "-simulated" if found.is_simulated else ""
    return StreamingHttpResponse(
        exporting.judgments_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="judgments-{slug}{label}.csv"'},
    )


@researchers_only
@require_POST
def change_state(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    try:
        designing.change_state(found, request.POST.get("state", ""))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The study is now {found.state}.")
    return redirect(found)


@researchers_only
@require_POST
def freeze(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    form = FreezeForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Nothing was frozen: {form.errors.as_text()}")
        return redirect("study_export", slug)
    config = exporting.FreezeConfig(study=slug, **form.cleaned_data)
    run = runs.create(
        "freeze_dataset",
        config,
        title=f"Freeze {config.name}",
        user=researcher(request),
        is_simulated=found.is_simulated,
    )
    transaction.on_commit(lambda: tasks.enqueue(run))
    return redirect(run)
