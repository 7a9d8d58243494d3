"""How far people agree with each other, and how well anything could agree with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from codecs_eval.agreement.estimates import estimate_json
from codecs_eval.agreement.ideal import ideal_observer
from codecs_eval.agreement.intervals import (
    Asked,
    Bootstrap,
    Estimate,
    estimate_means,
    ratios,
)
from codecs_eval.agreement.judged import Judged
from codecs_eval.agreement.scores import (
    human_plugin,
    human_unbiased,
    majority_left_out,
    oracle,
)
from codecs_eval.agreement.two_way import estimate_two_way, pair_totals

Floats = NDArray[np.float64]

# Below this share the triplets that happen to have two judgments cannot stand for the dataset.
MIN_QUALIFYING_SHARE = 0.1


@dataclass(frozen=True)
class PeopleScore:
    """People's agreement with each other; all None where it is not estimable, then with a reason.

    `ideal` lies between `left_out` (a judgment against the majority of the others: too low) and
    `oracle` (against the majority that it is part of: too high), but for chance.
    `n_qualifying` of `n_triplets` triplets have the two judgments that the estimates need.
    """

    unbiased: Estimate | None
    plugin: Estimate | None
    oracle: Estimate | None
    left_out: Estimate | None
    ideal: Estimate | None
    n_qualifying: int
    n_triplets: int
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        found = {"unbiased": self.unbiased, "plugin": self.plugin, "left_out": self.left_out}
        found |= {"oracle": self.oracle, "ideal": self.ideal}
        return {
            "status": "not estimable" if self.unbiased is None else "estimated",
            "reason": self.reason,
            "n_qualifying": self.n_qualifying,
            "n_triplets": self.n_triplets,
            **{
                name: None if estimate is None else estimate_json(estimate, "value")
                for name, estimate in found.items()
            },
        }


def people_score(votes: pd.DataFrame, bootstrap: Bootstrap) -> PeopleScore:
    """People's agreement with each other from votes alone (source, n, k_second, n_not_sure)."""
    return score_people(Judged(votes, (), ()), bootstrap)


def score_people(judged: Judged, bootstrap: Bootstrap) -> PeopleScore:
    """Estimates on the triplets that have two judgments.

    Where raters are known the unbiased estimate's interval is over sources and raters. The others
    stay over sources: a resample that holds a rater twice would look more unanimous than people
    are.
    """
    qualifies = judged.column("n") >= 2
    n_triplets, n_qualifying = len(qualifies), int(qualifies.sum())
    if n_qualifying == 0 or n_qualifying < MIN_QUALIFYING_SHARE * n_triplets:
        reason = (
            f"{n_qualifying} of {n_triplets} triplets have the two judgments that this needs"
            + (f", at least {MIN_QUALIFYING_SHARE:.0%} must" if n_qualifying else "")
        )
        return PeopleScore(None, None, None, None, None, n_qualifying, n_triplets, reason)
    kept = judged.where(qualifies)
    n, k, unsure = (kept.column(name) for name in ("n", "k_second", "n_not_sure"))
    share = kept.share
    columns = [human_unbiased(n, k, unsure), human_plugin(share), oracle(share)]
    values = np.stack([*columns, majority_left_out(n, k, unsure)], axis=1)
    unbiased, plugin, best, left_out = estimate_means(values, n, kept.sources, bootstrap)
    has_sure_pair = bool(np.any(n - unsure >= 2))
    ideal = ideal_observer(n, k, unsure, kept.sources, bootstrap) if has_sure_pair else None
    partly = f"estimated on the {n_qualifying} of {n_triplets} triplets with two judgments"
    return PeopleScore(
        _unbiased_two_way(kept, bootstrap) or unbiased,
        plugin,
        best,
        left_out,
        ideal,
        n_qualifying,
        n_triplets,
        reason=partly if n_qualifying < n_triplets else None,
    )


def _unbiased_two_way(kept: Judged, bootstrap: Bootstrap) -> Estimate | None:
    if kept.ballots is None:
        return None
    crossed = pair_totals(kept.ballots, kept.source_codes)
    found = estimate_two_way(crossed, ratios, Asked(bootstrap), len(kept.table))
    return None if found is None else found[0]
