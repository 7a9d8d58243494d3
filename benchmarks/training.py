"""Training a metric: our fits against the training step of the lpips package (lpips.Trainer).

python -m benchmarks.training --pairs 5

The peer is lpips 0.1.4's own Trainer: dropout on maps, gradients down to the images, Dist2Logit,
Adam, clamp. Both sides get 64x64 images in batches of 50 and a random trunk (speed does not depend
on the weights). Only some of the peer's steps are made; an epoch of 1,500 triplets is 30 of them,
so its time is the step's times 30, and 300 for ten epochs. What the peer spends on reading images
is not counted; ours counts, where it builds its cache. A ratio is the median over pairs of
measurements in one process, the order of each pair turned around. Peak memory is what a process of
its own needs for the work beyond the libraries, models and images that it holds before (Linux).
"""

# make bench: --pairs 5

import argparse
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lpips.trainer import Trainer
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.agreement.pixels import encode_png
from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.trunk import Trunk, random_state
from codecs_eval.training.capacity import has_bf16
from codecs_eval.training.config import PRESETS, TrainMetricConfig
from codecs_eval.training.crops import Crops
from codecs_eval.training.features import pair_features
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from codecs_eval.training.metric import triplet_table, votes_of
from codecs_eval.training.phases import Watch
from codecs_eval.training.plan import Phase
from codecs_eval.training.processes import ALONE
from codecs_eval.training.tuning import Judged, TuneFit
from tests.codecs_eval.training.datasets import write_planted

N_TRIPLETS, SIZE_PX, BATCH = 1_500, 64, 50
STEPS = N_TRIPLETS // BATCH
GROWTH = (1_000, 10_000, 100_000)
LIN = PRESETS["reference"]
# Without its instructions torch emulates bf16, many times slower than fp32.
HAS_BF16 = has_bf16(torch.device("cpu"), torch.cpu.get_capabilities())
TUNES = (("fp32", False, 1.5), ("bf16", True, 2.0))

Work = Callable[[], object]


class Silent:
    """A reporter that nobody listens to."""

    def progress(self, done: float, total: float, note: str = "") -> None: ...

    def log(self, line: str) -> None: ...

    def metric(self, step: int, name: str, value: float) -> None: ...

    def should_stop(self) -> bool:
        return False


WATCH = Watch(Silent(), keep=lambda: None, tell=lambda share: None)


def peer_step(backbone: str, *, tunes: bool) -> Work:
    """One optimisation step of lpips.Trainer on a batch that is in memory already."""
    torch.manual_seed(1)
    trainer = Trainer()
    trainer.initialize(net=backbone, is_train=True, use_gpu=False, pnet_rand=True, pnet_tune=tunes)
    images = {name: torch.rand(BATCH, 3, SIZE_PX, SIZE_PX) * 2 - 1 for name in ("ref", "p0", "p1")}
    judge = torch.randint(0, 3, (BATCH, 1, 1, 1)) / 2

    def step() -> None:
        trainer.set_input({**images, "judge": judge})
        trainer.optimize_parameters()

    return step


def prior_of(backbone: str) -> Prior:
    heads = official_heads(backbone)
    return Prior(torch.cat(heads), tuple(len(head) for head in heads))


