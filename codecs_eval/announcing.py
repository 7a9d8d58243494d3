"""What happened, written down for the webhooks in the transaction in which it happened.

Sending is other work (`delivering`): an event that was rolled back is told to nobody.
"""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from codecs_eval.models import Delivery, Event, Run, Webhook
from codecs_eval.reaching import checked_address
from codecs_eval.run_kinds import load, study_of

# Who may know of a study is the other half's to say: (user, short name) -> bool.
MAY_HEAR_OF_STUDY = "annotation.telling.may_hear"
MOST_WEBHOOKS = 20


def make_webhook(user: User, url: str, events: Sequence[str], study: str = "") -> Webhook:
    """A new webhook, active. Raises ValueError for an address or events that cannot be."""
    checked_address(url)
    wanted = [event for event in Event.values if event in events and event != Event.PING]
    unknown = sorted(set(events) - set(wanted))
    if unknown or not wanted:
        known = ", ".join(event for event in Event.values if event != Event.PING)
        raise ValueError(f"Found events {unknown or list(events)}; expected some of {known}.")
    if study and not load(MAY_HEAR_OF_STUDY)(user, study):
        raise ValueError(f"No study is called {study!r}, or it is not yours to read.")
    if user.webhooks.count() >= MOST_WEBHOOKS:
        raise ValueError(f"Found {MOST_WEBHOOKS} webhooks of {user}; delete one first.")
    return Webhook.objects.create(
        user=user, url=url, events=wanted, study=study, nonce=secrets.token_hex(16)
    )


def announce(
    event: str, subject: str, data: dict[str, Any], *, is_simulated: bool, study: str = ""
) -> list[Delivery]:
    """One waiting delivery for each webhook that hears of this; each (event, subject) once.

    `data` names rows and states, never people. Returns the deliveries that were to be made.
    """
    hearing = [
        hook
        for hook in Webhook.objects.filter(is_active=True, user__is_active=True).select_related(
            "user"
        )
        if event in hook.events and hook.study in ("", study) and _may_hear(hook, study, data)
    ]
    rows = [_delivery(hook, event, subject, study, is_simulated, data) for hook in hearing]
    if rows:
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    return rows


def is_heard(event: str) -> bool:
    """Whether any webhook wants to be told of an event."""
    active = Webhook.objects.filter(is_active=True).values_list("events", flat=True)
    return any(event in events for events in active)


def announce_run(run: Run) -> None:
    announce(
        Event.RUN_FINISHED,
        str(run.pk),
        {"run": str(run.pk), "kind": run.kind, "title": run.title, "state": run.state},
        is_simulated=run.is_simulated,
        study=study_of(run.kind, run.config),
    )


def ping(webhook: Webhook) -> Delivery:
    """A delivery that says nothing but that it comes, also to a webhook that is switched off."""
    row = _delivery(webhook, Event.PING, str(uuid4()), webhook.study, False, {})
    row.save(force_insert=True)
    return row


def _may_hear(hook: Webhook, study: str, data: dict[str, Any]) -> bool:
    """As on the desk: a study is for its people, a run without one for researchers."""
    if study:
        return bool(load(MAY_HEAR_OF_STUDY)(hook.user, study))
    return hook.user.is_staff


def _delivery(
    hook: Webhook,
    event: str,
    subject: str,
    study: str,
    is_simulated: bool,
    data: dict[str, Any],
) -> Delivery:
    row = Delivery(webhook=hook, event=event, subject=subject)
    row.payload = {
        "id": str(row.pk),
        "event": event,
        "at": timezone.now().isoformat(timespec="milliseconds"),
        "study": study or None,
        "is_simulated": is_simulated,
        "data": data,
    }
    return row
