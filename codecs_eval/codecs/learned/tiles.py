"""A large image in parts, so that memory is bounded; halos let no seam be seen.

Each tile's symbols are coded by themselves. Analysis and synthesis see a halo around the tile as
wide as their networks reach, so that its pixels are those of the undivided image.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from codecs_eval.codecs.learned.shape import CELL_PX, CodecShape

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Tile:
    """`inner` and `outer` (with the halo) in cells; the same windows in pixels and positions."""

    inner_cells: Window
    outer_cells: Window
    per_cell: int

    @property
    def within_cells(self) -> Window:
        """The inner window as seen from the outer one's corner."""
        row, column = (outer.start for outer in self.outer_cells)
        rows, columns = self.inner_cells
        return (
            slice(rows.start - row, rows.stop - row),
            slice(columns.start - column, columns.stop - column),
        )

    @property
    def inner_pixels(self) -> Window:
        return _scaled(self.inner_cells, CELL_PX)

    @property
    def outer_pixels(self) -> Window:
        return _scaled(self.outer_cells, CELL_PX)

    @property
    def within_pixels(self) -> Window:
        return _scaled(self.within_cells, CELL_PX)

    @property
    def inner_positions(self) -> Window:
        return _scaled(self.inner_cells, self.per_cell)

    @property
    def outer_positions(self) -> Window:
        return _scaled(self.outer_cells, self.per_cell)

    @property
    def within_positions(self) -> Window:
        return _scaled(self.within_cells, self.per_cell)


def tiles_of(n_cells: tuple[int, ...], shape: CodecShape) -> Iterator[Tile]:
    """Row by row over an image of so many rows and columns of cells."""
    side, halo = shape.tile_px // CELL_PX, shape.halo_px // CELL_PX
    per_cell = CELL_PX // shape.stride_px
    for row in range(0, n_cells[0], side):
        for column in range(0, n_cells[1], side):
            starts, sizes = (row, column), n_cells
            inner = tuple(
                slice(start, min(start + side, size))
                for start, size in zip(starts, sizes, strict=True)
            )
            outer = tuple(
                slice(max(0, part.start - halo), min(part.stop + halo, size))
                for part, size in zip(inner, sizes, strict=True)
            )
            yield Tile((inner[0], inner[1]), (outer[0], outer[1]), per_cell)


def _scaled(window: Window, factor: int) -> Window:
    rows, columns = window
    return (
        slice(rows.start * factor, rows.stop * factor),
        slice(columns.start * factor, columns.stop * factor),
    )
