"""What an entropy decoder depends on is the same integers, however they are computed."""

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data
from torch import nn

from codecs_eval.codecs.learned.codec import LearnedCodec
from codecs_eval.codecs.learned.entropy_nets import FLOATS
from codecs_eval.codecs.learned.exact import ACTIVATION_ONE, Exact, to_fixed
from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.quantising import magnitude
from codecs_eval.codecs.learned.saving import load_model

_ELSEWHERE = """
import sys, zlib
import numpy as np, torch
from codecs_eval.codecs.learned.codec import LearnedCodec
from codecs_eval.codecs.learned.saving import load_model
from pathlib import Path
_, model, stream, threads, onednn = sys.argv
torch.set_num_threads(int(threads))
torch.backends.mkldnn.enabled = onednn == "on"
codec = LearnedCodec("learned-00000000", "Learned", load_model(Path(model)))
pixels = codec.decode(Path(stream).read_bytes())
np.save(stream + ".npy", pixels)
"""


@pytest.mark.parametrize(("threads", "onednn"), [(1, "off"), (2, "on"), (2, "off")])
def test_another_process_with_other_kernels_and_threads_decodes_the_same_symbols(
    codec: LearnedCodec, fitted_file: Path, tmp_path: Path, threads: int, onednn: str
) -> None:
    photo = data.astronaut()[:200, :300]
    stream = tmp_path / "photo.tril"
    stream.write_bytes(codec.encode(photo, {"level": 4.0}))
    # The decoder compares the checksum of its symbols with the encoder's: it would raise.
    subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, fitted_file, stream, str(threads), onednn], check=True
    )
    elsewhere: NDArray[np.uint8] = np.load(f"{stream}.npy")
    here = codec.decode(stream.read_bytes())
    # Synthesis is float: a last bit may turn a rounding.
    assert np.abs(elsewhere.astype(int) - here).max() <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_graphics_card_decodes_the_symbols_of_a_processor(
    codec: LearnedCodec, fitted_file: Path
) -> None:
    saved = load_model(fitted_file)
    saved.model.to("cuda")
    there = LearnedCodec("learned-00000000", "Learned", saved)
    photo = data.astronaut()[:200, :300]
    stream = codec.encode(photo, {"level": 4.0})
    assert np.abs(there.decode(stream).astype(int) - codec.decode(stream)).max() <= 1
    back = there.encode(photo, {"level": 4.0, "guided": 0})
    assert np.abs(there.decode(back).astype(int) - codec.decode(back)).max() <= 1


def test_integers_follow_the_float_networks_closely(fitted_file: Path) -> None:
    model = load_model(fitted_file).model
    generator = torch.Generator().manual_seed(1)
    z = torch.round(2 * torch.randn(1, model.shape.hyper_channels, 4, 5, generator=generator))
    conditions = torch.full((1, 2, 4, 5), 0.5)
    with torch.no_grad():
        floats = model.hyper_decoder(z, conditions, FLOATS)
        exact = model.hyper_decoder(to_fixed(z), to_fixed(conditions), Exact())
    assert (exact == torch.round(exact)).all()
    assert torch.allclose(exact / ACTIVATION_ONE, floats.double(), atol=0.02)


def test_a_sum_is_the_same_in_any_order() -> None:
    generator = torch.Generator().manual_seed(2)
    layer = nn.Conv2d(400, 1, 1, bias=False)
    x = torch.round(torch.randn(1, 400, 1, 50, generator=generator).double() * 2**18)
    order = torch.randperm(400, generator=generator)
    turned = nn.Conv2d(400, 1, 1, bias=False)
    turned.load_state_dict({"weight": layer.weight.detach()[:, order]})
    assert torch.equal(Exact().linear(layer, x), Exact().linear(turned, x[:, order]))


def test_weights_that_could_not_be_summed_exactly_are_refused() -> None:
    layer = nn.Conv2d(1, 1, 1)
    nn.init.constant_(layer.weight, 2.0**21)
    with pytest.raises(ValueError, match="too large to be summed exactly"):
        Exact().linear(layer, torch.zeros(1, 1, 1, 1, dtype=torch.float64))


def test_magnitudes_are_the_training_s_on_whole_steps() -> None:
    values = torch.arange(-300, 301, dtype=torch.float64).reshape(1, 1, 1, -1)
    fixed = Exact().magnitude(values * ACTIVATION_ONE) / ACTIVATION_ONE
    assert (magnitude(values) - fixed).abs().max() < 1 / ACTIVATION_ONE
    assert magnitude(torch.tensor([0.0, 1.0, 3.0, -7.0])).tolist() == [0, 1, 2, 3]


def test_the_weights_of_a_file_make_the_same_checksum_again(fitted_file: Path) -> None:
    first, second = load_model(fitted_file), load_model(fitted_file)
    assert first.sha256 == second.sha256
    assert zlib.crc32(first.tables.tobytes()) == zlib.crc32(second.tables.tobytes())
    assert isinstance(first.model, LearnedModel)
