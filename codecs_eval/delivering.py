"""Deliveries sent: signed, tried again with growing waits, given up after a day.

A delivery is claimed by a conditional update that counts the try and sets the next one: a worker
that dies meanwhile, or a message that comes twice, costs nothing. Receivers may get one twice and
tell by its id.
"""

import hmac
import json
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from codecs_eval.models import Delivery
from codecs_eval.reaching import NO_ANSWER, post

MOST_ATTEMPTS = 8
# Waits of 15 s, 1, 4, 16 minutes, 1 h 4, 4 h 16 and 17 h 4: the last try comes after 22 h 45.
FIRST_WAIT_S = 15
AT_ONCE = 200


def due() -> list[UUID]:
    """Deliveries that wait to be sent now, oldest first."""
    rows = Delivery.objects.due().order_by("next_try_at")
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def deliver(delivery_id: UUID | str) -> str:
    """Try once, if it is due and nobody else does; returns the state that it is in then."""
    row = Delivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    if row is None:
        return ""
    if not _claim(row):
        return row.state
    status, error = _send(row)
    is_taken = status is not None and 200 <= status < 300
    is_over = row.attempts + 1 >= MOST_ATTEMPTS
    state = Delivery.State.DELIVERED if is_taken else row.state
    if is_over and not is_taken:
        state = Delivery.State.FAILED
    Delivery.objects.filter(pk=row.pk).exclude(state=Delivery.State.DELIVERED).update(
        state=state,
        last_status=status,
        last_error=error[:300],
        delivered_at=timezone.now() if is_taken else None,
    )
    return state


def send_again(row: Delivery) -> None:
    """From the first try on, with the same id and body; due at once."""
    Delivery.objects.filter(pk=row.pk).update(
        state=Delivery.State.WAITING, attempts=0, next_try_at=timezone.now(), delivered_at=None
    )


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Triad-Signature: t is the time of sending (Unix s), v1 the HMAC-SHA256 of "t.body" in hex."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}"


def body_of(row: Delivery) -> bytes:
    """The same bytes at every try."""
    return json.dumps(row.payload, separators=(",", ":"), sort_keys=True).encode()


def wait_after(attempt: int) -> timedelta:
    """How long after the first, second, ... try the next one comes."""
    return timedelta(seconds=FIRST_WAIT_S * 4 ** (attempt - 1))


def _claim(row: Delivery) -> bool:
    mine = Delivery.objects.due().filter(pk=row.pk, attempts=row.attempts)
    if row.attempts >= MOST_ATTEMPTS:
        # The worker of the last try died in it.
        mine.update(state=Delivery.State.FAILED, last_error="The last try was not heard of again.")
        row.refresh_from_db()
        return False
    wait = wait_after(row.attempts + 1)
    return mine.update(attempts=F("attempts") + 1, next_try_at=timezone.now() + wait) == 1


def _send(row: Delivery) -> tuple[int | None, str]:
    """The status of the answer and what was wrong with it, in words."""
    body = body_of(row)
    now = int(timezone.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Triad",
        "Triad-Event": row.event,
        "Triad-Delivery": str(row.pk),
        "Triad-Signature": signature(row.webhook.secret, now, body),
    }
    try:
        status = post(row.webhook.url, body, headers)
    except NO_ANSWER as error:
        return None, str(error) or type(error).__name__
    return status, "" if 200 <= status < 300 else f"Found status {status}; expected 200 to 299."
