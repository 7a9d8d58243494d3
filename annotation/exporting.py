"""A study out: as a table while somebody waits, or prepared once as a file that can be resumed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from annotation import describing, exported_aic3, exported_pictures, exported_rates, exported_tables
from annotation.export_formats import ROWS, ExportConfig
from annotation.formats import aic3
from annotation.formats.bundle import Bundle, zip_bundle
from annotation.formats.columns import JUDGMENTS, TRIPLETS, VOTES, names
from annotation.formats.writing import csv_text
from annotation.judgment_table import judgment_batches
from annotation.models import Judgment, Study
from codecs_eval import storing
from codecs_eval.models import Run, RunQuerySet
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter

CSV_COLUMNS = names(JUDGMENTS)
FOLDER = "export"


def judgments_csv(study: Study | None = None) -> Iterator[str]:
    """Pieces of a CSV file, one row a judgment, in constant memory; ms, px and bits per pixel."""
    return csv_text(judgment_batches(study), JUDGMENTS)


def export_name(study: Study, config: ExportConfig) -> str:
    """The folder inside an export, and its file without an ending."""
    which = "" if config.rows == "all" else f"-{config.rows}"
    return f"{study.slug}-v{study.version}-{config.file_format}{which}{describing.label_of(study)}"


def refuse_preview(study: Study) -> None:
    if study.purpose == Study.Purpose.PREVIEW:
        raise ValueError(
            f"{study.slug} is a preview: its answers are its makers' own. Export the study itself."
        )


def export_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    """The export as one zip below the run's folder: there as a whole, or not at all."""
    config: ExportConfig = config_of(run.kind, run.config)
    study = Study.objects.get(slug=config.study)
    name = export_name(study, config)
    path = run.folder / FOLDER / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zip_bundle(path, name) as bundle:
        n_rows = write_export(study, config, bundle, reporter)
    return {
        "file": path.name,
        "format": config.file_format,
        "n_rows": n_rows,
        "n_bytes": path.stat().st_size,
        "sha256": storing.sha256_of_file(path),
        "files": [
            {"name": m.name, "n_bytes": m.n_bytes, "sha256": m.sha256}
            for m in bundle.members
            if not m.name.endswith((".png", ".npy"))
        ],
    }


def exports_of(study: Study) -> RunQuerySet:
    """The runs that made or make an export of the study, newest first."""
    found = Run.objects.filter(kind="export_study", config__study=study.slug)
    return found.select_related("created_by").defer("traceback")


def export_file(run: Run) -> Path | None:
    """The file of a finished export where it lies on this machine."""
    name = run.result.get("file") if run.state == Run.State.DONE else None
    path = run.folder / FOLDER / str(name)
    return path if name and path.is_file() else None


def delete_file(run: Run) -> None:
    """The file goes, say because somebody withdrew since; that it was made stays on record."""
    path = export_file(run)
    if path:
        path.unlink()


def write_export(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None = None
) -> int:
    """Data, data dictionary, datasheet and Croissant into a folder or zip; how many rows.

    Raises ValueError for a preview, and where there is nothing to export.
    """
    refuse_preview(study)
    n_rows, tables, notes = _DATA[config.file_format](study, config, bundle, reporter)
    describing.write_papers(study, bundle, tables, notes)
    return n_rows


Written = tuple[int, describing.Tables, list[str]]


def _tables(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None
) -> Written:
    ending = config.file_format
    told = _progress(study, reporter)
    with bundle.file(f"judgments.{ending}") as file:
        n = exported_tables.write_judgments(file, ending, study, rows=config.rows, told=told)
    with bundle.file(f"triplets.{ending}") as file:
        exported_tables.write_triplets(file, ending, study)
    tables: describing.Tables = {
        f"judgments.{ending}": JUDGMENTS, f"triplets.{ending}": TRIPLETS,
    }  # fmt: skip
    return n, tables, [f"judgments.{ending}: {ROWS[config.rows]}."]


def _triplets(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None
) -> Written:
    with bundle.file("triplets.csv") as file:
        n = exported_tables.write_triplets(file, "csv", study)
    return n, {"triplets.csv": TRIPLETS}, []


_COUNTED = (
    "Only judgments that count: standing answers to main triplets, no warm-ups, no repeats, no "
    "session that was screened out, none seen on a smaller part of the crop."
)


def _bapps(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None
) -> Written:
    n = exported_pictures.write_bapps(study, bundle, reporter)
    polarity = "judge/ says which is closer, whatever was asked; a not_sure is half a vote."
    return n, {"votes.csv": VOTES}, [_COUNTED, polarity]


def _oabt(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None
) -> Written:
    n = exported_pictures.write_oabt(study, bundle, reporter)
    notes = [
        _COUNTED,
        "oracle.csv has no header and a row a judgment; a not_sure has none (votes.csv counts "
        "them). CLIC's own scorer keeps the last of several rows of one O,A,B.",
    ]
    return n, {"votes.csv": VOTES}, notes


def _aic3(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None
) -> Written:
    n = exported_aic3.write_aic3(study, bundle, _progress(study, reporter))
    turned = (
        "The study asked which is closer; AIC-3 asks which differs more: each answer was turned "
        "round. The two questions need not have the same answers: never pool them unsaid."
        if study.polarity == Study.Polarity.CLOSER
        else "The study asked which differs more, as AIC-3 does."
    )
    tables: describing.Tables = {
        exported_aic3.RESPONSES: aic3.COLUMNS, "codecs.csv": exported_aic3.CODECS,
        "levels.csv": exported_aic3.LEVELS, "images.csv": exported_aic3.IMAGES,
    }  # fmt: skip
    return (
        n,
        tables,
        [
            turned,
            "Screened-out sessions are in; replaced answers, warm-ups and repeats are left out.",
        ],
    )


def _compressai(
    study: Study, config: ExportConfig, bundle: Bundle, reporter: RunReporter | None
) -> Written:
    n = exported_rates.write_compressai(study, bundle)
    return n, {}, ["Rates and distortions are of real files; no answer of anybody is in here."]


_DATA: dict[str, Callable[..., Written]] = {
    "csv": _tables,
    "jsonl": _tables,
    "parquet": _tables,
    "triplets-csv": _triplets,
    "bapps": _bapps,
    "oabt": _oabt,
    "aic3": _aic3,
    "compressai": _compressai,
}


def _progress(study: Study, reporter: RunReporter | None) -> Callable[[int], None]:
    if reporter is None:
        return lambda n: None
    total = Judgment.objects.of_study(study).count()

    def told(n: int) -> None:
        reporter.stop_if_asked()
        reporter.progress(n, total, f"{n:,} of {total:,} judgments")

    return told
