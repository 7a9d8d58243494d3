"""The table of metrics."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codecs_eval.metrics.table import METRICS, load_metric
from codecs_eval.weights import WEIGHTS
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture


def test_the_table_and_the_weights_import_no_torch() -> None:
    code = (
        "import sys, codecs_eval.metrics.table, codecs_eval.weights;"
        "sys.exit(','.join({'torch', 'lpips', 'torchvision', 'django'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_metric_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match=r"'sharpness'; expected one of psnr, psnr-y, ssim"):
        load_metric("sharpness", lambda name: Path(name))


def test_every_needed_weight_is_in_the_table_of_weights() -> None:
    for entry in METRICS.values():
        assert set(entry.needs_weights) <= set(WEIGHTS)


@pytest.mark.parametrize("name", list(METRICS))
def test_each_metric_keeps_what_its_entry_says(
    name: str, weight_file: Callable[[str], Path]
) -> None:
    entry = METRICS[name]
    metric = load_metric(name, weight_file)
    assert (metric.name, metric.higher_is_better) == (name, entry.higher_is_better)
    picture = make_picture(161, 161)
    same, slight, strong = metric.scores(
        picture, [picture, make_damaged(picture, 6), make_damaged(picture, 50)]
    )
    order = [same, slight, strong] if entry.higher_is_better else [strong, slight, same]
    assert order == sorted(order, reverse=True)
    assert entry.low <= min(order) <= max(order) <= entry.high
