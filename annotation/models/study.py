"""What is asked: a study, its settings and its words."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

# Pages that stand where a study's would: /studies/NAME.
RESERVED_SLUGS = frozenset({"count", "import", "new", "power", "score"})
QUESTION = "Which one is closer to the picture in the middle?"


class StudyQuerySet(models.QuerySet["Study"]):
    def real(self) -> "StudyQuerySet":
        """Neither previews nor dry runs, which belong to another study."""
        return self.filter(purpose=Study.Purpose.REAL)


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
        MOST_DIFFERENT = "differ", "the square where the copies differ most"
        SALIENT = "salient", "the square where people look most"

    class Pairing(models.TextChoices):
        ALL = "all", "every two codecs"
        ANCHOR = "anchor", "every codec against one"
        NEIGHBOURS = "neighbours", "neighbours in the order of a metric"
        CHOSEN = "chosen", "only the pairs that are named"
        DISPUTED = "disputed", "the pairs that two metrics dispute most"

    class Purpose(models.TextChoices):
        REAL = "real", "asks people"
        DRY_RUN = "dry_run", "a dry run with simulated observers"
        PREVIEW = "preview", "a preview for its makers"

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
    keeps_different_rates = models.BooleanField(
        verbose_name="keep pairs of different file sizes",
        default=False,
        help_text="Show pairs beyond the tolerance as well; whoever wins may have had more bits.",
    )
    pairing = models.CharField(
        verbose_name="which pairs", max_length=10, choices=Pairing, default=Pairing.ALL
    )
    anchor_codec = models.CharField(
        verbose_name="codec that all are compared with", max_length=40, blank=True
    )
    chosen_pairs = models.JSONField(
        verbose_name="named pairs",
        default=list,
        blank=True,
        help_text="Pairs of codecs: [[codec, codec], ...].",
    )
    ranking_metric = models.CharField(
        verbose_name="metric that orders the copies",
        max_length=60,
        blank=True,
        help_text="Of neighbours, and the first of two that dispute.",
    )
    rival_metric = models.CharField(
        verbose_name="metric that disputes it", max_length=60, blank=True
    )
    n_disputed = models.PositiveIntegerField(
        verbose_name="most disputed pairs at each rate", default=50
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

    stop_half_width = models.FloatField(
        verbose_name="stop at an interval of (± share)",
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(0.5)],
        help_text="The study pauses once every codec's share at every rate is known as well as "
        "this; empty: when all judgments are in.",
    )

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
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.REAL)
    copied_from = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="copies",
        help_text="The version before, the study that was cloned, or the one that this tries out.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    objects = StudyQuerySet.as_manager()

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
