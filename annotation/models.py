"""Rows of the people's half of the loop.

Study -> Triplet (source, two reconstructions)
Annotator -> Session -> Trial (one triplet, shown once) -> Judgment
"""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from codecs_eval.models import Reconstruction, SourceImage

QUESTION = "Which one is closer to the picture in the middle?"


class Study(models.Model):
    """A question put to people about the reconstructions of one collection."""

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Polarity(models.TextChoices):
        CLOSER = "closer", "which is closer to the original"
        DIFFERS = "differs", "which differs more from the original"

    class Crop(models.TextChoices):
        WHOLE = "whole", "the whole photo"
        CENTRE = "centre", "a square from its centre"
        RANDOM = "random", "a square at a random place (from the seed)"

    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    is_simulated = models.BooleanField(
        default=False, help_text="Answered by simulated observers, never by people."
    )
    question = models.CharField(max_length=200, default=QUESTION)
    polarity = models.CharField(max_length=8, choices=Polarity, default=Polarity.CLOSER)
    instructions = models.TextField(
        default="You will see a picture in the middle and two copies of it, left and right. "
        "Choose the copy that looks closer to the one in the middle. There is no right or wrong: "
        "we want to know what you see."
    )
    consent = models.TextField(
        default="Your choices and their timing are stored under a random number, together with "
        "what your window and screen are like (size, colours, refresh rate). Nothing else about "
        "you is stored. You may stop at any time."
    )
    collection = models.SlugField(max_length=80)
    codecs = models.JSONField(default=list)
    rates_bpp = models.JSONField(default=list)
    rate_tolerance = models.FloatField(
        default=0.04,
        help_text="A pair whose file sizes differ by more than this share is left out.",
    )
    crop = models.CharField(max_length=8, choices=Crop, default=Crop.CENTRE)
    crop_px = models.PositiveIntegerField(default=384, validators=[MinValueValidator(64)])
    judgments_per_triplet = models.PositiveIntegerField(
        default=3, validators=[MinValueValidator(1)]
    )
    session_length = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="Trials in one session."
    )
    allow_not_sure = models.BooleanField(default=False)
    seed = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return f"{self.title} (simulated)" if self.is_simulated else self.title

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.slug])

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_frozen(self) -> bool:
        """Once opened, what people are asked no longer changes."""
        return self.opened_at is not None

    @property
    def origin(self) -> str:
        return f"study:{self.slug} v{self.version}"


class TripletQuerySet(models.QuerySet["Triplet"]):
    def neediest_first(self) -> "TripletQuerySet":
        """Fewest judgments and open leases first; among equals, the study's seeded order."""
        return self.order_by("n_assigned", "shuffle")


