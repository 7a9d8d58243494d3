"""A study's results on disk: results.json, tables, figures, and a manifest that names them all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from annotation import result_people_plots, result_plots
from annotation.formats.writing import guarded
from annotation.result_files import MANIFEST, file_name
from annotation.result_tables import TABLES
from codecs_eval.agreement.drawing import svg

Results = Mapping[str, Any]


def write_results(folder: Path, told: Results) -> None:
    """Everything is made from the JSON alone, so it can be made again."""
    texts = {"results.json": json.dumps(told, indent=1, allow_nan=False)}
    texts |= {name: _csv(rows(told), told) for name, rows in TABLES.items()}
    data = {name: text.encode() for name, text in texts.items()}
    data |= {name: svg(draw(told)) for name, draw in _figures(told).items()}
    files = {}
    for name, content in data.items():
        stored = file_name(name, is_simulated=told["is_simulated"])
        (folder / stored).write_bytes(content)
        files[stored] = hashlib.sha256(content).hexdigest()
    manifest = {
        "format": told["format"],
        "is_simulated": told["is_simulated"],
        "study": told["study"]["origin"],
        "files": files,
    }
    stored = file_name(MANIFEST, is_simulated=told["is_simulated"])
    (folder / stored).write_text(json.dumps(manifest, indent=1))


def _figures(told: Results) -> dict[str, Callable[[Results], Figure]]:
    found: dict[str, Callable[[Results], Figure]] = {}
    if told["screened"]["rates"]:
        found |= {"shares.svg": result_plots.share_figure, "scale.svg": result_plots.scale_figure}
    if any(row["codecs"] for row in result_plots.against(told, told["study"]["anchor"])):
        found["anchor.svg"] = result_plots.anchor_figure
    if told["screened"]["joint"]["items"]:
        found["joint.svg"] = result_people_plots.joint_figure
    if any(cell["rate_bpp"] and cell["pair"] is None for cell in told["metrics"]["cells"]):
        found["metrics.svg"] = result_people_plots.agreement_by_rate_figure
    if told["screened"]["people"]["times"]["n_judgments"]:
        found["difficulty.svg"] = result_people_plots.difficulty_figure
        found["session.svg"] = result_people_plots.session_figure
    return found


def _csv(rows: Iterable[Mapping[str, Any]], told: Results) -> str:
    rows = [
        {"study": told["study"]["slug"], "is_simulated": int(told["is_simulated"]), **row}
        for row in rows
    ]
    buffer = io.StringIO()
    names = list(rows[0]) if rows else ["study", "is_simulated"]
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: guarded(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()
