"""The checkpoint of a training run: written whole after each epoch, opened without unpickling."""

import io
import os
from pathlib import Path
from typing import Any

import torch

from codecs_eval.training.processes import Processes


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Atomically: a kill leaves the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    """The state, None where there is none; ValueError where it belongs to another training."""
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state["key"] != key:
        raise ValueError(
            f"{path} belongs to a training of another configuration or dataset; "
            f"expected this one's, or an empty folder"
        )
    return state


def read_in_all(path: Path, key: str, processes: Processes) -> dict[str, Any] | None:
    """What the first process reads, in all of them: other machines do not see its folder."""
    if processes.count == 1:
        return read_checkpoint(path, key)
    packed = io.BytesIO()
    if processes.is_first:
        torch.save(read_checkpoint(path, key), packed)
    packed = io.BytesIO(processes.share(packed.getvalue()))
    state: dict[str, Any] | None = torch.load(packed, map_location="cpu", weights_only=True)
    return state