class Triplet(models.Model):
    """An original and two of its reconstructions; unordered, so first < second."""

    class Kind(models.TextChoices):
        MAIN = "main"
        PRACTICE = "practice"
        SENTINEL = "sentinel"
        IDENTICAL = "identical"

    study = models.ForeignKey(Study, models.CASCADE, related_name="triplets")
    source = models.ForeignKey(SourceImage, models.PROTECT)
    first = models.ForeignKey(Reconstruction, models.PROTECT, related_name="+")
    second = models.ForeignKey(Reconstruction, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MAIN)
    target_bpp = models.FloatField()
    crop_left_px = models.PositiveIntegerField()
    crop_top_px = models.PositiveIntegerField()
    crop_width_px = models.PositiveIntegerField()
    crop_height_px = models.PositiveIntegerField()
    shuffle = models.PositiveIntegerField(help_text="Place in the study's seeded order.")
    n_assigned = models.PositiveIntegerField(
        default=0, help_text="Trials judged or under a lease: what the balance looks at."
    )

    objects = TripletQuerySet.as_manager()

    class Meta:
        ordering = ["study", "shuffle"]
        indexes = [models.Index(fields=["study", "n_assigned", "shuffle"], name="neediest_first")]
        constraints = [
            models.UniqueConstraint(fields=["study", "first", "second"], name="triplet_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="triplet_is_unordered"),
        ]

    def __str__(self) -> str:
        return f"{self.source.name}: {self.first.codec} / {self.second.codec}"

    @property
    def box(self) -> tuple[int, int, int, int]:
        """left, top, right, bottom in pixels of the source."""
        return (
            self.crop_left_px,
            self.crop_top_px,
            self.crop_left_px + self.crop_width_px,
            self.crop_top_px + self.crop_height_px,
        )


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


class Session(models.Model):
    """One annotator's sitting in one study."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FINISHED = "finished"

    class Verdict(models.TextChoices):
        TRUSTED = "trusted"
        DOUBTFUL = "doubtful"
        EXCLUDED = "excluded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.PROTECT, related_name="sessions")
    annotator = models.ForeignKey(Annotator, models.PROTECT, related_name="sessions")
    seed = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    verdict = models.CharField(
        max_length=10, choices=Verdict, blank=True, help_text="Empty: not screened."
    )
    viewing = models.JSONField(default=dict, help_text="Screen, window and clock as measured.")
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


class TrialQuerySet(models.QuerySet["Trial"]):
    def open(self) -> "TrialQuerySet":
        return self.filter(state=Trial.State.LEASED)

    def overdue(self) -> "TrialQuerySet":
        return self.open().filter(lease_until__lt=timezone.now())


class Trial(models.Model):
    """One triplet before one person, once.

    leased -> judged;  leased --time runs out--> expired --the answer comes after all--> judged
    """

    class State(models.TextChoices):
        LEASED = "leased"
        JUDGED = "judged"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, models.CASCADE, related_name="trials")
    # Copied from the session so that the database itself can refuse a second showing.
    annotator = models.ForeignKey(Annotator, models.PROTECT)
    triplet = models.ForeignKey(Triplet, models.PROTECT, related_name="trials")
    position = models.PositiveIntegerField()
    first_on_left = models.BooleanField()
    is_repeat = models.BooleanField(default=False)
    is_warm_up = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.LEASED)
    lease_until = models.DateTimeField()

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ["session", "position"]
        indexes = [models.Index(fields=["state", "lease_until"], name="overdue_leases")]
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="position_once"),
            models.UniqueConstraint(
                fields=["annotator", "triplet"],
                condition=Q(is_repeat=False),
                name="never_the_same_triplet_twice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} #{self.position}"

    def choice_of_side(self, side: str) -> str:
        """What a side of the screen means: 'left' or 'right' -> 'first' or 'second'."""
        if side == "not_sure":
            return "not_sure"
        return "first" if (side == "left") == self.first_on_left else "second"

    def side_of_choice(self, choice: str) -> str:
        """Where on the screen a choice stood: the inverse of `choice_of_side`."""
        if choice == "not_sure":
            return "not_sure"
        return "left" if (choice == "first") == self.first_on_left else "right"


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    def standing(self) -> "JudgmentQuerySet":
        """Not superseded by an undo."""
        return self.filter(superseded_by=None)

    def of_study(self, study: Study) -> "JudgmentQuerySet":
        return self.filter(trial__session__study=study)


class Judgment(models.Model):
    """One choice, kept for ever: an undo supersedes it, nothing overwrites it.

    The primary key is made by the browser, so a repeated request stores nothing twice.
    Times in ms on the page's monotonic clock unless named otherwise.
    """

    class Choice(models.TextChoices):
        FIRST = "first"
        SECOND = "second"
        NOT_SURE = "not_sure"

    id = models.UUIDField(primary_key=True)
    trial = models.ForeignKey(Trial, models.PROTECT, related_name="judgments")
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    choice = models.CharField(max_length=8, choices=Choice)
    decoded_ms = models.FloatField(null=True, help_text="All three images decoded.")
    painted_ms = models.FloatField(null=True, help_text="First frame after decoding.")
    answered_ms = models.FloatField(null=True, help_text="The answering event's own timestamp.")
    response_ms = models.FloatField(null=True, help_text="Answered minus painted.")
    hidden_ms = models.FloatField(default=0, help_text="Time the page was hidden meanwhile.")
    clock_resolution_ms = models.FloatField(null=True)
    input = models.CharField(max_length=10, blank=True, help_text="key, mouse or touch")
    device_pixel_ratio = models.FloatField(null=True)
    window_width_px = models.PositiveIntegerField(null=True)
    window_height_px = models.PositiveIntegerField(null=True)
    events = models.JSONField(default=list)
    client_time = models.DateTimeField(null=True)
    server_time = models.DateTimeField(auto_now_add=True)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        ordering = ["server_time"]
        constraints = [
            models.UniqueConstraint(
                fields=["trial"], condition=Q(supersedes=None), name="a_trial_is_judged_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.choice} in {self.trial_id}"

    @property
    def active_ms(self) -> float | None:
        return None if self.response_ms is None else self.response_ms - self.hidden_ms
