"""Which item is closest to the original, and which ones cannot be told from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.preference.bootstrap import PlacesBootstrap
from annotation.preference.comparisons import Comparisons
from annotation.preference.sign_flips import SOURCE, sign_flip_p
from annotation.preference.significance import CORRECTION
from codecs_eval.agreement.differences import holm

PLACES = "Student's t of the difference of places over draws of observers"
DIRECT = SOURCE


@dataclass(frozen=True)
class AgainstTop:
    """An item against the one at the top; `test` says how p was found, None where it was not."""

    item: int
    p_value: float | None
    p_adjusted: float | None
    test: str | None


@dataclass(frozen=True)
class Closest:
    """`top`: highest place. `tied`: all that share the first rank, `top` first, then by place.

    Both are empty or None with a `reason` where the items cannot be ranked. An item shares the
    first rank unless its difference from the top is significant at 1 - level by Holm's correction
    among the comparisons with the top; that it is tied says that it was not told apart, not that
    it is equal.
    """

    top: int | None
    tied: tuple[int, ...]
    against: tuple[AgainstTop, ...]
    level: float
    reason: str | None = None
    correction: str = CORRECTION

    @property
    def is_tied(self) -> bool:
        return len(self.tied) > 1


def closest(comparisons: Comparisons, places: PlacesBootstrap) -> Closest:
    """The items at the top of `places`, which are those of the same comparisons.

    Two items are tested on their places, for which all judgments speak: of many pairs each alone
    has few. Where the places are no measurement (one of the two never lost, few observers), on the
    judgments between them.
    """
    took_part = np.unique(np.concatenate([comparisons.first, comparisons.second]))
    level = places.level
    if not len(took_part):
        return Closest(None, (), (), level, "no judgments")
    if len(np.unique(places.scale.part[took_part])) > 1:
        return Closest(
            None, (), (), level, "some items were never compared, not even through others"
        )
    order = took_part[np.argsort(-places.scale.places[took_part], kind="stable")].tolist()
    top, others = order[0], order[1:]
    tested = [_test(comparisons, places, top, other) for other in others]
    adjusted = holm([p for p, _ in tested])
    against = tuple(
        AgainstTop(other, p, by_holm, test)
        for other, (p, test), by_holm in zip(others, tested, adjusted, strict=True)
    )
    tied = tuple(a.item for a in against if a.p_adjusted is None or a.p_adjusted >= 1 - level)
    return Closest(top, (top, *tied), against, level)


def _test(
    comparisons: Comparisons, places: PlacesBootstrap, top: int, other: int
) -> tuple[float | None, str | None]:
    p_value = places.p_value(top, other)
    if p_value is not None:
        return p_value, PLACES
    counts = comparisons.among([top, other]).counts()
    return (sign_flip_p(counts.score.sum(axis=1)), DIRECT) if counts.n.any() else (None, None)
