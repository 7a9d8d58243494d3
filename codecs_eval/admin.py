"""The admin's side of the machine's half: rows to look at, and runs launched from a dataset."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from codecs_eval import runs, tokens
from codecs_eval.access import may_change_run, researcher
from codecs_eval.codec_forms import codec_form, comparison_form
from codecs_eval.finding_saliency import SaliencyConfig
from codecs_eval.models import (
    ApiToken,
    Dataset,
    Delivery,
    MaskAgreement,
    Reconstruction,
    Run,
    RunQuerySet,
    SaliencyMap,
    Score,
    SourceImage,
    SourceImageQuerySet,
    Webhook,
)
from codecs_eval.report_forms import agreement_form
from codecs_eval.run_forms import RunForm, train_form
from codecs_eval.run_kinds import KINDS
from codecs_eval.tasks import enqueue

admin.site.site_header = "Triad"
admin.site.site_title = "Triad"
admin.site.index_title = "Rows"


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that work has made: nobody adds, edits or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.display(description="Simulated")
def simulated_badge(row: Dataset | Run) -> SafeString | str:
    return format_html("<b>{}</b>", "SIMULATED") if row.is_simulated else ""


@admin.register(SourceImage)
class SourceImageAdmin(admin.ModelAdmin):
    list_display = ["name", "collection", "width", "height", "original_format", "licence"]
    list_filter = ["collection", "original_format"]
    search_fields = ["name", "collection"]
    # What may be said better later; the pixels and their origin may not.
    fields_open = ("licence", "attribution")
    actions = ["find_saliency", "downstream_report"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        names = [field.name for field in SourceImage._meta.fields]
        return [name for name in names if name not in self.fields_open]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Photos come in through the guarded upload, not through a row's form."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return redirect(f"{reverse('sources')}#import")

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return bool(researcher(request).has_perm("codecs_eval.add_run"))

    @admin.action(
        description="Find saliency in the collections of these photos", permissions=["launch"]
    )
    def find_saliency(self, request: HttpRequest, queryset: SourceImageQuerySet) -> None:
        names = queryset.with_pixels().order_by("collection").values_list("collection", flat=True)
        for collection in names.distinct():
            run = runs.create(
                "saliency",
                SaliencyConfig(collection),
                title=f"Saliency of {collection}",
                user=researcher(request),
            )
            transaction.on_commit(partial(enqueue, run))
            self.message_user(
                request,
                format_html('<a href="{}">{}</a>: queued.', run.get_absolute_url(), run.title),
                messages.SUCCESS,
            )

    @admin.action(description="Downstream report of their collection", permissions=["launch"])
    def downstream_report(
        self, request: HttpRequest, queryset: SourceImageQuerySet
    ) -> HttpResponse | None:
        """The form of the desk: it asks for codecs, model and COCO file."""
        names = sorted(set(queryset.values_list("collection", flat=True)))
        if len(names) == 1:
            return redirect("downstream_on_collection", names[0])
        found = f"Found photos of {', '.join(names)}; expected those of one collection."
        self.message_user(request, found, messages.ERROR)
        return None


@admin.register(Reconstruction)
class ReconstructionAdmin(ReadOnlyAdmin):
    list_display = ["source", "codec", "target_bpp", "state", "bpp", "encodes_tried", "created_at"]
    list_filter = ["codec", "state", "target_bpp", "source__collection"]
    list_select_related = ["source"]
    search_fields = ["source__name"]


@admin.register(Score)
class ScoreAdmin(ReadOnlyAdmin):
    list_display = ["reconstruction", "metric", "metric_version", "value"]
    list_filter = ["metric"]
    list_select_related = ["reconstruction__source"]


@admin.register(SaliencyMap)
class SaliencyMapAdmin(ReadOnlyAdmin):
    list_display = ["source", "model", "model_version", "origin", "created_at"]
    list_filter = ["model", "source__collection"]
    list_select_related = ["source"]
    search_fields = ["source__name"]


@admin.register(MaskAgreement)
class MaskAgreementAdmin(ReadOnlyAdmin):
    list_display = ["saliency_map", "mask", "mae", "f_adaptive", "f_max", "version"]
    list_filter = ["saliency_map__model", "mask__model"]
    list_select_related = ["saliency_map__source", "mask__source"]


def _queued(request: HttpRequest, form: RunForm, label: str) -> HttpResponse:
    """Queue what a valid form describes and go to its page."""
    run = form.create_run(researcher(request))
    transaction.on_commit(partial(enqueue, run))
    messages.success(request, f"{label}: queued. This page follows it.")
    return redirect(run)


def _train_form(dataset: Dataset, request: HttpRequest) -> RunForm:
    return train_form(dataset, request.POST or None, request.GET.get("preset", ""))


def _agreement_form(dataset: Dataset, request: HttpRequest) -> RunForm:
    return agreement_form(dataset, request.POST or None, request.FILES)


MakeForm = Callable[[Dataset, HttpRequest], RunForm]
LAUNCHES: dict[str, tuple[str, MakeForm]] = {
    "train-metric": ("Train metric", _train_form),
    "agreement": ("Agreement report", _agreement_form),
}


def _codec_form(request: HttpRequest) -> RunForm:
    return codec_form(request.POST or None, request.GET.get("preset", ""))


def _comparison_form(request: HttpRequest) -> RunForm:
    return comparison_form(request.POST or None)


RUN_LAUNCHES: dict[str, tuple[str, Callable[[HttpRequest], RunForm]]] = {
    "train-codec": ("Train codec", _codec_form),
    "compare-codecs": ("Compare codecs", _comparison_form),
}


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    list_display = [
        "name", simulated_badge, "origin", "n_sources", "n_triplets", "n_judgments", "created_at",
        "launches",
    ]  # fmt: skip
    list_filter = ["is_simulated"]
    search_fields = ["name", "origin"]
    change_form_template = "codecs_eval/admin/dataset_change.html"
    view_on_site = False

    def get_urls(self) -> list[URLPattern]:
        launch = path(
            "<uuid:dataset_id>/launch/<str:name>/",
            self.admin_site.admin_view(self.launch_view),
            name="codecs_eval_dataset_launch",
        )
        return [launch, *super().get_urls()]

    @admin.display(description="Launch")
    def launches(self, dataset: Dataset) -> SafeString:
        links = [
            format_html('<a href="{}">{}</a>', _launch_url(dataset, name), label)
            for name, (label, _) in LAUNCHES.items()
        ]
        return format_html("{}<br>{}", *links)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools = (
            [(f"../launch/{name}/", label) for name, (label, _) in LAUNCHES.items()]
            if researcher(request).has_perm("codecs_eval.add_run")
            else []
        )
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "launches": tools}
        )

    def launch_view(self, request: HttpRequest, dataset_id: Any, name: str) -> HttpResponse:
        """The form of a run on this dataset; queued where it is valid."""
        dataset = self.get_object(request, str(dataset_id))
        if dataset is None or name not in LAUNCHES:
            raise Http404(f"Nothing called {name!r} can be launched on {dataset_id}.")
        if not self.has_view_permission(request, dataset) or not researcher(request).has_perm(
            "codecs_eval.add_run"
        ):
            raise PermissionDenied
        label, make_form = LAUNCHES[name]
        form = make_form(dataset, request)
        if request.method == "POST" and form.is_valid():
            return _queued(request, form, label)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "dataset": dataset,
            "title": f"{label} on {dataset.name}",
            "label": label,
            "form": form,
        }
        return render(request, "codecs_eval/admin/launch.html", context)


def _launch_url(dataset: Dataset, name: str) -> str:
    return reverse("admin:codecs_eval_dataset_launch", args=[dataset.pk, name])


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "title", simulated_badge, "kind", "state", "percent", "page", "created_at",
    ]  # fmt: skip
    list_filter = ["state", "kind", "is_simulated"]
    search_fields = ["title"]
    actions = ["cancel_runs", "run_again"]
    change_list_template = "codecs_eval/admin/run_list.html"

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return bool(researcher(request).has_perm("codecs_eval.add_run"))

    def get_urls(self) -> list[URLPattern]:
        launch = path(
            "launch/<str:name>/",
            self.admin_site.admin_view(self.launch_view),
            name="codecs_eval_run_launch",
        )
        return [launch, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, str] | None = None
    ) -> HttpResponse:
        tools: Any = []
        if self.has_launch_permission(request):
            tools = [
                (reverse("admin:codecs_eval_run_launch", args=[name]), label)
                for name, (label, _) in RUN_LAUNCHES.items()
            ]
        return super().changelist_view(request, {**(extra_context or {}), "launches": tools})

    def launch_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """The form of a run that no dataset is needed for; queued where it is valid."""
        if name not in RUN_LAUNCHES:
            raise Http404(f"Nothing called {name!r} can be launched here.")
        if not self.has_launch_permission(request):
            raise PermissionDenied
        label, make_form = RUN_LAUNCHES[name]
        form = make_form(request)
        if request.method == "POST" and form.is_valid():
            return _queued(request, form, label)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": label,
            "label": label,
            "form": form,
        }
        return render(request, "codecs_eval/admin/launch_run.html", context)

    @admin.display(description="Done, %")
    def percent(self, run: Run) -> str:
        return f"{100 * run.progress:.0f}"

    @admin.display(description="Page")
    def page(self, run: Run) -> SafeString:
        return format_html('<a href="{}">Open</a>', run.get_absolute_url())

    @admin.action(description="Cancel runs", permissions=["launch"])
    def cancel_runs(self, request: HttpRequest, queryset: RunQuerySet) -> None:
        active = [run for run in queryset.active() if may_change_run(researcher(request), run)]
        for run in active:
            runs.cancel(run)
        n_left = queryset.count() - len(active)
        left = f" {n_left} had ended already, or work on a study of others." if n_left else ""
        self.message_user(request, f"Cancelling {len(active)}.{left}", messages.INFO)

    @admin.action(description="Run again", permissions=["launch"])
    def run_again(self, request: HttpRequest, queryset: RunQuerySet) -> None:
        for run in queryset.select_related("dataset"):
            if run.kind not in KINDS:
                self.message_user(request, f"{run}: its kind is gone.", messages.ERROR)
                continue
            if not may_change_run(researcher(request), run):
                said = f"{run}: it works on a study; its researchers may repeat it."
                self.message_user(request, said, messages.ERROR)
                continue
            try:
                new = runs.again(run, researcher(request))
            except ValueError as error:
                self.message_user(request, f"{run}: {error}", messages.ERROR)
                continue
            transaction.on_commit(partial(enqueue, new))
            self.message_user(request, f"{new.title}: queued again.", messages.SUCCESS)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "state", "scopes", "expires_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    exclude = ["token_sha256"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(researcher(request).has_perm("codecs_eval.change_apitoken"))

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        for token in queryset:
            tokens.revoke(token)
        self.message_user(request, "They open nothing any more.", messages.SUCCESS)


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ["url", "user", "is_active", "events", "study", "created_at"]
    list_select_related = ["user"]
    exclude = ["nonce"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event", "webhook", "state", "attempts", "last_status", "created_at"]
    list_filter = ["state", "event"]
    list_select_related = ["webhook"]
