"""Speed of training: the loop against its floor, and the loader against other loaders.

The floor is the same optimiser step, on one batch that stays in memory. The peers read the same photos and masks,
cut the same view around the stored guide mask and code it alike; they differ in where the files come from: a folder
of JPEG and PNG files, and a webdataset tar.
Run alone: python -m benchmarks.train [--rounds N] [--networks lite]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from datakit.images import decode_reduced, encode_png
from datakit.seeds import generator
from datakit.shards import ShardReader
from datakit.transforms.views import ViewConfig
from model.compute import Compute
from model.dataset import Example, TripleDataset, make_item
from model.networks import build_network
from model.sampler import EpochSampler, make_loader, opened
from model.settings import TrainConfig
from model.train import Trainer

from . import common
from .read import built

VIEW = ViewConfig(size=224)
STEPS = 8  # of one round
LEAD = 5  # before them: a loader has four batches in store
SAMPLES = 300  # of one round of a loader


class Files(Dataset[dict[str, Any]]):
    """A folder of JPEG photos and PNG masks: what most training code reads."""

    def __init__(self, folder: Path, coding: Any):
        self.stems = sorted(path.with_suffix("") for path in folder.glob("*.jpg"))
        self.coding = coding

    def __len__(self) -> int:
        return len(self.stems)

    def __getitem__(self, index: int) -> dict[str, Any]:
        stem = self.stems[index]
        files = (stem.with_suffix(suffix).read_bytes() for suffix in (".jpg", ".rough.png", ".target.png"))
        return item_of(*files, stem.name, self.coding)


def item_of(image: bytes, guide: bytes, target: bytes, key: str, coding: Any) -> dict[str, Any]:
    """An item as ours, from encoded files."""
    masks = [cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_UNCHANGED) & 1 for part in (guide, target)]
    return make_item(Example(partial(decode_reduced, image), *masks, None, key), VIEW, coding, generator(0, key, 0))


def write_files(reader: ShardReader, folder: Path) -> None:
    """The triples of a folder of shards as files: photo, guide mask, target."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for index in range(len(reader)):
        triple, stem = reader[index], folder / f"{index:06d}"
        stem.with_suffix(".jpg").write_bytes(bytes(reader.raw(index)[0]))
        for name, mask in (("rough", triple.guide), ("target", triple.target)):
            stem.with_suffix(f".{name}.png").write_bytes(encode_png(mask * np.uint8(255)))


def webdataset_stream(folder: Path, coding: Any) -> Iterator[Any]:
    """The same files in a tar, read in order by one worker, as webdataset is meant to be."""
    import webdataset

    tar = folder.with_suffix(".tar")
    subprocess.run(["tar", "--sort=name", "-cf", tar, "-C", folder, "."], check=True)
    made = webdataset.WebDataset(str(tar), shardshuffle=False).map(
        lambda found: item_of(found["jpg"], found["rough.png"], found["target.png"], found["__key__"], coding)
    )
    return iter(DataLoader(made, batch_size=10, num_workers=1))


