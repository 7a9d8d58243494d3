"""The run that computes a study's results, and which one of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.utils.dateparse import parse_datetime

from annotation.models import Judgment, Study
from annotation.results_config import StudyResultsConfig
from codecs_eval import runs
from codecs_eval.models import Run, RunQuerySet
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter

KIND = "study_results"


def create_results(study: Study, config: StudyResultsConfig, user: User | None = None) -> Run:
    """A queued run; the caller rings the queue's bell."""
    return runs.create(
        KIND,
        config,
        title=f"Results of {study.title}"[:200],
        user=user,
        is_simulated=study.is_simulated,
    )


def results_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    # The figures: only where results are computed.
    from annotation.results import study_results
    from annotation.results_writing import write_results

    config: StudyResultsConfig = config_of(run.kind, run.config)
    study = Study.objects.get(slug=config.study)
    told = study_results(study, config, reporter).to_json()
    reporter.stop_if_asked()
    write_results(run.folder, told)
    return told


def results_of(study: Study) -> RunQuerySet:
    """The runs that compute this study's results, newest first; results stay in the database."""
    found = Run.objects.filter(kind=KIND, config__study=study.slug)
    return found.defer("result", "traceback")


def newest_results(study: Study) -> Run | None:
    """The newest finished run with its numbers."""
    return results_of(study).filter(state=Run.State.DONE).defer("traceback").first()


@dataclass(frozen=True)
class Since:
    """What happened to the judgments after results were computed.

    `n_new` came in; `n_counting` count now, of which the results know `n_known`: where they
    differ by more than what came in, answers were changed or sessions screened since.
    """

    n_new: int
    n_counting: int
    n_known: int

    @property
    def is_fresh(self) -> bool:
        return self.n_new == 0 and self.n_counting == self.n_known

    @property
    def is_changed(self) -> bool:
        return self.n_counting != self.n_known + self.n_new


def since(study: Study, told: dict[str, Any]) -> Since:
    read_at = parse_datetime(told["read_at"])
    found = (
        Judgment.objects.of_study(study)
        .counted()
        .aggregate(n=Count("pk"), new=Count("pk", filter=Q(server_time__gt=read_at)))
    )
    return Since(found["new"], found["n"], told["screened"]["counts"]["n_judgments"])
