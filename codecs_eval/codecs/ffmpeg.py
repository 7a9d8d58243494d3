"""HEVC and VVC still pictures by the ffmpeg program that imageio-ffmpeg carries.

The stream is the codec's own byte stream (Annex B) with nothing around it. Where a picture had to
be padded to even sides, zero bytes after its end say so: decoders skip them (trailing_zero_8bits),
and no NAL unit ends in a zero byte.
"""

import re
import tempfile
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from codecs_eval.codecs.codec import (
    Dial,
    Image,
    Probe,
    Setting,
    Settings,
    checked_decoded,
    checked_image,
    complete_settings,
)
from codecs_eval.codecs.colour import from_ycbcr, to_ycbcr
from codecs_eval.codecs.commands import run_command
from codecs_eval.codecs.table import found, missing
from codecs_eval.codecs.y4m import read_frame, write_frame

# Written into the stream (3 bytes in HEVC, 8 in VVC), so that other players show the right colours.
_COLOUR = ("-color_range", "pc", "-colorspace", "smpte170m")
_QUIET = ("-hide_banner", "-nostdin", "-y")
_PROBE_TIMEOUT_S = 30.0
# A 768x512 photo takes 1 to 3 s of a free core; the allowance grows with the pixels.
_FIXED_TIMEOUT_S, _TIMEOUT_S_PER_MEGAPIXEL = 60.0, 120.0


@cache
def ffmpeg_program() -> str:
    """Path of the binary; RuntimeError when there is none."""
    try:
        path: str = import_module("imageio_ffmpeg").get_ffmpeg_exe()
    except ModuleNotFoundError as error:
        raise RuntimeError("the Python package imageio-ffmpeg is not installed") from error
    return path


class FfmpegCodec:
    """What HEVC and VVC share: planes out, a child process, planes back."""

    name: str
    extension: str
    dials: tuple[Dial, ...]
    defaults: Settings
    stream_format: str
    library: str
    version_pattern: str
    frame_tag: str
    bits: int
    is_chroma_halved: bool
    ending: bytes
    sides_px = (16, 8192)

    @property
    def version(self) -> str:
        return _library_version(self.library, self.stream_format, self.version_pattern)

    def probe(self) -> Probe:
        try:
            return found(self.name, self.version)
        except RuntimeError as error:
            # A failing ffmpeg says a page; its last line names what is missing.
            return missing(self.name, str(error).splitlines()[-1])

    def encode(self, image: Image, settings: Settings) -> bytes:
        pixels = checked_image(image, self.name, self.sides_px)
        complete = complete_settings(self, settings)
        odd_rows, odd_columns = (
            side % 2 if self.is_chroma_halved else 0 for side in pixels.shape[:2]
        )
        padded = np.pad(pixels, ((0, odd_rows), (0, odd_columns), (0, 0)), mode="edge")
        planes = to_ycbcr(padded, self.bits, self.is_chroma_halved)
        with tempfile.TemporaryDirectory(prefix="triad-") as name:
            folder = Path(name)
            (folder / "frame.y4m").write_bytes(write_frame(planes, self.frame_tag))
            arguments = [
                ffmpeg_program(), *_QUIET, "-v", "error", "-threads", "1",
                "-f", "yuv4mpegpipe", "-i", "frame.y4m",
                "-frames:v", "1", "-threads", "1", *self.encoder_arguments(complete), *_COLOUR,
                "-f", self.stream_format, "stream",
            ]  # fmt: skip
            run_command(arguments, folder, _timeout_s(pixels))
            stream = (folder / "stream").read_bytes() + self.ending
            return stream + bytes(odd_columns + 2 * odd_rows)

    def decode(self, data: bytes) -> Image:
        stream = data.rstrip(b"\0")
        odd_rows, odd_columns = divmod(len(data) - len(stream), 2)
        if odd_rows > 1:
            raise ValueError(f"{self.name}: expected at most 3 zero bytes at the end of the stream")
        if not stream.endswith(self.ending):
            raise ValueError(f"{self.name}: not a whole stream: its last unit is missing")
        with tempfile.TemporaryDirectory(prefix="triad-") as name:
            folder = Path(name)
            (folder / "stream").write_bytes(stream)
            arguments = [
                ffmpeg_program(), *_QUIET, "-v", "error", "-xerror", "-threads", "1",
                "-f", self.stream_format, "-i", "stream",
                "-frames:v", "1", "-strict", "-1", "-f", "yuv4mpegpipe", "frame.y4m",
            ]  # fmt: skip
            run_command(arguments, folder, _FIXED_TIMEOUT_S)
            planes = read_frame((folder / "frame.y4m").read_bytes(), self.frame_tag)
        image = from_ycbcr(planes, self.bits)
        height, width = image.shape[0] - odd_rows, image.shape[1] - odd_columns
        return checked_decoded(np.ascontiguousarray(image[:height, :width]), self.name)

    def encoder_arguments(self, settings: dict[str, Setting]) -> list[str]:
        raise NotImplementedError


