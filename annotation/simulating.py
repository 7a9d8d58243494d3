"""Simulated observers through the real serving path; their rows say that they are simulated."""

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from django.utils import timezone

from annotation import scheduling, serving
from annotation.design.simulation import CARELESS, SimulatedObserver, make_population
from annotation.models import Annotator, Session, Study, Triplet
from codecs_eval import storing
from codecs_eval.metrics.table import load_metric
from codecs_eval.scoring import weight_file

PROVIDER = "simulation"
AT_ONCE = 8


@dataclass(frozen=True)
class Simulated:
    n_observers: int
    n_judgments: int


def simulate(
    study: Study,
    *,
    n_observers: int,
    seed: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    quality: "Quality | None" = None,
) -> Simulated:
    """Let made-up observers answer a study that is marked as simulated.

    They judge by SSIM of the crop in dB, -10 log10(1 - SSIM), blurred by their own noise;
    `quality` keeps what they went by.
    Raises ValueError for a study meant for people, or one that is not open.
    """
    if not study.is_simulated:
        raise ValueError(
            f"Study {study.slug} is for people; simulated observers answer only studies made "
            "for them (create_study --simulated)."
        )
    if n_observers < 1:
        raise ValueError(f"Found {n_observers} observers; expected at least 1.")
    if seed < 0:
        raise ValueError(f"Found seed {seed}; expected 0 or more.")
    quality = quality or Quality()
    n_judgments = 0
    for index, observer in enumerate(make_population(n_observers, seed, careless=CARELESS)):
        annotator, _ = Annotator.objects.get_or_create(
            provider=PROVIDER,
            outside_id=f"{study.slug}:{seed}:{index}",
            defaults={"is_simulated": True},
        )
        n_judgments += _sit(serving.begin(study, annotator), observer, quality)
        on_progress(index + 1, n_observers)
    return Simulated(n_observers, n_judgments)


def _sit(session: Session, observer: SimulatedObserver, quality: "Quality") -> int:
    rng = observer.generator()
    clock_ms = 0.0
    n_judged = 0
    trials = serving.exchange(session, [], AT_ONCE).trials
    while trials:
        answers = []
        for trial in trials:
            first, second = quality.of(trial.triplet)
            if session.study.polarity == Study.Polarity.DIFFERS:
                # Asked for the one that differs more, the worse one is the answer.
                first, second = -first, -second
            answer = observer.choose(
                first, second, trial.first_on_left, rng, session.study.allow_not_sure,
                place=trial.position,
            )  # fmt: skip
            painted_ms = clock_ms + 60.0
            clock_ms = painted_ms + answer.response_ms
            answers.append(
                serving.Answer(
                    id=uuid.UUID(int=int(rng.integers(2**62)) << 64 | trial.pk.int % 2**64),
                    trial=trial.pk,
                    side=trial.side_of_choice(answer.choice),
                    measured={
                        "painted_ms": painted_ms,
                        "answered_ms": clock_ms,
                        "response_ms": answer.response_ms,
                        "client_time": timezone.now(),
                    },
                )
            )
        done = serving.exchange(session, answers, AT_ONCE)
        n_judged, trials = n_judged + len(done.receipt.stored), done.trials
        if session.study.scheduler == Study.Scheduler.ACTIVE:
            scheduling.plan_block(session.study)
    serving.finish(session)
    return n_judged


class Quality:
    """Visible quality of a triplet's two crops, computed once each; `known` by triplet, in dB."""

    def __init__(self) -> None:
        self._ssim = load_metric("ssim", weight_file)
        self.known: dict[int, tuple[float, float]] = {}

    def of(self, triplet: Triplet) -> tuple[float, float]:
        if triplet.pk not in self.known:
            left, top, right, bottom = triplet.box
            source, first, second = (
                storing.read_pixels(path)[top:bottom, left:right]
                for path in (triplet.source.path, triplet.first.path, triplet.second.path)
            )
            scores = self._ssim.scores(np.ascontiguousarray(source), [first, second])
            self.known[triplet.pk] = (_decibel(scores[0]), _decibel(scores[1]))
        return self.known[triplet.pk]


def _decibel(ssim: float) -> float:
    return -10 * math.log10(max(1e-6, 1 - ssim))
