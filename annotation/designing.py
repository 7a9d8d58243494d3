"""A study from its form or command: made, planned, opened, closed."""

import math
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import slug_re
from django.db import IntegrityError, transaction
from django.db.models import Field
from django.utils import timezone

from annotation import auditing, planning, team, telling
from annotation.design.ordering import Shares
from annotation.design.presets import PRESETS, texts_for
from annotation.models import Study
from codecs_eval.models import Reconstruction, SourceImage
from codecs_eval.named_codecs import check_known

ALLOWED = {
    "open": {Study.State.DRAFT, Study.State.PAUSED, Study.State.CLOSED},
    "paused": {Study.State.OPEN},
    "closed": {Study.State.OPEN, Study.State.PAUSED},
}

STATE_SAID = {"open": "Opened", "paused": "Paused", "closed": "Closed"}

# How people are asked, by section; each is a column of the study with its own help.
SECTIONS = {
    "What is compared": (
        "crop", "crop_px", "judgments_per_triplet", "scheduler", "seed",
    ),
    "What people see": (
        "mode", "polarity", "allow_not_sure", "flicker_hz", "min_switches", "shortest_view_ms",
        "time_limit_s", "largest_zoom", "when_small", "smallest_crop_px",
    ),
    "What they see it on": (
        "min_screen_width_px", "min_screen_height_px", "require_ratio_one", "computers_only",
        "ask_card", "ask_colour_plates", "ask_acuity",
    ),
    "A session": (
        "session_length", "n_practice", "practice_pass_share", "n_warm_up", "sentinel_share",
        "repeat_share", "identical_share", "break_every",
    ),
    "Who answers": ("recruiting", "sessions_per_person", "reward"),
}  # fmt: skip
SETTINGS = tuple(name for names in SECTIONS.values() for name in names)
# What the trail keeps of a new study, besides its title.
MADE_OF = ("collection", "codecs", "rates_bpp", "question", *SETTINGS)


@dataclass(frozen=True)
class Design:
    """A study as a person asks for it."""

    title: str
    slug: str
    collection: str
    codecs: tuple[str, ...]
    rates_bpp: tuple[float, ...]
    crop: str = Study.Crop.CENTRE
    crop_px: int = 384
    judgments_per_triplet: int = 3
    session_length: int = 30
    seed: int = 1
    allow_not_sure: bool = False
    is_simulated: bool = False
    question: str = ""
    preset: str = ""
    polarity: str = Study.Polarity.CLOSER
    mode: str = Study.Mode.SIDE_BY_SIDE
    flicker_hz: float = 10
    min_switches: int = 0
    shortest_view_ms: int = 0
    time_limit_s: int | None = None
    largest_zoom: int = 1
    when_small: str = Study.WhenSmall.ASK
    smallest_crop_px: int = 256
    min_screen_width_px: int = 0
    min_screen_height_px: int = 0
    require_ratio_one: bool = False
    computers_only: bool = False
    ask_card: bool = False
    ask_colour_plates: bool = False
    ask_acuity: bool = False
    n_practice: int = 0
    practice_pass_share: float | None = None
    n_warm_up: int = 0
    sentinel_share: float = 0
    repeat_share: float = 0
    identical_share: float = 0
    break_every: int = 0
    scheduler: str = Study.Scheduler.BALANCED
    recruiting: str = Study.Recruiting.OPEN_LINK
    sessions_per_person: int = 1
    reward: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.title) <= 120:
            raise ValueError(f"Found title {self.title!r}; expected 1 to 120 characters.")
        if not slug_re.fullmatch(self.slug) or len(self.slug) > 60:
            raise ValueError(
                f"Found short name {self.slug!r}; expected 1 to 60 letters, digits, - and _."
            )
        if len(set(self.codecs)) < 2:
            raise ValueError(f"Found codecs {list(self.codecs)}; expected at least two to compare.")
        check_known(self.codecs)
        if not self.rates_bpp or not all(0 < rate < math.inf for rate in self.rates_bpp):
            raise ValueError(f"Found rates {list(self.rates_bpp)}; expected bits per pixel > 0.")
        if self.preset and self.preset not in PRESETS:
            raise ValueError(f"Found preset {self.preset!r}; expected one of {', '.join(PRESETS)}.")
        self._check_settings()
        Shares(self.sentinel_share, self.identical_share, self.repeat_share)
        self._check_together()

    def _check_settings(self) -> None:
        """Each setting by the model's own rules: its choices and its limits."""
        for name in SETTINGS:
            field, value = Study._meta.get_field(name), getattr(self, name)
            assert isinstance(field, Field)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"Found {name}={value}; expected a finite number.")
            try:
                field.clean(value, None)
            except ValidationError as error:
                choices = [key for key, _ in field.choices or ()]
                reason = f"expected one of {choices}." if choices else " ".join(error.messages)
                raise ValueError(f"Found {name}={value!r}; {reason}") from None

    def _check_together(self) -> None:
        if self.n_warm_up >= self.session_length and self.n_warm_up:
            raise ValueError(
                f"Found {self.n_warm_up} warm-ups in a session of {self.session_length}; "
                "expected fewer: they are left out of every analysis."
            )
        if self.practice_pass_share is not None and not self.n_practice:
            raise ValueError("A qualification needs practice trials; found none.")
        if self.min_switches and self.mode == Study.Mode.SIDE_BY_SIDE:
            raise ValueError("Side by side there is nothing to switch; expected min_switches=0.")
        if self.ask_acuity and not self.ask_card:
            raise ValueError("The acuity check needs the size of the screen: ask for the card too.")

    @classmethod
    def of_preset(cls, preset: str, **values: Any) -> "Design":
        """A preset's settings; what is said besides goes before them."""
        if preset not in PRESETS:
            raise ValueError(f"Found preset {preset!r}; expected one of {', '.join(PRESETS)}.")
        return cls(**{**PRESETS[preset].values, **values, "preset": preset})

    @property
    def preset_note(self) -> str:
        """The preset's name as long as its settings stand as it has them."""
        if not self.preset:
            return ""
        wanted = PRESETS[self.preset].values
        is_kept = all(getattr(self, name) == value for name, value in wanted.items())
        return self.preset if is_kept else f"{self.preset}, changed"

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """What people read, in each language in which it is known."""
        texts = texts_for(self.mode, self.polarity)
        if self.question:
            return {"en": {**texts["en"], "question": self.question}}
        return texts


