"""The desk's page of API tokens: one's own, made and shown once, revoked."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access import for_desk_people
from annotation.outward_forms import TokenForm
from codecs_eval import tokens
from codecs_eval.access import researcher
from codecs_eval.models import ApiToken


@for_desk_people
@require_http_methods(["GET", "POST"])
@never_cache
def api_tokens(request: HttpRequest) -> HttpResponse:
    user = researcher(request)
    form = TokenForm(request.POST or None)
    made, text = None, ""
    if request.method == "POST" and form.is_valid():
        made, text = tokens.make_token(user, **form.cleaned_data)
        form = TokenForm()
    return render(
        request,
        "annotation/api_tokens.html",
        {"form": form, "made": made, "token": text, "tokens": ApiToken.objects.filter(user=user)},
        status=400 if form.errors else 200,
    )


@for_desk_people
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    number = request.POST.get("token", "")
    own = ApiToken.objects.filter(user=researcher(request))
    token = get_object_or_404(own, pk=int(number) if number.isdecimal() else 0)
    tokens.revoke(token)
    messages.success(request, f"{token.name} opens nothing any more.")
    return redirect("api_tokens")
