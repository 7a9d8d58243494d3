"""Trunk and heads that learn together: values, gradients, sharing of passes."""

import numpy as np
import torch

from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.trunk import Trunk, random_state
from codecs_eval.training.judging import ReferenceHead
from codecs_eval.training.tuned_model import Batch, TunedModel, moments, smooth_unit
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture


def make_model(name: str = "squeeze", is_bf16: bool = False) -> TunedModel:
    trunk = Trunk(name, random_state(name, torch.Generator().manual_seed(3)))
    judge = ReferenceHead(torch.Generator().manual_seed(1))
    return TunedModel(trunk, torch.cat(official_heads(name)), judge, is_bf16=is_bf16)


PICTURE = make_picture(48, 40)
CHANGED = [make_damaged(PICTURE, strength) for strength in (5, 30, 60)]


def make_batch() -> Batch:
    return Batch(
        torch.from_numpy(PICTURE[None]),
        torch.from_numpy(np.stack(CHANGED)),
        torch.zeros(3, dtype=torch.long),
        torch.tensor([0, 1]),
        torch.tensor([2, 0]),
    )


def test_distances_are_those_of_the_metric() -> None:
    model = make_model()
    metric = LpipsMetric("squeeze", model.trunk, official_heads("squeeze"))
    mean, _ = model.pooled(make_batch(), with_variance=False)
    found = (mean @ model.heads).tolist()
    np.testing.assert_allclose(found, metric.scores(PICTURE, CHANGED), rtol=1e-4)


def test_the_reference_passes_once_for_all_its_reconstructions() -> None:
    model = make_model()
    passed: list[int] = []
    model.trunk.features[0].register_forward_hook(
        lambda _, inputs, __: passed.append(len(inputs[0]))
    )
    model(make_batch(), None)
    assert passed == [1, 3]


def test_gradients_are_finite_where_all_features_are_zero() -> None:
    features = torch.zeros(1, 4, 2, 2, requires_grad=True)
    (smooth_unit(features) - 1.0).square().sum().backward()
    assert features.grad is not None
    assert bool(torch.isfinite(features.grad).all())
    model = make_model()
    flat = torch.zeros(1, 48, 40, 3, dtype=torch.uint8)
    one = torch.zeros(1, dtype=torch.long)
    noise = torch.ones(2, 1, len(model.heads))
    model(Batch(flat, flat, one, one, one), noise).sum().backward()
    for parameter in model.parameters():
        assert parameter.grad is None or bool(torch.isfinite(parameter.grad).all())


def test_gradients_written_by_hand_are_those_of_small_steps() -> None:
    generator = torch.Generator().manual_seed(4)
    maps = [torch.rand(2, 3, 2, 4, generator=generator, dtype=torch.float64) for _ in range(2)]
    for features in maps:
        features.requires_grad_()
    assert torch.autograd.gradcheck(smooth_unit, maps[0])
    assert torch.autograd.gradcheck(moments, maps)


def test_noise_has_the_moments_of_dropping_half_of_the_maps() -> None:
    model = make_model()
    mean, variance = model.pooled(make_batch(), with_variance=True)
    assert variance is not None
    tap, changed = (
        next(model.trunk.taps((torch.from_numpy(i[None]).float() / 127.5 - 1).permute(0, 3, 1, 2)))
        for i in (PICTURE, CHANGED[0])
    )
    element = (smooth_unit(tap) - smooth_unit(changed)).square()[0].flatten(1)
    torch.testing.assert_close(mean[0, :64], element.mean(1))
    torch.testing.assert_close(variance[0, :64], element.square().sum(1) / element.shape[1] ** 2)


def test_sixteen_bits_in_the_trunk_leave_the_rest_in_32() -> None:
    plain, short = make_model(), make_model(is_bf16=True)
    expected, _ = plain.pooled(make_batch(), with_variance=False)
    found, _ = short.pooled(make_batch(), with_variance=False)
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    distances = (found @ short.heads, expected @ plain.heads)
    torch.testing.assert_close(*distances, rtol=0.1, atol=0.0)
    short(make_batch(), None).sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in short.parameters())
