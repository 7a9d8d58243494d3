"""Datasets: the list, one frozen folder with its manifest, its download, and what to run on it."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from codecs_eval import run_lists
from codecs_eval.access import researchers_only
from codecs_eval.agreement.manifest import Manifest, read_manifest
from codecs_eval.dataset_papers import papers
from codecs_eval.models import Dataset
from codecs_eval.report_forms import agreement_form
from codecs_eval.run_forms import RunForm, train_form
from codecs_eval.run_views import launched
from codecs_eval.serving_files import zip_reply

RUNS_ON_PAGE = 20


@researchers_only
@require_GET
def dataset_list(request: HttpRequest) -> HttpResponse:
    return render(request, "codecs_eval/datasets.html", {"datasets": Dataset.objects.all()})


@researchers_only
@require_GET
def dataset(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    found = get_object_or_404(Dataset.objects.select_related("created_by"), pk=dataset_id)
    train = train_form(found, preset=request.GET.get("preset", ""))
    return _page(request, found, train, agreement_form(found))


def _page(
    request: HttpRequest, found: Dataset, train: RunForm, agreement: RunForm, status: int = 200
) -> HttpResponse:
    manifest = _manifest(found)
    runs = list(run_lists.of_dataset(found)[:RUNS_ON_PAGE])
    return render(
        request,
        "codecs_eval/dataset.html",
        {
            "dataset": found,
            "manifest": manifest,
            "n_dropped": sum(rule.dropped for rule in manifest.filters) if manifest else 0,
            "train_form": train,
            "agreement_form": agreement,
            "runs": runs,
            "is_active": any(run.is_active for run in runs),
        },
        status=status,
    )


def _manifest(found: Dataset) -> Manifest | None:
    path = found.folder / "manifest.json"
    return read_manifest(path.read_text(encoding="utf-8")) if path.is_file() else None


@researchers_only
@require_POST
def train_on_dataset(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    found = get_object_or_404(Dataset, pk=dataset_id)
    form = train_form(found, request.POST)
    if form.is_valid():
        return launched(request, form)
    return _page(request, found, form, agreement_form(found), status=400)


@researchers_only
@require_POST
def report_on_dataset(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    found = get_object_or_404(Dataset, pk=dataset_id)
    form = agreement_form(found, request.POST, request.FILES)
    if form.is_valid():
        return launched(request, form)
    return _page(request, found, train_form(found), form, status=400)


@researchers_only
@require_GET
def dataset_zip(request: HttpRequest, dataset_id: UUID) -> StreamingHttpResponse:
    """The whole folder as its manifest names it, with a datasheet and Croissant, streamed."""
    found = get_object_or_404(Dataset, pk=dataset_id)
    manifest = _manifest(found)
    if manifest is None:
        raise Http404(f"The folder of dataset {found.name} is not on this machine.")
    marked = "-SIMULATED" if found.is_simulated else ""
    name = f"{slugify(found.name) or 'dataset'}{marked}"
    names = ["manifest.json", *manifest.files]
    return zip_reply(found.folder, names, inside=name, besides=papers(found.folder, manifest))
