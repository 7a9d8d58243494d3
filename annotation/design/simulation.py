"""Simulated observers: answers drawn from a model to try the loop with. Never a person.

Whatever they answer is stored and shown as simulated, everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class SimulatedAnswer(NamedTuple):
    """`choice` is first, second or not_sure; `response_ms` is from paint to answer."""

    choice: str
    response_ms: float


@dataclass(frozen=True)
class SimulatedObserver:
    """One made-up observer: Thurstone's case V with lapses, a side bias and log-normal times.

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

    def __post_init__(self) -> None:
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
    ) -> SimulatedAnswer:
        """Which of two images is closer to the source; higher quality is closer.

        P(second) = lapse / 2 + (1 - lapse) * Phi(sharpness * (q2 - q1) -+ side_bias); Thurstone
        1927, "A law of comparative judgment". Times: log-normal, their median growing as the
        visible difference shrinks. Four numbers are drawn from `rng` whatever the answer.
        """
        has_lapsed = rng.random() < self.lapse
        coin, noise, haste = rng.random(), rng.standard_normal(), rng.standard_normal()
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


def make_population(
    size: int, seed: int, sharpness: float = 1.0, careless_share: float = 0.1
) -> tuple[SimulatedObserver, ...]:
    """Made-up observers that differ: most attend, some answer blindly. Same seed, same ones.

    `sharpness` is the median; it and the speed vary log-normally, side bias normally around 0.
    `careless_share` of them (rounded) lapse on 60 to 95 % of trials and answer fast.
    """
    if size < 1:
        raise ValueError(f"a population of {size}, expected at least 1")
    if not 0 <= careless_share <= 1:
        raise ValueError(f"careless_share {careless_share}, expected a share in 0..1")
    rng = np.random.default_rng(seed)
    careless = set(rng.permutation(size)[: round(careless_share * size)].tolist())
    observers = []
    for index in range(size):
        attentive, blind = rng.beta(1.0, 40.0), rng.uniform(0.6, 0.95)
        observers.append(
            SimulatedObserver(
                seed=int(rng.integers(2**31)),
                sharpness=float(sharpness * math.exp(0.3 * rng.standard_normal())),
                lapse=float(blind if index in careless else attentive),
                side_bias=float(0.1 * rng.standard_normal()),
                median_ms=float(2500.0 * math.exp(0.35 * rng.standard_normal())),
            )
        )
    return tuple(observers)
