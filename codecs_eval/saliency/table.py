"""The table of saliency models: name -> definition, version, dotted path. Imports no runtime."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from codecs_eval.saliency.saliency import Saliency


@dataclass(frozen=True)
class SaliencyEntry:
    """`path` is module:function of a factory that takes `weights` and returns the model."""

    name: str
    label: str
    definition: str
    version: str
    path: str
    needs_weights: tuple[str, ...] = ()


SALIENCY: dict[str, SaliencyEntry] = {
    "u2netp": SaliencyEntry(
        name="u2netp",
        label="U2-Net-p",
        definition="U2-Net-p (Qin et al. 2020), a network trained to segment salient objects "
        "(DUTS); the photo resized to 320x320 (Lanczos), divided by its largest value, "
        "normalised by ImageNet's mean and deviation; the fused output resized back "
        "bilinearly and stretched to 0..1",
        version="1",
        path="codecs_eval.saliency.u2netp:u2netp",
        needs_weights=("u2netp",),
    ),
    "spectral-residual": SaliencyEntry(
        name="spectral-residual",
        label="Spectral residual",
        definition="spectral residual (Hou and Zhang 2007): the part of the grey photo's log "
        "amplitude spectrum that differs from its 3x3 mean, with the photo's own phase, "
        "transformed back, squared and smoothed (Gaussian, sigma 2.5); longer side 64 px; "
        "resized back bilinearly and stretched to 0..1; needs no weights",
        version="1",
        path="codecs_eval.saliency.spectral_residual:spectral_residual",
    ),
}

DEFAULT = "u2netp"


def saliency_entry(name: str) -> SaliencyEntry:
    if name not in SALIENCY:
        raise ValueError(f"unknown saliency model {name!r}; expected one of {', '.join(SALIENCY)}")
    return SALIENCY[name]


def load_saliency(name: str, weights: Callable[[str], Path]) -> Saliency:
    """The model, ready to look; `weights` turns a name of `needs_weights` into a file."""
    module, _, factory = saliency_entry(name).path.partition(":")
    model: Saliency = getattr(import_module(module), factory)(weights)
    return model
