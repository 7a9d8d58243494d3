"""The ONNX file gives torch's distances for any number and size of images, or is refused."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from codecs_eval.metrics.lpips import Lpips
from codecs_eval.metrics.onnx_export import LpipsGraph, check_onnx, write_onnx
from codecs_eval.metrics.trunk import BACKBONES, Trunk, random_state


def make_metric(name: str, seed: int = 0) -> tuple[Trunk, list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    trunk = Trunk(name, random_state(name, generator))
    return trunk, [torch.rand(width, generator=generator) for width in BACKBONES[name].channels]


@pytest.mark.parametrize(
    "name",
    ["alex", *(pytest.param(name, marks=pytest.mark.slow) for name in ("squeeze", "vgg"))],
)
def test_the_file_gives_our_distances_at_any_size_and_no_others(name: str, tmp_path: Path) -> None:
    trunk, heads = make_metric(name)
    path = tmp_path / "model.onnx"
    assert write_onnx(path, trunk, heads, {"backbone": name}) <= 1e-5
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["backbone"] == name
    ours = Lpips(trunk, heads, input_range=(-1.0, 1.0))
    generator = torch.Generator().manual_seed(5)
    for n, height, width in ((1, 64, 64), (2, 200, 333), (5, 33, 71)):
        reference = torch.rand(n, 3, height, width, generator=generator) * 2 - 1
        noise = torch.rand(reference.shape, generator=generator) - 0.5
        distorted = (reference + 0.3 * noise).clamp(-1, 1)
        fed = {"reference": reference.numpy(), "distorted": distorted.numpy()}
        [found] = session.run(["distance"], fed)
        np.testing.assert_allclose(found, ours(reference, distorted).numpy(), rtol=1e-5)
    heads[2] = heads[2] * 1.01
    with pytest.raises(RuntimeError, match=r"differ from torch's by .* expected at most 1e-05"):
        check_onnx(path, LpipsGraph(trunk, heads))
