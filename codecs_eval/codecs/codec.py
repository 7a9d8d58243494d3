"""What every codec of the loop answers to: an image and settings in, a whole file out, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Setting = float | int | str
Settings = Mapping[str, Setting]


@dataclass(frozen=True)
class Dial:
    """One setting that moves the rate.

    `values`: every value worth trying, ordered from the lowest rate to the highest.
    `typical`: (value, bpp) of an average photo, in the same order and spanning `values`; only
    the first guess uses its level, every later one its shape.
    """

    name: str
    values: tuple[float, ...]
    typical: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        rates = [bpp for _, bpp in self.typical]
        if len(self.values) < 2 or len(set(self.values)) != len(self.values):
            raise ValueError(f"dial {self.name}: expected two or more distinct values")
        if len(rates) < 2 or any(low >= high for low, high in zip(rates, rates[1:], strict=False)):
            raise ValueError(f"dial {self.name}: typical rates must rise, found {rates}")
        if (self.typical[0][0], self.typical[-1][0]) != (self.values[0], self.values[-1]):
            raise ValueError(f"dial {self.name}: typical must start and end where values do")


@dataclass(frozen=True)
class Probe:
    """Whether a codec can be used here; `reason` is empty when it can."""

    name: str
    label: str
    is_available: bool
    version: str
    reason: str


class Codec(Protocol):
    """A codec: stateless, so safe to share between threads and to use in any process.

    `dials`: the main dial, then at most one second dial for where the main one is too coarse.
    `defaults`: every setting with the value it has when `encode` is not told otherwise.
    """

    @property
    def name(self) -> str: ...
    @property
    def extension(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def dials(self) -> tuple[Dial, ...]: ...
    @property
    def defaults(self) -> Settings: ...

    def probe(self) -> Probe: ...
    def encode(self, image: Image, settings: Settings) -> bytes: ...
    def decode(self, data: bytes) -> Image: ...


def checked_image(image: Image, name: str, sides_px: tuple[int, int]) -> Image:
    """The image, contiguous; ValueError unless uint8 (height, width, 3) with sides in range."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"{name}: expected a uint8 array (height, width, 3), found {image.dtype} {image.shape}"
        )
    smallest, largest = sides_px
    if min(image.shape[:2]) < smallest or max(image.shape[:2]) > largest:
        raise ValueError(
            f"{name}: expected sides of {smallest} to {largest} px, "
            f"found {image.shape[1]}x{image.shape[0]}"
        )
    return np.ascontiguousarray(image)


def checked_decoded(image: Image, name: str) -> Image:
    """What a decoder gave back, if it has the shape of an image."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"{name}: the stream decoded to {image.dtype} {image.shape}, "
            "expected uint8 (height, width, 3)"
        )
    return image


def complete_settings(codec: Codec, settings: Settings) -> dict[str, Setting]:
    """Defaults overlaid with `settings`; ValueError on unknown names and dials out of range."""
    unknown = sorted(set(settings) - set(codec.defaults))
    if unknown:
        raise ValueError(
            f"{codec.name}: unknown settings {', '.join(unknown)}; "
            f"expected some of {', '.join(codec.defaults)}"
        )
    complete = {**codec.defaults, **settings}
    for dial in codec.dials:
        value, low, high = complete[dial.name], min(dial.values), max(dial.values)
        if isinstance(value, str) or not low <= value <= high:
            raise ValueError(f"{codec.name}: {dial.name} must be {low}..{high}, found {value!r}")
    return complete
