"""The table of run kinds: what can be launched, and where its work stands."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class RunKind:
    """Dotted paths, imported on first use: the web process never loads torch.

    Whole work is one function `(run, reporter) -> result`. Work in parts is
    `parts(run) -> keys`, `part(run, key)` and `finish(run) -> result`. Work that several processes
    may do together names what the others call, `together(run, reporter)`. `is_of_study`: its
    configuration's `study` is the short name of the study that it works on.
    """

    label: str
    config: str
    queue: str
    work: str = ""
    together: str = ""
    parts: str = ""
    part: str = ""
    finish: str = ""
    is_of_study: bool = False

    @property
    def is_in_parts(self) -> bool:
        return self.parts != ""


KINDS: dict[str, RunKind] = {
    "encode_ladder": RunKind(
        label="Encode a ladder",
        config="codecs_eval.encoding.LadderConfig",
        queue="encode",
        parts="codecs_eval.encoding.ladder_parts",
        part="codecs_eval.encoding.encode_part",
        finish="codecs_eval.encoding.ladder_result",
    ),
    "score": RunKind(
        label="Score reconstructions",
        config="codecs_eval.scoring.ScoreConfig",
        queue="train",
        work="codecs_eval.scoring.score_collection",
    ),
    "saliency": RunKind(
        label="Find saliency",
        config="codecs_eval.finding_saliency.SaliencyConfig",
        queue="encode",
        work="codecs_eval.finding_saliency.find_in_run",
    ),
    "plan_study": RunKind(
        label="Plan a study",
        config="annotation.long_planning.PlanConfig",
        queue="encode",
        work="annotation.long_planning.plan_in_run",
        is_of_study=True,
    ),
    "dry_run": RunKind(
        label="Dry run of a study",
        config="annotation.dry_running.DryRunConfig",
        queue="encode",
        work="annotation.dry_running.dry_run_in_run",
        is_of_study=True,
    ),
    "freeze_dataset": RunKind(
        label="Freeze a dataset",
        config="annotation.freezing.FreezeConfig",
        queue="light",
        work="annotation.freezing.freeze_in_run",
        is_of_study=True,
    ),
    "import_judgments": RunKind(
        label="Import judgments",
        config="annotation.import_run.ImportConfig",
        queue="light",
        work="annotation.import_run.import_in_run",
    ),
    "export_study": RunKind(
        label="Export a study",
        config="annotation.export_formats.ExportConfig",
        queue="light",
        work="annotation.exporting.export_in_run",
        is_of_study=True,
    ),
    "train_metric": RunKind(
        label="Train a metric",
        config="codecs_eval.training.config.TrainMetricConfig",
        queue="train",
        work="codecs_eval.finetuning.train_in_run",
        together="codecs_eval.finetuning.train",
    ),
    "export_metric": RunKind(
        label="Prepare a download",
        config="codecs_eval.exporting_metric.ExportConfig",
        queue="train",
        work="codecs_eval.exporting_metric.export_in_run",
    ),
    "train_codec": RunKind(
        label="Train a codec",
        config="codecs_eval.training.codec.config.TrainCodecConfig",
        queue="train",
        work="codecs_eval.learning_codec.train_codec_in_run",
        together="codecs_eval.learning_codec.train",
    ),
    "compare_codecs": RunKind(
        label="Compare codecs",
        config="codecs_eval.comparing_codecs.CompareCodecsConfig",
        queue="train",
        work="codecs_eval.comparing_codecs.compare_in_run",
    ),
    "downstream": RunKind(
        label="Downstream report",
        config="codecs_eval.detecting.DownstreamConfig",
        queue="encode",
        parts="codecs_eval.detecting.downstream_parts",
        part="codecs_eval.detecting.detect_part",
        finish="codecs_eval.downstream_reports.report_of",
    ),
    "agreement": RunKind(
        label="Agreement report",
        config="codecs_eval.reports.AgreementConfig",
        queue="train",
        work="codecs_eval.reports.agreement_in_run",
    ),
    "study_results": RunKind(
        label="Study results",
        config="annotation.results_config.StudyResultsConfig",
        queue="encode",
        work="annotation.running_results.results_in_run",
        is_of_study=True,
    ),
}


OF_STUDY = tuple(name for name, kind in KINDS.items() if kind.is_of_study)


def study_of(kind: str, config: dict[str, Any]) -> str:
    """The short name of the study that a run works on; "" where it works on none."""
    return str(config.get("study", "")) if kind in OF_STUDY else ""


def load(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    loaded: Callable[..., Any] = getattr(import_module(module), name)
    return loaded


def config_of(kind: str, values: dict[str, Any]) -> Any:
    """The validated configuration of a run, from its stored JSON.

    Raises ValueError naming an unknown kind or field, or what the dataclass refuses.
    """
    if kind not in KINDS:
        raise ValueError(f"No run kind is called {kind!r}; known: {', '.join(KINDS)}.")
    dataclass_ = load(KINDS[kind].config)
    known = {field.name for field in fields(dataclass_)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"Unknown settings {unknown}; expected among {sorted(known)}.")
    return dataclass_(**{key: listed_as_tuples(value) for key, value in values.items()})


def listed_as_tuples(value: Any) -> Any:
    """JSON knows lists only; a configuration that cannot change has tuples, also inside."""
    return tuple(listed_as_tuples(part) for part in value) if isinstance(value, list) else value
