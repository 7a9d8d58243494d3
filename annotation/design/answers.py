"""All answers of one study, laid out by session and in the order in which they were given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FIRST, SECOND, NOT_SURE = 0, 1, 2
LEFT, RIGHT = 0, 1
UNKNOWN = -1

# Sessions times places worked on at once, so that memory does not grow with the study.
_PART = 40_000


@dataclass(frozen=True, eq=False)
class Answers:
    """One row a judgment, in any order; codes are whole numbers from 0.

    session, triplet: which one. position: place in the session. choice: FIRST, SECOND or
    NOT_SURE. first_on_left: whether the first stood on the left. response_ms: nan where it was
    not measured. expected: the right choice, UNKNOWN where there is none. is_identical: both
    sides were equal. is_sentinel: the answer is obvious, told or not. first_item, second_item:
    what made each side (a codec at a rate), UNKNOWN where that is not known.
    """

    n_sessions: int
    session: Ints
    position: Ints
    triplet: Ints
    choice: Ints
    first_on_left: Bools
    response_ms: Floats
    expected: Ints
    is_sentinel: Bools
    is_identical: Bools
    first_item: Ints
    second_item: Ints

    def __post_init__(self) -> None:
        columns = {name: values for name, values in vars(self).items() if name != "n_sessions"}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"found columns of lengths {lengths}, expected the same for all")
        if len(self.session) and not 0 <= self.session.min() <= self.session.max() < (
            self.n_sessions
        ):
            raise ValueError(
                f"found sessions {self.session.min()} to {self.session.max()}, "
                f"expected 0 to {self.n_sessions - 1}"
            )
        wrong = set(np.unique(self.choice)) - {FIRST, SECOND, NOT_SURE}
        if wrong:
            raise ValueError(f"found choices {sorted(wrong)}, expected 0, 1 or 2")
        order = np.lexsort((self.position, self.session))
        for name, values in columns.items():
            object.__setattr__(self, name, values[order])

    @property
    def size(self) -> int:
        return len(self.session)

    @cached_property
    def n_given(self) -> Ints:
        """Answers of each session."""
        return np.bincount(self.session, minlength=self.n_sessions).astype(np.int64)

    @cached_property
    def longest(self) -> int:
        return int(self.n_given.max()) if self.size else 0

    @cached_property
    def place(self) -> Ints:
        """0 for a session's first answer, 1 for its second, ..."""
        start = np.concatenate([[0], np.cumsum(self.n_given)[:-1]])
        place: Ints = np.arange(self.size) - start[self.session]
        return place

    @cached_property
    def side(self) -> Ints:
        """LEFT, RIGHT, or NOT_SURE."""
        is_left = (self.choice == FIRST) == self.first_on_left
        return np.where(self.choice == NOT_SURE, NOT_SURE, np.where(is_left, LEFT, RIGHT))

    @cached_property
    def is_sided(self) -> Bools:
        is_sided: Bools = self.choice != NOT_SURE
        return is_sided

    @cached_property
    def n_triplets(self) -> int:
        return int(self.triplet.max()) + 1 if self.size else 0

    @cached_property
    def earlier(self) -> Ints:
        """Row in which the session answered the same triplet before; UNKNOWN the first time."""
        found = np.full(self.size, UNKNOWN)
        key = self.session * self.n_triplets + self.triplet
        order = np.lexsort((np.arange(self.size), key))
        again = key[order[1:]] == key[order[:-1]]
        for row, before in zip(order[1:][again], order[:-1][again], strict=True):
            found[row] = before if found[before] == UNKNOWN else found[before]
        return found

    def parts(self) -> Iterator[slice]:
        """Consecutive ranges of sessions."""
        step = max(1, _PART // max(self.longest, 1))
        for start in range(0, self.n_sessions, step):
            yield slice(start, min(start + step, self.n_sessions))

    def rows(self, part: slice) -> slice:
        low, high = np.searchsorted(self.session, [part.start, part.stop])
        return slice(int(low), int(high))

    def laid_out(self, values: Floats, part: slice) -> Floats:
        """Values, one for each of `rows(part)`, as (sessions, places, ...); 0 where none is."""
        rows = self.rows(part)
        out = np.zeros((part.stop - part.start, self.longest, *values.shape[1:]))
        out[self.session[rows] - part.start, self.place[rows]] = values
        return out

    def up_to(self, values: Floats, part: slice) -> Floats:
        """Sums over the first c answers, c = 0..longest; shape (sessions, longest + 1, ...)."""
        laid = self.laid_out(values, part)
        out = np.zeros((laid.shape[0], self.longest + 1, *values.shape[1:]))
        np.cumsum(laid, axis=1, out=out[:, 1:])
        return out

    def from_on(self, values: Floats, part: slice) -> Floats:
        """Sums over the answers from place c on, c = 0..longest."""
        laid = self.laid_out(values, part)
        out = np.zeros((laid.shape[0], self.longest + 1, *values.shape[1:]))
        out[:, :-1] = np.cumsum(laid[:, ::-1], axis=1)[:, ::-1]
        return out

    def by_session(self, values: Floats) -> Floats:
        """Sum of each session."""
        return np.bincount(self.session, values, self.n_sessions).astype(np.float64)

    def sums_by_session(self, values: Floats) -> Floats:
        """The same for many columns at once; shape (sessions, columns)."""
        found = np.zeros((self.n_sessions, values.shape[1]))
        present, start = np.unique(self.session, return_index=True)
        found[present] = np.add.reduceat(values, start, axis=0)
        return found

    def by_triplet(self, values: Floats) -> Floats:
        return np.bincount(self.triplet, values, self.n_triplets).astype(np.float64)


def log_sum(log_values: Floats, axis: int) -> Floats:
    """log of the sum of exp(log_values) along an axis: scipy's logsumexp without its checks."""
    most = log_values.max(axis=axis, keepdims=True)
    most = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        found: Floats = np.log(np.exp(log_values - most).sum(axis=axis)) + most.squeeze(axis)
    return found
