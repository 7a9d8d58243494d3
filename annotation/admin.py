"""Studies in the admin: designed and opened here as on the desk; what people said is read-only."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html

from annotation import auditing, designing, revising, team
from annotation.models import (
    Annotator,
    Invitation,
    Judgment,
    Screening,
    Session,
    Study,
    StudyChange,
    StudyMember,
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        return super().get_queryset(request) & team.visible_to(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right of the admin, and the part in this study."""
        is_allowed = super().has_change_permission(request, obj)
        return is_allowed and (obj is None or team.may(request.user, obj, team.Role.RESEARCHER))

    def delete_model(self, request: HttpRequest, obj: Study) -> None:
        """With its previews and dry runs, as on the desk."""
        revising.discard(obj)

    def save_model(self, request: HttpRequest, obj: Study, form: Any, change: bool) -> None:
        names = StudyTextsForm.Meta.fields
        before = auditing.standing(Study.objects.get(pk=obj.pk), names)
        super().save_model(request, obj, form, change)
        after = auditing.standing(obj, names)
        auditing.record(obj, researcher(request), "Texts edited in the admin", before, after)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A study is made with its triplets, by the one form that can."""
        return redirect("new_study")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return StudyTextsForm.Meta.fields if obj and obj.is_frozen else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is not None and not obj.is_frozen
        is_allowed = is_draft and super().has_delete_permission(request, obj)
        return is_allowed and team.may(request.user, obj, team.Role.OWNER)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """A draft goes with what belongs to it, which nobody deletes one by one."""
        rows, counts, needed, protected = super().get_deleted_objects(objs, request)
        its_own = {row._meta.verbose_name for row in (StudyChange, StudyMember, Triplet)}
        return rows, counts, needed - its_own, protected

    @admin.display(description="desk")
    def on_the_desk(self, study: Study) -> str:
        return format_html('<a href="{}">open on the desk</a>', study.get_absolute_url())

    def _change_state(self, request: HttpRequest, queryset: Any, state: str) -> None:
        for study in queryset:
            if not team.may(request.user, study, team.Role.RESEARCHER):
                messages.error(request, f"{study.title}: this needs the part of researcher in it.")
                continue
            try:
                designing.change_state(study, state, researcher(request))
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
            if not team.may(request.user, study, team.Role.RESEARCHER):
                messages.error(request, f"{study.title}: this needs the part of researcher in it.")
                continue
            config = StudyResultsConfig(study=study.slug)
            run = create_results(study, config, researcher(request))
            transaction.on_commit(partial(enqueue, run))
            self.message_user(
                request,
                format_html('<a href="{}">{}</a>: queued.', run.get_absolute_url(), run.title),
                messages.SUCCESS,
            )


class RowsOfStudies(ReadOnlyAdmin):
    """Rows that belong to studies, as far as these may be seen; `of_study` leads to the study."""

    of_study = "study"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = team.visible_to(request.user)
        return super().get_queryset(request).filter(**{f"{self.of_study}__in": visible})


# A filter names only what is among the rows: no title of a study that is another's.
ITS_STUDY = ("study", admin.RelatedOnlyFieldListFilter)


@admin.register(Triplet)
class TripletAdmin(RowsOfStudies):
    list_display = ("study", "source", "target_bpp", "first", "second", "kind", "n_assigned")
    list_filter = (ITS_STUDY, "kind")
    list_select_related = ("study", "source", "first__source", "second__source")


@admin.register(Annotator)
class AnnotatorAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "is_simulated", "provider", "created_at")
    list_filter = ("is_simulated",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Annotator]:
        """Who began in a study that may be seen."""
        visible = team.visible_to(request.user)
        began = Session.objects.filter(annotator=OuterRef("pk"), study__in=visible)
        return super().get_queryset(request).filter(Exists(began))


@admin.register(Invitation)
class InvitationAdmin(RowsOfStudies):
    list_display = ("__str__", "study", "state", "created_at", "used_at", "revoked_at")
    list_filter = (ITS_STUDY,)
    list_select_related = ("study",)
    exclude = ("token_sha256",)


@admin.register(Session)
class SessionAdmin(RowsOfStudies):
    list_display = ("__str__", "state", "verdict", "started_at", "finished_at")
    list_filter = (ITS_STUDY, "state", "verdict")
    list_select_related = ("study", "annotator")


@admin.register(Trial)
class TrialAdmin(RowsOfStudies):
    of_study = "session__study"
    list_display = ("session", "position", "state", "first_on_left", "lease_until")
    list_filter = ("state",)
    list_select_related = ("session__study", "session__annotator")


@admin.register(Judgment)
class JudgmentAdmin(RowsOfStudies):
    of_study = "trial__session__study"
    list_display = ("id", "choice", "response_ms", "input", "server_time")
    list_filter = ("choice", "input")


@admin.register(Screening)
class ScreeningAdmin(RowsOfStudies):
    of_study = "session__study"
    list_display = ("session", "verdict", "suspicion", "version", "created_by", "created_at")
    list_filter = ("verdict", "version", ("session__study", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("session__study", "session__annotator", "created_by")


@admin.register(StudyMember)
class StudyMemberAdmin(RowsOfStudies):
    """People are named on the study's own Team page."""

    list_display = ("study", "user", "role", "created_at")
    list_filter = (ITS_STUDY, "role")
    list_select_related = ("study", "user")


@admin.register(StudyChange)
class StudyChangeAdmin(RowsOfStudies):
    list_display = ("at", "study", "by", "what")
    list_filter = (ITS_STUDY,)
    list_select_related = ("study",)
