"""A run's row as its page reads it: settings with their labels, parts, results by kind."""

from dataclasses import fields
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from codecs_eval import comparison_pages, exporting_metric, run_lists
from codecs_eval.models import Run, RunMetric, SourceImage
from codecs_eval.named_codecs import codec_entry
from codecs_eval.run_kinds import KINDS, load
from codecs_eval.training_pictures import LEVEL


def config_rows(run: Run) -> list[dict[str, Any]]:
    """Each setting under its label; those of a kind that is gone under their bare names."""
    stated: dict[str, Any] = {}
    if run.kind in KINDS:
        stated = {field.name: field.metadata for field in fields(load(KINDS[run.kind].config))}  # type: ignore[arg-type]
    return [
        {
            "name": name,
            "label": stated.get(name, {}).get("label") or name.replace("_", " ").capitalize(),
            "help": stated.get(name, {}).get("help", ""),
            "value": value,
        }
        for name, value in run.config.items()
    ]


def parts_of(run: Run) -> dict[str, Any] | None:
    """Progress by codec and the photos that failed; None for work that has no parts."""
    if run.kind not in KINDS or not KINDS[run.kind].is_in_parts:
        return None
    groups = run_lists.parts_by_group(run)
    for group in groups:
        group["label"] = codec_entry(group["name"]).label
    failed = run_lists.failed_parts(run)
    keys = [part["key"].partition(":") for part in failed]
    names = dict(
        SourceImage.objects.filter(pk__in=[pk for _, _, pk in keys if pk.isdigit()]).values_list(
            "pk", "name"
        )
    ) if failed else {}  # fmt: skip
    for part, (codec, _, pk) in zip(failed, keys, strict=True):
        part["label"] = codec_entry(codec).label
        part["name"] = names.get(int(pk), pk) if pk.isdigit() else pk
    return {"groups": groups, "failed": failed}


def curve_points(run: Run) -> QuerySet[RunMetric]:
    """All but a codec's measurements, which have a plot of their own: rate against PSNR."""
    return run.metrics.exclude(name__startswith=LEVEL)


def points_of(run: Run) -> dict[str, list[tuple[int, float]]]:
    """The run's curves: name -> (step, value), by step."""
    series: dict[str, list[tuple[int, float]]] = {}
    for name, step, value in curve_points(run).values_list("name", "step", "value"):
        series.setdefault(name, []).append((step, value))
    return series


def facts_of(run: Run) -> list[tuple[str, Any]]:
    """Top-level values of a result, flat, for kinds without a page part of their own."""
    return [(name, value) for name, value in run.result.items() if not isinstance(value, list)]


def made_by(run: Run) -> dict[str, str] | None:
    """Where the thing that a finished run made is to be seen."""
    if run.state != Run.State.DONE:
        return None
    if run.kind == "agreement":
        return {"label": "Open the report", "url": reverse("report", args=[run.pk])}
    if run.kind == "downstream":
        return {"label": "Open the report", "url": reverse("downstream", args=[run.pk])}
    if run.kind == "encode_ladder":
        collection = run.config["collection"]
        return {"label": f"Open {collection}", "url": reverse("collection", args=[collection])}
    if run.kind == "saliency":
        collection = run.config["collection"]
        return {
            "label": f"Open the saliency of {collection}",
            "url": f"{reverse('saliency', args=[collection])}?model={run.config['model']}",
        }
    if run.kind == "export_metric":
        return {
            "label": "Download the metric (zip)",
            "url": reverse("metric_zip", args=[run.config["training"]]),
        }
    if run.kind == "export_study":
        study = run.config["study"]
        url = reverse("study_export_file", args=[study, run.pk])
        return {"label": "Download the export (zip)", "url": url}
    if run.kind == "import_judgments" and run.result.get("study"):
        return {"label": "Open the study", "url": reverse("study", args=[run.result["study"]])}
    if run.kind in ("freeze_dataset", "import_judgments") and run.dataset_id:
        return {"label": "Open the dataset", "url": reverse("dataset", args=[run.dataset_id])}
    return None


def comparison_of(run: Run) -> dict[str, Any]:
    """What the page of a finished comparison of codecs shows besides."""
    if run.kind != "compare_codecs" or run.state != Run.State.DONE:
        return {}
    return {
        "comparison_columns": comparison_pages.columns(run),
        "comparison_rows": comparison_pages.table(run),
        "comparison_pictures": comparison_pages.pictures(run),
        "baseline_label": codec_entry(run.result["baseline"]).label,
    }


def download_of(run: Run) -> dict[str, Any] | None:
    """A finished training's export: its zip, the run that is making it, or that there is none."""
    if run.kind != "train_metric" or run.state != Run.State.DONE:
        return None
    return {
        "files": exporting_metric.exported_files(run),
        "making": run_lists.exports_of(run).active().first(),
    }
