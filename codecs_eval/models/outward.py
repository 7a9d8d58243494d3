"""What other programs have to do with Triad.

ApiToken: a program may ask.   something happens --> Delivery --sent to--> Webhook's address
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac


class ApiToken(models.Model):
    """Lets a program speak for an account, within its scopes. The token itself is never stored."""

    class Scope(models.TextChoices):
        STUDIES_READ = "studies:read", "read studies, their triplets and how they go"
        STUDIES_WRITE = "studies:write", "make studies; open, pause and close them"
        JUDGMENTS_READ = "judgments:read", "read judgments, one by one"
        RESULTS_READ = "results:read", "read the results of studies"
        RUNS_READ = "runs:read", "read runs with what they found, datasets, codecs and metrics"
        RUNS_WRITE = "runs:write", "launch and cancel runs"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, help_text="What it is for.")
    token_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user} ({self.state})"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "valid" if timezone.now() < self.expires_at else "expired"


class Event(models.TextChoices):
    """What a webhook may be told of."""

    SESSION_FINISHED = "session.finished", "a person has answered a whole session"
    STUDY_COMPLETE = "study.complete", "a study has all the judgments that it wants"
    STUDY_STATE = "study.state_changed", "a study was opened, paused or closed"
    RUN_FINISHED = "run.finished", "a run is done, failed or cancelled"
    PING = "ping", "a test, sent by hand"


class Webhook(models.Model):
    """An address that is told what happens, as far as its owner may know of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=500)
    nonce = models.CharField(
        max_length=64, help_text="The secret is this, keyed with the installation's own."
    )
    events = models.JSONField(default=list)
    study = models.SlugField(
        max_length=60, blank=True, help_text="Short name; empty: all that the owner may see."
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhooks")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """What signs its deliveries. Worked out, never stored: a copied database signs nothing."""
        key = f"{self.pk} {self.nonce}"
        return "whsec_" + salted_hmac("codecs_eval.webhooks", key, algorithm="sha256").hexdigest()


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> "DeliveryQuerySet":
        """Those to be sent now: none for an account that is closed, and of a webhook that is
        switched off pings alone."""
        # Subqueries, not joins: an update of these rows must test the claim in its own WHERE.
        theirs = Webhook.objects.filter(user__is_active=True)
        return self.filter(
            Q(webhook__in=theirs.filter(is_active=True)) | Q(event=Event.PING, webhook__in=theirs),
            state=Delivery.State.WAITING,
            next_try_at__lte=timezone.now(),
        )


class Delivery(models.Model):
    """One event for one webhook: written with what happened, sent until the other side has it.

    waiting --2xx--> delivered;  waiting --tried for a day--> failed;  sent again by hand: waiting
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=30, choices=Event)
    subject = models.CharField(max_length=120, help_text="What it is about; told once a webhook.")
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    last_status = models.PositiveIntegerField(null=True, help_text="Of HTTP; empty: no answer.")
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["state", "next_try_at"], name="due_deliveries")]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event", "subject"], name="told_once")
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject} ({self.state})"
