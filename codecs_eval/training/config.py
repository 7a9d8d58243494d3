"""Settings of a metric's training: they make the form, feed the work, travel in the checkpoint."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from codecs_eval.metrics.table import METRICS
from codecs_eval.training.settings import check_setting, choice, number, switch


@dataclass(frozen=True)
class TrainMetricConfig:
    """Defaults: the recipe of Zhang et al. 2018 (arXiv 1801.03924), meant for 100,000 triplets.

    Two of them are ours: the judgment head, and the clipping of gradients in tune and scratch; the
    preset "reference" has the paper's there too. Each field's metadata holds label, help, and low
    and high, or choices.
    """

    backbone: str = choice(
        "alex",
        ("alex", "vgg", "squeeze"),
        "Backbone",
        "The network that sees: AlexNet is fast, SqueezeNet small, VGG16 dearer.",
    )
    mode: str = choice(
        "lin",
        ("lin", "tune", "scratch"),
        "What is trained",
        "lin: the linear heads on the frozen trunk, seconds to minutes; tune: the trunk too, from "
        "its ImageNet weights; scratch: the trunk too, from random weights. The last two pass "
        "every image through the trunk in every epoch.",
    )
    head: str = choice(
        "logistic",
        ("logistic", "reference"),
        "Judgment head",
        "How two distances become a probability while training; thrown away after it. logistic: "
        "a (d1 - d2); reference: the paper's small network, averaged over both orders.",
    )
    warm_start: bool = switch(
        False, "Warm start", "Begin at the official v0.1 heads instead of at random ones."
    )
    ridge: float = number(
        0.0,
        0.0,
        1000.0,
        "Ridge",
        "Pull toward the v0.1 heads: the loss grows by ridge times the squared relative distance "
        "from them. 0 is off; small data needs it.",
    )
    epochs_flat: int = number(5, 0, 1000, "Flat epochs", "Epochs at the full learning rate.")
    epochs_decay: int = number(
        5, 0, 1000, "Decaying epochs", "Epochs in which the learning rate falls linearly."
    )
    learning_rate: float = number(1e-4, 1e-7, 1.0, "Learning rate", "Step size of Adam.")
    trunk_learning_rate: float = number(
        1e-4,
        1e-8,
        1.0,
        "Learning rate of the trunk",
        "Step size of Adam for the trunk in tune and scratch; it falls with the other.",
    )
    batch_size: int = number(50, 1, 100_000, "Batch size", "Triplets in a step.")
    accumulation: int = number(
        1,
        1,
        1000,
        "Accumulation",
        "Least number of parts in which a batch of tune or scratch passes the trunk: more parts, "
        "less memory, the same step. Large images pass in more parts by themselves.",
    )
    clip_norm: float = number(
        1.0,
        0.0,
        1000.0,
        "Gradient clipping",
        "Longest gradient of a step in tune and scratch; 0 does not clip.",
    )
    bf16: bool = switch(
        False,
        "bfloat16",
        "The trunk computes in 16 bits while tune or scratch trains: faster and less exact. Heads, "
        "distances and everything that is reported stay in 32 bits. Refused on a processor that "
        "would only emulate it.",
    )
    vote_weighting: str = choice(
        "share",
        ("share", "binomial"),
        "Votes",
        "share: each triplet counts alike, as in the paper; binomial: each judgment does.",
    )
    noise: bool = switch(
        True,
        "Noise",
        "Gaussian noise on each channel, of the moments that dropping half of the map has.",
    )
    folds: int = number(
        0,
        0,
        100,
        "Folds",
        "Cross-validation over sources, beside the final training; 0 is none, else at least 2.",
    )
    early_stopping: int = number(
        0,
        0,
        1000,
        "Early stopping",
        "Epochs without a better likelihood on sources set aside for this, after which a fit "
        "ends; its best epoch is kept. 0 is off.",
    )
    validation_share: float = number(
        0.2,
        0.01,
        0.5,
        "Set aside",
        "Share of the training sources that early stopping watches; the test part is never used.",
    )
    combine_with: tuple[str, ...] = field(
        default=(),
        metadata={
            "label": "Combine with",
            "help": "Metrics whose differences join the trained one's in a logistic regression "
            "without intercept, for example psnr; the result tells the agreement with and without. "
            "Each fit costs three more, on parts of its sources: the weights must meet distances "
            "by heads that had not seen the votes.",
            "choices": tuple(METRICS),
        },
    )
    seed: int = number(0, 0, 2**31 - 1, "Seed", "All chance in the training comes from it.")

    def __post_init__(self) -> None:
        # JSON knows lists only.
        object.__setattr__(self, "combine_with", tuple(self.combine_with))
        for entry in fields(self):
            check_setting(entry, getattr(self, entry.name))
        if self.folds == 1:
            raise ValueError("found folds 1; expected 0 (none) or at least 2")
        if self.mode == "scratch" and (self.warm_start or self.ridge > 0.0):
            raise ValueError(
                "found mode scratch with a warm start or a ridge; expected neither, because the "
                "v0.1 heads belong to the ImageNet trunk"
            )
        if self.epochs == 0:
            raise ValueError("found no epochs; expected epochs_flat + epochs_decay of at least 1")

    @property
    def epochs(self) -> int:
        return self.epochs_flat + self.epochs_decay

    @property
    def is_trunk_trained(self) -> bool:
        return self.mode != "lin"

    def rate_at(self, epoch: int) -> float:
        """Learning rate of epoch 1, 2, ...; it first drops after epoch epochs_flat + 1.

        So does the reference code: its rate falls after an epoch, not before, and never is 0.
        """
        return self.learning_rate * self.decay_at(epoch)

    def decay_at(self, epoch: int) -> float:
        late = max(0, epoch - 1 - self.epochs_flat)
        return 1.0 - late / self.epochs_decay if late else 1.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


# small_data: chosen by the held-out likelihood of inner cross-validation over sources, on 440
# triplets of 23 photos with one or two judgments each; nested, it gave 76.0 % against 74.4 % of
# the untouched AlexNet heads (standard error about 2).
PRESETS: dict[str, TrainMetricConfig] = {
    "reference": TrainMetricConfig(head="reference", clip_norm=0.0),
    "small_data": TrainMetricConfig(
        head="logistic",
        warm_start=True,
        ridge=0.01,
        epochs_flat=20,
        epochs_decay=20,
        learning_rate=0.03,
        trunk_learning_rate=1e-5,
        vote_weighting="binomial",
        noise=False,
    ),
}
# What was chosen so; the rest of a configuration is a person's decision.
_CHOSEN = (
    "warm_start", "ridge", "epochs_flat", "epochs_decay", "learning_rate", "vote_weighting",
    "noise",
)  # fmt: skip
SMALL_DATA_FLATTERS = (
    "its hyper-parameters (preset small_data) were chosen on public choices between JPEG versions "
    "(human_jpeg_pairs: 440 triplets of 23 photos); on that very set figures flatter, folds or not"
)


def has_chosen_settings(settings: Mapping[str, Any]) -> bool:
    """Whether its hyper-parameters are those of the preset that was chosen on people's answers."""
    chosen = PRESETS["small_data"].to_json()
    return all(settings.get(key) == chosen[key] for key in _CHOSEN)
