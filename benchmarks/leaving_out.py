"""Leave-one-codec-out of linear heads on cached features: fits, seconds, against the goal of 30 s.

python -m benchmarks.leaving_out --triplets 2000 --codecs 10
"""
# make bench: --triplets 2000 --codecs 10

import argparse
import tempfile
import time
from pathlib import Path

import torch

from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.metrics.trunk import BACKBONES
from codecs_eval.training.config import PRESETS, TrainMetricConfig
from codecs_eval.training.fitting import Prior
from codecs_eval.training.leaving_out import leave_out_heads
from tests.codecs_eval.training.codec_triplets import make_dataset, make_features
from tests.codecs_eval.training.datasets import Listener

GOAL_S = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triplets", type=int, default=2000)
    parser.add_argument("--codecs", type=int, default=10)
    parser.add_argument("--sources", type=int, default=40)
    parser.add_argument("--backbone", default="alex")
    options = parser.parse_args()
    widths = BACKBONES[options.backbone].channels
    prior = Prior(torch.full((sum(widths),), 1.0), widths)
    recipes: dict[str, TrainMetricConfig] = {
        "paper's recipe with noise, 10 epochs": TrainMetricConfig(head="logistic"),
        "small-data recipe, 40 epochs": PRESETS["small_data"],
    }
    with tempfile.TemporaryDirectory() as home:
        dataset = make_dataset(
            Path(home), options.sources, options.codecs, n_triplets=options.triplets
        )
        features = make_features(dataset, sum(widths))
        print(
            f"{options.codecs} codecs, {options.triplets} triplets, {options.sources} sources; "
            f"made-up features of {sum(widths)} channels ({options.backbone}); "
            f"{torch.get_num_threads()} thread(s); goal {GOAL_S:.0f} s of CPU after caching"
        )
        for name, config in recipes.items():
            for part in ("test", "all"):
                wall, cpu = time.perf_counter(), time.process_time()
                found = leave_out_heads(
                    dataset, features, prior, config, ("codec",), part, Bootstrap(), Listener(), ""
                )
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                n_fits = found.n_folds * (1 + len(found.rows))
                print(
                    f"{name:<40} {part:>4} sources, {n_fits:3d} fits: {wall:6.1f} s, "
                    f"{cpu:6.1f} s of CPU",
                    flush=True,
                )


if __name__ == "__main__":
    main()
