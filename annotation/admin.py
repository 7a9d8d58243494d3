"""Studies in the admin: designed and opened here as on the desk; what people said is read-only."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html

from annotation import designing
from annotation.models import (
    Annotator,
    Invitation,
    Judgment,
    Screening,
    Session,
    Study,
    Trial,
    Triplet,
)
from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval.access import researcher
from codecs_eval.admin import ReadOnlyAdmin
from codecs_eval.tasks import enqueue


class StudyTextsForm(forms.ModelForm):
    class Meta:
        model = Study
        fields = ("title", "question", "instructions", "consent", "reward", "texts")


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):
    list_display = ("title", "slug", "state", "is_simulated", "collection", "on_the_desk")
    list_filter = ("state", "is_simulated")
    search_fields = ("title", "slug")
    actions = ("open_studies", "pause_studies", "close_studies", "compute_results")
    form = StudyTextsForm

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A study is made with its triplets, by the one form that can."""
        return redirect("new_study")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return StudyTextsForm.Meta.fields if obj and obj.is_frozen else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is not None and not obj.is_frozen
        return is_draft and super().has_delete_permission(request, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """A draft goes with its triplets, which nobody deletes one by one."""
        rows, counts, needed, protected = super().get_deleted_objects(objs, request)
        return rows, counts, needed - {Triplet._meta.verbose_name}, protected

    @admin.display(description="desk")
    def on_the_desk(self, study: Study) -> str:
        return format_html('<a href="{}">open on the desk</a>', study.get_absolute_url())

    def _change_state(self, request: HttpRequest, queryset: Any, state: str) -> None:
        for study in queryset:
            try:
                designing.change_state(study, state)
            except ValueError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"{study.title} is now {study.state}.")

    @admin.action(description="Open (freezes the design)", permissions=["change"])
    def open_studies(self, request: HttpRequest, queryset: Any) -> None:
        self._change_state(request, queryset, Study.State.OPEN)

    @admin.action(description="Pause", permissions=["change"])
    def pause_studies(self, request: HttpRequest, queryset: Any) -> None:
        self._change_state(request, queryset, Study.State.PAUSED)

    @admin.action(description="Close", permissions=["change"])
    def close_studies(self, request: HttpRequest, queryset: Any) -> None:
        self._change_state(request, queryset, Study.State.CLOSED)

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return bool(researcher(request).has_perm("codecs_eval.add_run"))

    @admin.action(description="Compute results", permissions=["launch"])
    def compute_results(self, request: HttpRequest, queryset: Any) -> None:
        for study in queryset:
            config = StudyResultsConfig(study=study.slug)
            run = create_results(study, config, researcher(request))
            transaction.on_commit(partial(enqueue, run))
            self.message_user(
                request,
                format_html('<a href="{}">{}</a>: queued.', run.get_absolute_url(), run.title),
                messages.SUCCESS,
            )


@admin.register(Triplet)
class TripletAdmin(ReadOnlyAdmin):
    list_display = ("study", "source", "target_bpp", "first", "second", "kind", "n_assigned")
    list_filter = ("study", "kind")
    list_select_related = ("study", "source", "first__source", "second__source")


@admin.register(Annotator)
class AnnotatorAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "is_simulated", "provider", "created_at")
    list_filter = ("is_simulated",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "study", "state", "created_at", "used_at", "revoked_at")
    list_filter = ("study",)
    list_select_related = ("study",)
    exclude = ("token_sha256",)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "verdict", "started_at", "finished_at")
    list_filter = ("study", "state", "verdict")
    list_select_related = ("study", "annotator")


@admin.register(Trial)
class TrialAdmin(ReadOnlyAdmin):
    list_display = ("session", "position", "state", "first_on_left", "lease_until")
    list_filter = ("state",)
    list_select_related = ("session__study", "session__annotator")


@admin.register(Judgment)
class JudgmentAdmin(ReadOnlyAdmin):
    list_display = ("id", "choice", "response_ms", "input", "server_time")
    list_filter = ("choice", "input")


@admin.register(Screening)
class ScreeningAdmin(ReadOnlyAdmin):
    list_display = ("session", "verdict", "suspicion", "version", "created_by", "created_at")
    list_filter = ("verdict", "version", "session__study")
    list_select_related = ("session__study", "session__annotator", "created_by")
