"""Small photos that scikit-image's wheel carries, and the codecs that can run here."""

from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from codecs_eval.codecs.codec import Codec
from codecs_eval.codecs.table import CODECS, load_codec

Image = NDArray[np.uint8]


@pytest.fixture(scope="session")
def face() -> Image:
    """An astronaut's face, 256x256."""
    return np.ascontiguousarray(skimage.data.astronaut()[0:256, 96:352])


@pytest.fixture(scope="session")
def cat() -> Image:
    """A cat's eyes, 160x128."""
    return np.ascontiguousarray(skimage.data.chelsea()[60:188, 120:280])


# BPG's programs are hardly ever there; what is said then has a test of its own.
PRESENT = [name for name in CODECS if name != "bpg" or load_codec(name).probe().is_available]


@pytest.fixture(params=PRESENT)
def codec(request: pytest.FixtureRequest) -> Codec:
    """Each codec of the table in turn; a missing one is skipped with the reason it gives."""
    codec = load_codec(request.param)
    probe = codec.probe()
    if not probe.is_available:
        pytest.skip(f"{probe.label}: {probe.reason}")
    return codec


@pytest.fixture(scope="session")
def psnr_db() -> Callable[[Image, Image], float]:
    def psnr(first: Image, second: Image) -> float:
        error = np.mean((first.astype(np.float64) - second) ** 2)
        return float(10 * np.log10(255**2 / error))

    return psnr
