"""The endless order of training items, a pure function of (seed, epoch), the same for any number of ranks.

Also the loader around it: worker processes that keep to one core each, and a dead one told as what it is.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from datakit.errors import DatakitError, UsageError
from datakit.seeds import generator

from .dataset import Draw

NICE = 10  # of workers beside a network on the same cores; see docs/decisions.md
_GOLDEN = (5**0.5 - 1) / 2  # its multiples, modulo 1, fill 0..1 most evenly


class EpochSampler(Sampler[list[Draw]]):
    """Batches of `Draw`, epoch after epoch without end; a batch may begin in one epoch and end in the next.

    In an epoch of `size` draws an item comes as often as its share of the weights says, rounded down or up so that
    over the epochs every item gets its due.

    Args:
        weights: (N,) weight of every item, `dataset.weights`.
        batch: draws of a batch, over all ranks.
        seed: root of all chance.
        size: draws of an epoch; the number of items where not given.
        rank, world: this process takes every `world`-th draw of each batch, from number `rank` on.

    Raises:
        UsageError: a batch that cannot be shared among the ranks, or nothing to draw.
    """

    def __init__(
        self,
        weights: NDArray[np.float64],
        batch: int,
        seed: int = 0,
        size: int | None = None,
        rank: int = 0,
        world: int = 1,
    ):
        if batch < 1 or batch % world:
            raise UsageError(f"batch {batch}: cannot be shared among {world} processes; choose a multiple of {world}")
        self.size = len(weights) if size is None else size
        if self.size < 1 or not np.sum(weights) > 0:
            raise UsageError(f"epochs of {self.size} draws from {len(weights)} items: nothing to draw")
        self.weights, self.batch, self.seed = np.asarray(weights, np.float64), batch, seed
        self.rank, self.world = rank, world
        self._first = 0
        self._known: tuple[int, NDArray[np.int64], NDArray[np.int64]] | None = None

    def start(self, batches: int) -> None:
        """Let the next iteration begin after so many batches."""
        self._first = batches * self.batch

    def __iter__(self) -> Iterator[list[Draw]]:
        position = self._first
        while True:
            yield [self.draw(at) for at in range(position + self.rank, position + self.batch, self.world)]
            position += self.batch

    def draw(self, position: int) -> Draw:
        """Draw number `position` of the whole stream, of all ranks."""
        epoch, within = divmod(position, self.size)
        if self._known is None or self._known[0] != epoch:
            self._known = (epoch, *self.order(epoch))
        _, items, repeats = self._known
        return Draw(int(items[within]), epoch, int(repeats[within]))

    def order(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(size,) items of an epoch in their order, and (size,) how often each came before.

        Source: systematic resampling, Kitagawa 1996, "Monte Carlo filter and smoother", appendix.
        """
        marks = generator(self.seed, "weights", 0).random(len(self.weights) + 1)
        shuffled = np.argsort(marks[1:], kind="stable")
        shares = np.cumsum(self.weights[shuffled])
        ends = np.floor(shares / shares[-1] * self.size + (marks[0] + epoch * _GOLDEN) % 1).astype(np.int64)
        counts = np.diff(ends, prepend=0)
        repeats = np.arange(self.size) - np.repeat(ends - counts, counts)
        order = np.argsort(generator(self.seed, "order", epoch).random(self.size), kind="stable")
        return np.repeat(shuffled, counts)[order], repeats[order]

    def state_dict(self, batches: int) -> dict[str, int]:
        """Where the stream stands after so many batches were used: workers fetch ahead, so only the user knows."""
        epoch, position = divmod(batches * self.batch, self.size)
        return {"seed": self.seed, "epoch": epoch, "position": position, "size": self.size}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Let the next iteration begin where `state_dict` stood; the batch may be another.

        Raises:
            DatakitError: the state is of another stream.
        """
        if (state["seed"], state["size"]) != (self.seed, self.size):
            raise DatakitError(f"sampler: the state is of seed {state['seed']} and epochs of {state['size']} draws, "
                               f"expected {self.seed} and {self.size}; go on with the data it began with")  # fmt: skip
        self._first = state["epoch"] * self.size + state["position"]


def make_loader(
    dataset: Dataset[Any],
    sampler: EpochSampler,
    workers: int = 1,
    start_method: str | None = None,
    on_gpu: bool | None = None,
) -> DataLoader[Any]:
    """A loader of endless batches, equal for any number of workers; take them through `opened`.

    Args:
        dataset: a `TripleDataset`, or anything indexed by `Draw`.
        sampler: its batches.
        workers: processes that load; 0 loads in this one, when a batch is asked for.
        start_method: `fork`, `spawn` or `forkserver`. By default `fork` on Linux, where it saves each worker the
            seconds of importing torch and is safe since no shard is open across it, else `spawn`.
        on_gpu: whether the network runs on one: batches then lie in pages it can copy from, and workers need not
            give way to the network; by default where there is one.
    """
    on_gpu = torch.cuda.is_available() if on_gpu is None else on_gpu
    method = start_method or ("fork" if sys.platform == "linux" else "spawn")
    return DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        multiprocessing_context=method if workers else None,
        worker_init_fn=partial(_prepare_worker, on_gpu),
        pin_memory=on_gpu,
        prefetch_factor=4 if workers else None,
        generator=torch.Generator(),  # of seeds nobody uses; else torch would draw them from its global one
    )


def _prepare_worker(on_gpu: bool, _: int) -> None:
    """A worker keeps to one core, and leaves it to its parent to end when both are told to stop.

    Where the network computes on the same cores, the worker gives way to it: a thread that is held up holds up the
    others, which wait for it at the end of every layer, and in what they leave of their time a batch is soon made.
    """
    if not on_gpu and hasattr(os, "nice"):
        os.nice(NICE)
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def opened(loader: DataLoader[Any]) -> Iterator[Iterator[Any]]:
    """The batches of a loader; its workers end with the block.

    Raises:
        DatakitError: from anywhere within the block, when a worker died: torch tells that by a signal.
    """
    others = multiprocessing.active_children()
    batches = iter(loader)
    workers = [each for each in multiprocessing.active_children() if each not in others]
    try:
        yield batches
    except DatakitError as error:  # torch puts the worker's traceback before the message
        said = str(error).rpartition(f"{type(error).__name__}: ")[2].strip()
        raise type(error)(said) from error
    except (RuntimeError, EOFError, OSError) as error:
        dead = _deaths(workers)
        if not dead:
            raise
        raise DatakitError(f"loader process {'; '.join(dead)}: its messages stand above, if it left any; when killed, "
                           "most often memory ran out: use fewer workers or a smaller batch") from error  # fmt: skip
    finally:
        _end(batches, workers)


def _deaths(workers: Sequence[BaseProcess]) -> list[str]:
    """Which workers did not end as they should, and how."""
    while True:
        # A death shows as a closed pipe first; torch's signal may come while we look, but it comes only once.
        with contextlib.suppress(RuntimeError):
            for worker in workers:
                worker.join(0.2)
            codes = {worker.pid: worker.exitcode for worker in workers if worker.exitcode}
            return [f"{pid} {_how(code)}" for pid, code in codes.items()]


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _end(batches: Any, workers: Sequence[BaseProcess]) -> None:
    """End the workers now, not when the garbage collector comes by."""
    if workers:
        with contextlib.suppress(RuntimeError):  # of one that died
            batches._shutdown_workers()
    for worker in workers:
        worker.kill()  # where it did not listen
        worker.join()
