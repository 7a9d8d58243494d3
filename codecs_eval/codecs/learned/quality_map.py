"""Where more bits go: one small number a cell of 32 x 32 pixels, sent in the stream."""

import math

import constriction
import numpy as np
from numpy.typing import NDArray

from codecs_eval.codecs.learned.shape import CELL_PX, MAP_STEPS
from codecs_eval.codecs.learned.symbols import Integers, SymbolReader, SymbolWriter

# Of differences from the neighbours' guess, 0 first, folded: 0, -1, 1, -2, 2, ...
_SHARES = np.array([2.0**-k for k in range(1, 2 * MAP_STEPS)])
_DIFFERENCE = constriction.stream.model.Categorical(_SHARES / _SHARES.sum(), perfect=False)


def cells_of(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of cells of an image, its padding included."""
    return math.ceil(height / CELL_PX), math.ceil(width / CELL_PX)


def map_of(saliency: NDArray[np.float32]) -> Integers:
    """Saliency (height, width) in 0..1 -> its mean over each cell, in 0..MAP_STEPS - 1."""
    if saliency.ndim != 2 or not np.isfinite(saliency).all():
        raise ValueError(f"found saliency of shape {saliency.shape}; expected finite rows, columns")
    if saliency.min() < 0 or saliency.max() > 1:
        raise ValueError(
            f"found saliency of {saliency.min():g} to {saliency.max():g}; expected 0 to 1"
        )
    rows, columns = cells_of(*saliency.shape)
    pad = (rows * CELL_PX - saliency.shape[0], columns * CELL_PX - saliency.shape[1])
    wide = np.pad(saliency.astype(np.float64), ((0, pad[0]), (0, pad[1])), mode="edge")
    means = wide.reshape(rows, CELL_PX, columns, CELL_PX).mean((1, 3))
    cells: Integers = np.round(means * (MAP_STEPS - 1)).astype(np.int32)
    return cells


def write_map(cells: Integers, writer: SymbolWriter) -> None:
    differences = cells - _guesses(cells)
    folded = np.where(differences > 0, 2 * differences, -2 * differences - 1)
    writer.write_under(np.where(differences == 0, 0, folded).ravel(), _DIFFERENCE)


def read_map(rows: int, columns: int, reader: SymbolReader) -> Integers:
    """Raises DamagedStream by the checksum that the caller compares: any bits decode to a map."""
    folded = reader.read_under(_DIFFERENCE, rows * columns).reshape(rows, columns)
    differences = np.where(folded % 2 == 0, folded // 2, -(folded + 1) // 2)
    cells = np.zeros((rows, columns), np.int32)
    for row in range(rows):
        for column in range(columns):
            value = _guess(cells, row, column) + differences[row, column]
            cells[row, column] = min(max(value, 0), MAP_STEPS - 1)
    return cells


def _guess(cells: Integers, row: int, column: int) -> int:
    """The median of left, above, and the plane through them (as LOCO-I has it)."""
    if row == 0:
        return int(cells[0, column - 1]) if column else 0
    above = int(cells[row - 1, column])
    if column == 0:
        return above
    left, corner = int(cells[row, column - 1]), int(cells[row - 1, column - 1])
    return sorted((left, above, left + above - corner))[1]


def _guesses(cells: Integers) -> Integers:
    rows, columns = cells.shape
    guesses = [[_guess(cells, row, column) for column in range(columns)] for row in range(rows)]
    return np.array(guesses, np.int32).reshape(rows, columns)
