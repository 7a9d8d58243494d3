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

from annotation import auditing, pairs, team, telling, triplets
from annotation.design.ordering import Shares
from annotation.design.presets import PRESETS, texts_for
from annotation.models import RESERVED_SLUGS, Study
from codecs_eval.metrics.table import metric_entry
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
    "Pairs": (
        "pairing", "anchor_codec", "chosen_pairs", "ranking_metric", "rival_metric", "n_disputed",
        "rate_tolerance", "keeps_different_rates",
    ),
    "What is compared": (
        "crop", "crop_px", "judgments_per_triplet", "scheduler", "stop_half_width", "seed",
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
# What only some kinds of pairing go by; elsewhere it would be said and mean nothing.
_OF_PAIRING: dict[str, set[str]] = {
    "anchor_codec": {Study.Pairing.ANCHOR},
    "chosen_pairs": {Study.Pairing.CHOSEN},
    "ranking_metric": {Study.Pairing.NEIGHBOURS, Study.Pairing.DISPUTED},
    "rival_metric": {Study.Pairing.DISPUTED},
    "n_disputed": {Study.Pairing.DISPUTED},
}
# What people read; without words of its own a study has those that belong to its mode.
TEXTS = ("question", "instructions", "consent")
# What the trail keeps of a new study, besides its title.
MADE_OF = ("collection", "codecs", "rates_bpp", *TEXTS, *SETTINGS)


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
    instructions: str = ""
    consent: str = ""
    pairing: str = Study.Pairing.ALL
    anchor_codec: str = ""
    chosen_pairs: tuple[tuple[str, str], ...] = ()
    ranking_metric: str = ""
    rival_metric: str = ""
    n_disputed: int = 50
    rate_tolerance: float = 0.04
    keeps_different_rates: bool = False
    stop_half_width: float | None = None
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
        if self.slug in RESERVED_SLUGS:
            raise ValueError(f"{self.slug!r} is a page of its own; choose another short name.")
        if len(set(self.codecs)) < 2:
            raise ValueError(f"Found codecs {list(self.codecs)}; expected at least two to compare.")
        check_known(self.codecs)
        if not self.rates_bpp or not all(0 < rate < math.inf for rate in self.rates_bpp):
            raise ValueError(f"Found rates {list(self.rates_bpp)}; expected bits per pixel > 0.")
        if self.preset and self.preset not in PRESETS:
            raise ValueError(f"Found preset {self.preset!r}; expected one of {', '.join(PRESETS)}.")
        self._check_settings()
        self._check_pairing()
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

    def _check_pairing(self) -> None:
        if not 0 <= self.rate_tolerance < 1:
            raise ValueError(f"Found rate_tolerance={self.rate_tolerance}; expected 0 to below 1.")
        if self.pairing == Study.Pairing.ANCHOR and self.anchor_codec not in self.codecs:
            raise ValueError(
                f"Found anchor_codec={self.anchor_codec!r}; expected one of {list(self.codecs)}."
            )
        if self.pairing == Study.Pairing.CHOSEN:
            self._check_chosen()
        metrics = [getattr(self, name) for name in pairs.METRICS_OF.get(self.pairing, ())]
        for name in metrics:
            metric_entry(name)
        if len(set(metrics)) < len(metrics):
            raise ValueError(f"A metric cannot dispute itself; found {metrics[0]!r} twice.")
        if self.pairing == Study.Pairing.DISPUTED and self.n_disputed < 1:
            raise ValueError(f"Found n_disputed={self.n_disputed}; expected at least 1.")

    def _check_chosen(self) -> None:
        if not self.chosen_pairs:
            raise ValueError("Found no named pair; expected at least one pair of two codecs.")
        for named in self.chosen_pairs:
            if len(set(named)) != 2 or not set(named) <= set(self.codecs):
                raise ValueError(
                    f"Found the pair {' and '.join(named)}; expected two of {list(self.codecs)}."
                )

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
        """What people read, in each language in which it is known.

        Own words are in one language: a page never mixes two.
        """
        texts = texts_for(self.mode, self.polarity)
        own = {name: getattr(self, name) for name in TEXTS if getattr(self, name)}
        return {"en": {**texts["en"], **own}} if own else texts

    @property
    def columns(self) -> dict[str, Any]:
        """The study's columns; what its pairing does not go by keeps its default."""
        texts = self.texts
        unused = {
            name: default_of(name)
            for name, kinds in _OF_PAIRING.items()
            if self.pairing not in kinds
        }
        return {
            **self.__dict__,
            "chosen_pairs": [list(named) for named in self.chosen_pairs],
            **unused,
            **texts.pop("en"),
            "texts": texts,
            "preset": self.preset_note,
            "codecs": list(self.codecs),
            "rates_bpp": list(self.rates_bpp),
        }


def default_of(name: str) -> Any:
    field = Study._meta.get_field(name)
    assert isinstance(field, Field)
    return field.get_default()


def typed_in(study: Study) -> dict[str, Any]:
    """What somebody would have typed to get this study: its own words only where it has some."""
    known = texts_for(study.mode, study.polarity)["en"]
    values = {name: getattr(study, name) for name in ("title", "slug", "collection", *SETTINGS)}
    own = {name: getattr(study, name) for name in TEXTS if getattr(study, name) != known[name]}
    preset = study.preset.removesuffix(", changed")
    return {
        **values,
        **own,
        "codecs": tuple(study.codecs),
        "rates_bpp": tuple(study.rates_bpp),
        "chosen_pairs": tuple((one, other) for one, other in study.chosen_pairs),
        "is_simulated": study.is_simulated,
        "preset": preset if preset in PRESETS else "",
    }


def create_study(
    design: Design, *, user: User | None = None, may_take_long: bool = True
) -> tuple[Study, triplets.Planned]:
    """A draft study with its triplets; both or neither. Raises ValueError saying what to do.

    Where cutting the crops would take long and may not, the draft has no triplets yet: the plan
    says `is_later`, and a run of kind plan_study makes them.
    """
    check_collection(design.collection)
    with transaction.atomic():
        try:
            with transaction.atomic():
                study = Study.objects.create(**design.columns, created_by=user)
        except IntegrityError:
            raise ValueError(
                f"A study called {design.slug!r} exists; choose another name."
            ) from None
        team.name_owner(study, user)
        planned = triplets.plan(study, may_take_long=may_take_long)
        made = {"title": study.title, **auditing.standing(study, MADE_OF)}
        auditing.record(study, user, f"Made, with {planned.n_triplets} triplets", {}, made)
        return study, planned


def check_collection(collection: str) -> None:
    if not SourceImage.objects.in_collection(collection).exists():
        raise ValueError(f"No photo in collection {collection!r}; import photos first.")


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
    with transaction.atomic():
        # As it stands now: somebody may change its design or its state at this very moment.
        held = Study.objects.select_for_update().get(pk=study.pk)
        _check_change(held, state)
        before = auditing.standing(held, ("state", "opened_at"))
        held.state = state
        if state == Study.State.OPEN and held.opened_at is None:
            held.opened_at = timezone.now()
        held.save(update_fields=["state", "opened_at"])
        after = auditing.standing(held, before)
        auditing.record(held, user, STATE_SAID[state], before, after)
        telling.state_changed(held, before["state"])
    study.state, study.opened_at = held.state, held.opened_at


def _check_change(study: Study, state: str) -> None:
    if study.state not in ALLOWED[state]:
        raise ValueError(f"A study that is {study.state} cannot become {state}.")
    if state == Study.State.OPEN and not study.triplets.exists():
        raise ValueError(f"Study {study.slug} has no triplets yet; plan them first.")
    if state == Study.State.OPEN and study.triplets.filter(source__path="").exists():
        raise ValueError(
            f"Study {study.slug} was imported without its images; there is nothing to show people."
        )


def described(study: Study) -> list[tuple[str, list[tuple[str, Any, str]]]]:
    """A study's settings for reading: (section, [(label, value, help)])."""
    return [
        (title, [_described(study, name) for name in names if _is_meant(study, name)])
        for title, names in SECTIONS.items()
    ]


def _is_meant(study: Study, name: str) -> bool:
    """Whether a study's pairing goes by a setting; all others are always meant."""
    return name not in _OF_PAIRING or study.pairing in _OF_PAIRING[name]


def _described(study: Study, name: str) -> tuple[str, Any, str]:
    field = Study._meta.get_field(name)
    assert isinstance(field, Field)
    value = getattr(study, name)
    if field.choices:
        value = dict(field.flatchoices).get(value, value)
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    elif value in (None, "", []):
        value = "none"
    elif name == "chosen_pairs":
        value = "; ".join(" and ".join(named) for named in value)
    return str(field.verbose_name).capitalize(), value, str(field.help_text)
