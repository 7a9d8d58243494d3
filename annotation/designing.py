"""A study from its form or command: made, planned, opened, closed."""

import math
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.validators import slug_re
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation import planning
from annotation.models import Study
from codecs_eval.codecs.table import CODECS
from codecs_eval.models import Reconstruction, SourceImage

ALLOWED = {
    "open": {Study.State.DRAFT, Study.State.PAUSED, Study.State.CLOSED},
    "paused": {Study.State.OPEN},
    "closed": {Study.State.OPEN, Study.State.PAUSED},
}


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

    def __post_init__(self) -> None:
        if not 0 < len(self.title) <= 120:
            raise ValueError(f"Found title {self.title!r}; expected 1 to 120 characters.")
        if not slug_re.fullmatch(self.slug) or len(self.slug) > 60:
            raise ValueError(
                f"Found short name {self.slug!r}; expected 1 to 60 letters, digits, - and _."
            )
        if len(set(self.codecs)) < 2:
            raise ValueError(f"Found codecs {list(self.codecs)}; expected at least two to compare.")
        unknown = [name for name in self.codecs if name not in CODECS]
        if unknown:
            raise ValueError(f"Found codecs {unknown}; expected some of {', '.join(CODECS)}.")
        if not self.rates_bpp or not all(0 < rate < math.inf for rate in self.rates_bpp):
            raise ValueError(f"Found rates {list(self.rates_bpp)}; expected bits per pixel > 0.")
        if self.crop not in Study.Crop.values:
            raise ValueError(f"Found crop {self.crop!r}; expected one of {Study.Crop.values}.")
        lowest = {"crop_px": 64, "judgments_per_triplet": 1, "session_length": 1, "seed": 0}
        for name, low in lowest.items():
            if not low <= getattr(self, name) < 2**31:
                raise ValueError(f"Found {name}={getattr(self, name)}; expected at least {low}.")


def create_study(design: Design, *, user: User | None = None) -> tuple[Study, planning.Planned]:
    """A draft study with its triplets; both or neither. Raises ValueError saying what to do."""
    if not SourceImage.objects.in_collection(design.collection).exists():
        raise ValueError(f"No photo in collection {design.collection!r}; import photos first.")
    values: dict[str, Any] = {
        **design.__dict__,
        "codecs": list(design.codecs),
        "rates_bpp": list(design.rates_bpp),
    }
    try:
        with transaction.atomic():
            study = Study.objects.create(**values, created_by=user)
            return study, planning.plan_triplets(study)
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


def change_state(study: Study, state: str) -> None:
    """Open, pause or close. The first opening freezes the design for ever."""
    if state not in ALLOWED:
        raise ValueError(f"Found state {state!r}; expected one of {', '.join(ALLOWED)}.")
    if study.state not in ALLOWED[state]:
        raise ValueError(f"A study that is {study.state} cannot become {state}.")
    if state == Study.State.OPEN and not study.triplets.exists():
        raise ValueError(f"Study {study.slug} has no triplets yet; plan them first.")
    study.state = state
    if state == Study.State.OPEN and study.opened_at is None:
        study.opened_at = timezone.now()
    study.save(update_fields=["state", "opened_at"])
