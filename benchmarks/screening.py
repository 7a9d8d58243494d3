"""How well the screening tells careless observers from good ones: AUC by behaviour and setting.

python -m benchmarks.screening --studies 10
"""

import argparse
import time

import numpy as np

from annotation.design.screening import EXCLUDED_FROM, screen
from tests.annotation.observers import KINDS, auc, made

SETTINGS: dict[str, dict[str, object]] = {
    "checks": {},
    "no checks": {"sentinels": 0.0, "repeats": 0.0},
    "hard": {"spread": 0.9},
    "hard, no checks": {"spread": 0.9, "sentinels": 0.0, "repeats": 0.0},
    "no times": {"has_times": False},
    "3 votes": {"votes": 3},
    "half careless": {"careless_share": 0.5},
    "5 % careless": {"careless_share": 0.05},
    "12 sessions": {"n_sessions": 12, "votes": 6},
}


def row(kinds: tuple[str, ...], setting: dict[str, object], n_studies: int) -> tuple[float, float]:
    """AUC over all sessions of the studies, and the share of good ones that were excluded."""
    log_odds, is_careless, suspicion = [], [], []
    for seed in range(n_studies):
        study = made(100 + seed, kinds=kinds, **setting)
        for result, careless in zip(screen(study.answers), study.is_careless, strict=True):
            log_odds.append(result.log_odds)
            suspicion.append(result.suspicion)
            is_careless.append(careless)
    bad = np.array(is_careless)
    wrongly = float(np.mean(np.array(suspicion)[~bad] >= EXCLUDED_FROM))
    return auc(log_odds, bad), wrongly


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10, help="made up for each cell")
    options = parser.parse_args()
    print(
        f"AUC at 40 trials, 40 sessions, 8 votes a triplet, a quarter careless; "
        f"{options.studies} studies a cell; the last line is of all kinds together, and how many "
        "good sessions in a hundred were excluded."
    )
    print(f"{'':<16}" + "".join(f"{name:>17}" for name in SETTINGS))
    for kinds in [*((kind,) for kind in KINDS), KINDS]:
        cells = [row(kinds, setting, options.studies) for setting in SETTINGS.values()]
        name = kinds[0] if len(kinds) == 1 else "all"
        print(f"{name:<16}" + "".join(f"{found:17.3f}" for found, _ in cells), flush=True)
    print(f"{'wrongly, %':<16}" + "".join(f"{100 * wrongly:17.1f}" for _, wrongly in cells))
    began = time.process_time()
    screen(made(1, n_sessions=500, n_trials=60, votes=6).answers)
    print(f"500 sessions of 60 trials: {time.process_time() - began:.1f} s of CPU time")


if __name__ == "__main__":
    main()
