"""How to use an exported metric, for its card: recipes for the libraries that can load it."""

from collections.abc import Mapping
from typing import Any

from codecs_eval.metrics.trunk import backbone

Facts = Mapping[str, Any]


def usage(config: Facts) -> str:
    name = config["backbone"]
    trained_trunk = (
        "\nThe trunk was trained too: `lpips.pth` holds it, and `model_path` loads it."
        if config["trunk"]["is_trained"]
        else ""
    )
    onnx = 'onnxruntime.InferenceSession("model.onnx")'
    return f"""```python
import lpips
metric = lpips.LPIPS(net="{name}", model_path="lpips.pth")  # keep use_dropout=True, the default
distance = metric(reference, distorted)  # (n, 3, height, width) in -1..1
```
{trained_trunk}
`lpips` loads a file with wrong names in silence and keeps its random heads. To be sure, compare
with the pair in `self_test/`: its distance must be {config["self_test"]["distance"]:.6f} (to
{config["self_test"]["relative_tolerance"]:g} relative). When this file was written, `lpips` loaded
it and found that distance.

torchmetrics {_torchmetrics(config)}

piq {piq_recipe(config)}

ONNX Runtime: `session = {onnx}`; inputs `reference` and `distorted`, float32 of any n, height and
width; output `distance` (n,). Largest relative error against torch when it was written:
{config["onnx"]["relative_error"]:.1e}."""


def _torchmetrics(config: Facts) -> str:
    if config["backbone"] == "squeeze":
        return "names the layers of its SqueezeNet otherwise: only the heads can be loaded there."
    return (
        "takes no file; load it into the metric's network and look at what was not found:\n\n"
        "```python\n"
        "from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity\n"
        f'metric = LearnedPerceptualImagePatchSimilarity(net_type="{config["backbone"]}")\n'
        'state = torch.load("lpips.pth", weights_only=True)\n'
        "found = metric.net.load_state_dict(state, strict=False)\n"
        "assert not found.unexpected_keys\n"
        "```"
    )


def piq_recipe(config: Facts) -> str:
    """piq's own LPIPS takes no heads; its ContentLoss computes the same from them."""
    if config["backbone"] != "vgg":
        return "knows LPIPS on VGG16 alone: it cannot compute with these heads."
    layers = ", ".join(f'"{tap}"' for tap in backbone("vgg").taps)
    source, trunk = '"IMAGENET1K_V1"', ""
    if config["trunk"]["is_trained"]:
        source = "None"
        trunk = (
            'trunk = {key.split(".", 2)[2]: value for key, value in state.items() '
            'if key.startswith("net.")}\n'
            "features.load_state_dict(trunk)\n"
        )
    return (
        "takes no heads in its own LPIPS; its ContentLoss computes the same from them:\n\n"
        "```python\n"
        "import piq, torch, torchvision\n"
        'state = torch.load("lpips.pth", weights_only=True)\n'
        f"features = torchvision.models.vgg16(weights={source}).features\n"
        f"{trunk}"
        "metric = piq.ContentLoss(\n"
        "    feature_extractor=features,\n"
        f"    layers=[{layers}],\n"
        '    weights=[state[f"lin{i}.model.1.weight"] for i in range(5)],\n'
        "    mean=[-0.030, -0.088, -0.188],\n"
        "    std=[0.458, 0.448, 0.450],\n"
        "    normalize_features=True,\n"
        '    reduction="none",\n'
        ")\n"
        "distance = metric(reference, distorted)  # (n, 3, height, width) in -1..1\n"
        "```"
    )
