"""Simulated observers: answers drawn from a model to try the loop with. Never a person.

Whatever they answer is stored and shown as simulated, everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class SimulatedAnswer(NamedTuple):
    """`choice` is first, second or not_sure; `response_ms` is from paint to answer."""

    choice: str
    response_ms: float


BEHAVIOURS = ("attentive", "careless", "fast", "one_sided", "drifting")
# Ways of not attending in a population; who lapses answers most trials blindly and fast.
CARELESS = ("lapsing", "careless", "fast", "one_sided", "drifting")
_ONE_SIDED_SHARE = 0.93


@dataclass(frozen=True)
class SimulatedObserver:
    """One made-up observer: Thurstone's case V with lapses, a side bias and log-normal times.

    behaviour: attentive; careless tosses a coin at its usual pace; fast does so in a fifth of the
    time; one_sided takes the side of its bias in 93 % of trials; drifting is attentive in its
    first `drifts_after` trials and careless after them.
    sharpness: z-units per unit of quality; 0 cannot see any difference.
    lapse: share of trials answered blindly and fast, 0..1.
    side_bias: z-units in favour of the image on the left; negative favours the right.
    indifference: z-units of evidence below which a not_sure is given where it is allowed.
    median_ms: median response time of an obvious trial.
    slowdown: how many times the median is added where there is no difference at all.
    spread: standard deviation of the logarithm of response times.
    """

    seed: int
    sharpness: float = 1.0
    lapse: float = 0.02
    side_bias: float = 0.0
    indifference: float = 0.3
    median_ms: float = 2500.0
    slowdown: float = 1.5
    spread: float = 0.4
    behaviour: str = "attentive"
    drifts_after: int = 18

    def __post_init__(self) -> None:
        if self.behaviour not in BEHAVIOURS:
            raise ValueError(
                f"behaviour {self.behaviour!r}, expected one of {', '.join(BEHAVIOURS)}"
            )
        if self.drifts_after < 0:
            raise ValueError(f"drifts_after {self.drifts_after}, expected 0 or more")
        if not 0 <= self.lapse <= 1:
            raise ValueError(f"lapse {self.lapse}, expected a share in 0..1")
        if not self.median_ms > 0:
            raise ValueError(f"median_ms {self.median_ms}, expected more than 0")
        for name in ("sharpness", "indifference", "slowdown", "spread"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} {getattr(self, name)}, expected 0 or more")

    def generator(self) -> np.random.Generator:
        """A fresh generator from the observer's seed: the same answers on every run."""
        return np.random.default_rng(self.seed)

    def choose(
        self,
        quality_first: float,
        quality_second: float,
        first_on_left: bool,
        rng: np.random.Generator,
        allow_not_sure: bool = False,
        place: int = 0,
    ) -> SimulatedAnswer:
        """Which of two images is closer to the source; higher quality is closer.

        `place` counts the observer's answers before this one.

        P(second) = lapse / 2 + (1 - lapse) * Phi(sharpness * (q2 - q1) -+ side_bias); Thurstone
        1927, "A law of comparative judgment". Times: log-normal, their median growing as the
        visible difference shrinks. Four numbers are drawn from `rng` whatever the answer.
        """
        has_lapsed = rng.random() < self.lapse
        coin, noise, haste = rng.random(), rng.standard_normal(), rng.standard_normal()
        if self._is_careless_at(place):
            return self._careless(coin, haste, first_on_left)
        visible = self.sharpness * (quality_second - quality_first)
        if has_lapsed:
            median_ms = self.median_ms / 4
            choice = "second" if coin < 0.5 else "first"
        else:
            median_ms = self.median_ms * (1 + self.slowdown * math.exp(-abs(visible)))
            evidence = visible + (-self.side_bias if first_on_left else self.side_bias) + noise
            choice = "second" if evidence > 0 else "first"
            if allow_not_sure and abs(evidence) < self.indifference:
                choice = "not_sure"
        return SimulatedAnswer(choice, float(median_ms * math.exp(self.spread * haste)))

    def _is_careless_at(self, place: int) -> bool:
        if self.behaviour == "drifting":
            return place >= self.drifts_after
        return self.behaviour != "attentive"

    def _careless(self, coin: float, haste: float, first_on_left: bool) -> SimulatedAnswer:
        median_ms = self.median_ms * (1 + self.slowdown / 2)
        left_share = 0.5
        if self.behaviour == "fast":
            median_ms /= 5
        elif self.behaviour == "one_sided":
            left_share = _ONE_SIDED_SHARE if self.side_bias >= 0 else 1 - _ONE_SIDED_SHARE
        choice = "first" if (coin < left_share) == first_on_left else "second"
        return SimulatedAnswer(choice, float(median_ms * math.exp(self.spread * haste)))


def make_population(
    size: int,
    seed: int,
    sharpness: float = 1.0,
    careless_share: float = 0.1,
    careless: Sequence[str] = ("lapsing",),
) -> tuple[SimulatedObserver, ...]:
    """Made-up observers that differ: most attend, some do not. Same seed, same ones.

    `sharpness` is the median; it and the speed vary log-normally, side bias normally around 0.
    `careless_share` of them (rounded) behave as `careless` says, in turn: those of CARELESS, of
    which "lapsing" answers 60 to 95 % of trials blindly and fast.
    """
    wrong = set(careless) - set(CARELESS)
    if wrong or not careless:
        raise ValueError(f"careless {tuple(careless)}, expected some of {', '.join(CARELESS)}")
    if size < 1:
        raise ValueError(f"a population of {size}, expected at least 1")
    if not 0 <= careless_share <= 1:
        raise ValueError(f"careless_share {careless_share}, expected a share in 0..1")
    rng = np.random.default_rng(seed)
    blind_ones = rng.permutation(size)[: round(careless_share * size)].tolist()
    kinds = {index: careless[turn % len(careless)] for turn, index in enumerate(blind_ones)}
    observers = []
    for index in range(size):
        attentive, blind = rng.beta(1.0, 40.0), rng.uniform(0.6, 0.95)
        kind = kinds.get(index, "attentive")
        observers.append(
            SimulatedObserver(
                seed=int(rng.integers(2**31)),
                sharpness=float(sharpness * math.exp(0.3 * rng.standard_normal())),
                lapse=float(blind if kind == "lapsing" else attentive),
                side_bias=float(0.1 * rng.standard_normal()),
                median_ms=float(2500.0 * math.exp(0.35 * rng.standard_normal())),
                behaviour="attentive" if kind == "lapsing" else kind,
            )
        )
    return tuple(observers)
