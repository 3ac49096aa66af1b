"""The processes that work on one job together, as torchrun starts them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist

from renaissance.runtime.asked import no_device
from renaissance.runtime.errors import UsageError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """This process among all of them.

    Attributes:
        rank: its number, counted from 0; number 0 writes files.
        ranks: how many there are.
        device: what this one computes on.
    """

    rank: int
    ranks: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def sums(self, values: Sequence[float]) -> list[float]:
        """Add numbers up over all processes; they travel over the CPU, no device waits."""
        if self.ranks == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return tensor.tolist()

    def of_first(self, value: Value) -> Value:
        """Return what the first process passes, in all of them."""
        if self.ranks == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def of_all(self, value: Value) -> list[Value]:
        """Return what every process passes, by rank."""
        if self.ranks == 1:
            return [value]
        box: list[Value | None] = [None] * self.ranks
        dist.all_gather_object(box, value)
        return box  # type: ignore[return-value]

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.ranks > 1:
            dist.barrier()


def launched_rank() -> int:
    """Return the number that torchrun gave this process, before it joined the others."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def joined(device_name: str | None = None) -> Iterator[Processes]:
    """Join the other processes of the job if torchrun's variables are set, and leave at the end.

    Args:
        device_name: such as `cpu` or `cuda:1`; the process's own GPU, else the CPU, if None.

    Raises:
        UsageError: if there is no such device.
    """
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    device = chosen_device(device_name, int(os.environ.get("LOCAL_RANK", "0")))
    if ranks == 1:
        yield Processes(rank=0, ranks=1, device=device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Counts and flags are exchanged on the CPU, whatever the gradients travel over.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank=dist.get_rank(), ranks=ranks, device=device)
    finally:
        dist.destroy_process_group()


def chosen_device(name: str | None, local_rank: int = 0) -> torch.device:
    """Return a device by its name; a GPU where there is one, else the CPU, if None.

    Raises:
        UsageError: if there is no such device.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name is None:
        return torch.device("cuda", local_rank % gpus) if gpus else torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise no_device(name) from None
    if device.type == "cuda" and (device.index or 0) >= gpus:
        raise UsageError(f"there is no device `{name}`: this machine has {gpus} usable GPUs")
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", local_rank % gpus)
    return device


def lost_connection(problem: RuntimeError) -> bool:
    """Tell whether an error means that another process has gone."""
    if isinstance(problem, dist.DistError):
        return True
    return any(word in str(problem) for word in ("Connection closed by peer", "gloo", "Gloo"))


def device_in_words(device: torch.device) -> str:
    """Return what a report calls a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"
