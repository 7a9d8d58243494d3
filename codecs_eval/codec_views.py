"""Codecs trained and compared from the desk: forms, and the pictures and rates that they make."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods

from codecs_eval import comparison_pages, run_lists
from codecs_eval.access import researchers_only
from codecs_eval.codec_forms import codec_form, comparison_form
from codecs_eval.comparing_codecs import PICTURES
from codecs_eval.models import Run, SourceImage
from codecs_eval.run_views import launched
from codecs_eval.serving_files import csv_reply, is_download, svg_reply
from codecs_eval.training_pictures import rate_curves, sample_path


@researchers_only
@require_http_methods(["GET", "POST"])
def train_codec(request: HttpRequest) -> HttpResponse:
    form = codec_form(
        request.POST or None, request.GET.get("preset", ""), request.GET.get("collection", "")
    )
    if request.method == "POST" and form.is_valid():
        return launched(request, form)
    return render(
        request,
        "codecs_eval/train_codec.html",
        {"form": form, "has_photos": SourceImage.objects.with_pixels().exists()},
        status=400 if form.errors else 200,
    )


@researchers_only
@require_http_methods(["GET", "POST"])
def compare_codecs(request: HttpRequest) -> HttpResponse:
    form = comparison_form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return launched(request, form)
    return render(
        request,
        "codecs_eval/compare_codecs.html",
        {"form": form, "has_trained": run_lists.trained_codecs().exists()},
        status=400 if form.errors else 200,
    )


@researchers_only
@require_GET
def comparison_picture(request: HttpRequest, run_id: UUID, name: str) -> FileResponse:
    found = get_object_or_404(Run, pk=run_id, kind="compare_codecs")
    named = {picture["file"] for picture in found.result.get("pictures", [])}
    path = found.folder / PICTURES / name
    if name not in named or not path.is_file():
        raise Http404(f"Comparison {found.pk} has no picture {name!r}.")
    return FileResponse(path.open("rb"), content_type="image/png")


@researchers_only
@require_GET
def comparison_csv(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = get_object_or_404(Run, pk=run_id, kind="compare_codecs", state=Run.State.DONE)
    return csv_reply(comparison_pages.as_csv(found), f"codecs-{str(found.pk)[:8]}.csv")


@researchers_only
@require_GET
def codec_sample(request: HttpRequest, run_id: UUID, step: int) -> FileResponse:
    """The original and every level's reconstruction, as they were after a step."""
    found = get_object_or_404(Run, pk=run_id, kind="train_codec")
    path = sample_path(found, step)
    if not path.is_file():
        raise Http404(f"Training {found.pk} has no pictures of step {step}.")
    return FileResponse(path.open("rb"), content_type="image/png")


@researchers_only
@require_GET
def codec_rates_svg(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Rate against PSNR on held-out photos, one line a measurement, the newest in ink."""
    from codecs_eval.agreement import drawing
    from codecs_eval.desk_plots import measured_rates

    found = get_object_or_404(Run, pk=run_id, kind="train_codec")
    curves = rate_curves(found)
    if not curves:
        raise Http404("This training has measured nothing yet.")
    marked = " — metric of SIMULATED judgments" if found.is_simulated else ""
    figure = measured_rates(curves, f"{found.title}{marked}")
    name = f"run-{str(found.pk)[:8]}-rates.svg"
    return svg_reply(drawing.svg(figure), name, as_attachment=is_download(request))
