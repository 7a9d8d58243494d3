"""Scoring with LPIPS: our module against the lpips package called pair by pair, exact fp32.

python -m benchmarks.scoring --repetitions 5

Both have the same trunk (random weights: speed does not depend on them) and the v0.1 heads, run
without gradients and get the same tensors. A ratio is the median over pairs of runs in one
process, the order of each pair turned around. Peak memory is what a process of its own, which
does the work once, needs beyond the model and the images.
"""

# make bench: --repetitions 5

import argparse
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lpips
import torch
from torch import Tensor

from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import Lpips
from codecs_eval.metrics.trunk import Trunk, random_state

BACKBONES = ("alex", "squeeze", "vgg")
PEER, OURS = "lpips", "ours"


@dataclass(frozen=True)
class Case:
    label: str
    n: int
    height: int
    width: int
    wanted: dict[str, float]


CASES = {
    "many": Case(
        "1 source, 10 reconstructions, 256x256", 10, 256, 256, {"alex": 2, "squeeze": 2.5, "vgg": 2}
    ),
    "pair": Case("1 pair, 768x512", 1, 512, 768, {"alex": 1.25, "squeeze": 1.7, "vgg": 1.2}),
}


@dataclass(frozen=True)
class Work:
    """The same distances (n,), computed in two ways."""

    peer: Callable[[], Tensor]
    ours: Callable[[], Tensor]


def work(backbone: str, case: Case) -> Work:
    state = random_state(backbone, torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        # The package still uses torchvision's old names.
        warnings.simplefilter("ignore", UserWarning)
        official = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    official.net.load_state_dict(
        {key: state[key.split(".", 1)[1]] for key in official.net.state_dict()}
    )
    module = Lpips(Trunk(backbone, state), official_heads(backbone), input_range=(-1.0, 1.0))
    images = torch.rand(1 + case.n, 3, case.height, case.width) * 2 - 1
    reference, distorted = images[:1], images[1:]

    def peer() -> Tensor:
        pairs = (official(reference, distorted[i : i + 1]) for i in range(case.n))
        return torch.cat([value.reshape(1) for value in pairs])

    def ours() -> Tensor:
        found: Tensor = module(module.reference(reference), distorted)
        return found

    return Work(peer, ours)


def seconds(run: Callable[[], Tensor]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def measure(backbone: str, case: Case, repetitions: int) -> str:
    both = work(backbone, case)
    # The first call of each also chooses kernels; its values are compared.
    expected, found = both.peer(), both.ours()
    error = float(((found - expected) / expected).abs().max())
    peers, own = [], []
    for repetition in range(repetitions):
        if repetition % 2:
            own.append(seconds(both.ours))
            peers.append(seconds(both.peer))
        else:
            peers.append(seconds(both.peer))
            own.append(seconds(both.ours))
    ratio = statistics.median(peer / ours for peer, ours in zip(peers, own, strict=True))
    return (
        f"{backbone:<8}{1000 * statistics.median(peers):10.0f}{1000 * statistics.median(own):10.0f}"
        f"{ratio:9.2f}x{case.wanted[backbone]:8.2f}x{error:12.1e}"
    )


def peak_mb(backbone: str, name: str, side: str, threads: int) -> float:
    """Measured in a process of its own: the most that a process ever held is never given back."""
    command = [sys.executable, "-m", "benchmarks.scoring", "--threads", str(threads)]
    done = subprocess.run(
        [*command, "--memory", backbone, name, side], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def print_memory(backbone: str, name: str, side: str) -> None:
    both = work(backbone, CASES[name])
    # The kernel forgets the peak that making the model left behind.
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_kb("VmRSS")
    (both.peer if side == PEER else both.ours)()
    print((resident_kb("VmHWM") - before) / 1024)


def resident_kb(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, help="pairs of runs a line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    if options.memory:
        print_memory(*options.memory)
        return
    for name, case in CASES.items():
        print(f"{case.label}; {options.threads} threads, median of {options.repetitions} pairs")
        print(
            f"{'':<8}{'lpips ms':>10}{'ours ms':>10}{'ratio':>10}{'wanted':>9}{'difference':>12}"
            f"{'lpips MB':>10}{'ours MB':>10}"
        )
        for backbone in options.backbones:
            line = measure(backbone, case, options.repetitions)
            peaks = [peak_mb(backbone, name, side, options.threads) for side in (PEER, OURS)]
            print(line + "".join(f"{peak:10.0f}" for peak in peaks), flush=True)


if __name__ == "__main__":
    main()
