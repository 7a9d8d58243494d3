"""Planning that reads many pixels, as a run: a draft waits for its triplets meanwhile."""

from dataclasses import dataclass, field
from typing import Any

from annotation import auditing, triplets
from annotation.models import Study
from codecs_eval import runs
from codecs_eval.models import Run
from codecs_eval.runs import RunReporter

KIND = "plan_study"


@dataclass(frozen=True)
class PlanConfig:
    """Which draft's triplets are planned anew."""

    study: str = field(metadata={"help": "The draft's short name (slug)."})

    def __post_init__(self) -> None:
        if not self.study:
            raise ValueError("Found no study; expected its short name.")


def plan_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    study = Study.objects.get(slug=PlanConfig(**run.config).study)

    def tell(done: int, total: int) -> None:
        reporter.stop_if_asked()
        reporter.progress(done, total, "looking where the copies differ")

    before = {"triplets": study.triplets.count()}

    def keep_trail() -> None:
        after = {"triplets": study.triplets.count()}
        auditing.record(study, run.created_by, "Planned the triplets in a run", before, after)

    planned = triplets.plan_triplets(study, on_progress=tell, beside=keep_trail)
    return {
        "study": study.slug,
        "triplets": planned.n_triplets,
        "checks": sum(planned.n_checks.values()),
        "left_out": planned.left_out,
    }


def start(study: Study, *, user: Any = None) -> Run:
    """A queued run that plans a draft; whoever calls this rings the queue's bell."""
    return runs.create(
        KIND,
        PlanConfig(study=study.slug),
        title=f"Plan {study.slug}",
        user=user,
        is_simulated=study.is_simulated,
    )


def running(study: Study) -> Run | None:
    """The run that plans this draft just now."""
    return Run.objects.active().filter(kind=KIND, config__study=study.slug).first()
