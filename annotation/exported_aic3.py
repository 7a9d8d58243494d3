"""A study's answers as AIC-3 style responses, with the files that say what its numbers mean."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotation.exported_tables import write_table
from annotation.formats import aic3
from annotation.formats.bundle import Bundle
from annotation.formats.columns import Column, names
from annotation.formats.writing import Batch
from annotation.judgment_table import SESSIONS_AT_ONCE, judgment_batches, session_ids
from annotation.models import Session, Study

RESPONSES = "responses.csv"
CODECS = (
    Column("codec", "whole", "", "Number of the codec."),
    Column("name", "text", "", "The codec; 0 is the original."),
)
LEVELS = (
    Column("dlevel", "whole", "", "Number of the distortion level: higher is more distorted."),
    Column("target_bpp", "number", "bit/px", "The rate that it stands for; empty: no distortion."),
)
IMAGES = (
    Column("img_num", "whole", "", "Number of the original."),
    Column("name", "text", "", "Its name in the collection."),
    Column("collection", "text", "", "Its collection."),
)


def write_aic3(study: Study, bundle: Bundle, told: Callable[[int], None]) -> int:
    """responses.csv and its three lookups; how many answers.

    Replaced answers are left out, and warm-ups and repeats, which AIC-3 has no columns to mark.
    """
    numbers = _Numbers(study)
    counted = 0
    with bundle.file(RESPONSES) as file:

        def batches() -> Iterator[Batch]:
            nonlocal counted
            for batch in _batches(study, numbers):
                counted += len(batch["assignment"])
                yield batch
                told(counted)

        write_table(file, "csv", batches(), aic3.COLUMNS)
    numbers.write(bundle)
    return counted


class _Numbers:
    """Codecs, levels, originals and people, numbered within one file."""

    def __init__(self, study: Study) -> None:
        triplets = study.triplets.order_by()
        codecs = {*triplets.values_list("first__codec", flat=True).distinct(),
                  *triplets.values_list("second__codec", flat=True).distinct()}  # fmt: skip
        # A sentinel's sides have two rates.
        rates = {*triplets.values_list("first__target_bpp", flat=True).distinct(),
                 *triplets.values_list("second__target_bpp", flat=True).distinct()}  # fmt: skip
        images = sorted(triplets.values_list("source__collection", "source__name").distinct())
        self.codecs = {name: at for at, name in enumerate(sorted(codecs), 1)}
        self.levels = {rate: at for at, rate in enumerate(sorted(rates, reverse=True), 1)}
        self.images = {image: at for at, image in enumerate(images, 1)}
        self._workers: dict[str, int] = {}

    def worker(self, annotator: str) -> int:
        return self._workers.setdefault(annotator, len(self._workers) + 1)

    def write(self, bundle: Bundle) -> None:
        codecs = [(0, "original"), *((n, name) for name, n in self.codecs.items())]
        levels = [(0, None), *((n, rate) for rate, n in self.levels.items())]
        images = [(n, name, collection) for (collection, name), n in self.images.items()]
        for name, columns, rows in (
            ("codecs.csv", CODECS, codecs), ("levels.csv", LEVELS, levels),
            ("images.csv", IMAGES, images),
        ):  # fmt: skip
            with bundle.file(name) as file:
                write_table(file, "csv", _one_batch(columns, rows), columns)


def _one_batch(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> list[Batch]:
    return [dict(zip(names(columns), zip(*rows, strict=True), strict=True))] if rows else []


def _batches(study: Study, numbers: _Numbers) -> Iterator[Batch]:
    method = "PTC" if study.preset == "aic3_plain" else study.mode
    asked = session_ids(study)
    for start in range(0, len(asked), SESSIONS_AT_ONCE):
        some = asked[start : start + SESSIONS_AT_ONCE]
        screens = _screens(some)
        for batch in judgment_batches(study, rows="standing", sessions=some):
            rates = _rates(study, batch["triplet_id"])
            rows = zip(*(batch[name] for name in _NEEDED), strict=True)
            told = (dict(zip(_NEEDED, row, strict=True)) for row in rows)
            made = [
                _row(one, numbers, method, screens, rates[one["triplet_id"]])
                for one in told
                if not (one["is_warm_up"] or one["is_repeat"])
            ]
            yield from _one_batch(aic3.COLUMNS, made)


_NEEDED = (
    "session_id", "annotator_id", "polarity", "triplet_id", "triplet_kind", "collection", "source",
    "first_codec", "second_codec", "first_on_left", "chosen_side", "position",
    "server_time", "response_ms", "n_switches", "is_simulated", "expected",
    "is_warm_up", "is_repeat",
)  # fmt: skip


def _screens(sessions: Sequence[Any]) -> dict[str, str]:
    """The screen's own pixels, by what the table calls the session."""
    found = Session.objects.filter(pk__in=sessions).values_list("pk", "outside_id", "viewing")
    return {outside or str(pk): _screen(viewing) for pk, outside, viewing in found}


def _screen(viewing: Mapping[str, Any]) -> str:
    width, height = (viewing.get(f"screen_device_{side}_px") for side in ("width", "height"))
    return f"{width} x {height}" if width and height else ""


def _rates(study: Study, ids: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The rates that both sides of some triplets were made for."""
    asked = [int(pk) for pk in set(ids)]
    found: dict[str, tuple[float, float]] = {}
    for start in range(0, len(asked), 500):
        rows = study.triplets.filter(pk__in=asked[start : start + 500])
        for pk, first, second in rows.values_list("pk", "first__target_bpp", "second__target_bpp"):
            found[str(pk)] = first, second
    return found


def _row(
    told: dict[str, Any],
    numbers: _Numbers,
    method: str,
    screens: Mapping[str, str],
    rates: tuple[float, float],
) -> tuple[Any, ...]:
    sides = [numbers.codecs[told["first_codec"]], numbers.codecs[told["second_codec"]]]
    levels = [numbers.levels[rate] for rate in rates]
    words = [f"{told['first_codec']} at {rates[0]:g} bpp",
             f"{told['second_codec']} at {rates[1]:g} bpp"]  # fmt: skip
    at_left = 0 if told["first_on_left"] else 1
    is_bias = told["triplet_kind"] == "identical"
    took = told["response_ms"]
    return (
        told["session_id"], numbers.worker(told["annotator_id"]), method, 1, told["triplet_id"],
        numbers.images[told["collection"], told["source"]],
        sides[at_left], 0, sides[1 - at_left],
        levels[at_left], 0, levels[1 - at_left],
        words[at_left], told["source"], words[1 - at_left],
        sides[0] == sides[1], sides[0] != sides[1], is_bias, bool(told["expected"]),
        told["position"], aic3.response(told["chosen_side"], told["polarity"]),
        told["server_time"], None if took is None else took / 1000, None,
        screens[told["session_id"]], told["n_switches"], told["is_simulated"],
    )  # fmt: skip
