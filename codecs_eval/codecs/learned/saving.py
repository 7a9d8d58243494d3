"""A learned codec as one file: safetensors with the weights, the symbol tables, the shape."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.shape import CodecShape
from codecs_eval.codecs.learned.symbols import Integers, make_tables

_TABLES = "symbol_tables"


@dataclass(frozen=True)
class SavedModel:
    """`sha256` of the whole file: streams carry its beginning. `is_guided`: trained with a
    quality map. `facts`: what the training wrote beside."""

    model: LearnedModel
    tables: Integers
    sha256: str
    is_guided: bool
    facts: dict[str, Any]


def model_file(model: LearnedModel, *, is_guided: bool, facts: dict[str, Any]) -> bytes:
    """The bytes to write; the tables are made here, once."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in _state(model).items()}
    tensors[_TABLES] = torch.from_numpy(make_tables())
    about = {"shape": model.shape.to_json(), "is_guided": is_guided, "facts": facts}
    return save(tensors, metadata={"triad_learned_codec": json.dumps(about, sort_keys=True)})


def load_model(path: Path) -> SavedModel:
    """Raises ValueError where the file is not one of ours."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with safe_open(path, "pt") as file:
        stated = (file.metadata() or {}).get("triad_learned_codec")
        if stated is None:
            raise ValueError(f"{path} does not say that it is a learned codec of Triad")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    about = json.loads(stated)
    tables: Integers = tensors.pop(_TABLES).numpy().astype(np.int32)
    model = LearnedModel(CodecShape.from_json(about["shape"]))
    model.load_state_dict(tensors)
    return SavedModel(model, tables, sha256, bool(about["is_guided"]), dict(about["facts"]))


def _state(model: LearnedModel) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = model.state_dict()
    return state
