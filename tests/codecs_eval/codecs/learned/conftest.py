"""A codec that was not trained, but fitted to photographs: it codes as a cosine transform does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data

from codecs_eval.codecs.learned.codec import LearnedCodec
from codecs_eval.codecs.learned.saving import load_model, model_file
from codecs_eval.training.codec.config import TrainCodecConfig
from codecs_eval.training.codec.fitting import CodecFit
from codecs_eval.training.codec.photos import Photos


def sides(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Saliency that rises from the left to the right."""
    row = np.linspace(0, 1, image.shape[1], dtype=np.float32)
    return np.tile(row, (image.shape[0], 1))


@pytest.fixture(scope="session")
def fitted_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    photos = [data.astronaut(), data.coffee()]
    config = TrainCodecConfig(collection="photos", crop_px=64, steps=1)
    fit = CodecFit(config, Photos(["a", "b"], lambda index: photos[index]), torch.device("cpu"))
    with torch.no_grad():
        # Networks that begin at nothing would prove nothing of exactness; weights as a training
        # leaves them do.
        generator = torch.Generator().manual_seed(5)
        for parameters in fit.mean.groups:
            for layer in (parameters.outward, parameters.straight):
                noise = torch.randn(layer.weight.shape, generator=generator)
                layer.weight += 0.01 * noise
        for block in (*fit.mean.analysis.blocks, *fit.mean.synthesis.blocks):
            block.outward.weight += 0.005 * torch.randn(
                block.outward.weight.shape, generator=generator
            )
        last = fit.mean.synthesis.last.weight
        last += 0.003 * torch.randn(last.shape, generator=generator)
        fit.mean.log_tilt += 0.5
        fit.mean.log_hyper_tilt += 0.2
    path = tmp_path_factory.mktemp("learned") / "codec.safetensors"
    path.write_bytes(model_file(fit.mean, is_guided=True, facts={}))
    return path


@pytest.fixture(scope="session")
def codec(fitted_file: Path) -> LearnedCodec:
    return LearnedCodec("learned-00000000", "Learned", load_model(fitted_file), sides)
