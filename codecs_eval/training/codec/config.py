"""Settings of a learned codec's training: they make the form, feed the work, travel with it."""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from codecs_eval.codecs.learned.shape import CPU_SHAPE, GPU_SHAPE, CodecShape
from codecs_eval.training.settings import check_setting, choice, number, switch, text

SHAPES: dict[str, CodecShape] = {"cpu": CPU_SHAPE, "gpu": GPU_SHAPE}
METRIC_HELP = (
    "Joins the squared error in the loss: a trained metric as run:ID, or lpips-alex, lpips-vgg, "
    "lpips-squeeze; empty: squared error alone."
)


@dataclass(frozen=True)
class TrainCodecConfig:
    """Defaults: half an hour on one core. Loss per photo: lambda(level) x distortion + bits per
    pixel, distortion = squared error (0..255, weighted by saliency) + metric_weight x metric.
    """

    collection: str = text("", "Photos", "A collection of imported photos to learn from.")
    size: str = choice(
        "cpu",
        tuple(SHAPES),
        "Size",
        "cpu: 1 million weights, coded in a third of a second a photo on one core; gpu: of ELIC's "
        "size (He et al. 2022), for a graphics card.",
    )
    steps: int = number(8_000, 1, 10_000_000, "Steps", "Batches to learn from.")
    batch_size: int = number(
        8, 1, 1024, "Batch size", "Crops in a step, each at a rate of its own."
    )
    crop_px: int = number(128, 64, 1024, "Crop", "Pixels on a side of a crop; a multiple of 64.")
    learning_rate: float = number(
        5e-4, 1e-7, 1.0, "Learning rate", "Step size of Adam for analysis and synthesis."
    )
    entropy_learning_rate: float = number(
        1.5e-3, 1e-7, 1.0, "Learning rate of probabilities", "Step size for everything else."
    )
    start: str = text(
        "", "Begin at", "An earlier training (its run's ID) of the same size; empty: from scratch."
    )
    ladder_px: tuple[float, ...] = field(
        default=CPU_SHAPE.steps_px,
        metadata={
            "label": "Rate ladder",
            "help": "Quantiser step of each level in pixel values, coarse to fine; each halving "
            "costs 1.5 to 2 times the rate. One codec serves every rate between its ends.",
            "low": 0.5,
            "high": 1000.0,
        },
    )
    metric: str = text("", "Metric in the loss", METRIC_HELP)
    metric_weight: float = number(
        100.0,
        0.0,
        1e6,
        "Weight of the metric",
        "What a distance of 1 counts in squared error: 100 makes 0.1 as bad as an error of 10.",
    )
    metric_from: float = number(
        0.0,
        0.0,
        0.99,
        "Metric begins at",
        "Share of the steps with squared error alone; then its weight rises over a tenth of them.",
    )
    saliency: str = text(
        "",
        "Saliency",
        "What tells where people look: u2netp or spectral-residual; empty: bits go where they may.",
    )
    saliency_weight: float = number(
        3.0,
        0.0,
        100.0,
        "Weight of saliency",
        "How much more an error counts where saliency is 1 than where it is 0; half of the crops "
        "learn with it, half without.",
    )
    bf16: bool = switch(
        False, "bfloat16", "Analysis and synthesis compute in 16 bits while training, on a GPU."
    )
    held_out: int = number(
        6, 1, 1000, "Held out", "Photos that are not learned from and are measured on."
    )
    measure_every: int = number(
        1_000, 1, 1_000_000, "Measure every", "Steps between two measurements on held-out photos."
    )
    seed: int = number(0, 0, 2**31 - 1, "Seed", "All chance in the training comes from it.")

    def __post_init__(self) -> None:
        # JSON knows lists only.
        object.__setattr__(self, "ladder_px", tuple(self.ladder_px))
        for entry in fields(self):
            check_setting(entry, getattr(self, entry.name))
        # The shape refuses a ladder that does not fall.
        _ = self.shape
        if self.crop_px % 64:
            raise ValueError(f"found crop_px {self.crop_px}; expected a multiple of 64")

    @property
    def shape(self) -> CodecShape:
        return replace(SHAPES[self.size], steps_px=self.ladder_px)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


# demo: a codec that works, in two minutes; its pictures are poor. gpu: the public recipe of ELIC
# and of CompressAI for one card, not run here.
PRESETS: dict[str, TrainCodecConfig] = {
    "demo": TrainCodecConfig(steps=400, crop_px=64, held_out=1, measure_every=200),
    "cpu": TrainCodecConfig(),
    "gpu": TrainCodecConfig(
        size="gpu",
        steps=2_000_000,
        batch_size=16,
        crop_px=256,
        learning_rate=1e-4,
        entropy_learning_rate=1e-4,
        bf16=True,
        held_out=24,
        measure_every=20_000,
    ),
}
