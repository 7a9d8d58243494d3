"""Rate as a function of one dial, learned while it is turned: where to try next."""

import math
from bisect import bisect_left

import numpy as np

from codecs_eval.codecs.codec import Dial

# An unknown photo's slope is held near the typical one, or two close points could fling the guess.
_GENTLEST, _STEEPEST = 0.5, 2.0
_GUESSES_BEFORE_HALVING = 5
# A dial is fine where neighbouring values differ by less than this log rate.
_FINE = 0.02
_PAST_A_JUMP = (0.01, 0.02, 0.04, 0.08)


class Curve:
    """Points (index of a dial value, log rate) of one photo; they rise with the index, roughly.

    Between and beyond the points the rate is taken to follow the dial's typical curve, stretched
    through them: a secant step on log rate that knows the bend.
    """

    def __init__(self, dial: Dial) -> None:
        self.dial = dial
        self._points: dict[int, float] = {}
        knots = sorted((value, math.log(bpp)) for value, bpp in dial.typical)
        typical = np.interp(dial.values, [knot[0] for knot in knots], [knot[1] for knot in knots])
        self._typical: list[float] = typical.tolist()

    def add(self, index: int, bpp: float) -> None:
        self._points[index] = math.log(bpp)

    def encloses(self, target_bpp: float) -> bool:
        """Whether the points lie on both sides of the target."""
        rates = self._points.values()
        return bool(rates) and min(rates) <= math.log(target_bpp) <= max(rates)

    def nearest(self, target_bpp: float) -> list[tuple[int, float]]:
        """The points next to the target, (index, bpp), nearer one first; one below, one above."""
        wanted = math.log(target_bpp)
        around = [index for index in self._around(wanted) if index is not None]
        around.sort(key=lambda index: abs(self._points[index] - wanted))
        return [(index, math.exp(self._points[index])) for index in around]

    def next_index(self, target_bpp: float, attempt: int) -> int | None:
        """The value to try next, as an index; None when no untried value can be better.

        `attempt`: how many were tried for this target before; the more, the bolder.
        """
        wanted = math.log(target_bpp)
        below, above = self._around(wanted)
        if below is None and above is None:
            return self._typical_index(wanted)
        if below is None or above is None:
            return self._beyond(below if above is None else above, wanted, attempt)
        low, high = min(below, above), max(below, above)
        if high - low == 1:
            return self._past_a_jump(low, high)
        if attempt >= _GUESSES_BEFORE_HALVING:
            return (low + high) // 2
        return min(max(self._between(low, high, wanted), low + 1), high - 1)

    def _around(self, wanted: float) -> tuple[int | None, int | None]:
        """The best point at or below the wanted log rate, and the point that follows it."""
        tried = sorted(self._points)
        crossings = [
            (low, high)
            for low, high in zip(tried, tried[1:], strict=False)
            if (self._points[low] - wanted) * (self._points[high] - wanted) <= 0
        ]
        if crossings:
            low, high = min(crossings, key=self._hopelessness)
            return (low, high) if self._points[low] <= wanted else (high, low)
        if not tried:
            return None, None
        closest = min(tried, key=lambda index: abs(self._points[index] - wanted))
        return (closest, None) if self._points[closest] <= wanted else (None, closest)

    def _hopelessness(self, pair: tuple[int, int]) -> tuple[bool, bool, int]:
        """Rates that do not rise everywhere cross the target more than once: take the pair with
        something untried between, then the rising one, then the tighter."""
        low, high = pair
        return high - low == 1, self._points[low] > self._points[high], high - low

    def _between(self, low: int, high: int, wanted: float) -> int:
        share = (wanted - self._points[low]) / (self._points[high] - self._points[low])
        rise = self._typical[high] - self._typical[low]
        return self._typical_index(self._typical[low] + share * rise)

    def _past_a_jump(self, low: int, high: int) -> int | None:
        """Untried values near a jump between two neighbours of a fine dial.

        Some encoders (libjxl) spend 5 to 10 % more or less at single values of a smooth dial; a
        little to either side the rate is the wanted one.
        """
        if self._typical[high] - self._typical[low] >= _FINE:
            return None
        for away in _PAST_A_JUMP:
            up = bisect_left(self._typical, self._typical[high] + away)
            down = bisect_left(self._typical, self._typical[low] - away)
            for index in (up, down):
                if index not in self._points and 0 <= index < len(self._typical):
                    return index
        return None

    def _beyond(self, index: int | None, wanted: float, attempt: int) -> int | None:
        """A value further out, by at least twice as much each time; the dial's end is the last."""
        assert index is not None  # _around gave exactly one of its two
        outward = 1 if wanted > self._points[index] else -1
        outermost = max(self._points) if outward > 0 else min(self._points)
        end = len(self.dial.values) - 1 if outward > 0 else 0
        if outermost == end:
            return None
        missing = (wanted - self._points[index]) / self._slope(index)
        guess = self._typical_index(self._typical[index] + missing)
        stride = 1 << attempt
        if outward > 0:
            return min(max(guess, outermost + stride), end)
        return max(min(guess, outermost - stride), end)

    def _slope(self, index: int) -> float:
        """Rise of this photo's log rate over the typical one, from the two points nearest."""
        others = [other for other in self._points if other != index]
        if not others:
            return 1.0
        other = min(others, key=lambda candidate: abs(candidate - index))
        rise = self._typical[other] - self._typical[index]
        slope = (self._points[other] - self._points[index]) / rise
        return min(max(slope, _GENTLEST), _STEEPEST)

    def _typical_index(self, log_rate: float) -> int:
        index = bisect_left(self._typical, log_rate)
        if index == 0:
            return 0
        if index == len(self._typical):
            return index - 1
        is_lower_nearer = log_rate - self._typical[index - 1] <= self._typical[index] - log_rate
        return index - 1 if is_lower_nearer else index
