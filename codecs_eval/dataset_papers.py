"""What a frozen dataset's download says of itself: datasheet and Croissant, from its manifest.

They are made for the download and are no part of the frozen folder, which never changes.
"""

import json
from pathlib import Path

from codecs_eval.agreement.croissant import (
    Described,
    FileFact,
    Table,
    TableField,
    croissant,
)
from codecs_eval.agreement.datasheet import datasheet, one_line, table
from codecs_eval.agreement.manifest import Manifest

TRIPLETS = (
    TableField("triplet_id", "text", "An original with two of its reconstructions."),
    TableField("source", "text", "Name of the original."),
    TableField("source_sha256", "text", "SHA-256 of the original's pixels."),
    TableField("source_image", "text", "The original: images/SHA-256.png."),
    TableField("first_image", "text", "The first copy: images/SHA-256.png."),
    TableField("second_image", "text", "The second copy: images/SHA-256.png."),
    TableField("first_codec", "text", "Codec of the first copy."),
    TableField("second_codec", "text", "Codec of the second copy."),
    TableField("first_settings", "text", "Its settings, as JSON."),
    TableField("second_settings", "text", "Its settings, as JSON."),
    TableField("first_bpp", "number", "Bits per pixel of the first copy's file."),
    TableField("second_bpp", "number", "Bits per pixel of the second copy's file."),
    TableField("first_target_bpp", "number", "The rate that the first was made for."),
    TableField("second_target_bpp", "number", "The rate that the second was made for."),
    TableField("kind", "text", "Always main."),
)
JUDGMENTS = (
    TableField("judgment_id", "text", "The answer."),
    TableField("triplet_id", "text", "What was compared."),
    TableField("choice", "text", "The answer to the question: first, second or not_sure."),
    TableField("observer", "text", "The person, under a random id; empty: not recorded."),
    TableField("response_ms", "number", "From the first frame to the answer, in ms."),
    TableField("is_simulated", "flag", "Whether a simulated observer answered."),
)


def papers(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """File name -> bytes, to stand beside the dataset's own files."""
    told = croissant(_described(manifest), _files(folder, manifest), _tables())
    return {
        "datasheet.md": datasheet(manifest.name, _warning(manifest), _answers(manifest)).encode(),
        "croissant.json": (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode(),
    }


def _warning(manifest: Manifest) -> str:
    if not manifest.is_simulated:
        return ""
    return "SIMULATED: answered by simulated observers. Nothing in here is a finding about people."


def _files(folder: Path, manifest: Manifest) -> list[FileFact]:
    return [
        FileFact(name, (folder / name).stat().st_size, sha256)
        for name, sha256 in manifest.files.items()
    ]


def _tables() -> list[Table]:
    return [
        Table("triplets", "triplets.parquet", "What was compared.", TRIPLETS),
        Table("judgments", "judgments.parquet", "One row a judgment.", JUDGMENTS),
    ]


def _described(manifest: Manifest) -> Described:
    marked = "-SIMULATED" if manifest.is_simulated else ""
    return Described(
        name=f"{manifest.name}{marked}",
        description=f"{_warning(manifest)} Choices between two reconstructions of a photo. People "
        f"were asked: {manifest.question} (polarity: {manifest.polarity}). From "
        f"{manifest.origin}.".strip(),
        licence=manifest.licence,
        published=manifest.created,
        version="1.0.0",
        keywords=("image quality", "forced choice", *(["SIMULATED"] if marked else [])),
    )


def _dropped(manifest: Manifest) -> str:
    if not manifest.filters:
        return "Nothing was dropped."
    rows = [(rule.rule, rule.dropped) for rule in manifest.filters]
    return table(["rule", "judgments dropped"], rows)


def _answers(manifest: Manifest) -> dict[str, str]:
    counts, split = manifest.counts, manifest.split
    return {
        "purpose": "To train image quality metrics on people's choices and to judge them.",
        "instances": "Judgments of triplets: an original and two reconstructions of it.",
        "counts": table(["what", "n"], vars(counts).items()),
        "raw": "judgments.parquet, triplets.parquet, and the pixels that were shown as PNG, named "
        "by their SHA-256.",
        "labels": f"The answer to: {one_line(manifest.question)} (polarity: {manifest.polarity}).",
        "splits": f"By source, in manifest.json: {len(split.train)} train, {len(split.test)} held "
        f"out (seed {split.seed}). Never split by triplet.",
        "contained": "Yes.",
        "personal": "No names; observers stand under random ids, or under those that an import "
        "gave.",
        "asked": f"{one_line(manifest.question)} Where from: {one_line(manifest.origin)}.",
        "cleaning": _dropped(manifest),
        "used": "Training and judging image quality metrics.",
        "unfit": _warning(manifest) or "Claims about other photos, codecs or rates than these.",
        "licence": one_line(manifest.licence),
        "attribution": one_line(manifest.attribution),
        "files": f"{len(manifest.files)} files, each with its SHA-256 in manifest.json.",
        "updates": "Never: a frozen dataset does not change.",
        "version": f"{one_line(manifest.name)}, frozen {manifest.created}.",
    }  # fmt: skip
