"""The recipes of a model card, run as they stand on the file that was written."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.lpips_state import lpips_state, write_lpips_pth
from codecs_eval.training.card_usage import piq_recipe
from codecs_eval.training.self_test import check_lpips
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture
from tests.codecs_eval.metrics.pretrained import as_input
from tests.codecs_eval.metrics.test_onnx_export import make_metric


def facts(backbone: str, *, is_trunk_trained: bool) -> dict[str, Any]:
    return {"backbone": backbone, "trunk": {"is_trained": is_trunk_trained}}


def code_of(recipe: str, path: Path) -> str:
    [code] = re.findall(r"```python\n(.*?)```", recipe, flags=re.DOTALL)
    return str(code).replace('"lpips.pth"', repr(str(path)))


def test_piq_finds_our_distance_by_the_cards_own_recipe(tmp_path: Path) -> None:
    trunk, heads = make_metric("vgg")
    path = tmp_path / "lpips.pth"
    write_lpips_pth(path, trunk, heads, with_trunk=True)
    picture = make_picture(64, 48)
    images = [make_damaged(picture, strength) for strength in (10, 40)]
    names: dict[str, Any] = {
        "reference": torch.cat([as_input(picture)] * 2),
        "distorted": torch.cat([as_input(image) for image in images]),
    }
    exec(code_of(piq_recipe(facts("vgg", is_trunk_trained=True)), path), names)
    expected = LpipsMetric("trained", trunk, heads).scores(picture, images)
    assert names["distance"].flatten().tolist() == pytest.approx(expected, rel=1e-5)


def test_the_recipe_for_heads_alone_takes_torchvisions_trunk(tmp_path: Path) -> None:
    trained = code_of(piq_recipe(facts("vgg", is_trunk_trained=True)), tmp_path)
    frozen = code_of(piq_recipe(facts("vgg", is_trunk_trained=False)), tmp_path)
    lines = set(frozen.splitlines()) - set(trained.splitlines())
    assert lines == {
        'features = torchvision.models.vgg16(weights="IMAGENET1K_V1").features',
    }
    assert "cannot compute with these heads" in piq_recipe(facts("alex", is_trunk_trained=False))


@pytest.mark.parametrize("is_trunk_inside", [True, False])
def test_a_file_that_lpips_would_misread_is_refused(is_trunk_inside: bool, tmp_path: Path) -> None:
    trunk, heads = make_metric("alex")
    metric = LpipsMetric("trained", trunk, heads)
    state = lpips_state(trunk, heads, with_trunk=is_trunk_inside)
    path = tmp_path / "lpips.pth"
    torch.save(state, path)
    check_lpips(path, metric, is_trunk_inside=is_trunk_inside)
    for wrong in ("lin2.model.1.weight", *(["net.slice1.0.bias"] if is_trunk_inside else [])):
        torch.save({key.replace(wrong, "x." + key): state[key] for key in state}, path)
        with pytest.raises(RuntimeError, match=r"lpips loads lpips\.pth and finds a distance of"):
            check_lpips(path, metric, is_trunk_inside=is_trunk_inside)
