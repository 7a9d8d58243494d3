"""The model card of a trained metric, written from its config.json and metrics.json alone."""

from collections.abc import Sequence
from typing import Any

from codecs_eval.training.card_usage import Facts, usage
from codecs_eval.training.config import SMALL_DATA_FLATTERS, has_chosen_settings

SIMULATED = (
    "> **SIMULATED.** This metric was trained on the choices of a computer's observers, not of "
    "people.\n> Nothing here says what people see; do not use it as a measure of quality."
)
PEOPLE = {
    "unbiased": "two different judgments of one triplet agree (unbiased)",
    "plugin": "the same, plug-in, as papers print it: biased upward, not a bound",
    "left_out": "a judgment agrees with the majority of the others",
    "ideal": "ideal observer (beta-binomial): the best score in expectation",
    "oracle": "oracle: the best score of any metric on these very judgments",
}
WHAT = {
    "README.md": "this card",
    "config.json": "what the metric is and how it was made; SHA-256 of the other files",
    "metrics.json": "the scores below, as numbers",
    "lpips.pth": "for the `lpips` package, torchmetrics and, where the trunk is VGG16, piq",
    "model.safetensors": "the trained tensors, without pickle",
    "model.onnx": "trunk and heads in one graph: two batches of images in, distances out",
    "self_test/reference.png": "a made-up picture",
    "self_test/distorted.png": "the same with noise; config.json says their distance",
}


