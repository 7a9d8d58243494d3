"""The desk's page of webhooks: one's own, with what was sent and how it went."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access import for_desk_people
from annotation.outward_forms import WebhookForm
from codecs_eval import announcing, delivering, tasks
from codecs_eval.access import researcher
from codecs_eval.models import Delivery, Webhook

DELIVERIES_ON_PAGE = 50


@for_desk_people
@require_http_methods(["GET", "POST"])
@never_cache
def api_webhooks(request: HttpRequest) -> HttpResponse:
    user = researcher(request)
    form = WebhookForm(user, request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        try:
            made = announcing.make_webhook(user, **form.cleaned_data)
        except ValueError as error:
            form.add_error("url", str(error))
        else:
            form = WebhookForm(user)
    sent = Delivery.objects.filter(webhook__user=user).select_related("webhook")
    return render(
        request,
        "annotation/api_webhooks.html",
        {
            "form": form,
            "made": made,
            "webhooks": Webhook.objects.filter(user=user),
            "deliveries": sent[:DELIVERIES_ON_PAGE],
            "most_attempts": delivering.MOST_ATTEMPTS,
        },
        status=400 if form.errors else 200,
    )


@for_desk_people
@require_POST
def act_on_webhook(request: HttpRequest) -> HttpResponse:
    """One of the page's buttons: what it does, and to which row, comes with it."""
    hooks = Webhook.objects.filter(user=researcher(request))
    hook = get_object_or_404(hooks, pk=_key(request.POST.get("webhook", "")))
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise Http404(f"Found no such button; expected one of {', '.join(_ACTS)}.")
    messages.success(request, act(hook))
    return redirect("api_webhooks")


@for_desk_people
@require_POST
def send_again(request: HttpRequest) -> HttpResponse:
    mine = Delivery.objects.filter(webhook__user=researcher(request))
    row = get_object_or_404(mine, pk=_key(request.POST.get("delivery", "")))
    delivering.send_again(row)
    transaction.on_commit(tasks.ring_for_deliveries)
    messages.success(request, "Queued again, with the same id.")
    return redirect("api_webhooks")


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("Found no such row.") from None


def _ping(hook: Webhook) -> str:
    announcing.ping(hook)
    transaction.on_commit(tasks.ring_for_deliveries)
    return "A ping is on its way; look again in a moment."


def _switch(hook: Webhook) -> str:
    Webhook.objects.filter(pk=hook.pk).update(is_active=not hook.is_active)
    return f"{hook.url} is told nothing more." if hook.is_active else f"{hook.url} is told again."


def _delete(hook: Webhook) -> str:
    hook.delete()
    return f"{hook.url} is deleted, with what it was sent."


_ACTS: dict[str, Callable[[Webhook], str]] = {"ping": _ping, "switch": _switch, "delete": _delete}
