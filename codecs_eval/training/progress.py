"""How far a training is, and how long it still takes at the pace of its own epochs."""

import time

from codecs_eval.training.reporter import Reporter


class ProgressShare:
    """The part of a run's progress bar, `low` to 1, that the fits fill; `total` epochs in all."""

    def __init__(self, report: Reporter, low: float, total: int, *, may_end_early: bool) -> None:
        self.report = report
        self.low = low
        self.total = total
        self.may_end_early = may_end_early
        self._began_at = time.monotonic()
        self._began_with = 0.0

    def begin(self, done: float) -> None:
        """The pace is measured from here: `done` epochs were done before."""
        self._began_at, self._began_with = time.monotonic(), done

    def skip(self, epochs: float) -> None:
        """So many epochs count as done from now on, though nobody spent time on them."""
        self._began_with += epochs

    def tell(self, done: float, note: str) -> None:
        share = self.low + (1.0 - self.low) * done / self.total
        measured = done - self._began_with
        if measured > 0.0 and done < self.total:
            seconds = (time.monotonic() - self._began_at) / measured * (self.total - done)
            most = "at most " if self.may_end_early else ""
            note = f"{note}, {most}{_told(seconds)} left"
        self.report.progress(share, 1.0, note)


def _told(seconds: float) -> str:
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.1f} h"