class Hevc(FfmpegCodec):
    """x265, one intra picture, 4:4:4, 8 bit as BPG's default. With adaptive quantisation on, the
    rate factor takes effect in tenths; psycho-visual bias is off (0.7 dB at equal rate). Without
    `info=0` x265 adds 2.3 KB of text; any thread pool changes the bytes."""

    name, extension = "hevc", "hevc"
    stream_format, library = "hevc", "libx265"
    version_pattern = r"x265 \[info\]: HEVC encoder version (\S+)"
    frame_tag, bits, is_chroma_halved = "444", 8, False
    # ffmpeg fills a cut picture in without a word; five bytes, an end-of-bitstream unit, tell.
    ending = bytes((0, 0, 1, 37 << 1, 1))
    defaults = {"crf": 28.0, "preset": "slow", "aq_strength": 1.0, "subsampling": "4:4:4"}
    dials = (
        Dial(
            "crf",
            tuple(round(51 - step * 0.05, 2) for step in range(1021)),
            ((51, 0.015), (31, 0.27), (20, 1.1), (0, 8.0)),
        ),
    )

    def encoder_arguments(self, settings: dict[str, Setting]) -> list[str]:
        parameters = (
            f"crf={settings['crf']}:aq-mode=2:aq-strength={settings['aq_strength']}"
            ":psy-rd=0:psy-rdoq=0:info=0:pools=none:frame-threads=1:no-wpp=1:log-level=error"
        )
        preset = str(settings["preset"])
        return ["-c:v", self.library, "-preset", preset, "-x265-params", parameters]


class Vvc(FfmpegCodec):
    """vvenc, one intra picture, 4:2:0, 10 bit, its perceptual bias off. Whole QPs are 13 % of the
    rate apart; the second dial scales the Lagrange multiplier of its mode decisions."""

    name, extension = "vvc", "vvc"
    stream_format, library = "vvc", "libvvenc"
    version_pattern = r"libvvenc version: (\S+)"
    frame_tag, bits, is_chroma_halved = "420p10", 10, True
    ending = b""
    defaults = {"qp": 32, "preset": "fast", "lambda_scale": 1.0, "subsampling": "4:2:0"}
    dials = (
        Dial("qp", tuple(range(63, 0, -1)), ((63, 0.011), (36, 0.35), (22, 1.6), (1, 9.0))),
        Dial(
            "lambda_scale",
            tuple(float(f"{1.02**step:.3f}") for step in range(25, -26, -1)),
            ((1.641, 0.86), (1.0, 1.0), (0.61, 1.14)),
        ),
    )

    def encoder_arguments(self, settings: dict[str, Setting]) -> list[str]:
        return [
            "-c:v", self.library, "-preset", str(settings["preset"]),
            "-qp", str(int(settings["qp"])), "-qpa", "0",
            # ffmpeg tells vvenc the colour matrix but not the range.
            "-vvenc-params", f"LambdaModifierI={settings['lambda_scale']}:Range=1",
        ]  # fmt: skip


def _timeout_s(pixels: Image) -> float:
    megapixels = float(pixels.shape[0] * pixels.shape[1]) / 1e6
    return _FIXED_TIMEOUT_S + _TIMEOUT_S_PER_MEGAPIXEL * megapixels


@cache
def _library_version(library: str, stream_format: str, pattern: str) -> str:
    """Versions, from a tiny encode: proof that the encoder is in the binary and runs."""
    program = ffmpeg_program()
    try:
        package = version("imageio-ffmpeg")
    except PackageNotFoundError as error:
        raise RuntimeError("the Python package imageio-ffmpeg is not installed") from error
    with tempfile.TemporaryDirectory(prefix="triad-") as name:
        folder = Path(name)
        grey = np.full((32, 32, 3), 128, dtype=np.uint8)
        (folder / "frame.y4m").write_bytes(write_frame(to_ycbcr(grey, 10, True), "420p10"))
        arguments = [
            program, "-nostdin", "-y", "-v", "verbose", "-i", "frame.y4m",
            "-c:v", library, "-f", stream_format, "stream",
        ]  # fmt: skip
        said = run_command(arguments, folder, _PROBE_TIMEOUT_S)
    inside = re.search(pattern, said)
    outside = re.search(r"ffmpeg version (\S+)", said)
    return (
        f"imageio-ffmpeg {package}, ffmpeg {outside[1] if outside else 'unknown'}, "
        f"{library} {inside[1] if inside else 'unknown'}"
    )


HEVC = Hevc()
VVC = Vvc()
