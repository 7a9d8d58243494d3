"""One tile's latent to symbols and back: both sides hear the same probabilities, pass by pass."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from codecs_eval.codecs.learned.entropy_nets import OUTPUT_UNIT, checkerboard, seen
from codecs_eval.codecs.learned.exact import ACTIVATION_ONE, Exact
from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.quantising import N_SCALES, N_SKIPPED_SCALES
from codecs_eval.codecs.learned.shape import CELL_PX, LEVEL_ONE, MAP_STEPS
from codecs_eval.codecs.learned.symbols import Integers, SymbolReader, SymbolWriter, Tables

# Means (whole numbers, in 1/2^8) and scale indexes of a pass's symbols -> the symbols.
Exchange = Callable[[slice, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class FixedConditions:
    """The settings as exact networks see them, (1, 2, h, w) whole numbers in 1/2^8."""

    cells: Tensor
    positions: Tensor


def fixed_conditions(model: LearnedModel, level: int, cells: Integers) -> FixedConditions:
    """`level` in 1/64, `cells` (rows, columns) of the quality map."""
    top = round(model.shape.top_level * LEVEL_ONE)
    one = int(ACTIVATION_ONE)
    share = np.full(cells.shape, (2 * level * one + top) // (2 * top), np.float64)
    finer = (2 * cells.astype(np.int64) * one + MAP_STEPS - 1) // (2 * (MAP_STEPS - 1))
    device = model.log_gain.device
    whole = torch.from_numpy(np.stack([share, finer.astype(np.float64)]))[None].to(device)
    per_cell = CELL_PX // model.shape.stride_px
    fine = whole.repeat_interleave(per_cell, 2).repeat_interleave(per_cell, 3)
    return FixedConditions(whole, fine)


def hyper_indexes(model: LearnedModel, level: int) -> Integers:
    """(channels,) scale indexes of the hyper-latent at a level in 1/64, in whole numbers."""
    table = model.hyper_index.detach().cpu().double().numpy()
    steps = np.round(table * (OUTPUT_UNIT * ACTIVATION_ONE)).astype(np.int64)
    below = min(level // LEVEL_ONE, len(steps) - 2)
    share = level - below * LEVEL_ONE
    mixed = steps[below] * (LEVEL_ONE - share) + steps[below + 1] * share
    one = LEVEL_ONE * int(ACTIVATION_ONE)
    index = np.clip((mixed + one // 2) // one, N_SKIPPED_SCALES, N_SCALES - 1)
    whole: Integers = index.astype(np.int32)
    return whole


def write_hyper(z: Tensor, level: int, model: LearnedModel, writer: SymbolWriter) -> Tensor:
    """Rounded (1, c, h, w) hyper-latent, written; returned as the exact networks see it."""
    symbols = torch.round(z).to(torch.int32)
    flat = symbols.cpu().numpy().reshape(z.shape[1], -1)
    index = np.repeat(hyper_indexes(model, level), flat.shape[1])
    writer.write(flat.ravel(), index)
    return symbols.double() * ACTIVATION_ONE


def read_hyper(
    rows: int, columns: int, level: int, model: LearnedModel, reader: SymbolReader
) -> Tensor:
    indexes = hyper_indexes(model, level)
    symbols = reader.read(np.repeat(indexes, rows * columns))
    whole = torch.from_numpy(symbols.reshape(1, len(indexes), rows, columns))
    return whole.to(model.log_gain.device).double() * ACTIVATION_ONE


def exchange_latent(
    model: LearnedModel, exact: Exact, z: Tensor, conditions: FixedConditions, exchange: Exchange
) -> Tensor:
    """All passes of a tile: `exchange` writes or reads each one's symbols.

    Returns the decoded latent (1, c, h, w) in quantiser steps, float64.
    """
    features = model.hyper_decoder(z, conditions.cells, exact)
    height, width = features.shape[2:]
    first = checkerboard(height, width, features.device).reshape(-1)
    passes = [torch.nonzero(first)[:, 0], torch.nonzero(~first)[:, 0]]
    decoded: list[Tensor] = []
    start = 0
    for parameters in model.groups:
        channels = slice(start, start + parameters.channels)
        start = channels.stop
        own = torch.zeros(
            1, parameters.channels, height, width, dtype=torch.float64, device=z.device
        )
        before = seen(torch.cat(decoded, 1), exact) if decoded else None
        for number, places in enumerate(passes):
            if len(places) == 0:
                continue
            neighbours = _around(seen(own, exact), places) if number else None
            mean, index = parameters(
                _at(features, places),
                _at(conditions.positions, places),
                None if before is None else _at(before, places),
                neighbours,
                exact,
            )
            index = torch.floor(index / ACTIVATION_ONE + 0.5).clamp(0, N_SCALES - 1)
            symbols = exchange(channels, places, mean[0, :, 0], index[0, :, 0])
            values = symbols * ACTIVATION_ONE + mean[0, :, 0]
            own.reshape(parameters.channels, -1).index_copy_(1, places, values)
        decoded.append(own)
    return torch.cat(decoded, 1) / ACTIVATION_ONE


def _at(x: Tensor, places: Tensor) -> Tensor:
    """(1, c, h, w) at flat places -> (1, c, 1, len(places))."""
    return x.reshape(x.shape[1], -1).index_select(1, places)[None, :, None]


def _around(x: Tensor, places: Tensor) -> Tensor:
    """`entropy_nets.around` at flat places alone: (1, c, h, w) -> (1, 4c, 1, len(places))."""
    channels, width = x.shape[1], x.shape[3]
    wide = F.pad(x, (1, 1, 1, 1)).reshape(channels, -1)
    row = width + 2
    here = (places // width + 1) * row + places % width + 1
    found = x.new_empty(4, channels, len(places))
    for index, step in enumerate((-row, row, -1, 1)):
        torch.index_select(wide, 1, here + step, out=found[index])
    return found.reshape(1, 4 * channels, 1, -1)


@dataclass
class LatentWriter:
    """The encoder's side of an exchange: `y` (c, h * w) in quantiser steps.

    `thrift` (c, h * w): squared error in steps that a bit is worth in the choice of a symbol; 0
    rounds to the nearest. `bits` (h * w,) gathers what was spent where, as the tables tell it.
    """

    y: Tensor
    thrift: Tensor
    tables: Tables
    writer: SymbolWriter
    bits: NDArray[np.float32]

    def __call__(self, channels: slice, places: Tensor, mean: Tensor, index: Tensor) -> Tensor:
        indexes, coded = _coded(index)
        wanted = self.y[channels].index_select(1, places) - mean / ACTIVATION_ONE
        wanted_ = wanted.cpu().numpy().ravel()[coded]
        thrift = self.thrift[channels].index_select(1, places).cpu().numpy().ravel()[coded]
        symbols, bits = _chosen(wanted_, indexes, thrift, self.tables)
        n_places = len(places)
        self.bits[places.cpu().numpy()] += np.bincount(coded % n_places, bits, n_places)
        self.writer.write(symbols, indexes)
        return _spread(symbols, coded, mean)


def _coded(index: Tensor) -> tuple[Integers, NDArray[np.intp]]:
    """The scale indexes that are not skipped, and their flat places."""
    flat = index.cpu().numpy().astype(np.int32).ravel()
    coded = np.flatnonzero(flat >= N_SKIPPED_SCALES)
    return flat[coded], coded


def _spread(symbols: Integers, coded: NDArray[np.intp], like: Tensor) -> Tensor:
    """Coded symbols at their places, 0 elsewhere, as `like` is shaped."""
    whole = np.zeros(like.numel())
    whole[coded] = symbols
    return torch.from_numpy(whole).reshape(like.shape).to(like.device)


def _chosen(
    wanted: NDArray[np.float64], index: Integers, thrift: NDArray[np.float32], tables: Tables
) -> tuple[Integers, NDArray[np.float32]]:
    """The nearest integers, or those nearer to 0 where fewer bits are worth more error."""
    symbols = np.round(wanted).astype(np.int32)
    bits = tables.bits_of(symbols, index)
    smaller = symbols - np.sign(symbols)
    fewer = tables.bits_of(smaller, index)
    more_error = np.square(wanted - smaller) - np.square(wanted - symbols)
    is_better = (bits - fewer) * thrift > more_error
    symbols = np.where(is_better, smaller, symbols).astype(np.int32)
    return symbols, np.where(is_better, fewer, bits)


@dataclass(frozen=True)
class LatentReader:
    """The decoder's side of an exchange."""

    reader: SymbolReader

    def __call__(self, channels: slice, places: Tensor, mean: Tensor, index: Tensor) -> Tensor:
        indexes, coded = _coded(index)
        return _spread(self.reader.read(indexes), coded, mean)
