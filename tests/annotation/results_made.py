"""Studies with answers that are known, for tests of their results."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from annotation import planning, serving
from annotation.models import Judgment, Session, Study, Trial, Triplet
from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results, results_in_run
from codecs_eval import runs
from codecs_eval.models import Reconstruction, Run
from tests.factories import make_answer, make_session

Chooser = Callable[[Triplet], str]


class Silent:
    """A reporter that nobody listens to."""

    def progress(self, done: float, total: float, note: str = "") -> None: ...

    def stop_if_asked(self) -> None: ...


def prefers(*codecs: str) -> Chooser:
    """Chooses the copy by the codec that stands first in the list."""

    def choose(triplet: Triplet) -> str:
        first, second = (codecs.index(side.codec) for side in (triplet.first, triplet.second))
        return "first" if first < second else "second"

    return choose


def unsure(triplet: Triplet) -> str:
    return "not_sure"


def sit(study: Study, choose: Chooser, n: int = 100, **values: Any) -> Session:
    """A new observer answers up to `n` trials through the serving path."""
    session = make_session(study, **values)
    answers = [
        make_answer(trial, trial.side_of_choice(choose(trial.triplet)))
        for trial in planning.lease_trials(session, n)
    ]
    serving.record(session, answers)
    return session


def add_triplet(study: Study, first: Reconstruction, second: Reconstruction) -> Triplet:
    """A main triplet that planning would not have made."""
    first, second = sorted((first, second), key=lambda row: row.pk)
    return Triplet.objects.create(
        study=study, source=first.source, first=first, second=second, target_bpp=first.target_bpp,
        crop_left_px=0, crop_top_px=0, crop_width_px=64, crop_height_px=64, shuffle=10_000,
    )  # fmt: skip


def judge(session: Session, triplet: Triplet, choice: str, **values: Any) -> Judgment:
    """One judgment as a row, beside the serving path."""
    position = session.trials.count()
    trial = Trial.objects.create(
        session=session, annotator=session.annotator, triplet=triplet, position=position,
        first_on_left=True, state=Trial.State.JUDGED, lease_until=timezone.now(),
        is_repeat=values.pop("is_repeat", False), is_warm_up=values.pop("is_warm_up", False),
    )  # fmt: skip
    answer = make_answer(trial)
    return Judgment.objects.create(
        id=answer.id, trial=trial, choice=choice, response_ms=1000.0, **values
    )


def results(study: Study, **values: Any) -> dict[str, Any]:
    """What a run computes, as JSON; without metrics unless they are asked for."""
    config = {"metrics": (), "resamples": 100, **values}
    run = create_results(study, StudyResultsConfig(study=study.slug, **config))
    run.folder.mkdir(parents=True, exist_ok=True)
    reporter: Any = Silent()
    return results_in_run(run, reporter)


def finished_run(study: Study, **values: Any) -> Run:
    """A run with its results and files, as a worker leaves it."""
    config = {"metrics": (), "resamples": 100, **values}
    run = create_results(study, StudyResultsConfig(study=study.slug, **config))
    run.folder.mkdir(parents=True, exist_ok=True)
    reporter: Any = Silent()
    told = results_in_run(run, reporter)
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    assert runs.finish(run.pk, owner, Run.State.DONE, result=told, progress=1)
    run.refresh_from_db()
    return run
