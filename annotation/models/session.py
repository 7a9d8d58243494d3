"""Who answers, in one sitting, and what was made of it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.study import Study


class Annotator(models.Model):
    """Who answers: an account, an outside id, a browser, or a simulation that says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    provider = models.CharField(max_length=40, blank=True)
    outside_id = models.CharField(max_length=120, blank=True)
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "outside_id"],
                condition=~Q(outside_id=""),
                name="outside_annotator_once",
            )
        ]

    def __str__(self) -> str:
        return f"simulated {str(self.pk)[:8]}" if self.is_simulated else str(self.pk)[:8]


class Invitation(models.Model):
    """A link that lets one person into a study, once. The link itself is never stored."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="invitations")
    token_sha256 = models.CharField(max_length=64, unique=True)
    note = models.CharField(
        max_length=120, blank=True, help_text="For whom; only the desk sees it."
    )
    annotator = models.ForeignKey(Annotator, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.note or f"invitation {self.pk}"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "used" if self.used_at else "unused"


class Session(models.Model):
    """One annotator's sitting in one study."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FINISHED = "finished"
        FAILED = "failed", "failed the practice"
        SCREENED_OUT = "screened_out", "did not meet the viewing requirements"
        WITHDRAWN = "withdrawn"

    class Verdict(models.TextChoices):
        TRUSTED = "trusted"
        DOUBTFUL = "doubtful"
        EXCLUDED = "excluded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.PROTECT, related_name="sessions")
    annotator = models.ForeignKey(Annotator, models.PROTECT, related_name="sessions")
    invitation = models.ForeignKey(Invitation, models.SET_NULL, null=True, blank=True)
    outside_id = models.CharField(
        max_length=120, blank=True, help_text="Its name where it was collected, if elsewhere."
    )
    crowd = models.JSONField(default=dict, blank=True, help_text="The provider's own ids.")
    seed = models.PositiveIntegerField()
    n_practice = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    verdict = models.CharField(
        max_length=10,
        choices=Verdict,
        blank=True,
        help_text="Of the newest screening; empty: not screened.",
    )
    language = models.CharField(max_length=10, default="en")
    texts = models.JSONField(default=dict, help_text="What the person read, with its version.")
    viewing = models.JSONField(default=dict, help_text="Screen, window and clock as measured.")
    withdrawn = models.JSONField(
        default=dict, blank=True, help_text="How much a withdrawal deleted; the rows are gone."
    )
    completion_code = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "annotator"],
                condition=Q(state="active"),
                name="one_active_session",
            )
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} by {self.annotator}"

    @property
    def n_planned(self) -> int:
        """Trials from the first to the last, practice included."""
        return self.n_practice + self.study.session_length


class Screening(models.Model):
    """What one screening made of a session. The newest one stands; none is overwritten."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="screenings")
    verdict = models.CharField(max_length=10, choices=Session.Verdict, blank=True)
    suspicion = models.FloatField(
        null=True, help_text="0..1, higher is worse; empty: a person decided."
    )
    reasons = models.JSONField(default=list, help_text="Plain sentences.")
    signals = models.JSONField(default=dict, help_text="Each signal's own part of the score.")
    version = models.CharField(max_length=20, help_text="Of the method.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        help_text="Who decided; empty: the method.",
    )

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.verdict or 'not screened'}: {self.session}"
