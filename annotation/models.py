"""Rows of the people's half of the loop.

Study -> Triplet (source, two reconstructions)
Annotator -> Session -> Trial (one triplet, shown once) -> Judgment
Invitation -> Session -> Screening (what was made of its answers, and by whom)
"""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
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

    class Mode(models.TextChoices):
        SIDE_BY_SIDE = "side_by_side", "side by side, the original in the centre"
        TOGGLE_ORIGINAL = "toggle_original", "two copies; hold to see the original in their place"
        TOGGLE_COPIES = "toggle_copies", "the original beside one place that switches the copies"
        FLICKER = "flicker", "two copies, each alternating with the original"

    class WhenSmall(models.TextChoices):
        ASK = "ask", "ask for a larger window"
        CROP = "crop", "show a smaller part of the crop"

    class Scheduler(models.TextChoices):
        BALANCED = "balanced", "balanced: the fewest judgments first"
        ACTIVE = "active", "active: where a judgment tells most"

    class Recruiting(models.TextChoices):
        OPEN_LINK = "open_link", "everybody who has the address"
        ACCOUNTS = "accounts", "people with an account"
        INVITED = "invited", "people with an invitation"
        CROWD = "crowd", "a crowd provider's workers"

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
    crop_px = models.PositiveIntegerField(
        verbose_name="side of the crop (px)", default=384, validators=[MinValueValidator(64)]
    )
    judgments_per_triplet = models.PositiveIntegerField(
        verbose_name="judgments a triplet", default=3, validators=[MinValueValidator(1)]
    )
    session_length = models.PositiveIntegerField(
        verbose_name="trials in a session",
        default=30,
        validators=[MinValueValidator(1)],
        help_text="Trials in one session, practice apart.",
    )
    allow_not_sure = models.BooleanField(verbose_name='offer "not sure"', default=False)

    preset = models.CharField(max_length=20, blank=True, help_text="Where its settings came from.")
    mode = models.CharField(max_length=16, choices=Mode, default=Mode.SIDE_BY_SIDE)
    flicker_hz = models.FloatField(
        verbose_name="flicker (changes a second)",
        default=10,
        validators=[MinValueValidator(1)],
        help_text="Changes of picture a second.",
    )
    min_switches = models.PositiveIntegerField(
        verbose_name="switches needed",
        default=0,
        help_text="Changes of view before an answer is taken.",
    )
    shortest_view_ms = models.PositiveIntegerField(
        verbose_name="shortest view (ms)",
        default=0,
        help_text="A view that was switched to stays for at least this long.",
    )
    time_limit_s = models.PositiveIntegerField(
        verbose_name="time limit (s)",
        null=True,
        blank=True,
        help_text="The pictures disappear after this time; empty: never.",
    )
    largest_zoom = models.PositiveSmallIntegerField(
        verbose_name="largest zoom",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(16)],
    )
    when_small = models.CharField(
        verbose_name="in a small window", max_length=4, choices=WhenSmall, default=WhenSmall.ASK
    )
    smallest_crop_px = models.PositiveIntegerField(
        verbose_name="smallest part shown (px)",
        default=256,
        help_text="No smaller part than this is shown in a small window.",
    )
    min_screen_width_px = models.PositiveIntegerField(
        verbose_name="narrowest screen (px)", default=0, help_text="Device pixels."
    )
    min_screen_height_px = models.PositiveIntegerField(
        verbose_name="lowest screen (px)", default=0, help_text="Device pixels."
    )
    require_ratio_one = models.BooleanField(
        verbose_name="one device pixel a CSS pixel",
        default=False,
        help_text="Only at a device pixel ratio of 1.",
    )
    computers_only = models.BooleanField(verbose_name="computers only", default=False)
    ask_card = models.BooleanField(
        verbose_name="ask for the size of the screen",
        default=False,
        help_text="Size of the screen, by a bank card.",
    )
    ask_colour_plates = models.BooleanField(verbose_name="ask for colour vision", default=False)
    ask_acuity = models.BooleanField(verbose_name="ask for acuity", default=False)

    n_practice = models.PositiveIntegerField(
        verbose_name="practice trials", default=0, help_text="With feedback, first of all."
    )
    practice_pass_share = models.FloatField(
        verbose_name="practice to pass (share)",
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Qualification: this share of the practice right, or the session ends there.",
    )
    n_warm_up = models.PositiveIntegerField(
        verbose_name="warm-up trials",
        default=0,
        help_text="First trials, left out of every analysis.",
    )
    sentinel_share = models.FloatField(
        verbose_name="sentinels (share)", default=0, help_text="Trials with an obvious answer."
    )
    repeat_share = models.FloatField(
        verbose_name="mirrored repeats (share)",
        default=0,
        help_text="Trials shown again, mirrored.",
    )
    identical_share = models.FloatField(
        verbose_name="identical pairs (share)", default=0, help_text="Trials of two equal copies."
    )
    break_every = models.PositiveIntegerField(
        verbose_name="break after (trials)", default=0, help_text="Trials between breaks; 0: none"
    )
    scheduler = models.CharField(max_length=8, choices=Scheduler, default=Scheduler.BALANCED)

    recruiting = models.CharField(
        verbose_name="who may answer",
        max_length=10,
        choices=Recruiting,
        default=Recruiting.OPEN_LINK,
    )
    sessions_per_person = models.PositiveIntegerField(
        verbose_name="sessions a person",
        default=1,
        help_text="0: as many as there is something left for.",
    )
    reward = models.CharField(
        max_length=200, blank=True, help_text="How people are paid, in their words; may be empty."
    )
    completion_codes = models.JSONField(
        default=dict,
        blank=True,
        help_text="A crowd provider's code for each outcome: finished, failed, screened_out.",
    )
    texts = models.JSONField(
        default=dict,
        blank=True,
        help_text="Other languages: {language: {question, instructions, consent, reward}}.",
    )
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
        """The order in which triplets are handed out.

        The active scheduler's block; then the fewest judgments and open leases. Among equals the
        one with fewer judgments, whose leases may yet run out; then the study's seeded order.
        """
        return self.order_by("-priority", "n_assigned", "n_judged", "shuffle")


