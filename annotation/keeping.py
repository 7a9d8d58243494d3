"""What is dear to count is kept for a while: a page that polls asks the database rarely."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.core.cache import cache
from django.utils import timezone

from annotation.models import Study

# Below this many judgments everything is counted anew each time.
DEAR_JUDGMENTS = 20_000
# Kept for this many times as long as the counting took: a twentieth of one core at most.
TIMES_AS_LONG = 20
FORGOTTEN_S = 24 * 3600
# Longer than any counting takes; a process that was killed meanwhile holds nobody up for longer.
LONGEST_COUNT_S = 600

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value, and when it was counted."""

    value: T
    counted_at: datetime
    until: float = math.inf

    @property
    def is_old(self) -> bool:
        """Whether it is time to count anew; until then this is shown."""
        return self.until < time.time()


def kept(study: Study, name: str, n_judgments: int, count: Callable[[], T]) -> Kept[T]:
    """`count()`, or what it was a while ago where the study is large.

    Waits for the counting only where nothing is known yet; whoever gets an old value has it
    counted anew elsewhere (`count_anew`).
    """
    if n_judgments < DEAR_JUDGMENTS:
        return Kept(count(), timezone.now())
    held: Kept[T] | None = cache.get(_key(study, name))
    return held if held is not None else count_anew(study, name, count)


def count_anew(study: Study, name: str, count: Callable[[], T]) -> Kept[T]:
    began, at = time.time(), timezone.now()
    value = count()
    ended = time.time()
    found = Kept(value, at, until=ended + TIMES_AS_LONG * (ended - began))
    cache.set(_key(study, name), found, timeout=FORGOTTEN_S)
    return found


def claim(study: Study) -> bool:
    """Whether the caller is the one to have a study counted anew: one at a time."""
    return bool(cache.add(_key(study, "claimed"), 1, timeout=LONGEST_COUNT_S))


def release(study: Study) -> None:
    cache.delete(_key(study, "claimed"))


def _key(study: Study, name: str) -> str:
    return f"watch:{study.pk}:{study.slug}:{name}"
