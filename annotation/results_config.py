"""What is to be computed of a study: validates the form, feeds the run."""

from dataclasses import dataclass, field

from codecs_eval.measuring_trained import COMBINED, is_trained
from codecs_eval.metrics.table import METRICS

# Without a download: classical ones, and LPIPS whose weights come from the package index.
USUAL = ("psnr", "psnr-y", "ssim", "ms-ssim", "lpips-alex", "lpips-vgg")


@dataclass(frozen=True)
class StudyResultsConfig:
    """What is computed of a study's judgments."""

    study: str = field(metadata={"help": "The study's short name (slug)."})
    metrics: tuple[str, ...] = field(
        default=USUAL,
        metadata={"help": "Compared with people: names from the table, run:ID; may be none."},
    )
    anchor: str = field(
        default="",
        metadata={
            "label": "Against",
            "help": "The codec that all are compared with; empty: the study's own.",
            "may_be_empty": True,
        },
    )
    resamples: int = field(
        default=1000,
        metadata={"help": "Draws of observers for each interval.", "low": 100, "high": 100_000},
    )
    seed: int = field(default=1, metadata={"help": "Of the draws.", "low": 0})

    def __post_init__(self) -> None:
        if not self.study:
            raise ValueError("Found no study; expected its short name.")
        unknown = [n for n in self.metrics if n not in METRICS and not is_trained(n)]
        if unknown:
            raise ValueError(
                f"Found metrics {unknown}; expected some of {', '.join(METRICS)}, "
                f"or run:ID or run:ID{COMBINED} of a finished training."
            )
        if not 100 <= self.resamples <= 100_000:
            raise ValueError(f"Found {self.resamples} resamples; expected 100..100000.")
        if self.seed < 0:
            raise ValueError(f"Found seed {self.seed}; expected 0 or more.")
