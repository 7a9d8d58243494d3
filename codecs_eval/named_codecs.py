"""A codec by the name that a person types: of the table, or trained here.

A trained one is called learned- and the first eight characters of its run's id.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from codecs_eval.codecs.codec import Codec, Probe
from codecs_eval.codecs.learned.shape import MODEL_FILE
from codecs_eval.codecs.table import CODECS, CodecEntry, load_codec, probe_all
from codecs_eval.models import Run
from codecs_eval.scoring import weight_file

PREFIX = "learned-"
_NAME = re.compile(r"learned-[0-9a-f]{8}")
# Beside the table's own colours: learned codecs are few, and told apart by their labels too.
_MARKS = (("#882255", "p"), ("#44AA99", "h"), ("#999933", "<"), ("#332288", ">"))


def learned_name(run: Run) -> str:
    return f"{PREFIX}{run.pk.hex[:8]}"


def is_learned(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def is_known(name: str) -> bool:
    """Whether a codec may be called so; one that was trained may be gone all the same."""
    return name in CODECS or is_learned(name)


def check_known(names: tuple[str, ...]) -> None:
    """Raise ValueError unless each is of the table or has the form of a trained one's name."""
    unknown = [name for name in names if not is_known(name)]
    if unknown or not names:
        raise ValueError(
            f"Found codecs {list(names)}; expected some of {', '.join(CODECS)}, or a trained one "
            f"as {PREFIX}XXXXXXXX."
        )


def learned_run(name: str) -> Run:
    """The finished training behind a name; ValueError saying what is wrong."""
    if not is_learned(name):
        raise ValueError(
            f"Found codec {name!r}; expected {PREFIX} and eight characters of its run."
        )
    found = list(_trainings().filter(pk__gte=_first_id(name), pk__lte=_last_id(name))[:2])
    if len(found) != 1:
        raise ValueError(f"Found {len(found)} trainings called {name}; expected one that is done.")
    return found[0]


def any_simulated(names: Iterable[str]) -> bool:
    """Whether one of them learned from a metric that learned from no person."""
    return any(learned_run(name).is_simulated for name in names if is_learned(name))


def codec_entry(name: str) -> CodecEntry:
    """How a codec is called and drawn; one that is gone keeps its name."""
    if name in CODECS:
        return CODECS[name]
    try:
        return _entry_of(name)
    except ValueError:
        return CodecEntry(name, name, "", "#767676", "o", "not known here")


@lru_cache(maxsize=256)
def _entry_of(name: str) -> CodecEntry:
    # A table of cells asks for the same few again and again; a finished training does not change.
    return learned_entry(learned_run(name))


def learned_entry(run: Run) -> CodecEntry:
    name = learned_name(run)
    colour, marker = _MARKS[int(run.pk.hex[:8], 16) % len(_MARKS)]
    config = run.config
    loss = "squared error"
    if config.get("metric"):
        loss += f" + {config['metric']}"
    if config.get("saliency"):
        loss += f", guided by {config['saliency']}"
    marked = " (on SIMULATED judgments)" if run.is_simulated else ""
    note = f"trained on {config['collection']} for {config['steps']} steps: {loss}{marked}"
    return CodecEntry(name, f"{run.title}{marked}", "", colour, marker, note)


def learned_entries() -> list[CodecEntry]:
    """Of every finished training, newest first."""
    return [learned_entry(run) for run in _trainings().order_by("-created_at")]


def all_entries() -> dict[str, CodecEntry]:
    """Name -> entry: the table's, then the trained ones."""
    return CODECS | {entry.name: entry for entry in learned_entries()}


def probe_named(name: str) -> Probe:
    """Whether it can be used here; a trained one is not loaded for that."""
    if not is_learned(name):
        return load_codec(name).probe()
    return _probe_of(learned_run(name))


def _probe_of(run: Run) -> Probe:
    name, label, path = learned_name(run), learned_entry(run).label, run.folder / MODEL_FILE
    if not path.is_file():
        return Probe(name, label, False, "", f"{path} is gone; train it again")
    return Probe(name, label, True, run.result.get("version", ""), "")


def probe_every() -> list[Probe]:
    """The table's, then the trained ones."""
    return probe_all() + [_probe_of(run) for run in _trainings().order_by("-created_at")]


def named_codec(name: str) -> Codec:
    """Ready to code. Raises ValueError or RuntimeError (its saliency's weights are not here)."""
    if not is_learned(name):
        return load_codec(name)
    run = learned_run(name)
    path = run.folder / MODEL_FILE
    if not path.is_file():
        raise ValueError(f"{path} is gone; expected the codec that run {run.pk} trained")
    return _loaded(name, run.title, path, run.config.get("saliency", ""))


def look_of(saliency: str) -> Any:
    """Where people look, as a function of an image; None for the empty name."""
    if not saliency:
        return None
    from codecs_eval.saliency.table import load_saliency

    return load_saliency(saliency, weight_file).map


@lru_cache(maxsize=4)
def _loaded(name: str, title: str, path: Path, saliency: str) -> Codec:
    # torch: only where something is coded.
    from codecs_eval.codecs.learned.codec import LearnedCodec
    from codecs_eval.codecs.learned.saving import load_model

    return LearnedCodec(name, title, load_model(path), look_of(saliency))


def _trainings() -> Any:
    return Run.objects.filter(kind="train_codec", state=Run.State.DONE).defer("traceback")


def _first_id(name: str) -> str:
    return f"{name.removeprefix(PREFIX)}-0000-0000-0000-000000000000"


def _last_id(name: str) -> str:
    return f"{name.removeprefix(PREFIX)}-ffff-ffff-ffff-ffffffffffff"
