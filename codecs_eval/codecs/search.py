"""Finds the settings at which one photo takes the wanted rate, in as few encodes as possible."""

import math
from dataclasses import dataclass
from typing import Literal

from codecs_eval.codecs.codec import Codec, Dial, Image, Setting
from codecs_eval.codecs.guessing import Curve
from codecs_eval.codecs.timing import Decoded, timed_decode, timed_encode

__all__ = ["Decoded", "RateResult", "RateSearch", "Tried", "bits_per_pixel", "timed_decode"]

State = Literal["hit", "nearest", "unreachable"]
_MOST_ENCODES_PER_DIAL = 12


@dataclass(frozen=True)
class Tried:
    """One encode: its complete settings, its whole file, its CPU time."""

    settings: dict[str, Setting]
    data: bytes
    bpp: float
    encode_cpu_ms: float

    def miss(self, target_bpp: float) -> float:
        """Relative distance of the rate from the target; 0.02 is two per cent off."""
        return abs(self.bpp / target_bpp - 1)


@dataclass(frozen=True)
class RateResult:
    """The best of everything tried.

    `state`: "hit" within the tolerance; "nearest" when the dials are too coarse; "unreachable"
    when the target lies beyond the dial's end.
    `encodes_tried`: encodes made for this target; those of earlier targets are reused, not counted.
    `encode_cpu_ms`: CPU time of the encode that made `data`.
    """

    state: State
    settings: dict[str, Setting]
    data: bytes
    bpp: float
    encodes_tried: int
    encode_cpu_ms: float


def bits_per_pixel(data: bytes, image: Image) -> float:
    """Rate of a whole file, headers included."""
    return float(8 * len(data) / (image.shape[0] * image.shape[1]))


class RateSearch:
    """One photo, one codec, any number of targets; everything tried serves every target.

    The main dial is turned until its neighbouring values enclose the target; if none of them is
    within the tolerance, the second dial is turned at those neighbours.
    """

    def __init__(self, codec: Codec, image: Image, tolerance: float = 0.02) -> None:
        if not 0 < tolerance < 1:
            raise ValueError(f"expected a tolerance between 0 and 1, found {tolerance}")
        self.codec, self.image, self.tolerance = codec, image, tolerance
        self._main = Curve(codec.dials[0])
        self._tried: dict[tuple[tuple[str, Setting], ...], Tried] = {}

    def find(self, target_bpp: float) -> RateResult:
        """The settings nearest to `target_bpp` (bits per pixel of the whole file)."""
        if not (math.isfinite(target_bpp) and target_bpp > 0):
            raise ValueError(f"expected a target above 0 bpp, found {target_bpp}")
        before = len(self._tried)
        if not self._is_hit(target_bpp):
            self._turn(self._main, {}, target_bpp)
        if not self._is_hit(target_bpp):
            for dial in self.codec.dials[1:]:
                self._turn_second(dial, target_bpp)
        best = self._best(target_bpp)
        return RateResult(
            self._state(target_bpp), best.settings, best.data, best.bpp,
            len(self._tried) - before, best.encode_cpu_ms,
        )  # fmt: skip

    def _best(self, target_bpp: float) -> Tried:
        return min(self._tried.values(), key=lambda tried: tried.miss(target_bpp))

    def _is_hit(self, target_bpp: float) -> bool:
        return bool(self._tried) and self._best(target_bpp).miss(target_bpp) <= self.tolerance

    def _state(self, target_bpp: float) -> State:
        if self._is_hit(target_bpp):
            return "hit"
        return "nearest" if self._main.encloses(target_bpp) else "unreachable"

    def _turn(self, curve: Curve, fixed: dict[str, Setting], target_bpp: float) -> None:
        for attempt in range(_MOST_ENCODES_PER_DIAL):
            index = curve.next_index(target_bpp, attempt)
            if index is None:
                return
            tried = self._encode({**fixed, curve.dial.name: curve.dial.values[index]})
            curve.add(index, tried.bpp)
            if self._is_hit(target_bpp):
                return

    def _turn_second(self, dial: Dial, target_bpp: float) -> None:
        default = self.codec.defaults[dial.name]
        for index, bpp in self._main.nearest(target_bpp):
            curve = Curve(dial)
            curve.add(dial.values.index(float(default)), bpp)
            main = self.codec.dials[0]
            self._turn(curve, {main.name: main.values[index]}, target_bpp)
            if self._is_hit(target_bpp):
                return

    def _encode(self, turned: dict[str, Setting]) -> Tried:
        settings = {**self.codec.defaults, **turned}
        key = tuple(sorted(settings.items()))
        if key not in self._tried:
            encoded = timed_encode(self.codec, self.image, settings)
            bpp = bits_per_pixel(encoded.data, self.image)
            self._tried[key] = Tried(settings, encoded.data, bpp, encoded.cpu_ms)
        return self._tried[key]
