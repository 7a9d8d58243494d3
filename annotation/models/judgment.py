"""One triplet before one person, and what they said."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.session import Annotator, Session
from annotation.models.study import Study
from annotation.models.triplet import Triplet


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
            models.UniqueConstraint(
                fields=["annotator", "triplet"],
                condition=Q(is_repeat=True),
                name="repeated_once_at_most",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} #{self.position}"

    @property
    def is_counted(self) -> bool:
        """Whether it counts toward what its triplet wants: warm-ups and repeats do not."""
        return not (self.is_warm_up or self.is_repeat)

    @property
    def expected_side(self) -> str:
        """Where the right answer stands on the screen; empty where there is none."""
        expected = self.triplet.expected
        return self.side_of_choice(expected) if expected else ""

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

    def counted(self) -> "JudgmentQuerySet":
        """What analyses rest on: main trials, no warm-ups, no repeats, nobody screened out.

        Nor anything of a preview, where a study's makers try it out.
        """
        return (
            self.standing()
            .filter(
                trial__triplet__kind=Triplet.Kind.MAIN,
                trial__is_warm_up=False,
                trial__is_repeat=False,
            )
            .exclude(trial__session__verdict=Session.Verdict.EXCLUDED)
            .exclude(trial__session__study__purpose=Study.Purpose.PREVIEW)
        )

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
    n_switches = models.PositiveIntegerField(default=0, help_text="Changes of view.")
    dwell_ms = models.JSONField(
        default=dict, help_text="Time each view was on the screen: original, left, right."
    )
    flicker_hz = models.FloatField(null=True, help_text="Changes a second, as measured.")
    shown_left_px = models.PositiveIntegerField(null=True, help_text="In the triplet's crop.")
    shown_top_px = models.PositiveIntegerField(null=True)
    shown_width_px = models.PositiveIntegerField(null=True)
    shown_height_px = models.PositiveIntegerField(null=True)
    zoom = models.PositiveSmallIntegerField(default=1, help_text="The largest used.")
    marks = models.JSONField(
        default=list, help_text="What changed meanwhile: ratio, window, monitor, hidden, time_up."
    )
    events = models.JSONField(default=list)
    client_time = models.DateTimeField(null=True)
    server_time = models.DateTimeField(auto_now_add=True)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        ordering = ["server_time"]
        indexes = [models.Index(fields=["server_time", "id"], name="judgments_in_order")]
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