def model_card(config: Facts, scores: Facts) -> str:
    """README.md for a model hub; every number in it stands in one of the two arguments."""
    sections = [
        _front_matter(config),
        f"# {config['title']}",
        SIMULATED if config["is_simulated"] else "",
        _summary(config),
        "## How well it agrees\n\n" + _scores(config, scores),
        "## How to use it\n\n" + usage(config),
        "## What it was trained on\n\n" + _dataset(config),
        "## How it was trained\n\n" + _training(config),
        "## Out of scope\n\n" + _out_of_scope(config),
        "## Licences\n\n" + _licences(config),
        "## Files\n\n" + _files(config),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _front_matter(config: Facts) -> str:
    tags = ["image-quality-assessment", "full-reference", "lpips", config["backbone"]]
    if config["is_simulated"]:
        tags.append("simulated-judgments")
    lines = ["---", "license: other", "license_name: see-the-section-licences", "tags:"]
    return "\n".join([*lines, *(f"- {tag}" for tag in tags), "---"])


def _summary(config: Facts) -> str:
    who = "simulated observers" if config["is_simulated"] else "people"
    trunk = config["trunk"]
    kind = "trained with it" if trunk["is_trained"] else "as torchvision has it, frozen"
    return (
        f"A full-reference image metric: the distance between a picture and a changed version of "
        f"it, fitted to the choices of {who}. Lower is closer; 0 is identical. LPIPS (Zhang et al. "
        f"2018, arXiv 1801.03924) on the {trunk['label']} trunk, {kind}; one weight of at least 0 "
        f"for each of {sum(config['channels'])} channels.\n\n"
        f"- Input: two RGB pictures of one size, values in -1 to 1 (8-bit value / 127.5 - 1), at "
        f"the size at which they were seen. Never resized silently.\n"
        f"- Smallest size: {config['smallest_px']} px on each side. The training pictures had "
        f"{_sizes(config['dataset']['sizes_px'])}.\n"
        f"- Output: one number of at least 0. On the pictures of its dataset, held-out ones too, "
        f"the mean distance is that of the official LPIPS heads; no judgment enters this scale."
    )


def _scores(config: Facts, scores: Facts) -> str:
    if not scores["parts"]:
        return "No source was held out: nothing here says how well it agrees."
    who = "the simulated observers" if config["is_simulated"] else "people"
    said = (
        f"2AFC agreement with {who}: the share of judgments that the metric's choice agrees with, "
        f"an exact tie counting half; every judgment counts the same."
    )
    return "\n\n".join([said, *(_part(config, part) for part in scores["parts"])])


def _part(config: Facts, part: Facts) -> str:
    counts = part["counts"]
    lines = [
        f"### {part['label'][0].upper()}{part['label'][1:]}",
        "",
        f"{counts['judgments']} judgments of {counts['triplets']} triplets from "
        f"{counts['sources']} sources.",
        "",
        f"| | share, % | {100 * part['intervals']['level']:g} % interval |",
        "|---|---:|---:|",
    ]
    for row in part["metrics"]:
        lines.append(f"| {row['label']} | {_percent(row['agreement'])} | {_interval(row)} |")
    difference = part["difference"]
    if difference is not None:
        lines.append(
            f"| {part['metrics'][0]['label']} less untouched LPIPS, points | "
            f"{_points(difference['difference'])} | {_interval(difference)} |"
        )
    return "\n".join([*lines, *_people(config, part)])


def _people(config: Facts, part: Facts) -> list[str]:
    """The human references on the same triplets as rows of the table, and how intervals came."""
    people = part["people"]
    who = "simulated observers" if config["is_simulated"] else "people"
    rows = [
        f"| {who}: {label} | {_percent(people[name]['value'])} | {_interval(people[name])} |"
        for name, label in PEOPLE.items()
        if people.get(name) is not None
    ]
    remarks = _interval_words(part["metrics"])
    if people["unbiased"] is None:
        remarks += f" {who.capitalize()} with each other: not estimable ({people['reason']})."
    elif people["reason"]:
        remarks += f" {who.capitalize()} with each other: {people['reason']}."
    return [*rows, "", remarks]


def _dataset(config: Facts) -> str:
    found = config["dataset"]
    votes = found["votes_per_triplet"]
    raters = found["observers"] or "not recorded"
    codecs = ", ".join(found["codecs"]) or "not recorded"
    rows = [
        ("Dataset", f"{found['name']} (from {found['origin']})"),
        ("Question", f"{found['question']} (a choice means: {found['polarity']})"),
        ("Judged by", "SIMULATED observers" if config["is_simulated"] else "people"),
        ("Raters", raters),
        (
            "Judgments",
            f"{found['judgments']} of {found['triplets']} triplets from {found['sources']} sources",
        ),
        (
            "Votes per triplet",
            f"{votes['least']} to {votes['most']}, median {votes['median']:g}",
        ),
        ("Codecs", codecs),
        ("Rates, bits per pixel", _rates(found["rates_bpp"])),
        ("Pictures", _sizes(found["sizes_px"])),
        ("Manifest SHA-256", f"`{found['manifest_sha256']}`"),
    ]
    return _table(("", ""), rows)


def _training(config: Facts) -> str:
    split = config["split"]
    rule = (
        f"Split by source: a picture with all its versions is wholly on one side. "
        f"{split['n_train']} sources trained, {split['n_test']} were held out "
        f"(seed {split['seed']})."
    )
    if has_chosen_settings(config["config"]):
        rule += f" Note: {SMALL_DATA_FLATTERS}."
    rows = [(name.replace("_", " "), _plain(value)) for name, value in config["config"].items()]
    joined = config.get("combination")
    if joined is not None:
        weights = ", ".join(f"{weight:.6g}" for weight in joined["weights"])
        rule += (
            f" The run also joined it with other metrics by a logistic regression without "
            f"intercept ({', '.join(joined['metrics'])}: {weights}); this folder holds the trained "
            f"metric alone, and the scores above are its own."
        )
    return f"{rule} Made by run `{config['run']}` with torch {config['torch']}.\n\n" + _table(
        ("setting", "value"), rows
    )


def _out_of_scope(config: Facts) -> str:
    found = config["dataset"]
    codecs = ", ".join(found["codecs"])
    known = f"other than {codecs}" if codecs else "other than those of the training pictures"
    return "\n".join(
        [
            f"- Distortions {known}, and rates outside those above: nothing is known of it there.",
            "- Pictures that are not aligned pixel by pixel, of another size than the original, in "
            "HDR, or video.",
            "- A verdict on one single picture: the scores are means over many.",
            "- Comparing values with those of another backbone, another training or another "
            "picture size.",
            "- As the only loss of a codec or generator: it will be exploited; add MSE and judge "
            "by another metric and by people.",
            "- Anything about people: it says which of two pictures is closer, not what anyone "
            "likes.",
        ]
    )


def _licences(config: Facts) -> str:
    found, trunk = config["dataset"], config["trunk"]
    credit = f", {found['attribution']}" if found["attribution"] else ""
    return "\n".join(
        [
            f"- Data (pictures and judgments): {found['licence']}{credit}.",
            f"- Trunk: {trunk['label']}, {trunk['licence']}.",
            "- Official LPIPS heads, from which a warm start or a ridge departs: BSD-2-Clause.",
            "- The trained weights: to be stated by who publishes them, within the terms above.",
        ]
    )


def _files(config: Facts) -> str:
    names = ["README.md", "config.json", *config["files"]]
    return _table(("file", "what it is"), [(f"`{name}`", WHAT[name]) for name in names])


def _table(head: tuple[str, str], rows: Sequence[tuple[str, Any]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {_cell(name)} | {_cell(value)} |" for name, value in rows)])


def _cell(value: Any) -> str:
    """Text that cannot leave its cell."""
    return str(value).replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _interval(row: Facts) -> str:
    if row["low"] is None:
        return "–"
    return f"{_percent(row['low'])} to {_percent(row['high'])}"


def _interval_words(rows: Sequence[Facts]) -> str:
    methods = sorted({row["method"] for row in rows if row["method"]})
    reasons = sorted({row["reason"] for row in rows if row["reason"]})
    said = f"Intervals: {' or '.join(methods)}." if methods else "No intervals."
    return " ".join([said, *(f"–: {reason}." for reason in reasons)])


def _sizes(sizes: Facts) -> str:
    least, most = sizes["least"], sizes["most"]
    if least == most:
        return f"{least[0]} x {least[1]} px"
    return f"{least[0]} x {least[1]} to {most[0]} x {most[1]} px (width x height)"


def _rates(rates: Sequence[float] | None) -> str:
    if not rates:
        return "not recorded"
    return f"{rates[0]:g} to {rates[1]:g}"
