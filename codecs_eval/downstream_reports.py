"""A downstream run's finds -> numbers and figures on disk, redrawn from the JSON alone."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from codecs_eval.agreement.drawing import svg
from codecs_eval.detecting import UNCOMPRESSED, DownstreamConfig, downstream_config, kept_finds
from codecs_eval.downstream import by_photo, pixels, plots, report, tables
from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.found import Found
from codecs_eval.downstream.report import Asked, Cell
from codecs_eval.downstream.table import model_entry
from codecs_eval.downstream.told import agreement_of
from codecs_eval.downstream.without_truth import SHOWN_FROM, photo_f1
from codecs_eval.downstream_pictures import keep_truth
from codecs_eval.evaluated_photos import Truth, is_jpeg_flagged, is_shrunk, photos_of
from codecs_eval.models import Reconstruction, Run, SourceImage
from codecs_eval.named_codecs import codec_entry

# Photos that stand in the row of a run; every one stands in photos.csv.
PHOTOS_IN_RESULT = 200
FIGURES = {"by_rate.svg": plots.rate_figure}

Ladder = dict[tuple[int, str, float], Reconstruction]


def report_of(run: Run) -> dict[str, Any]:
    """Evaluate and write; the same finds give the same files."""
    config = downstream_config(run)
    truth = photos_of(config)
    rows = _ladder(config)
    truth, notes = _complete(config, truth, rows)
    entry = model_entry(config.model)
    uncompressed = [kept_finds(config.model, source.sha256) for source in truth.sources]
    cells = _cells(config, truth.sources, rows)
    asked = Asked(entry.task, truth.by_label, config.resamples, config.seed)
    found = report.evaluate(truth.photos, uncompressed, cells, asked)
    photo_rows, photos = _each_photo(truth, uncompressed, cells, entry.task)
    found |= {
        "collection": config.collection,
        "model": {
            "name": entry.name,
            "label": entry.label,
            "definition": entry.definition,
            "version": entry.version,
        },
        "tolerance": config.tolerance,
        "categories": sorted(truth.by_label),
        "has_truth": bool(truth.by_label),
        "n_jpeg_born": sum(is_jpeg_flagged(source) for source in truth.sources),
        "n_shrunk": sum(is_shrunk(source) for source in truth.sources),
        "notes": [*truth.notes, *notes],
        "photos": photos[:PHOTOS_IN_RESULT],
        "n_photos_told": min(len(photos), PHOTOS_IN_RESULT),
    }
    run.folder.mkdir(parents=True, exist_ok=True)
    names = {number: label for label, number in truth.by_label.items()}
    keep_truth(run.folder, truth.photos, names)
    _write(run.folder, found, tables.photos_csv(photo_rows, entry.task))
    return found


def _ladder(config: DownstreamConfig) -> Ladder:
    """The newest reconstruction of every photo, codec and rate."""
    rows = Reconstruction.objects.of_ladder(
        config.collection, config.codecs, config.rates_bpp
    ).filter(tolerance=config.tolerance)
    return {(row.source_id, row.codec, row.target_bpp): row for row in rows}


def _complete(config: DownstreamConfig, truth: Truth, rows: Ladder) -> tuple[Truth, list[str]]:
    """Only photos that every codec has at every rate: else codecs would be judged on others."""
    wanted = [(codec, rate) for codec in config.codecs for rate in config.rates_bpp]
    lacking = {
        source.pk: source.name
        for source in truth.sources
        if any((source.pk, *each) not in rows for each in wanted)
    }
    if not lacking:
        return truth, []
    kept = [i for i, source in enumerate(truth.sources) if source.pk not in lacking]
    note = (
        f"Left out of every codec, so that all are judged on the same photos: {len(lacking)} that "
        f"at least one of them could not encode ({', '.join(sorted(lacking.values())[:5])})."
    )
    photos = [truth.photos[i] for i in kept]
    sources = [truth.sources[i] for i in kept]
    return Truth(photos, sources, truth.by_label, truth.notes), [note]


def _cells(config: DownstreamConfig, sources: Sequence[SourceImage], rows: Ladder) -> list[Cell]:
    cells = []
    for codec in config.codecs:
        for rate in sorted(config.rates_bpp):
            of_cell = [rows[source.pk, codec, rate] for source in sources]
            cells.append(
                Cell(
                    codec,
                    codec_entry(codec).label,
                    codec_entry(codec).colour,
                    codec_entry(codec).marker,
                    rate,
                    tuple(row.bpp for row in of_cell),
                    tuple(str(row.state) for row in of_cell),
                    tuple(kept_finds(config.model, row.pixels_sha256) for row in of_cell),
                )
            )
    return cells


@dataclass(frozen=True)
class _Told:
    """One photo: its rows of photos.csv, and its row of the page."""

    rows: list[dict[str, Any]]
    summary: dict[str, Any]


def _told(
    photo: Photo,
    source: SourceImage,
    found: tuple[Found, Sequence[tuple[Cell, int]]],
    labels: Mapping[str, int],
    task: str,
) -> _Told:
    """`found`: in the original, and where to look in each cell."""
    original, cells = found
    facts = {"photo": source.name, "is_jpeg_born": is_jpeg_flagged(source)}
    judged, same = _judges(photo, original, labels, task)
    agreement = agreement_of(task).by_photo
    before = judged(original)
    after = [
        {
            **facts,
            "codec": cell.codec,
            "target_bpp": cell.target_bpp,
            "bpp": cell.bpp[i],
            "state": cell.states[i],
            **judged(cell.found[i]),
            agreement: same(cell.found[i]),
        }
        for cell, i in cells
    ]
    summary = {
        "source": source.pk,
        "name": source.name,
        "is_jpeg_born": facts["is_jpeg_born"],
        "n_instances": sum(not each.is_crowd for each in photo.truth),
        "n_found": len(original.above(SHOWN_FROM).labels),
        **before,
        **{f"{name}_mean": fmean(row[name] for row in after) for name in before},
        f"{agreement}_mean": fmean(row[agreement] for row in after),
    }
    return _Told([{**facts, "codec": UNCOMPRESSED, **before, agreement: 1.0}, *after], summary)


def _judges(
    photo: Photo, original: Found, labels: Mapping[str, int], task: str
) -> tuple[Callable[[Found], dict[str, Any]], Callable[[Found], float]]:
    """Of one photo: finds against its truth, and against those in the original."""
    if task != "semantic":
        return (
            lambda found: asdict(by_photo.judged(photo, found, labels)),
            lambda found: photo_f1(original, found, task),
        )
    truth, before = pixels.of_truth(photo, labels), pixels.of_found(original, photo)
    return (
        lambda found: {"miou": pixels.photo_iou(truth, found, list(labels))} if labels else {},
        lambda found: pixels.photo_iou(before, found, pixels.labels_of([original], [found])),
    )


def _each_photo(
    truth: Truth, uncompressed: Sequence[Found], cells: Sequence[Cell], task: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of photos.csv; and one row a photo, those that lose most first."""
    told = [
        _told(
            photo,
            truth.sources[i],
            (uncompressed[i], [(cell, i) for cell in cells]),
            truth.by_label,
            task,
        )
        for i, photo in enumerate(truth.photos)
    ]
    summaries = sorted((each.summary for each in told), key=lambda row: _losses(row, task))
    return [row for each in told for row in each.rows], summaries


def _losses(row: Mapping[str, Any], task: str) -> tuple[float, float, str]:
    """Against the truth, then against the uncompressed photo."""
    main = "miou" if task == "semantic" else "n_right"
    lost = row.get(f"{main}_mean", 0.0) - row.get(main, 0.0)
    return lost, row[f"{agreement_of(task).by_photo}_mean"], row["name"]


def _write(folder: Path, found: dict[str, Any], photos: str) -> None:
    texts = {
        "report.json": json.dumps(found, indent=2, allow_nan=False),
        "table.csv": tables.table_csv(found),
        "table.md": tables.markdown(found),
        "bd_rates.csv": tables.bd_rates_csv(found),
        "photos.csv": photos,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, draw in FIGURES.items():
        (folder / name).write_bytes(svg(draw(found)))
