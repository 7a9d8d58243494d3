"""How many observers a design needs to find a difference: its own numbers into the simulation."""

from dataclasses import dataclass

from annotation import forecasting
from annotation.models import Study
from annotation.preference.power import Needed, StudyDesign, needed

# Of the answers in the public AIC-3 data (JPEG-AI-SDR25, plain triplets) 20 % were "not sure".
NOT_SURE_SHARE = 0.2


@dataclass(frozen=True)
class Power:
    """What one pair needs, and what all pairs together need (Holm's first step).

    n_condition_pairs: pairs of conditions (a codec at a rate) that the design compares.
    n_planned: sessions that give each triplet the judgments it is planned to get.
    """

    one: Needed
    all_together: Needed
    n_condition_pairs: int
    n_planned: int
    n_judgments_planned: int

    @property
    def judgments_of_pair_planned(self) -> float:
        return self.n_judgments_planned / self.n_condition_pairs

    @property
    def odds(self) -> str:
        """The share as people say it: 55:45."""
        return f"{100 * self.one.share:g}:{100 - 100 * self.one.share:g}"

    @property
    def alpha_percent(self) -> str:
        return f"{100 * self.one.alpha:g}"

    @property
    def power_percent(self) -> str:
        return f"{100 * self.one.power:g}"

    @property
    def rows(self) -> list[tuple[str, Needed]]:
        return [("One pair", self.one), ("All together", self.all_together)]

    @property
    def is_enough(self) -> bool:
        """For one pair: as many sessions as observers, and as many judgments of a pair."""
        if self.one.n_observers is None or self.one.judgments_of_pair is None:
            return False
        return (
            self.one.n_observers <= self.n_planned
            and self.one.judgments_of_pair <= self.judgments_of_pair_planned
        )


def power_of_design(
    study: Study, share: float = 0.55, alpha: float = 0.05, power: float = 0.8
) -> Power:
    """What it takes to tell a share from half, by simulating the study's own design.

    An observer sits once. Triplets are spread evenly over the pairs of conditions. Raises
    ValueError for a study without a plan, or a share, alpha or power that cannot be.
    """
    found = forecasting.forecast(study, measured_in=study)
    n_triplets = found.plan.planned.n_triplets
    n_pairs = n_condition_pairs(found)
    design = StudyDesign(
        n_pairs=n_pairs,
        n_rates=1,
        n_photos=-(-n_triplets // n_pairs),
        trials=min(found.n_counted_a_session, n_triplets),
        not_sure_share=NOT_SURE_SHARE if study.allow_not_sure else 0.0,
    )
    one, together = (needed(design, share, alpha, power, n_comparisons=n) for n in (1, n_pairs))
    return Power(one, together, n_pairs, found.n_sessions, found.n_judgments)


def n_condition_pairs(found: forecasting.Forecast) -> int:
    """How many different two conditions, a codec at a rate each, the plan compares."""
    return len(
        {
            frozenset(((one.codec, one.target_bpp), (other.codec, other.target_bpp)))
            for one, other in found.plan.pairs.asked()
        }
    )
