"""What is dear to count is kept for a while: a page that polls asks the database rarely."""

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
FORGOTTEN_S = 3600
# Longer than any counting takes; a process that was killed meanwhile holds nobody up for longer.
LONGEST_COUNT_S = 120

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value, and when it was counted."""

    value: T
    counted_at: datetime
    until: float = 0.0


def kept(study: Study, name: str, n_judgments: int, count: Callable[[], T]) -> Kept[T]:
    """`count()`, or what it was a short while ago where the study is large.

    While one request counts anew, the others read what was counted before.
    """
    if n_judgments < DEAR_JUDGMENTS:
        return Kept(count(), timezone.now())
    key = f"watch:{study.pk}:{study.slug}:{name}"
    held: Kept[T] | None = cache.get(key)
    if held is not None and held.until > time.time():
        return held
    is_mine = cache.add(f"{key}:counting", 1, timeout=LONGEST_COUNT_S)
    if held is not None and not is_mine:
        return held
    try:
        return _count_and_keep(key, count)
    finally:
        cache.delete(f"{key}:counting")


def _count_and_keep(key: str, count: Callable[[], T]) -> Kept[T]:
    began, at = time.time(), timezone.now()
    value = count()
    ended = time.time()
    found = Kept(value, at, until=ended + TIMES_AS_LONG * (ended - began))
    cache.set(key, found, timeout=FORGOTTEN_S)
    return found
