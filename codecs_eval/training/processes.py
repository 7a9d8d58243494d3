"""The processes that train one metric together, as torchrun starts them; mostly there is one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from codecs_eval.training.reporter import Stopped


@dataclass(frozen=True)
class Processes:
    """`rank` 0..count-1 of this process. All of them call the same methods in the same order."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """The sum over the processes of a tensor on the CPU."""
        if self.count > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def is_any(self, flag: bool) -> bool:
        return bool(self.sum(torch.tensor(int(flag))) > 0) if self.count > 1 else flag

    @contextmanager
    def together(self) -> Iterator[None]:
        """What stops one of them within the block stops all of them at its end."""
        is_stopped = False
        try:
            yield
        except Stopped:
            is_stopped = True
        if self.is_any(is_stopped):
            raise Stopped

    def share(self, content: bytes) -> bytes:
        """What the first process gave, in all of them."""
        if self.count == 1:
            return content
        length = torch.tensor([len(content)])
        dist.broadcast(length, src=0)
        held = torch.zeros(int(length), dtype=torch.uint8)
        if self.is_first and content:
            held = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        dist.broadcast(held, src=0)
        return held.numpy().tobytes()


ALONE = Processes()


def current() -> Processes:
    """The group that this process has joined, else itself alone."""
    if not dist.is_initialized():
        return ALONE
    return Processes(dist.get_rank(), dist.get_world_size())


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the group that torchrun's variables name (WORLD_SIZE, RANK, LOCAL_RANK, MASTER_*).

    Gloo on the CPU; each process takes the GPU of its local rank where there are GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    backend = "gloo"
    if torch.cuda.is_available():
        local = int(os.environ.get("LOCAL_RANK", "0"))
        if local >= torch.cuda.device_count():
            raise ValueError(
                f"found {torch.cuda.device_count()} GPUs for process {local + 1} on this machine; "
                f"expected one each: lower --nproc-per-node"
            )
        torch.cuda.set_device(local)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend)
    try:
        yield current()
    finally:
        dist.destroy_process_group()
