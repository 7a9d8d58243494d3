"""BPG by its own programs, bpgenc and bpgdec, where somebody has installed them."""

import io
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image

from codecs_eval.codecs.codec import (
    Dial,
    Image,
    Probe,
    Settings,
    checked_decoded,
    checked_image,
    complete_settings,
)
from codecs_eval.codecs.commands import run_command
from codecs_eval.codecs.table import found, missing

_TIMEOUT_S = 300.0


class Bpg:
    """libbpg's programs, 4:4:4, 8 bit, x265. The quantiser is a whole number and there is no
    second dial: many targets end as "nearest"."""

    name, extension = "bpg", "bpg"
    sides_px = (16, 8192)
    defaults: Settings = {"quantiser": 29, "subsampling": "444", "encoder": "x265"}
    dials = (Dial("quantiser", tuple(range(51, -1, -1)), ((51, 0.03), (29, 0.5), (0, 8.0))),)

    @property
    def version(self) -> str:
        return _version(_program("bpgenc"))

    def probe(self) -> Probe:
        try:
            _program("bpgdec")
            return found(self.name, self.version)
        except RuntimeError as error:
            return missing(self.name, str(error))

    def encode(self, image: Image, settings: Settings) -> bytes:
        pixels = checked_image(image, self.name, self.sides_px)
        complete = complete_settings(self, settings)
        with tempfile.TemporaryDirectory(prefix="triad-") as name:
            folder = Path(name)
            PIL.Image.fromarray(pixels).save(folder / "image.png", compress_level=1)
            arguments = [
                _program("bpgenc"), "-q", str(int(complete["quantiser"])),
                "-f", str(complete["subsampling"]), "-e", str(complete["encoder"]),
                "-o", "image.bpg", "image.png",
            ]  # fmt: skip
            run_command(arguments, folder, _TIMEOUT_S)
            return (folder / "image.bpg").read_bytes()

    def decode(self, data: bytes) -> Image:
        with tempfile.TemporaryDirectory(prefix="triad-") as name:
            folder = Path(name)
            (folder / "image.bpg").write_bytes(data)
            run_command([_program("bpgdec"), "-o", "image.png", "image.bpg"], folder, _TIMEOUT_S)
            picture = PIL.Image.open(io.BytesIO((folder / "image.png").read_bytes()))
            return checked_decoded(np.array(picture.convert("RGB")), self.name)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"the program {name} is not on PATH")
    return path


@cache
def _version(program: str) -> str:
    # Asked for help it fails, but its first line tells the version.
    answer = subprocess.run([program, "-h"], capture_output=True, text=True, timeout=10)
    lines = (answer.stdout + answer.stderr).strip().splitlines()
    return lines[0] if lines else "bpgenc of unknown version"


BPG = Bpg()
