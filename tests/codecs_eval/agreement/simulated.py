"""Judgments of made-up sources, triplets and raters, with what the truth about them is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from codecs_eval.agreement.ballots import Ballots
from codecs_eval.agreement.judged import Judged, MetricDistances, join


@dataclass(frozen=True)
class World:
    """Logit of agreeing with the metric: level + effects of source, triplet and rater."""

    level: float = 0.8
    source: float = 0.6
    triplet: float = 0.8
    rater: float = 0.6

    def chance(self, *effects: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(self.level + sum(effects)))))

    def truth(self) -> float:
        draws = np.random.default_rng(99).standard_normal((3, 2_000_000))
        scaled = [scale * d for scale, d in zip(self.scales, draws, strict=True)]
        return float(self.chance(*scaled).mean())

    @property
    def scales(self) -> tuple[float, float, float]:
        return self.source, self.triplet, self.rater

    def votes(
        self,
        rng: np.random.Generator,
        n_sources: int,
        n_raters: int,
        n_triplets: int = 6,
        n_votes: int = 3,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Source (triplets,), raters and votes (triplets, n_votes); 1 agrees with the metric."""
        rows = n_sources * n_triplets
        source = np.repeat(np.arange(n_sources), n_triplets)
        raters = rng.random((rows, n_raters)).argsort(axis=1)[:, :n_votes]
        p = self.chance(
            self.source * rng.standard_normal(n_sources)[source][:, None],
            self.triplet * rng.standard_normal(rows)[:, None],
            self.rater * rng.standard_normal(n_raters)[raters],
        )
        return source, raters, (rng.random(p.shape) < p).astype(float)


def ballots_from(raters: np.ndarray, votes: np.ndarray) -> Ballots:
    """Without tables: for simulations of many data sets."""
    triplet = np.repeat(np.arange(len(votes)), votes.shape[1])
    codes = np.unique(raters.ravel(), return_inverse=True)[1]
    return Ballots(triplet, codes, votes.ravel(), int(codes.max()) + 1)


def judged_of(
    source: np.ndarray,
    raters: np.ndarray,
    votes: np.ndarray,
    distances: tuple[np.ndarray, ...] | None = None,
    has_raters: bool = True,
) -> Judged:
    """`source` (triplets,), `raters` and `votes` (triplets, judgments), 1 for the second image.

    One metric for each array of `distances` (triplets,), d_first - d_second; one that is always
    for the second where there is none.
    """
    n_triplets, n_votes = votes.shape
    ids = [f"t{row:06}" for row in range(n_triplets)]
    names = [f"photo{number:04}" for number in source]
    table = pd.DataFrame({"triplet_id": ids, "source": names})
    counted = table.assign(
        n=n_votes, k_second=votes.sum(axis=1), n_not_sure=(votes == 0.5).sum(axis=1)
    )
    facts = {"first_codec": "jpeg", "second_codec": "webp"}
    facts |= dict.fromkeys(("first_bpp", "second_bpp"), 0.5)
    facts |= dict.fromkeys(("first_target_bpp", "second_target_bpp"), 0.5)
    answers = pd.DataFrame(
        {
            "triplet_id": np.repeat(ids, n_votes),
            "observer": [f"o{rater:04}" for rater in raters.ravel()],
            "vote_second": votes.ravel(),
        }
    )
    metrics = [
        MetricDistances(
            f"m{index}",
            f"M{index}",
            False,
            "#0072B2",
            "o",
            pd.DataFrame({"triplet_id": ids, "d_first": difference, "d_second": 0.0}),
        )
        for index, difference in enumerate(distances or (np.ones(n_triplets),))
    ]
    return join(table.assign(**facts), counted, metrics, answers if has_raters else None)