def random_votes(n_vectors: int, n_channels: int) -> Votes:
    """Two vectors a triplet, none of them shared, and two votes."""
    generator = torch.Generator().manual_seed(2)
    features = torch.rand(n_vectors, 2, n_channels, generator=generator).mul_(1e-3)
    rows = torch.arange(n_vectors)
    n = torch.full((n_vectors // 2,), 2.0)
    share = torch.randint(0, 3, (n_vectors // 2,), generator=generator) / 2
    return Votes(features, rows[::2], rows[1::2], share, n)


def cached_epoch(backbone: str, n_vectors: int = 2 * N_TRIPLETS) -> Work:
    """One epoch of the paper's recipe on vectors that the cache holds."""
    prior = prior_of(backbone)
    fit = HeadsFit(LIN, random_votes(n_vectors, len(prior.heads)), prior, seed=1)
    return lambda: fit.run_epoch(1, Silent())


def make_dataset(folder: Path) -> FrozenDataset:
    """1,500 triplets of 1,500 sources: no vector is shared, the dearest case."""
    rng = np.random.default_rng(3)
    images: dict[str, bytes] = {}
    triplets, judgments = [], []
    for number in range(N_TRIPLETS):
        shas = []
        source = rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3))
        for strength in (0, 12, 25):
            noisy = source + rng.normal(0, strength, source.shape)
            data = encode_png(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
            shas.append(_keep(images, data))
        triplets.append(_triplet(number, *shas))
        judgments += [_judgment(number, vote, rng) for vote in range(2)]
    tables = pd.DataFrame(triplets), pd.DataFrame(judgments)
    return write_planted(folder, "noise", *tables, images, seed=1)


def _keep(images: dict[str, bytes], data: bytes) -> str:
    sha = hashlib.sha256(data).hexdigest()
    images[sha] = data
    return sha


def _triplet(number: int, source: str, first: str, second: str) -> dict[str, object]:
    row: dict[str, object] = {
        "triplet_id": f"t{number}",
        "source": f"s{number}",
        "source_sha256": source,
        "source_image": source,
        "first_image": first,
        "second_image": second,
        "kind": "main",
    }
    for side in ("first", "second"):
        row |= {f"{side}_codec": "noise", f"{side}_settings": "{}"}
        row |= {f"{side}_bpp": None, f"{side}_target_bpp": None}
    return row


def _judgment(number: int, vote: int, rng: np.random.Generator) -> dict[str, object]:
    return {
        "judgment_id": f"t{number}-{vote}",
        "triplet_id": f"t{number}",
        "choice": "first" if rng.random() < 0.8 else "second",
        "observer": f"o{vote}",
        "response_ms": 1000.0,
        "is_simulated": True,
    }


def ten_epochs(backbone: str, dataset: FrozenDataset, folder: Path) -> Work:
    """PNG files -> cache on disk -> ten epochs; the cache is built anew each time."""
    trunk = Trunk(backbone, random_state(backbone, torch.Generator().manual_seed(1)))
    prior = prior_of(backbone)

    def work() -> Tensor:
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            features = pair_features(dataset, trunk, Path(cache), Silent(), 0.8)
            fit = HeadsFit(LIN, votes_of(triplet_table(dataset), features), prior, seed=1)
            for epoch in range(1, 11):
                fit.run_epoch(epoch, Silent())
        return fit.heads

    return work


def tune_step(backbone: str, dataset: FrozenDataset, *, is_bf16: bool) -> Work:
    """One step of mode tune: an epoch of one batch, its images decoded before."""
    config = TrainMetricConfig(
        backbone=backbone, mode="tune", head="reference", bf16=is_bf16, batch_size=BATCH
    )
    table = triplet_table(dataset).iloc[:BATCH]
    names = table[["source_image", "first_image", "second_image"]]
    n = torch.tensor(table["n"].to_numpy(), dtype=torch.float32)
    share = torch.tensor(table["k_second"].to_numpy(), dtype=torch.float32) / n
    judged = Judged(
        Crops(dataset),
        list(names.itertuples(index=False, name=None)),
        [(SIZE_PX, SIZE_PX)] * BATCH,
        share,
        n,
    )
    trunk = Trunk(backbone, random_state(backbone, torch.Generator().manual_seed(1)))
    phase = Phase(None, torch.arange(BATCH), torch.zeros(0, dtype=torch.long))
    fit = TuneFit(config, judged, prior_of(backbone), trunk, phase, 1, ALONE)
    return lambda: fit.run_epoch(1, WATCH)


def seconds(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(label: str, peer: Work, ours: Work, *, steps: int, pairs: int, wanted: float) -> None:
    """A line: the peer's step times `steps` beside our work, and the ratio of the pairs."""
    peer()
    ours()
    peers, own = [], []
    for number in range(pairs):
        for side in ("peer", "ours") if number % 2 else ("ours", "peer"):
            if side == "peer":
                peers.append(steps * seconds(peer))
            else:
                own.append(seconds(ours))
    ratio = statistics.median(theirs / mine for theirs, mine in zip(peers, own, strict=True))
    print(
        f"{label:<44}{statistics.median(peers):10.2f}{statistics.median(own):10.3f}"
        f"{ratio:10.1f}x{wanted:9g}x{pairs:7}",
        flush=True,
    )


def works(name: str, backbone: str, folder: Path) -> Work:
    """The work whose memory is asked for, set up but not yet done."""
    if name == "peer lin":
        return peer_step(backbone, tunes=False)
    if name == "peer tune":
        return peer_step(backbone, tunes=True)
    if name.startswith("epoch"):
        return cached_epoch(backbone, int(name.split()[1]))
    dataset = make_dataset(folder / "dataset")
    if name == "ten epochs":
        return ten_epochs(backbone, dataset, folder)
    return tune_step(backbone, dataset, is_bf16=name == "tune bf16")


def resident_kb(field: str) -> int:
    """VmRSS (now) or VmHWM (the most since the last reset) of this process; Linux tells both."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def print_memory(name: str, backbone: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = works(name, backbone, Path(folder))
        Path("/proc/self/clear_refs").write_text("5")
        before = resident_kb("VmRSS")
        work()
        print((resident_kb("VmHWM") - before) / 1024)


def memory_mb(name: str, backbone: str, threads: int) -> float:
    """In a process of its own: the most that a process ever held is never given back."""
    command = [sys.executable, "-m", "benchmarks.training", "--threads", str(threads)]
    done = subprocess.run(
        [*command, "--memory", name, backbone], capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])


def print_growth(pairs: int, threads: int) -> None:
    print(f"\n{'vectors (alex, half as many triplets)':<44}{'epoch s':>10}{'us each':>10}{'MB':>8}")
    for n_vectors in GROWTH:
        work = cached_epoch("alex", n_vectors)
        work()
        found = statistics.median(seconds(work) for _ in range(pairs))
        peak = memory_mb(f"epoch {n_vectors}", "alex", threads)
        print(f"{n_vectors:<44}{found:10.3f}{1e6 * found / n_vectors:10.1f}{peak:8.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="measurements a line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory:
        print_memory(*options.memory)
        return
    print(f"{options.threads} threads, 64x64, batches of 50, medians of so many pairs of runs")
    print(f"{'':<44}{'lpips s':>10}{'ours s':>10}{'ratio':>11}{'wanted':>10}{'pairs':>7}")
    for backbone, wanted in (("alex", 100), ("vgg", 1_000)):
        compare(
            f"{backbone}, lin, an epoch of 1,500 (step x {STEPS})",
            peer_step(backbone, tunes=False),
            cached_epoch(backbone),
            steps=STEPS,
            pairs=options.pairs if backbone == "alex" else max(3, options.pairs // 2),
            wanted=wanted,
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = make_dataset(folder / "dataset")
        compare(
            f"alex, lin, 10 epochs with cache (step x {10 * STEPS})",
            peer_step("alex", tunes=False),
            ten_epochs("alex", dataset, folder),
            steps=10 * STEPS,
            pairs=options.pairs,
            wanted=25,
        )
        for label, is_bf16, goal in TUNES if HAS_BF16 else TUNES[:1]:
            compare(
                f"alex, tune, one step, {label}",
                peer_step("alex", tunes=True),
                tune_step("alex", dataset, is_bf16=is_bf16),
                steps=1,
                pairs=3 * options.pairs,
                wanted=goal,
            )
    if not HAS_BF16:
        print("alex, tune, one step, bf16: this CPU has no bf16 instructions; not measured")
    print(f"\n{'peak memory, MB':<44}{'lpips':>10}{'ours':>10}")
    for label, peer, ours, backbone in (
        ("alex, lin, an epoch", "peer lin", f"epoch {2 * N_TRIPLETS}", "alex"),
        ("vgg, lin, an epoch", "peer lin", f"epoch {2 * N_TRIPLETS}", "vgg"),
        ("alex, lin, 10 epochs with cache", "peer lin", "ten epochs", "alex"),
        ("alex, tune, one step, fp32", "peer tune", "tune fp32", "alex"),
        *([("alex, tune, one step, bf16", "peer tune", "tune bf16", "alex")] if HAS_BF16 else []),
    ):
        peaks = [memory_mb(name, backbone, options.threads) for name in (peer, ours)]
        print(f"{label:<44}{peaks[0]:10.0f}{peaks[1]:10.0f}", flush=True)
    print_growth(options.pairs, options.threads)


if __name__ == "__main__":
    main()
