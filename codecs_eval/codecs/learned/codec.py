"""A trained model as a codec like any other: image and settings in, a whole file out, and back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_eval.codecs.codec import (
    Dial,
    Image,
    Probe,
    Setting,
    Settings,
    checked_image,
    complete_settings,
)
from codecs_eval.codecs.learned.exact import Exact
from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.quality_map import cells_of, map_of, read_map, write_map
from codecs_eval.codecs.learned.saving import SavedModel
from codecs_eval.codecs.learned.shape import CELL_PX, LEVEL_ONE, MAP_STEPS
from codecs_eval.codecs.learned.stream import FORMAT, MODEL_BYTES, Header, packed, unpacked
from codecs_eval.codecs.learned.symbols import (
    DamagedStream,
    Integers,
    SymbolReader,
    SymbolWriter,
    Tables,
)
from codecs_eval.codecs.learned.tile_coding import (
    FixedConditions,
    LatentReader,
    LatentWriter,
    exchange_latent,
    fixed_conditions,
    read_hyper,
    write_hyper,
)
from codecs_eval.codecs.learned.tiles import Tile, tiles_of

# Where people look, (height, width) in 0..1, 1 is most.
Look = Callable[[Image], NDArray[np.float32]]

EXTENSION = "tril"
# How far encoders go in choosing a smaller symbol where the bits it saves are worth the error, by
# the loss that the levels stand for; 1 believes that loss wholly.
_THRIFT = 0.25
_LONGEST_SIDE_PX = 32_768
# Rate of an average photo at level 0, 1, ...: a first guess.
_TYPICAL_BPP = (0.07, 0.15, 0.3, 0.58, 1.05, 1.9)


@dataclass(frozen=True)
class Encoding:
    """`data`: the whole file; `bits` (h, w): what each position of the latent took; `cells`: the
    quality map that was sent, all 0 where none was."""

    data: bytes
    bits: NDArray[np.float32]
    cells: Integers


class LearnedCodec:
    """Of one trained model. Safe to share between threads: nothing is kept between calls.

    `look`: the saliency that guides bits where the setting `guided` is 1.
    """

    extension = EXTENSION

    def __init__(self, name: str, label: str, saved: SavedModel, look: Look | None = None) -> None:
        self.name, self.label = name, label
        self.model: LearnedModel = saved.model.eval()
        self._sha256 = saved.sha256
        self._tables = Tables(saved.tables)
        self._exact = Exact()
        self._look = look
        self._is_guided = saved.is_guided and look is not None

    @property
    def version(self) -> str:
        return version_of(self._sha256)

    @property
    def dials(self) -> tuple[Dial, ...]:
        top = round(self.model.shape.top_level * LEVEL_ONE)
        values = tuple(level / LEVEL_ONE for level in range(top + 1))
        n_levels = len(self.model.shape.steps_px)
        rates = np.interp(
            np.linspace(0, 1, n_levels), np.linspace(0, 1, len(_TYPICAL_BPP)), _TYPICAL_BPP
        )
        typical = tuple((float(level), float(rate)) for level, rate in enumerate(rates))
        return (Dial("level", values, typical),)

    @property
    def defaults(self) -> Settings:
        return {"level": 2.5, "guided": int(self._is_guided)}

    def probe(self) -> Probe:
        return Probe(self.name, self.label, True, self.version, "")

    def encode(self, image: Image, settings: Settings) -> bytes:
        return self.encoded(image, settings).data

    def encoded(self, image: Image, settings: Settings) -> Encoding:
        """The file, and where its bits went."""
        image = checked_image(image, self.name, (1, _LONGEST_SIDE_PX))
        complete = complete_settings(self, settings)
        level = round(float(complete["level"]) * LEVEL_ONE)
        cells = self._cells(image, complete["guided"])
        is_guided = bool(cells.any())
        header = Header(self._model_bytes, image.shape[0], image.shape[1], level, is_guided)
        writer = SymbolWriter(self._tables)
        if is_guided:
            write_map(cells, writer)
        with _computing():
            bits = self._write_tiles(_padded(image), level, cells, writer)
        return Encoding(packed(header, writer.payload(), writer.checksum), bits, cells)

    def decode(self, data: bytes) -> Image:
        """Raises DamagedStream where the file is damaged, cut, or of another model."""
        stream = unpacked(data, self._model_bytes)
        header = stream.header
        if header.level > self.model.shape.top_level * LEVEL_ONE:
            raise DamagedStream(f"found level {header.level}; expected one of this model")
        reader = SymbolReader(self._tables, stream.payload)
        rows, columns = cells_of(header.height, header.width)
        cells = np.zeros((rows, columns), np.int32)
        if header.is_guided:
            cells = read_map(rows, columns, reader)
        with _computing():
            latent = self._read_tiles(header.level, cells, reader)
            if reader.checksum != stream.symbols_crc:
                raise DamagedStream(
                    "the symbols are not those that were encoded: the entropy decoder of this "
                    "machine does not agree with the encoder's"
                )
            pixels = self._pixels(latent, header.level, cells)
        return np.ascontiguousarray(pixels[: header.height, : header.width])

    @property
    def _model_bytes(self) -> bytes:
        return bytes.fromhex(self._sha256)[:MODEL_BYTES]

    @property
    def _device(self) -> torch.device:
        return self.model.log_gain.device

    def _cells(self, image: Image, guided: Setting) -> Integers:
        if guided not in (0, 1):
            raise ValueError(f"{self.name}: guided must be 0 or 1, found {guided!r}")
        if not guided:
            return np.zeros(cells_of(*image.shape[:2]), np.int32)
        if self._look is None:
            raise ValueError(
                f"{self.name}: found guided 1 and no saliency; expected one to look by"
            )
        return map_of(self._look(image))

    def _write_tiles(
        self, padded: Image, level: int, cells: Integers, writer: SymbolWriter
    ) -> NDArray[np.float32]:
        stride = self.model.shape.stride_px
        bits = np.zeros((padded.shape[0] // stride, padded.shape[1] // stride), np.float32)
        for tile in tiles_of(cells.shape, self.model.shape):
            y, z, thrift = self._latents(padded, level, cells, tile)
            conditions = self._fixed(level, cells, tile)
            hyper = write_hyper(z, level, self.model, writer)
            flat = np.zeros(y.shape[1] * y.shape[2], np.float32)
            exchange = LatentWriter(y.flatten(1), thrift.flatten(1), self._tables, writer, flat)
            exchange_latent(self.model, self._exact, hyper, conditions, exchange)
            bits[tile.inner_positions] = flat.reshape(y.shape[1:])
        return bits

    def _latents(
        self, padded: Image, level: int, cells: Integers, tile: Tile
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A tile's latent (c, h, w) in quantiser steps, its hyper-latent (1, z, h, w), and the
        squared error in steps that a bit is worth (c, h, w)."""
        part = torch.from_numpy(padded[tile.outer_pixels]).to(self._device)
        pixels = part.permute(2, 0, 1)[None].float()
        level_, map_ = self._settings(level, cells[tile.outer_cells])
        _, fine = self.model.conditions(level_, map_)
        gains = self.model.gains(level_, map_)
        whole = self.model.analysis(pixels, fine) * gains.latent
        inner = (slice(None), slice(None), *tile.within_positions)
        y = whole[inner]
        hyper = self.model.hyper_encoder(torch.round(y), fine[inner])
        hyper = hyper * gains.hyper[(slice(None), slice(None), *tile.within_cells)]
        # Latents err as pixels do; a pixel's error is a mean over three colours.
        thrift = 3 * _THRIFT * gains.latent[inner].square() / self.model.multiplier(level_)
        return y[0].double(), hyper - self.model.hyper_mean[:, None, None], thrift[0]

    def _read_tiles(self, level: int, cells: Integers, reader: SymbolReader) -> Tensor:
        """The latent of the whole image (1, c, h, w) in units of pixel values."""
        shape = self.model.shape
        per_cell = CELL_PX // shape.stride_px
        size = (cells.shape[0] * per_cell, cells.shape[1] * per_cell)
        latent = torch.zeros(1, shape.channels, *size, device=self._device)
        for tile in tiles_of(cells.shape, shape):
            conditions = self._fixed(level, cells, tile)
            rows, columns = cells[tile.inner_cells].shape
            z = read_hyper(rows, columns, level, self.model, reader)
            decoded = exchange_latent(self.model, self._exact, z, conditions, LatentReader(reader))
            level_, map_ = self._settings(level, cells[tile.inner_cells])
            gains = self.model.gains(level_, map_)
            latent[(slice(None), slice(None), *tile.inner_positions)] = decoded / gains.latent
        return latent

    def _pixels(self, latent: Tensor, level: int, cells: Integers) -> Image:
        pixels = np.empty((cells.shape[0] * CELL_PX, cells.shape[1] * CELL_PX, 3), np.uint8)
        for tile in tiles_of(cells.shape, self.model.shape):
            level_, map_ = self._settings(level, cells[tile.outer_cells])
            _, fine = self.model.conditions(level_, map_)
            part = latent[(slice(None), slice(None), *tile.outer_positions)]
            out = self.model.synthesis(part, fine).clamp(0, 255).round().to(torch.uint8)
            inner = out[0].permute(1, 2, 0)[tile.within_pixels]
            pixels[tile.inner_pixels] = inner.cpu().numpy()
        return pixels

    def _settings(self, level: int, cells: Integers) -> tuple[Tensor, Tensor]:
        wanted = torch.tensor([level / LEVEL_ONE], device=self._device)
        share = torch.from_numpy(cells.astype(np.float32) / (MAP_STEPS - 1))
        return wanted, share[None, None].to(self._device)

    def _fixed(self, level: int, cells: Integers, tile: Tile) -> FixedConditions:
        return fixed_conditions(self.model, level, cells[tile.inner_cells])


def version_of(sha256: str) -> str:
    """What a stored file says of its codec: the format, and which weights."""
    return f"triad-learned {FORMAT}, model {sha256[:16]}"


def _padded(image: Image) -> Image:
    """To whole cells, by its own edge pixels."""
    rows, columns = cells_of(*image.shape[:2])
    pad = (rows * CELL_PX - image.shape[0], columns * CELL_PX - image.shape[1])
    return np.pad(image, ((0, pad[0]), (0, pad[1]), (0, 0)), mode="edge")


_one_at_a_time = threading.Lock()


@contextmanager
def _computing() -> Iterator[None]:
    """One thread, no gradients: the CPU time of a codec is that of the calling thread."""
    with _one_at_a_time, torch.inference_mode():
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