def loaders(rounds: int) -> dict[str, object]:
    """Samples/s of one loader process: ours (stored and redrawn masks), files, webdataset."""
    reader = built()
    coding = build_network("lite").coding
    folder = common.WORK / "train-files"
    write_files(reader, folder)

    def ours(redraw: bool) -> Any:
        dataset = TripleDataset(reader.folder, coding, VIEW, split="all", redraw=redraw)
        return make_loader(dataset, EpochSampler(dataset.weights, 10), 1)

    files = Files(folder, coding)
    order = EpochSampler(np.ones(len(files)), 10)
    shuffled = [[draw.item for draw in batch] for batch in itertools.islice(order, SAMPLES // 10)]
    plain = DataLoader(files, batch_sampler=shuffled, num_workers=1)
    makers = {
        "ours, stored masks": lambda: opened(ours(False)),
        "ours, redrawn masks": lambda: opened(ours(True)),
        "folder of files": lambda: opened(plain),
        "webdataset": lambda: contextlib.nullcontext(webdataset_stream(folder, coding)),
    }
    seconds = common.by_turns({name: partial(_take, make) for name, make in makers.items()}, rounds)
    figures: dict[str, object] = {f"loader, one process: samples/s, {name}": round(SAMPLES / value)
                                  for name, value in common.medians(seconds).items()}  # fmt: skip
    for name in ("folder of files", "webdataset"):
        ratio = common.median_ratio(seconds[name], seconds["ours, stored masks"])
        figures[f"loader: our speed / {name}"] = round(ratio, 2)
    return figures


def _take(make: Any) -> None:
    with make() as stream:
        for _ in range(SAMPLES // 10):
            next(stream)


def against_floor(network: str, rounds: int, steps: int = STEPS) -> dict[str, object]:
    """Steps/s of the loop with one and two loader processes, and of the step alone, by turns."""
    config = TrainConfig(network=network, init="none", iterations=10**6, view=VIEW)
    net = build_network(network)
    trainer = Trainer(config, net, Compute.chosen(net))
    dataset = TripleDataset(built().folder, net.coding, VIEW, split="all", redraw=True)
    with contextlib.ExitStack() as stack:
        sides = {
            f"{workers} loaders": stack.enter_context(
                opened(make_loader(dataset, EpochSampler(dataset.weights, config.batch), workers))
            )
            for workers in (1, 2)
        }
        sides["floor"] = itertools.repeat(next(sides["1 loaders"]))
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(rounds):
            for name in list(sides) if number % 2 else list(sides)[::-1]:
                seconds[name].append(seconds_a_step(trainer, sides[name], steps))
    figures: dict[str, object] = {}
    for name in ("1 loaders", "2 loaders"):
        figures[f"{network}, 224x224, batch 10: steps/s, {name}"] = round(1 / statistics.median(seconds[name]), 2)
        ratio = common.median_ratio(seconds["floor"], seconds[name])
        figures[f"{network}: speed with {name} / floor"] = round(ratio, 3)
    return figures


def seconds_a_step(trainer: Trainer, batches: Iterator[Any], steps: int) -> float:
    """Mean of some steps, after as many as use up what loaders have in store; every side does the same ones."""
    trainer.done = 0  # which steps go on from the network's own masks, and so take longer, follows from their number
    running = trainer.run(batches)
    for _ in range(LEAD):
        next(running)
    began = time.perf_counter()
    for _ in range(steps):
        next(running)
    return (time.perf_counter() - began) / steps


def one_step(network: str, precision: str) -> None:
    """Print mean seconds of a step at 321x321, batch 10, and this process's peak memory in MB."""
    net = build_network(network)
    config = TrainConfig(network=network, init="none", iterations=100)
    trainer = Trainer(config, net, Compute.chosen(net, precision=precision))
    size = 321
    batch = {
        "input": torch.randn(10, 4, size, size),
        "target": torch.zeros(10, size, size, dtype=torch.uint8),
        "valid": torch.ones(10, size, size, dtype=torch.uint8),
    }
    running, seconds = trainer.run(itertools.repeat(batch)), []
    for _ in range(3):
        began = time.perf_counter()
        next(running)
        seconds.append(time.perf_counter() - began)
    print(statistics.mean(seconds[1:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def sizes(networks: tuple[str, ...]) -> dict[str, object]:
    """Seconds a step and peak memory at the paper's crop and batch, each in a process of its own."""
    figures: dict[str, object] = {}
    for network in networks:
        for precision in ("fp32", "bf16"):
            code = f"from benchmarks.train import one_step; one_step({network!r}, {precision!r})"
            output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
            seconds, peak = map(float, output.split())
            figures[f"{network}, 321x321, batch 10, {precision}: seconds a step"] = round(seconds, 2)
            figures[f"{network}, 321x321, batch 10, {precision}: peak MB"] = round(peak)
    return figures


def run(rounds: int = 7, networks: tuple[str, ...] = ("lite", "deeplab-vgg16")) -> None:
    """Loaders, loops against floors, and the paper's crop."""
    figures = loaders(rounds)
    for network in networks:
        figures |= against_floor(network, *((rounds, STEPS) if network == "lite" else (2, 2)))
    common.save("train", figures | sizes(networks))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=("lite", "deeplab-vgg16"))
    run(**vars(parser.parse_args()))
