"""The size and rates of a learned codec: what builds its networks, and travels with them."""

from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Literal

# What a training leaves in its folder; saving.py writes and reads it.
MODEL_FILE = "codec.safetensors"
# Pixels on a side of a cell of the quality map, and of a hyper-latent's position.
CELL_PX = 32
# Values of a quality map's cell: 0 (as the level says) to 7 (where people look).
MAP_STEPS = 8
# Fixed point of the level in a stream: 1/64.
LEVEL_ONE = 64


@dataclass(frozen=True)
class CodecShape:
    """Architecture and rates; `steps_px`: quantiser step of each level, coarse to fine.

    `transform`: "blocks" is an overlapping 8x8 transform that begins as a cosine transform, with
    small residual networks; "convolutions" is the strided network of the literature.
    `groups`: channels of the latent that are coded together, in their order; later ones see
    earlier ones. `halo_px` covers what one output pixel of the transforms sees of the image.
    """

    transform: Literal["blocks", "convolutions"] = "blocks"
    groups: tuple[int, ...] = (24, 72)
    hyper_channels: int = 32
    hyper_width: int = 48
    entropy_width: int = 64
    block_width: int = 64
    n_blocks: int = 2
    filter_width: int = 32
    steps_px: tuple[float, ...] = (240.0, 130.0, 70.0, 38.0, 20.0, 10.5, 5.5)
    tile_px: int = 1024
    halo_px: int = 64

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(self.groups))
        object.__setattr__(self, "steps_px", tuple(self.steps_px))
        if self.transform not in ("blocks", "convolutions"):
            raise ValueError(f"found transform {self.transform!r}; expected blocks or convolutions")
        if not self.groups or min(self.groups) < 1:
            raise ValueError(f"found groups {self.groups}; expected one or more positive numbers")
        if len(self.steps_px) < 2 or any(low <= high for low, high in pairwise(self.steps_px)):
            raise ValueError(f"found steps {self.steps_px}; expected two or more, falling")
        for name in ("tile_px", "halo_px"):
            if getattr(self, name) < 1 or getattr(self, name) % CELL_PX:
                raise ValueError(
                    f"found {name} {getattr(self, name)}; expected a multiple of {CELL_PX}"
                )

    @property
    def channels(self) -> int:
        return sum(self.groups)

    @property
    def stride_px(self) -> int:
        """Pixels of the image on a side of one position of the latent."""
        return 8 if self.transform == "blocks" else 16

    @property
    def top_level(self) -> float:
        return float(len(self.steps_px) - 1)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "CodecShape":
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"found unknown settings {', '.join(unknown)} of a learned codec")
        return cls(**values)


# CPU: 1.0 million weights, trained in half an hour on one core. GPU: of ELIC's size (He et al.
# 2022, arXiv 2203.10886): N = 192, M = 320 in five uneven groups.
CPU_SHAPE = CodecShape()
GPU_SHAPE = CodecShape(
    transform="convolutions",
    groups=(16, 16, 32, 64, 192),
    hyper_channels=192,
    hyper_width=192,
    entropy_width=256,
    block_width=192,
    n_blocks=3,
    halo_px=256,
)
