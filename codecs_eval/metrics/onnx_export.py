"""A metric as one ONNX file: two batches of images in, distances out, any size and number."""

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from codecs_eval.metrics.heads import check_heads
from codecs_eval.metrics.pooling import unit
from codecs_eval.metrics.trunk import Trunk

OPSET = 20
INPUTS = ("reference", "distorted")
OUTPUT = "distance"
# n, height, width of the pairs on which each written file is compared with torch.
CHECKED_SHAPES = ((1, 64, 64), (3, 97, 64), (1, 200, 333))
MOST_RELATIVE_ERROR = 1e-5


class LpipsGraph(nn.Module):
    """LPIPS as a plain graph: (n, 3, height, width) twice, RGB in -1..1 -> distances (n,)."""

    def __init__(self, trunk: Trunk, heads: Sequence[Tensor]) -> None:
        super().__init__()
        check_heads(heads, trunk.backbone.name)
        # A copy on the CPU: the caller's own may be at work elsewhere.
        self.trunk = copy.deepcopy(trunk).cpu()
        self.heads = nn.ParameterList(
            nn.Parameter(head.detach().cpu().reshape(-1), requires_grad=False) for head in heads
        )
        self.eval()

    def forward(self, reference: Tensor, distorted: Tensor) -> Tensor:
        # One pass of both: half the graph, and half the time to write it.
        n = reference.shape[0]
        taps = self.trunk.taps(torch.cat([reference, distorted]))
        parts = [
            (unit(tap[:n]) - unit(tap[n:])).square().mean(dim=(2, 3)) @ head
            for tap, head in zip(taps, self.heads, strict=True)
        ]
        return torch.stack(parts).sum(dim=0)


def write_onnx(
    path: Path, trunk: Trunk, heads: Sequence[Tensor], metadata: Mapping[str, str]
) -> float:
    """Write the metric to `path` and return the largest relative error of the file that was found.

    Inputs `reference` and `distorted`, float32 (n, 3, height, width) in -1..1, all three sizes
    dynamic; output `distance` (n,). Raises RuntimeError where the file's distances are further
    than 1e-5 (relative) from torch's.
    """
    graph = LpipsGraph(trunk, heads)
    sizes = {0: "n", 2: "height", 3: "width"}
    with torch.no_grad(), _quietly():
        program = torch.onnx.export(
            graph,
            _pair(2, 96, 80, seed=0),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=dict.fromkeys(INPUTS, sizes),
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update(metadata)
    program.save(str(path), external_data=False)
    return check_onnx(path, graph)


def check_onnx(path: Path, graph: LpipsGraph) -> float:
    """The largest relative error of the file's distances, as ONNX Runtime computes them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for seed, shape in enumerate(CHECKED_SHAPES, start=1):
        images = _pair(*shape, seed=seed)
        fed = {name: image.numpy() for name, image in zip(INPUTS, images, strict=True)}
        found = torch.from_numpy(session.run([OUTPUT], fed)[0]).double()
        with torch.no_grad():
            expected = graph(*images).double()
        worst = max(worst, float(((found - expected).abs() / expected.abs()).max()))
    if not worst <= MOST_RELATIVE_ERROR:
        raise RuntimeError(
            f"{path.name} gives distances that differ from torch's by {worst:.1e} (relative); "
            f"expected at most {MOST_RELATIVE_ERROR:.0e}: export with the pinned versions of "
            f"torch, onnx and onnxscript"
        )
    return worst


def _pair(n: int, height: int, width: int, seed: int) -> tuple[Tensor, Tensor]:
    """A smooth picture with noise in two strengths: both near what a metric is asked about."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 5, 5, generator=generator) * 1.6 - 0.8
    picture = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    reference = picture + 0.1 * torch.rand(picture.shape, generator=generator)
    distorted = reference + 0.2 * (torch.rand(picture.shape, generator=generator) - 0.5)
    return reference.clamp(-1.0, 1.0), distorted.clamp(-1.0, 1.0)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's own notes on its progress; errors come through."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
