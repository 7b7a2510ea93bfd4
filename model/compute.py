"""How a network runs: device, precision, memory layout, and the processes of a distributed run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, distributed

from datakit.errors import DatakitError, UsageError
from datakit.wording import counted

from .segmenter import Segmenter


@dataclass(frozen=True)
class Compute:
    """How a network is run.

    Attributes:
        device: `cpu`, `cuda` or `cuda:N`.
        precision: `bf16` for autocast to bfloat16, `fp32` for none.
        channels_last: memory layout of weights and inputs.
    """

    device: str
    precision: Literal["bf16", "fp32"]
    channels_last: bool

    @classmethod
    def chosen(cls, net: Segmenter, device: str = "auto", precision: str = "auto") -> Compute:
        """A GPU where there is one, bf16 where the machine computes in it, the layout measured faster.

        Raises:
            UsageError: the device asked for is not there.
        """
        if device == "auto":
            device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
        elif device.startswith("cuda") and not torch.cuda.is_available():
            raise UsageError(f"device {device}: torch {torch.__version__} finds no GPU here; use cpu or auto")
        if precision == "auto":
            precision = "bf16" if has_bf16(device) else "fp32"
        kind = device.partition(":")[0]
        return cls(device, "bf16" if precision == "bf16" else "fp32", kind in net.channels_last_on)

    def describe(self) -> str:
        """In words, for the user."""
        threads = "" if self.device.startswith("cuda") else f" with {counted(torch.get_num_threads(), 'thread')}"
        return f"{self.device}{threads}, {self.precision}"

    def place(self, net: Segmenter) -> Segmenter:
        """The network on the device, in the layout."""
        return net.to(self.device, memory_format=self.layout)  # type: ignore[call-overload, no-any-return]

    def send(self, batch: Tensor) -> Tensor:
        """An (N, C, H, W) batch on the device, in the layout."""
        return batch.to(self.device, memory_format=self.layout, non_blocking=True)

    @property
    def layout(self) -> torch.memory_format:
        """The layout as torch names it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        """A context in which convolutions run in the chosen precision."""
        return torch.autocast(self.device.partition(":")[0], torch.bfloat16, enabled=self.precision == "bf16")


@contextlib.contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """So many threads of torch inside, as many as before afterwards; 0 leaves them as they are."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count:
            torch.set_num_threads(before)


@contextlib.contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Torch's global generators start from `seed` inside and go on from where they were afterwards."""
    on_gpu = device.startswith("cuda")
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.manual_seed(seed)
        yield


def has_bf16(device: str) -> bool:
    """Whether the device computes in bfloat16 itself; emulated, it is slower than fp32."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: its number.
        world: how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Whether any of the processes says so; all of them must ask."""
        if self.world == 1:
            return flag
        flags = torch.tensor([float(flag)], device="cuda" if distributed.get_backend() == "nccl" else "cpu")
        distributed.all_reduce(flags, distributed.ReduceOp.MAX)
        return bool(flags.item())

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            distributed.barrier()


@contextlib.contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """The processes that `torchrun` started, or this one alone.

    Raises:
        DatakitError: the others cannot be reached.
    """
    world = int(os.environ.get("WORLD_SIZE", 1))
    if world == 1:
        yield Ranks()
        return
    try:
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    except (RuntimeError, ValueError) as error:
        raise DatakitError(
            f"WORLD_SIZE={world}: cannot join the other processes ({error}); start with torchrun"
        ) from error
    try:
        yield Ranks(distributed.get_rank(), world)
    finally:
        distributed.destroy_process_group()
