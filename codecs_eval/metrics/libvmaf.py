"""VMAF and PSNR-HVS by libvmaf, inside the ffmpeg program that imageio-ffmpeg carries.

RGB -> Y'CbCr here, not in ffmpeg: one rule on any build -> frames -> libvmaf -> its JSON log
"""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codecs_eval.metrics.metric import Image, check_images

# The coarsest of VMAF's four scales needs some blocks to look at.
SMALLEST_PX = 64
# Finite so that it can be stored, averaged and drawn; libvmaf gives infinity for identical images.
HIGHEST_DB = 100.0
# ITU-R BT.709-6, items 3.2 to 3.4: luma weights, and 219 and 224 of 255 steps used.
_RED, _BLUE = 0.2126, 0.0722
_GREEN = 1.0 - _RED - _BLUE
_BATCH_BYTES = 1 << 26
_FIXED_TIMEOUT_S, _TIMEOUT_S_PER_MEGAPIXEL = 60.0, 60.0


@dataclass(frozen=True)
class Libvmaf:
    """One number of libvmaf's log for each reconstruction; higher is better."""

    name: str
    key: str
    features: str = ""
    # What stands for infinity, which libvmaf's log has as null; None where no score is infinite.
    highest: float | None = None
    higher_is_better: bool = True

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        check_images(reference, distorted, SMALLEST_PX)
        at_once = max(1, _BATCH_BYTES // reference.nbytes)
        values: list[float] = []
        for start in range(0, len(distorted), at_once):
            values += self._batch(reference, distorted[start : start + at_once])
        return values

    def _batch(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        """Reconstructions as frames of a video whose reference stands still: no motion to see."""
        with tempfile.TemporaryDirectory(prefix="triad-") as name:
            folder = Path(name)
            original = yuv420(reference)
            _write(folder / "reference.yuv", (original for _ in distorted))
            _write(folder / "distorted.yuv", (yuv420(image) for image in distorted))
            _run(folder, reference.shape, len(distorted), self.features)
            frames = json.loads((folder / "log.json").read_text())["frames"]
        if len(frames) != len(distorted):
            raise RuntimeError(f"libvmaf scored {len(frames)} frames; expected {len(distorted)}")
        return [self._value(frame["metrics"]) for frame in frames]

    def _value(self, metrics: dict[str, float | None]) -> float:
        value = metrics[self.key]
        if self.highest is None:
            if value is None:
                raise RuntimeError(f"libvmaf gave no {self.key}; expected a number")
            return value
        return self.highest if value is None else min(self.highest, value)


def yuv420(image: Image) -> bytes:
    """One frame of planar 8-bit Y'CbCr 4:2:0: BT.709 weights, limited range (16..235, 16..240).

    Chroma is the mean of each 2x2 block, the last row or column repeated where it is odd; every
    value is rounded to the nearest step, halves to even.
    """
    red, green, blue = (image[..., channel] / 255.0 for channel in range(3))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    chroma = ((blue - luma) / (2.0 * (1.0 - _BLUE)), (red - luma) / (2.0 * (1.0 - _RED)))
    planes = [16.0 + 219.0 * luma, *(128.0 + 224.0 * _halved(plane) for plane in chroma)]
    return b"".join(np.rint(plane).astype(np.uint8).tobytes() for plane in planes)


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    rows = even[0::2] + even[1::2]
    halved: NDArray[np.float64] = (rows[:, 0::2] + rows[:, 1::2]) / 4.0
    return halved


def _write(path: Path, frames: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(frames)


def _run(folder: Path, shape: tuple[int, ...], n_frames: int, features: str) -> None:
    height, width = shape[:2]
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", "25")
    settings = "model=version=vmaf_v0.6.1:log_fmt=json:log_path=log.json:n_threads=1"
    command = [
        _program(), "-hide_banner", "-nostdin", "-v", "error", "-threads", "1",
        *raw, "-i", "distorted.yuv", *raw, "-i", "reference.yuv",
        "-lavfi", f"[0:v][1:v]libvmaf={settings}{features}", "-f", "null", "-",
    ]  # fmt: skip
    megapixels = n_frames * height * width / 1e6
    timeout_s = _FIXED_TIMEOUT_S + _TIMEOUT_S_PER_MEGAPIXEL * megapixels
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"libvmaf took more than {timeout_s:.0f} s; expected less") from None
    if done.returncode != 0 or not (folder / "log.json").is_file():
        raise RuntimeError(
            f"libvmaf failed with code {done.returncode}: {done.stderr.strip()[-500:]}; "
            f"expected an ffmpeg with libvmaf, as imageio-ffmpeg 0.8.1 carries"
        )


def _program() -> str:
    import imageio_ffmpeg

    path: str = imageio_ffmpeg.get_ffmpeg_exe()
    return path


def vmaf(weights: Callable[[str], Path]) -> Libvmaf:
    return Libvmaf("vmaf", "vmaf")


def psnr_hvs(weights: Callable[[str], Path]) -> Libvmaf:
    return Libvmaf("psnr-hvs", "psnr_hvs", ":feature=name=psnr_hvs", HIGHEST_DB)
