"""The learned codec's cost, and its two-pass context against a position-by-position one.

python -m benchmarks.learned_codec --codec var/runs/ID/codec.safetensors

CPU time of one thread, medians. The auto-regressive peer has the same networks and weights: it
computes the probabilities of one position after the other, in raster order.
"""

# make bench: --photos 2

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from skimage import data

from codecs_eval.codecs.learned.codec import LearnedCodec
from codecs_eval.codecs.learned.entropy_nets import around, seen
from codecs_eval.codecs.learned.exact import Exact
from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.saving import SavedModel, load_model, model_file
from codecs_eval.codecs.learned.shape import CPU_SHAPE
from codecs_eval.codecs.learned.tile_coding import exchange_latent, fixed_conditions

SIZE_PX = (512, 768)


def cpu_ms(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return 1000 * (time.process_time() - before)


def photos(count: int) -> list[np.ndarray]:
    found = [data.coffee(), data.astronaut(), data.chelsea(), data.rocket()]
    wide = [np.pad(p, ((0, 512), (0, 768), (0, 0)), mode="symmetric") for p in found[:count]]
    return [np.ascontiguousarray(p[: SIZE_PX[0], : SIZE_PX[1]]) for p in wide]


def one_by_one(model: LearnedModel, exact: Exact, z: torch.Tensor) -> None:
    """The same networks as an auto-regressive context runs them: every position in raster order
    waits for those before it. What it decodes is all zeros: the arithmetic is the cost."""
    shape = model.shape
    rows, columns = z.shape[2], z.shape[3]
    conditions = fixed_conditions(model, 160, np.zeros((rows, columns), np.int32))
    features = model.hyper_decoder(z, conditions.cells, exact)
    height, width = features.shape[2:]
    start = 0
    decoded = torch.zeros(1, shape.channels, height, width, dtype=torch.float64)
    for parameters in model.groups:
        own = decoded[:, start : start + parameters.channels]
        before = seen(decoded[:, :start], exact) if start else None
        for row in range(height):
            for column in range(width):
                here = (slice(None), slice(None), slice(row, row + 1), slice(column, column + 1))
                near = own[:, :, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
                neighbours = around(seen(near, exact))[:, :, :1, :1]
                mean, _ = parameters(
                    features[here],
                    conditions.positions[here],
                    None if before is None else before[here],
                    neighbours,
                    exact,
                )
                own[here] = torch.round(mean) * 0
        start += parameters.channels


def two_passes(model: LearnedModel, exact: Exact, z: torch.Tensor) -> None:
    conditions = fixed_conditions(model, 160, np.zeros((z.shape[2], z.shape[3]), np.int32))
    exchange_latent(model, exact, z, conditions, lambda _, places, mean, index: mean * 0)


def saved_model(path: Path | None) -> SavedModel:
    if path is not None:
        return load_model(path)
    with TemporaryDirectory() as folder:
        untrained = Path(folder) / "untrained.safetensors"
        untrained.write_bytes(model_file(LearnedModel(CPU_SHAPE), is_guided=False, facts={}))
        return load_model(untrained)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", type=Path, help="codec.safetensors of a training")
    parser.add_argument("--photos", type=int, default=2)
    parser.add_argument("--level", type=float, default=2.5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    codec = LearnedCodec("learned", "learned", saved_model(arguments.codec))
    encode, decode, rates = [], [], []
    for photo in photos(arguments.photos) * 3:
        files: list[bytes] = []
        settings = {"level": arguments.level}
        encode.append(
            cpu_ms(lambda p=photo, f=files, s=settings: f.append(codec.encode(p, s)))  # type: ignore[misc]
        )
        decode.append(cpu_ms(lambda f=files: codec.decode(f[0])))  # type: ignore[misc]
        rates.append(8 * len(files[0]) / (photo.shape[0] * photo.shape[1]))
    state = "" if arguments.codec else " (UNTRAINED weights: the cost of networks alone)"
    print(f"768x512, one thread, median of {len(encode)}, at {np.mean(rates):.2f} bpp{state}")
    print(
        f"encode {median(encode):.0f} + decode {median(decode):.0f} = "
        f"{median(encode) + median(decode):.0f} CPU-ms (wanted: under 300)"
    )
    z = torch.zeros(1, codec.model.shape.hyper_channels, SIZE_PX[0] // 32, SIZE_PX[1] // 32)
    z = z.double()
    exact = Exact()
    with torch.inference_mode():
        two_passes(codec.model, exact, z)
        passes = median(cpu_ms(lambda: two_passes(codec.model, exact, z)) for _ in range(5))
        serial = cpu_ms(lambda: one_by_one(codec.model, exact, z))
    print(
        f"probabilities of one photo: position by position {serial:.0f} CPU-ms, in passes "
        f"{passes:.0f} CPU-ms: {serial / passes:.0f}x (wanted: 10x)"
    )


if __name__ == "__main__":
    main()
