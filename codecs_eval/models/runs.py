"""Long work as rows.

Dataset (frozen judgments)  --Run--> trained metric, agreement report, ...
"""

import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone


class Dataset(models.Model):
    """Frozen judgments with their images: a folder that is never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    origin = models.CharField(max_length=200)
    question = models.CharField(max_length=300)
    polarity = models.CharField(max_length=20, default="closer")
    is_simulated = models.BooleanField(default=False)
    n_sources = models.PositiveIntegerField()
    n_triplets = models.PositiveIntegerField()
    n_judgments = models.PositiveIntegerField()
    manifest_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} (simulated)" if self.is_simulated else self.name

    def get_absolute_url(self) -> str:
        return reverse("dataset", args=[self.pk])

    @property
    def folder(self) -> Path:
        return Path(settings.TRIAD_HOME) / "datasets" / str(self.pk)


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> "RunQuerySet":
        return self.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING])

    def lost(self) -> "RunQuerySet":
        """Running, but nobody has renewed the lease: their worker is gone."""
        return self.filter(state=Run.State.RUNNING, lease_until__lt=timezone.now())

    def unsent(self) -> "RunQuerySet":
        """Queued and not picked up: the message was lost, or the broker was down."""
        return self.filter(
            state=Run.State.QUEUED, sent_at__lt=timezone.now() - timedelta(seconds=60)
        ) | self.filter(state=Run.State.QUEUED, sent_at=None)


class Run(models.Model):
    """Long work as a row: the row is the truth, the broker only a bell.

    queued -> running -> done | failed | cancelled;  running --lease lost--> queued
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    config = models.JSONField(default=dict)
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    progress = models.FloatField(default=0, help_text="0..1")
    note = models.CharField(max_length=200, blank=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    is_simulated = models.BooleanField(default=False)
    is_cancel_wanted = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(progress__gte=0) & Q(progress__lte=1), name="run_progress_is_a_share"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.pk])

    @property
    def folder(self) -> Path:
        return Path(settings.TRIAD_HOME) / "runs" / str(self.pk)

    @property
    def is_active(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def elapsed(self) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def remaining_s(self) -> float | None:
        """Linear guess from the share done; None while there is nothing to guess from."""
        if self.state != self.State.RUNNING or self.progress < 0.02 or self.elapsed is None:
            return None
        # Work that knows its own pace says so; two guesses would contradict each other.
        if self.note.endswith(" left"):
            return None
        return self.elapsed.total_seconds() * (1 - self.progress) / self.progress


class RunPart(models.Model):
    """An independent piece of a run (one photo under one codec): many workers share a run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="parts")
    key = models.CharField(max_length=200)
    is_done = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="run_part_once")]

    def __str__(self) -> str:
        return self.key


class RunLine(models.Model):
    """What a run says while it works."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="lines")
    at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=1000)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class RunMetric(models.Model):
    """A point of a live curve."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="metrics")
    step = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    value = models.FloatField()

    class Meta:
        ordering = ["name", "step"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name", "step"], name="run_metric_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}[{self.step}] = {self.value:.5g}"
