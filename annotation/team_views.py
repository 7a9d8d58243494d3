"""The desk's page about who takes part in a study."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from annotation import team
from annotation.access import for_owners, for_viewers
from annotation.models import Study
from annotation.pages import study_tab
from codecs_eval.access import researcher


@for_viewers
@require_GET
def members(request: HttpRequest, study: Study) -> HttpResponse:
    named = list(team.by_rank(study))
    return study_tab(
        request,
        study,
        "team",
        members=named,
        is_everybodys=not any(member.role in team.RANKS for member in named),
        names_annotators=any(member.role == team.Role.ANNOTATOR for member in named),
        roles=team.Role.choices,
    )


@for_owners
@require_POST
def name(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        user = team.account_called(request.POST.get("username", ""))
        member = team.name_member(study, user, request.POST.get("role", ""), by=researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{user.get_username()} is {member.role} of this study.")
    return _back(request, study)


@for_owners
@require_POST
def remove(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        user = team.account_called(request.POST.get("username", ""))
        team.remove_member(study, user, by=researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{user.get_username()} has no part in this study any more.")
    return _back(request, study)


def _back(request: HttpRequest, study: Study) -> HttpResponse:
    """Whoever gave the last of their own part away has no page here any more."""
    still_reads = team.may(request.user, study, team.Role.VIEWER)
    return redirect("study_team", study.slug) if still_reads else redirect("home")
