"""Which of every two items is preferred, and whether chance could have done it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from annotation.preference.comparisons import Comparisons
from annotation.preference.intervals import Estimate, check_level
from annotation.preference.shares import clustered_share
from annotation.preference.sign_flips import SOURCE, sign_flip_p
from codecs_eval.agreement.differences import HOLM, holm

TEST = SOURCE
CORRECTION = HOLM
NEVER = "never compared directly"


@dataclass(frozen=True)
class PairTest:
    """Two items, first < second, by the judgments between them alone.

    `share_first`: share of the judgments that chose the first, a tie as half, with its interval
    over observers. `p_value`: two-sided, of no preference; `p_adjusted`: by Holm among all pairs
    that were tested together; None for both where nobody compared them.
    """

    first: int
    second: int
    n_first: int
    n_second: int
    n_tied: int
    n_observers: int
    share_first: Estimate
    p_value: float | None
    p_adjusted: float | None = None

    @property
    def n(self) -> int:
        return self.n_first + self.n_second + self.n_tied

    def is_different(self, level: float = 0.95) -> bool:
        """Whether the adjusted p is below 1 - level."""
        return self.p_adjusted is not None and self.p_adjusted < 1 - level


def pair_tests(comparisons: Comparisons, *, level: float = 0.95) -> tuple[PairTest, ...]:
    """Every two items, in order. All pairs that were compared are one family for Holm's
    correction (Holm 1979): the chance of calling any equal pair different is at most 1 - level.
    """
    check_level(level)
    counts = comparisons.counts()
    columns = {(int(i), int(j)): at for at, (i, j) in enumerate(counts.pairs)}
    found = []
    for first, second in combinations(range(comparisons.n_items), 2):
        at = columns.get((first, second))
        if at is None:
            unknown = Estimate(float("nan"), None, NEVER)
            found.append(PairTest(first, second, 0, 0, 0, 0, unknown, None))
            continue
        won, lost, tied = counts.won[:, at], counts.lost[:, at], counts.tied[:, at]
        n = won + lost + tied
        share = clustered_share((won + tied / 2)[n > 0], n[n > 0], level=level)
        found.append(
            PairTest(
                first, second, int(won.sum()), int(lost.sum()), int(tied.sum()),
                int((n > 0).sum()), share, sign_flip_p(won - lost),
            )
        )  # fmt: skip
    return _adjusted(found)


def _adjusted(tests: list[PairTest]) -> tuple[PairTest, ...]:
    known = [index for index, test in enumerate(tests) if test.p_value is not None]
    adjusted = dict(zip(known, holm([tests[index].p_value for index in known]), strict=True))
    return tuple(
        PairTest(**{**vars(test), "p_adjusted": adjusted.get(index)})
        for index, test in enumerate(tests)
    )
