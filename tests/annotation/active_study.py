"""A study with the active scheduler over four codecs of known quality, and its people."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from annotation import planning, serving
from annotation.models import Judgment, Session, Study, Trial, Triplet
from tests.factories import make_answer, make_session, make_study

# jpeg and webp are far apart from avif and heif, and each two are close.
QUALITY = {"avif": 6.0, "heif": 5.7, "jpeg": 0.0, "webp": 0.3}
CLOSE = {("avif", "heif"), ("jpeg", "webp")}


def make_active(slug: str = "active", **values: Any) -> Study:
    return make_study(
        slug,
        **{
            "scheduler": Study.Scheduler.ACTIVE,
            "codecs": ("webp", "avif", "jpeg", "heif"),
            "n_sources": 5,
            "judgments_per_triplet": 6,
            "session_length": 30,
            **values,
        },
    )


def better(triplet: Triplet, quality: Mapping[str, float] = QUALITY) -> str:
    first, second = quality[triplet.first.codec], quality[triplet.second.codec]
    return "first" if first > second else "second"


def surely_or_by_chance(seed: int) -> Callable[[Triplet], str]:
    """Sees what is far apart, and nothing between close ones."""
    coin = random.Random(seed)

    def choose(triplet: Triplet) -> str:
        is_close = codecs_of(triplet) in CLOSE
        return coin.choice(["first", "second"]) if is_close else better(triplet)

    return choose


def answer(
    session: Session, trials: list[Trial], choose: Callable[[Triplet], str] = better
) -> list[Judgment]:
    answers = [make_answer(trial, trial.side_of_choice(choose(trial.triplet))) for trial in trials]
    stored = serving.record(session, answers).stored
    return list(Judgment.objects.filter(pk__in=stored))


def judge(study: Study, n: int, choose: Callable[[Triplet], str] = better) -> list[Judgment]:
    """Another person's answers to the next n trials of this study."""
    session = make_session(study)
    return answer(session, planning.lease_trials(session, n), choose)


def codecs_of(triplet: Triplet) -> tuple[str, str]:
    one, other = sorted((triplet.first.codec, triplet.second.codec))
    return one, other