def create_study(design: Design, *, user: User | None = None) -> tuple[Study, planning.Planned]:
    """A draft study with its triplets; both or neither. Raises ValueError saying what to do."""
    if not SourceImage.objects.in_collection(design.collection).exists():
        raise ValueError(f"No photo in collection {design.collection!r}; import photos first.")
    texts = design.texts
    values: dict[str, Any] = {
        **design.__dict__,
        **texts.pop("en"),
        "texts": texts,
        "preset": design.preset_note,
        "codecs": list(design.codecs),
        "rates_bpp": list(design.rates_bpp),
    }
    try:
        with transaction.atomic():
            study = Study.objects.create(**values, created_by=user)
            team.name_owner(study, user)
            planned = planning.plan_triplets(study)
            made = {"title": study.title, **auditing.standing(study, MADE_OF)}
            auditing.record(study, user, f"Made, with {planned.n_triplets} triplets", {}, made)
            return study, planned
    except IntegrityError:
        raise ValueError(f"A study called {design.slug!r} exists; choose another name.") from None


def encoded_codecs(collection: str) -> list[str]:
    """Codecs with at least one reconstruction that hit its rate in a collection.

    Raises ValueError where there is none.
    """
    hits = Reconstruction.objects.filter(
        source__collection=collection, state=Reconstruction.State.HIT
    )
    # Without order_by() the rows' own order makes every row distinct.
    found = sorted(hits.order_by().values_list("codec", flat=True).distinct())
    if not found:
        raise ValueError(
            f"Nothing is encoded in collection {collection!r}; encode its ladder first "
            "(encode_ladder)."
        )
    return found


def change_state(study: Study, state: str, user: auditing.Actor = None) -> None:
    """Open, pause or close. The first opening freezes the design for ever."""
    if state not in ALLOWED:
        raise ValueError(f"Found state {state!r}; expected one of {', '.join(ALLOWED)}.")
    if study.state not in ALLOWED[state]:
        raise ValueError(f"A study that is {study.state} cannot become {state}.")
    if state == Study.State.OPEN and not study.triplets.exists():
        raise ValueError(f"Study {study.slug} has no triplets yet; plan them first.")
    if state == Study.State.OPEN and study.triplets.filter(source__path="").exists():
        raise ValueError(
            f"Study {study.slug} was imported without its images; there is nothing to show people."
        )
    before = auditing.standing(study, ("state", "opened_at"))
    study.state = state
    if state == Study.State.OPEN and study.opened_at is None:
        study.opened_at = timezone.now()
    with transaction.atomic():
        study.save(update_fields=["state", "opened_at"])
        after = auditing.standing(study, before)
        auditing.record(study, user, STATE_SAID[state], before, after)
        telling.state_changed(study, before["state"])


def described(study: Study) -> list[tuple[str, list[tuple[str, Any, str]]]]:
    """A study's settings for reading: (section, [(label, value, help)])."""
    return [
        (title, [_described(study, name) for name in names]) for title, names in SECTIONS.items()
    ]


def _described(study: Study, name: str) -> tuple[str, Any, str]:
    field = Study._meta.get_field(name)
    assert isinstance(field, Field)
    value = getattr(study, name)
    if field.choices:
        value = dict(field.flatchoices).get(value, value)
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    elif value in (None, ""):
        value = "none"
    return str(field.verbose_name).capitalize(), value, str(field.help_text)
