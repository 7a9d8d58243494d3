"""Integers to a range coder and back, each under the Gaussian of its scale index.

The probabilities are whole numbers out of 2^24, made once and kept with the weights: a decoder
never computes one, so no library's last bit can part it from the encoder.
"""

import math
import zlib
from collections.abc import Iterator
from functools import cached_property

import constriction
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from codecs_eval.codecs.learned.quantising import (
    N_SCALES,
    N_SKIPPED_SCALES,
    SCALE_RATIO_LOG,
    SMALLEST_SCALE,
)

Integers = NDArray[np.int32]
_ONE = 1 << 24
# Beyond so many scales, a symbol is escaped: it costs its class and then its excess.
_REACH = 6.0
_LONGEST_EXCESS_BITS = 24


class DamagedStream(ValueError):
    """A stream that is not what an encoder wrote: cut, changed, or made by another model."""


def radius_of(index: int) -> int:
    """Largest magnitude that a scale index codes without an escape."""
    return max(2, math.ceil(_REACH * SMALLEST_SCALE * math.exp(SCALE_RATIO_LOG * index)))


def make_tables() -> Integers:
    """Weights out of 2^24 of -r-1 (escape) .. r+1 (escape), one scale index after the other."""
    return np.concatenate([_weights(index) for index in range(N_SCALES)])


def _weights(index: int) -> Integers:
    radius = radius_of(index)
    scale = SMALLEST_SCALE * math.exp(SCALE_RATIO_LOG * index)
    edges = np.arange(-radius - 1, radius + 1) + 0.5
    below = ndtr(edges / scale)
    shares = np.diff(np.concatenate([[0.0], below, [1.0]]))
    weights = np.maximum(1, np.round(shares * _ONE)).astype(np.int64)
    weights[radius + 1] += _ONE - weights.sum()
    return weights.astype(np.int32)


class Tables:
    """The models of all scale indexes; what they cost in bits."""

    def __init__(self, weights: Integers) -> None:
        lengths = [2 * radius_of(index) + 3 for index in range(N_SCALES)]
        if len(weights) != sum(lengths):
            raise ValueError(
                f"found {len(weights)} weights of symbol tables; expected {sum(lengths)}"
            )
        self.radii = [radius_of(index) for index in range(N_SCALES)]
        parts = np.split(weights, np.cumsum(lengths)[:-1])
        self.shares = [part.astype(np.float64) / _ONE for part in parts]
        self.models = [
            constriction.stream.model.Categorical(share, perfect=False) for share in self.shares
        ]
        self.coin = constriction.stream.model.Uniform(2)

    @cached_property
    def _bits(self) -> NDArray[np.float32]:
        """(N_SCALES, largest radius + 2): bits of each magnitude's class; the last is escaped."""
        table = np.zeros((N_SCALES, max(self.radii) + 2), np.float32)
        for index, (radius, share) in enumerate(zip(self.radii, self.shares, strict=True)):
            table[index, : radius + 2] = -np.log2(share[radius + 1 :])
        return table

    def bits_of(self, symbols: Integers, index: Integers) -> NDArray[np.float32]:
        """What each symbol costs under its scale index, its escape included."""
        escaped = np.array(self.radii)[index] + 1
        magnitudes = np.abs(symbols)
        bits: NDArray[np.float32] = self._bits[index, np.minimum(magnitudes, escaped)]
        beyond = magnitudes >= escaped
        if beyond.any():
            excess = magnitudes[beyond] - escaped[beyond] + 1
            bits[beyond] += (2 * np.floor(np.log2(excess)) + 1).astype(np.float32)
        return bits


class SymbolWriter:
    """Writes arrays of integers; `checksum` is of all that was written, in order."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._coder = constriction.stream.queue.RangeEncoder()
        self.checksum = 0

    def write(self, symbols: Integers, index: Integers) -> None:
        """Indexes are at least N_SKIPPED_SCALES: what is below is 0 and not written."""
        for at, places in _by_index(index):
            chosen = symbols[places]
            radius = self._tables.radii[at]
            classes = np.clip(chosen, -radius - 1, radius + 1) + (radius + 1)
            self._coder.encode(classes.astype(np.int32), self._tables.models[at])
            for excess in np.abs(chosen[np.abs(chosen) > radius]) - (radius + 1):
                self._write_excess(int(excess))
        self.checksum = zlib.crc32(symbols.astype("<i4").tobytes(), self.checksum)

    def write_under(self, symbols: Integers, model: object) -> None:
        """Symbols under one model of constriction's."""
        self._coder.encode(symbols.astype(np.int32), model)
        self.checksum = zlib.crc32(symbols.astype("<i4").tobytes(), self.checksum)

    def _write_excess(self, excess: int) -> None:
        """Exponential Golomb: as many zeros as the number has further bits, then its bits."""
        length = (excess + 1).bit_length()
        bits = [0] * (length - 1) + [int(bit) for bit in f"{excess + 1:b}"]
        self._coder.encode(np.array(bits, np.int32), self._tables.coin)

    def payload(self) -> bytes:
        words: NDArray[np.uint32] = self._coder.get_compressed()
        return words.astype("<u4").tobytes()


class SymbolReader:
    """Reads what SymbolWriter wrote, in the same order with the same indexes."""

    def __init__(self, tables: Tables, payload: bytes) -> None:
        if len(payload) % 4:
            raise DamagedStream(f"found {len(payload)} bytes of payload; expected whole words")
        self._tables = tables
        words = np.frombuffer(payload, "<u4").astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)
        self.checksum = 0

    def read(self, index: Integers) -> Integers:
        symbols = np.zeros(len(index), np.int32)
        for at, places in _by_index(index):
            radius = self._tables.radii[at]
            classes = self._decoded(self._tables.models[at], len(places))
            chosen = classes - (radius + 1)
            for escaped in np.flatnonzero(np.abs(chosen) > radius):
                chosen[escaped] += np.sign(chosen[escaped]) * self._read_excess()
            symbols[places] = chosen
        self.checksum = zlib.crc32(symbols.astype("<i4").tobytes(), self.checksum)
        return symbols

    def read_under(self, model: object, count: int) -> Integers:
        symbols = self._decoded(model, count)
        self.checksum = zlib.crc32(symbols.astype("<i4").tobytes(), self.checksum)
        return symbols

    def _decoded(self, model: object, count: int) -> Integers:
        try:
            decoded: Integers = self._coder.decode(model, count)
        except AssertionError as error:
            raise DamagedStream("the range coder met bits that no encoder writes") from error
        return decoded

    def _read_excess(self) -> int:
        length = 1
        while int(self._decoded(self._tables.coin, 1)[0]) == 0:
            length += 1
            if length > _LONGEST_EXCESS_BITS:
                raise DamagedStream("found an escaped symbol longer than any that is written")
        value = 1
        for _ in range(length - 1):
            value = 2 * value + int(self._decoded(self._tables.coin, 1)[0])
        return value - 1


def _by_index(index: Integers) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each coded scale index that occurs, with the places where it does, in order."""
    # Of single bytes the stable sort is a radix sort.
    small = index.astype(np.uint8)
    order = np.argsort(small, kind="stable")
    bounds = np.searchsorted(small[order], np.arange(N_SKIPPED_SCALES, N_SCALES + 1))
    for at in range(N_SKIPPED_SCALES, N_SCALES):
        low, high = bounds[at - N_SKIPPED_SCALES], bounds[at - N_SKIPPED_SCALES + 1]
        if high > low:
            yield at, order[low:high]