class Triplet(models.Model):
    """An original and two of its reconstructions; unordered, so first < second.

    In an identical triplet both are the same one.
    """

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
    expected = models.CharField(
        max_length=6,
        blank=True,
        choices=[("first", "first"), ("second", "second")],
        help_text="The right answer to the study's question, where there is one.",
    )
    n_assigned = models.PositiveIntegerField(
        default=0, help_text="Trials judged or under a lease: what the balance looks at."
    )
    n_judged = models.PositiveIntegerField(default=0, help_text="Trials judged.")
    priority = models.PositiveIntegerField(
        default=0, help_text="Place in the active scheduler's block, highest first; 0: not in it."
    )

    objects = TripletQuerySet.as_manager()

    class Meta:
        ordering = ["study", "shuffle"]
        indexes = [
            models.Index(
                "study",
                "kind",
                F("priority").desc(),
                "n_assigned",
                "n_judged",
                "shuffle",
                name="neediest_first",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind", "first", "second"], name="triplet_once"
            ),
            models.CheckConstraint(
                condition=(~Q(kind="identical") & Q(first__lt=F("second")))
                | Q(kind="identical", first=F("second")),
                name="triplet_is_unordered",
            ),
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
        """What analyses rest on: main trials, no warm-ups, no repeats, nobody screened out."""
        return (
            self.standing()
            .filter(
                trial__triplet__kind=Triplet.Kind.MAIN,
                trial__is_warm_up=False,
                trial__is_repeat=False,
            )
            .exclude(trial__session__verdict=Session.Verdict.EXCLUDED)
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
