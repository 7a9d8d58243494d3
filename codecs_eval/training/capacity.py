"""What the machine that trains a trunk can take: 16-bit arithmetic, pixels at once."""

import math
import os
from collections.abc import Collection, Mapping
from typing import Any

import torch

from codecs_eval.training.crops import Size

# Held for the backward pass, for each pixel of each image: counted with torch's
# saved_tensors_hooks at 256x256 with noise (123, 466, 2108 in fp32, some more in bf16), and half
# as much again for the gradients.
BYTES_PER_PX = {"alex": 200, "squeeze": 700, "vgg": 3_200}
# A batch that needs more passes in parts. It does not follow the machine's memory: a training
# that goes on elsewhere must come to the same numbers.
_PASS_BYTES = 4 << 30
_IMAGES_OF_TRIPLET = 3
_BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def parts_of_batch(n_triplets: int, size: Size, backbone: str, at_least: int) -> int:
    """In how many parts a batch of one image size passes the trunk: 1..n_triplets.

    As few as memory allows, `at_least` where there are so many triplets.
    """
    needed = math.ceil(n_triplets * _triplet_bytes(size, backbone) / _PASS_BYTES)
    return min(n_triplets, max(at_least, needed))


def check_memory(sizes: Collection[Size], backbone: str, device_bytes: int) -> None:
    """ValueError where a single triplet of the largest size does not fit."""
    height, width = max(sizes, key=math.prod)
    needed = _triplet_bytes((height, width), backbone)
    if needed > device_bytes:
        raise ValueError(
            f"found images of {width} x {height} px: one triplet needs about {needed / 1e9:.0f} GB "
            f"while {backbone} learns; expected at most the {device_bytes / 1e9:.0f} GB at hand: "
            f"choose a smaller backbone, mode lin, or crops"
        )


def check_bf16(device: torch.device, instructions: Mapping[str, Any]) -> None:
    """ValueError where torch would emulate 16 bits; `instructions`: torch.cpu.get_capabilities.

    It does so many times slower than it computes in 32 bits, and to other numbers.
    """
    if not has_bf16(device, instructions):
        raise ValueError(
            f"found bf16 on a {device.type} without instructions for it; expected one of "
            f"{', '.join(_BF16_INSTRUCTIONS)} or a GPU that has it: train in 32 bits"
        )


def has_bf16(device: torch.device, instructions: Mapping[str, Any]) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(bool(instructions.get(name)) for name in _BF16_INSTRUCTIONS)


def memory_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _triplet_bytes(size: Size, backbone: str) -> int:
    return _IMAGES_OF_TRIPLET * math.prod(size) * BYTES_PER_PX[backbone]
