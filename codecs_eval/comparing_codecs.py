"""Trained codecs side by side, as a run: the same photos and rates, metrics in and out of the loss.

One part of the loop's honesty: what a metric or saliency in the loss bought, and what it cost.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from numpy.typing import NDArray
from PIL import Image as PillowImage

from codecs_eval import runs, storing
from codecs_eval.encoding import RATES_BPP, LadderConfig, check_available, encode_source
from codecs_eval.models import Reconstruction, Run, SourceImage
from codecs_eval.named_codecs import (
    any_simulated,
    check_known,
    codec_entry,
    is_learned,
    learned_run,
    named_codec,
)
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weight_file

Pixels = NDArray[np.uint8]
# Never in a loss here: a codec that pleases its own metric must please one of these too.
_ALWAYS = ("psnr", "lpips-alex", "ssimulacra2")
_PICTURED_PHOTOS = 3
PICTURES = "pictures"


@dataclass(frozen=True)
class CompareCodecsConfig:
    """Codecs on the same photos, the first one is what the others are compared with."""

    codecs: tuple[str, ...] = field(
        metadata={
            "label": "Codecs",
            "help": "Two or more; the first, trained with squared error alone, is the baseline.",
        }
    )
    collection: str = field(metadata={"label": "Photos", "help": "A collection none learned from."})
    rates_bpp: tuple[float, ...] = field(
        default=RATES_BPP,
        metadata={"label": "Rates, bpp", "help": "Bits per pixel of the whole file."},
    )
    saliency: str = field(
        default="u2netp",
        metadata={
            "label": "Saliency",
            "help": "What tells the salient part from the background: u2netp or spectral-residual.",
            "choices": ("u2netp", "spectral-residual"),
        },
    )
    most_photos: int = field(
        default=24,
        metadata={"label": "Photos at most", "help": "By name.", "low": 1, "high": 10_000},
    )

    def __post_init__(self) -> None:
        check_known(self.codecs)
        if len(set(self.codecs)) < 2:
            raise ValueError(f"Found codecs {list(self.codecs)}; expected two or more to compare.")
        LadderConfig(collection=self.collection, codecs=self.codecs, rates_bpp=self.rates_bpp)

    @property
    def ladder(self) -> LadderConfig:
        return LadderConfig(
            collection=self.collection, codecs=self.codecs, rates_bpp=self.rates_bpp
        )


def check_comparison(config: CompareCodecsConfig) -> None:
    """Raise ValueError where codecs or photos are not there, or a codec learned from the photos."""
    check_available(config.ladder)
    shas = set(
        SourceImage.objects.in_collection(config.collection).values_list("sha256", flat=True)
    )
    for name in filter(is_learned, config.codecs):
        learned_from = learned_run(name).config["collection"]
        seen = SourceImage.objects.in_collection(learned_from).filter(sha256__in=shas)
        n_seen = seen.count()
        if n_seen:
            raise ValueError(
                f"{name} learned from collection {learned_from!r}, which holds {n_seen} of these "
                f"photos; expected photos that no codec has seen."
            )


def create_comparison(config: CompareCodecsConfig, user: User | None = None) -> Run:
    """A queued run; marked where a metric in a loss learned from no person."""
    return runs.create(
        "compare_codecs",
        config,
        title=f"{len(config.codecs)} codecs on {config.collection}",
        user=user,
        is_simulated=any_simulated(config.codecs),
    )


def metrics_of(config: CompareCodecsConfig) -> list[str]:
    """Those that are always told, and those that stood in a loss."""
    losses = [
        learned_run(name).config.get("metric", "") for name in config.codecs if is_learned(name)
    ]
    return list(dict.fromkeys([*_ALWAYS, *filter(None, losses)]))


def compare_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    config: CompareCodecsConfig = config_of(run.kind, run.config)
    check_comparison(config)
    sources = list(SourceImage.objects.in_collection(config.collection)[: config.most_photos])
    comparison = _Comparison(config, run, reporter)
    for index, source in enumerate(sources):
        reporter.stop_if_asked()
        reporter.progress(index, len(sources), f"photo {index + 1} of {len(sources)}")
        comparison.add(source, is_pictured=index < _PICTURED_PHOTOS)
    return comparison.result(len(sources))


class _Comparison:
    """Values of each codec at each rate, photo after photo."""

    def __init__(self, config: CompareCodecsConfig, run: Run, reporter: RunReporter) -> None:
        from codecs_eval.named_metrics import named_metric
        from codecs_eval.saliency.table import load_saliency

        self.config, self.run, self.reporter = config, run, reporter
        self.metrics = [named_metric(name) for name in metrics_of(config)]
        self.look = load_saliency(config.saliency, weight_file).map
        self.values: dict[tuple[str, float], dict[str, list[float]]] = {}
        self.states: dict[tuple[str, float], list[str]] = defaultdict(list)
        self.pictures: list[dict[str, Any]] = []

    def add(self, source: SourceImage, *, is_pictured: bool) -> None:
        original = storing.read_pixels(source.path)
        saliency = self.look(original)
        if is_pictured:
            self._lay_over(source, original, "saliency", saliency)
        for codec in self.config.codecs:
            self.reporter.stop_if_asked()
            rows = encode_source(source, codec, self.config.rates_bpp)
            self._measure(rows, codec, original, saliency)
            if is_pictured:
                self._picture_bits(source, codec, rows, original)

    def _measure(
        self,
        rows: Sequence[Reconstruction],
        codec: str,
        original: Pixels,
        saliency: NDArray[np.float32],
    ) -> None:
        from codecs_eval.training.codec.exploitation import exploits
        from codecs_eval.training.codec.regions import region_psnr

        decoded = [storing.read_pixels(row.path) for row in rows]
        scores = {metric.name: metric.metric.scores(original, decoded) for metric in self.metrics}
        for index, (row, pixels) in enumerate(zip(rows, decoded, strict=True)):
            place = self.values.setdefault((codec, row.target_bpp), defaultdict(list))
            self.states[codec, row.target_bpp].append(row.state)
            place["bpp"].append(row.bpp)
            for name, values in scores.items():
                place[name].append(values[index])
            region = region_psnr(original, pixels, saliency)
            if region is not None:
                place["salient_db"].append(region.salient_db)
                place["background_db"].append(region.background_db)
            for name, value in asdict(exploits(original, pixels)).items():
                place[name].append(value)

    def _picture_bits(
        self, source: SourceImage, codec: str, rows: Sequence[Reconstruction], original: Pixels
    ) -> None:
        """Where the bits of one rate went; of codecs that can tell."""
        row = rows[min(1, len(rows) - 1)]
        decoded = storing.read_pixels(row.path)
        label = codec_entry(codec).label
        self._save(source, f"{label} at {row.bpp:.3f} bpp", decoded)
        if is_learned(codec):
            coder: Any = named_codec(codec)
            encoding = coder.encoded(original, row.settings)
            self._lay_over(source, original, f"bits of {label}", np.log1p(_in_fours(encoding.bits)))

    def _lay_over(
        self, source: SourceImage, original: Pixels, title: str, values: NDArray[np.float32]
    ) -> None:
        from codecs_eval.training.codec.regions import laid_over

        self._save(source, title, laid_over(original, values))

    def _save(self, source: SourceImage, title: str, pixels: Pixels) -> None:
        folder = self.run.folder / PICTURES
        folder.mkdir(exist_ok=True)
        name = f"{len(self.pictures):03d}.png"
        PillowImage.fromarray(pixels).save(folder / name)
        self.pictures.append({"file": name, "photo": source.name, "title": title})

    def result(self, n_photos: int) -> dict[str, Any]:
        rows = [
            {
                "codec": codec,
                "label": codec_entry(codec).label,
                "target_bpp": rate,
                "n": len(values["bpp"]),
                "n_hit": self.states[codec, rate].count("hit"),
                **{name: fmean(found) for name, found in values.items()},
                "differences": self._differences(codec, rate),
            }
            for (codec, rate), values in sorted(
                self.values.items(),
                key=lambda item: (item[0][1], self.config.codecs.index(item[0][0])),
            )
        ]
        return {
            "n_photos": n_photos,
            "collection": self.config.collection,
            "baseline": self.config.codecs[0],
            "metrics": [metric.facts() for metric in self.metrics],
            "in_losses": {
                name: learned_run(name).config.get("metric", "")
                for name in self.config.codecs
                if is_learned(name)
            },
            "rows": rows,
            "pictures": self.pictures,
        }

    def _differences(self, codec: str, rate: float) -> dict[str, list[float] | None]:
        """Of each value from the baseline's on the same photos: [mean, low, high], 95 %."""
        baseline = self.values[self.config.codecs[0], rate]
        own = self.values[codec, rate]
        return {
            name: _interval(np.subtract(own[name], baseline[name]))
            for name in own
            if len(own[name]) == len(baseline[name])
        }


def _in_fours(bits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 x 2 positions: one of each two was coded without its neighbours, and cost more."""
    rows, columns = bits.shape[0] // 2, bits.shape[1] // 2
    whole = bits[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
    return whole.mean((1, 3), dtype=np.float32)


def _interval(values: NDArray[np.float64]) -> list[float] | None:
    """Mean and Student's 95 % interval over photos; None where there are too few."""
    from scipy.stats import t

    if len(values) < 2:
        return None
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return [mean, mean - half, mean + half]
