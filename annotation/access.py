"""Who may see and change a study's pages: the view is handed the study itself."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from annotation import team
from annotation.models import Study, StudyMember

View = Callable[..., HttpResponseBase]


def _for(role: StudyMember.Role) -> Callable[[View], View]:
    """The short name in the address becomes the study, for who is at least a `role` of it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            study = Study.objects.filter(slug=slug).first()
            if study is None and not request.user.is_staff:
                # Whoever may see no study learns nothing of which ones exist.
                raise PermissionDenied(_refused(role))
            found = study or get_object_or_404(Study, slug=slug)
            if found.purpose == Study.Purpose.PREVIEW:
                raise Http404("A preview has no desk: nothing in it counts.")
            if not team.may(request.user, found, role):
                raise PermissionDenied(_refused(role))
            return view(request, found, **kwargs)

        return guarded

    return decorate


def for_designers(view: View) -> View:
    """Staff go in, and who may change the study that the form is `of`."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        slug = request.GET.get("of") or request.POST.get("of") or ""
        study = Study.objects.filter(slug=slug).first()
        may_change = study and team.may(request.user, study, StudyMember.Role.RESEARCHER)
        if not (request.user.is_staff or may_change):
            raise PermissionDenied("Designing is for researchers; this account is not one.")
        return view(request, **kwargs)

    return guarded


def _refused(role: StudyMember.Role) -> str:
    return f"This needs the part of {role.value} in the study; its owner can give it to you."


def for_desk_people(view: View) -> View:
    """Researchers, and whoever is named on the desk of some study."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not (request.user.is_staff or team.visible_to(request.user).exists()):
            raise PermissionDenied("No study has a part for this account; an owner can give one.")
        return view(request, **kwargs)

    return guarded


for_viewers = _for(StudyMember.Role.VIEWER)
for_researchers = _for(StudyMember.Role.RESEARCHER)
for_owners = _for(StudyMember.Role.OWNER)
