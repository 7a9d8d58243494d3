"""Scores from a person's own CSV file, kept in the store -> a metric of an agreement report."""

from pathlib import Path

from codecs_eval import storing
from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.judged import MetricDistances
from codecs_eval.agreement.outside_scores import parse_outside, read_outside_scores

MAX_FILE_BYTES = 100_000_000
_FOLDER = "outside_scores"
# Beside the marks of the table and of trained metrics.
_MARKS = (("#7F3B08", "s"), ("#7F3B08", "^"), ("#7F3B08", "D"), ("#7F3B08", "v"))


def kept(text: str) -> str:
    """`FILE:NAME:DIRECTION` with the file's place in the store: a worker elsewhere can read it.

    Raises ValueError where the text or the file cannot be read.
    """
    outside = parse_outside(text)
    try:
        data = Path(outside.file).read_bytes()
    except OSError as error:
        raise ValueError(
            f"{outside.file} cannot be read ({error.strerror}); expected a CSV file of scores"
        ) from error
    return kept_upload(data, outside.name, outside.higher_is_better)


def kept_upload(data: bytes, name: str, higher_is_better: bool) -> str:
    """The same for a file that a page was given."""
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"found {len(data)} bytes of scores; expected at most {MAX_FILE_BYTES}")
    if ":" in name:
        raise ValueError(f"found a metric's name with a colon, {name!r}; expected one without")
    path = storing.store(data, folder=_FOLDER, extension="csv")
    text = f"{path}:{name}:{'higher' if higher_is_better else 'lower'}"
    parse_outside(text)
    return text


def outside_distances(text: str, dataset: FrozenDataset, part: Part, index: int) -> MetricDistances:
    """The metric of what `kept` gave, on the judged triplets of one part of a dataset."""
    outside = parse_outside(text)
    if not outside.file.startswith(f"{_FOLDER}/"):
        raise ValueError(f"found scores in {outside.file}; expected a file that the store keeps")
    asked = dataset.restricted_to(dataset.sources(part))
    triplets = asked.triplets[asked.triplets["triplet_id"].isin(asked.judgments["triplet_id"])]
    colour, marker = _MARKS[index % len(_MARKS)]
    return MetricDistances(
        name=f"file:{outside.name}",
        label=f"{outside.name} (from a file)",
        higher_is_better=outside.higher_is_better,
        colour=colour,
        marker=marker,
        values=read_outside_scores(storing.read(outside.file), triplets),
    )
