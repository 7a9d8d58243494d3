"""What a machine can take while a trunk learns."""

import pytest
import torch

from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.trunk import BACKBONES, Trunk, random_state
from codecs_eval.training.capacity import (
    BYTES_PER_PX,
    check_bf16,
    check_memory,
    has_bf16,
    parts_of_batch,
)
from codecs_eval.training.judging import ReferenceHead
from codecs_eval.training.tuned_model import Batch, TunedModel

CPU = torch.device("cpu")
SIZE_PX = 128


def held_bytes_per_px(name: str) -> float:
    """What torch keeps for the backward pass of one triplet, the model's own weights apart."""
    generator = torch.Generator().manual_seed(3)
    trunk = Trunk(name, random_state(name, generator))
    heads = torch.cat(official_heads(name))
    model = TunedModel(trunk, heads, ReferenceHead(generator), is_bf16=False)
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    images = torch.randint(256, (3, SIZE_PX, SIZE_PX, 3), dtype=torch.uint8, generator=generator)
    one = torch.zeros(1, dtype=torch.long)
    batch = Batch(images[:1], images[1:], torch.zeros(2, dtype=torch.long), one, one + 1)
    held: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            held[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(batch, torch.randn(2, 1, len(heads), generator=generator))
    return sum(t.untyped_storage().nbytes() for t in held.values()) / (3 * SIZE_PX**2)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_stated_memory_is_what_backward_holds_and_half_as_much_again(name: str) -> None:
    assert 1.2 < BYTES_PER_PX[name] / held_bytes_per_px(name) < 2.0


def test_small_images_pass_at_once_and_photographs_in_parts() -> None:
    for name in BACKBONES:
        assert parts_of_batch(50, (64, 64), name, 1) == 1
    assert parts_of_batch(50, (512, 768), "vgg", 1) == 44
    assert parts_of_batch(50, (4000, 6000), "vgg", 1) == 50
    # Who asks for more parts gets them, as far as there are triplets.
    assert parts_of_batch(50, (64, 64), "alex", 4) == 4
    assert parts_of_batch(3, (64, 64), "alex", 4) == 3


def test_a_triplet_that_no_part_can_hold_is_refused() -> None:
    sizes = {(64, 64), (3000, 4000)}
    check_memory(sizes, "alex", 8 << 30)
    with pytest.raises(ValueError, match="found images of 4000 x 3000 px: .* about 115 GB"):
        check_memory(sizes, "vgg", 64 << 30)


def test_bf16_is_refused_where_it_would_be_emulated() -> None:
    assert has_bf16(CPU, {"avx512_bf16": False, "amx_bf16": True})
    check_bf16(CPU, {"avx512_bf16": True})
    with pytest.raises(ValueError, match="found bf16 on a cpu without instructions for it"):
        check_bf16(CPU, {"avx2": True, "avx512_bf16": False})
