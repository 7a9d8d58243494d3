"""A design tried out: simulated observers answer a copy of a study, kept apart from people's data.

draft or opened study --copy--> dry run --simulated observers, the real serving path--> answers
    --> what the design would have found, beside what those observers went by
"""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from annotation import copying, forecasting, screening
from annotation.conditions import cells_of, wins_of
from annotation.models import Session, Study, Triplet
from annotation.simulating import Quality, simulate
from codecs_eval import runs
from codecs_eval.models import Run
from codecs_eval.runs import RunReporter

KIND = "dry_run"
MOST_OBSERVERS = 5000


@dataclass(frozen=True)
class DryRunConfig:
    """Which study is tried out, and on how many made-up observers."""

    study: str = field(metadata={"help": "The study's short name (slug)."})
    observers: int = field(
        default=0,
        metadata={"help": "Simulated observers, one session each; 0: as many as it needs."},
    )
    seed: int = field(default=1, metadata={"help": "Of the simulated observers."})

    def __post_init__(self) -> None:
        if not self.study:
            raise ValueError("Found no study; expected its short name.")
        if not 0 <= self.observers <= MOST_OBSERVERS:
            raise ValueError(f"Found {self.observers} observers; expected 0 to {MOST_OBSERVERS}.")
        if self.seed < 0:
            raise ValueError(f"Found seed {self.seed}; expected 0 or more.")


@dataclass(frozen=True)
class Found:
    """What a design would have found. Everything here is SIMULATED.

    n_pairs: pairs of conditions (a codec at a rate) that were compared; n_right: those that most
    answers order as the observers' own yardstick does, the mean SSIM in dB over the pair's crops.
    minutes_a_session: median, by the simulated observers' made-up times.
    """

    dry_run: str
    n_observers: int
    n_judgments: int
    n_wanted: int
    n_counted: int
    n_excluded: int
    n_pairs: int
    n_right: int
    minutes_a_session: float | None


def start(study: Study, *, observers: int = 0, seed: int = 1, user: Any = None) -> Run:
    """A queued dry run; whoever calls this rings the queue's bell. Raises ValueError."""
    refuse_untriable(study)
    return runs.create(
        KIND,
        DryRunConfig(study=study.slug, observers=observers, seed=seed),
        title=f"Dry run of {study.title}"[:200],
        user=user,
        is_simulated=True,
    )


def dry_runs_of(study: Study, most: int = 10) -> list[Run]:
    """The newest dry runs of a study, running ones too; `result` holds what each found."""
    rows = Run.objects.filter(kind=KIND, config__study=study.slug)
    return list(rows.order_by("-created_at")[:most])


def refuse_untriable(study: Study) -> None:
    if study.purpose != Study.Purpose.REAL:
        raise ValueError(f"Study {study.slug} is {study.get_purpose_display()}; try its original.")
    if not study.triplets.exists():
        raise ValueError(f"Study {study.slug} has no triplets yet; plan them first.")
    if study.triplets.filter(source__path="").exists():
        raise ValueError(f"Study {study.slug} was imported without its images; nothing to show.")


def dry_run_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    config = DryRunConfig(**run.config)
    study = Study.objects.get(slug=config.study)
    # An attempt after a killed one goes on in the copy that it finds.
    slug = f"{study.slug[:40]}-dry-{run.pk.hex[:8]}"
    made = study.copies.filter(slug=slug).first() or begin(study, slug, user=run.created_by)

    def tell(done: int, total: int) -> None:
        reporter.stop_if_asked()
        reporter.progress(done, total, f"{done} of {total} simulated observers")

    found = try_out(made, n_observers=config.observers, seed=config.seed, on_progress=tell)
    return {"is_simulated": True, **asdict(found)}


def begin(study: Study, slug: str, *, user: Any = None) -> Study:
    """The copy that simulated observers will answer, open. Raises ValueError saying what to do."""
    refuse_untriable(study)
    with transaction.atomic():
        made = copying.copy(
            study,
            slug=slug,
            title=f"Dry run of {study.title}"[:120],
            purpose=Study.Purpose.DRY_RUN,
            is_simulated=True,
            state=Study.State.OPEN,
            opened_at=timezone.now(),
            created_by=user,
            # Every observer sits once, and nothing of a person's screen is asked of them.
            sessions_per_person=0,
            stop_half_width=None,
        )
        copying.copy_members(study, made)
    return made


def try_out(
    made: Study, *, n_observers: int = 0, seed: int = 1, on_progress: Any = lambda done, total: None
) -> Found:
    """Let simulated observers answer a dry run, screen them, and read what it found."""
    quality = Quality()
    n_observers = n_observers or min(MOST_OBSERVERS, sessions_needed(made))
    simulate(made, n_observers=n_observers, seed=seed, on_progress=on_progress, quality=quality)
    screening.screen(made)
    made.state = Study.State.CLOSED
    made.save(update_fields=["state"])
    return _found(made, n_observers, quality)


def sessions_needed(study: Study) -> int:
    """As many as give every planned triplet its judgments, by the session's own plan."""
    n_triplets = study.triplets.filter(kind=Triplet.Kind.MAIN).count()
    return forecasting.sessions_for(study, n_triplets)


def _found(made: Study, n_observers: int, quality: Quality) -> Found:
    main = made.triplets.filter(kind=Triplet.Kind.MAIN)
    counts = main.aggregate(n_judged=Sum("n_judged"))
    sessions = made.sessions.annotate(ends_ms=Max("trials__judgments__answered_ms"))
    times = [ms for ms in sessions.values_list("ends_ms", flat=True).order_by() if ms is not None]
    n_pairs, n_right = _orders(made, quality)
    return Found(
        dry_run=made.slug,
        n_observers=n_observers,
        n_judgments=counts["n_judged"] or 0,
        n_wanted=main.count() * made.judgments_per_triplet,
        n_counted=wins_of(made).n_judgments,
        n_excluded=made.sessions.filter(verdict=Session.Verdict.EXCLUDED).count(),
        n_pairs=n_pairs,
        n_right=n_right,
        minutes_a_session=median(times) / 60_000 if times else None,
    )


def _orders(made: Study, quality: Quality) -> tuple[int, int]:
    """How many pairs of conditions were compared, and how many most answers order rightly."""
    cells = cells_of(made)
    wins = wins_of(made).wins
    truth = np.zeros(len(cells.pairs))
    for key, cell, is_turned in zip(cells.keys, cells.cell, cells.is_turned, strict=True):
        if int(key) in quality.known:
            first, second = quality.known[int(key)]
            truth[cell] += (second - first) if is_turned else (first - second)
    one, other = cells.pairs.T
    lead = wins[one, other] - wins[other, one]
    is_compared = (wins[one, other] + wins[other, one]) > 0
    is_right = is_compared & (lead * truth > 0)
    return int(np.count_nonzero(is_compared)), int(np.count_nonzero(is_right))
