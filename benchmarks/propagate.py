"""Speed of a propagation: seconds per frame against the network alone, further objects, and memory over time.

The clip is 854x480: a sequence of DAVIS where DATAKIT_TEST_DATA names the data of the tests, else that of the embedded
sample, enlarged. A frame's time is the median of what lies between two frames of `datakit propagate`: decode, cut,
network, label picture, film; what of that the network's own calls do not take, in the very same frames, is spent around
it. Against the same network alone, on inputs that stay in memory, as many as it looks at in a frame, a frame also takes
what the network loses to the film and the label picture, which are made beside it. All of it on the processor, whatever
else there is. Several objects are upright strips of what the first mask shows. Networks without weights of their own
are drawn; what they call the object is the whole frame, the dearest case for what is around them.
Run alone: python -m benchmarks.propagate [--rounds N] [--networks lite]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from datakit.arrays import Labels
from datakit.images import encode_jpeg, encode_palette_png
from datakit.progress import displaying
from datakit.sample import draw_sample_data
from datakit.video.frames import open_frames
from datakit.video.labels import list_frames, read_labels
from datakit.video.palette import palette
from model.checkpoint import Checkpoint, checkpoint_path, load_network, write_checkpoint
from model.compute import Compute, limited_threads
from model.networks import build_network
from model.propagate import PropagateConfig
from model.segmenter import Segmenter
from pipelines.process import keep_freed_memory
from pipelines.progress import Progress
from pipelines.propagate.masks import MaskPrompt
from pipelines.propagate.network import NetworkChoice
from pipelines.propagate.run import PropagateJob, propagate

from . import common

HERE = common.WORK / "propagate"
SIZE = (480, 854)
SEQUENCE = "dog"
OBJECTS = 3
FRAMES = {"lite": 24, "deeplab-vgg16": 6}  # of one round: a few seconds, since machines drift by the minute
LONG = 1000  # frames of the long video
WARM = 100  # frame from which on memory must not grow


def clip() -> tuple[str, Path, Path]:
    """What the clip is, its folder of frames, and its first mask."""
    if data := os.environ.get("DATAKIT_TEST_DATA"):
        davis = Path(data) / "davis2016"
        masks = list_frames(davis / "Annotations/480p" / SEQUENCE)
        return f"{SEQUENCE} of DAVIS", davis / "JPEGImages/480p" / SEQUENCE, next(iter(masks.values()))
    frames, first = HERE / "sample/JPEGImages", HERE / "sample/first.png"
    if not first.is_file():
        davis = draw_sample_data(HERE / "drawn", photos=1).davis
        small = open_frames(davis / "JPEGImages/480p/crossing")
        frames.mkdir(parents=True, exist_ok=True)
        for name, image in zip(small.names, small, strict=True):
            large = np.asarray(cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
            (frames / f"{name}.jpg").write_bytes(encode_jpeg(large, 95))
        mask = read_labels(davis / "Annotations/480p/crossing/00000.png", "first mask").labels
        write_mask(first, cv2.resize(mask, SIZE[::-1], interpolation=cv2.INTER_NEAREST))
    return "embedded sample, enlarged", frames, first


def write_mask(path: Path, labels: Labels) -> None:
    """A palette PNG of ids."""
    path.write_bytes(encode_palette_png(labels, palette()))


def strips(first: Path, count: int) -> Path:
    """The objects of a mask as `count` objects: upright strips of equal area."""
    labels = read_labels(first, "first mask").labels
    x = np.nonzero(labels)[1]
    borders = np.quantile(x, np.linspace(0, 1, count + 1)[1:-1])
    numbers = 1 + np.searchsorted(borders, np.arange(labels.shape[1]))
    path = HERE / f"first-{count}.png"
    write_mask(path, np.where(labels > 0, numbers, 0).astype(np.uint8))
    return path


class Clock(Progress):
    """Notes when every frame was done, and the process's memory after some of them."""

    def __init__(self, total: int):
        super().__init__(total, "frames", sys.stderr, bar=True)
        self.times: list[float] = []
        self.memory: dict[int, float] = {}

    def advance(self, count: int) -> None:
        """One frame more."""
        super().advance(count)
        self.times.append(time.perf_counter())
        if self.done in (WARM, LONG):
            self.memory[self.done] = psutil.Process().memory_info().rss / 2**20

    def __enter__(self) -> Clock:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def per_frame(self) -> NDArray[np.float64]:
        """Seconds from every frame to the next."""
        return np.diff(self.times)


@contextlib.contextmanager
def network_clock() -> Iterator[list[float]]:
    """Inside, a list that gets the seconds of every call of a network."""
    seconds: list[float] = []
    began = [0.0]

    def before(module: nn.Module, _: object) -> None:
        if isinstance(module, Segmenter):
            began[0] = time.perf_counter()

    def after(module: nn.Module, _: object, __: object) -> None:
        if isinstance(module, Segmenter):
            seconds.append(time.perf_counter() - began[0])

    hooks = register_module_forward_pre_hook(before), register_module_forward_hook(after)
    try:
        yield seconds
    finally:
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True)
class Setting:
    """What is timed.

    Attributes:
        network: its name.
        weights: `bundled` or a checkpoint file.
        job: with one object.
    """

    network: str
    weights: str
    job: PropagateJob

    def command(self, objects: int) -> tuple[float, float]:
        """Medians over the frames of `datakit propagate`: seconds, and the share the network does not take."""
        shutil.rmtree(self.job.out, ignore_errors=True)
        job = replace(self.job, masks=[MaskPrompt(strips(self.job.masks[0].file, objects))])
        with network_clock() as inside:
            frames = run_clocked(job).per_frame()
        return float(np.median(frames)), float(np.median(1 - np.array(inside) / frames))

    def alone(self) -> float:
        """Seconds of the network alone, on what it sees of one frame; with as many threads as for one object."""
        net, _ = load_network(self.weights)
        compute = Compute.chosen(net, "cpu")
        net, size = compute.place(net), PropagateConfig.size
        batch, seconds = compute.send(torch.randn(1 + net.mirrored, 4, size, size)), []
        count = max(1, torch.get_num_threads() - net.spare_cores)
        with limited_threads(count), torch.inference_mode(), compute.autocast():
            for _ in range(FRAMES[self.network]):
                began = time.perf_counter()
                net(batch)
                seconds.append(time.perf_counter() - began)
        return statistics.median(seconds[1:])


def run_clocked(job: PropagateJob) -> Clock:
    """The command's call, and when its frames were done."""
    clocks: list[Clock] = []

    def display(total: int, _unit: str) -> Clock:
        clocks.append(Clock(total))
        return clocks[0]

    with displaying(display):
        propagate(job)
    return clocks[0]


def setting(network: str, video: Path, first: Path) -> Setting:
    """A network and the clip; with drawn weights where none are bundled."""
    weights = "bundled"
    net, _ = load_network(weights) if checkpoint_path(weights).is_file() else (None, None)
    if net is None or network != "lite":
        weights = str(HERE / f"{network}.safetensors")
        write_checkpoint(Path(weights), Checkpoint({"name": network}, {}, build_network(network).state_dict()))
    choice = NetworkChoice(weights=weights, device="cpu")
    return Setting(network, weights, PropagateJob(video, HERE / "out", [MaskPrompt(first)],
                                                  stop=FRAMES[network], network=choice))  # fmt: skip


def speed(each: Setting, rounds: int) -> dict[str, object]:
    """A frame with one object and with several, and the network alone, by turns."""
    found: dict[int, list[tuple[float, float]]] = {1: [], OBJECTS: []}
    alone = []
    for number in range(rounds + 1):  # the first warms up
        for objects in list(found) if number % 2 else list(found)[::-1]:
            found[objects].append(each.command(objects))
        alone.append(each.alone())
    one, around = zip(*found[1][1:], strict=True)
    several, _ = zip(*found[OBJECTS][1:], strict=True)
    further = [(more - less) / (OBJECTS - 1) for more, less in zip(several, one, strict=True)]
    beyond = 1 - common.median_ratio(alone[1:], list(one))
    name = each.network
    return {
        f"{name}: seconds a frame": round(statistics.median(one), 4),
        f"{name}: seconds of the network alone": round(statistics.median(alone[1:]), 4),
        f"{name}: share of a frame's time around the network": round(statistics.median(around), 3),
        f"{name}: share of a frame's time beyond the network alone": round(beyond, 3),
        f"{name}: each further object / the first": round(common.median_ratio(further, list(one)), 3),
    }


def write_film(folder: Path, path: Path) -> None:
    """A long video: the clip there and back again, as often as needed."""
    if path.is_file():
        return
    frames = open_frames(folder)
    turn = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 24, frames.size[::-1])
    for number in range(LONG):
        writer.write(cv2.cvtColor(frames[turn[number % len(turn)]], cv2.COLOR_RGB2BGR))
    writer.release()


def memory(first: str) -> None:
    """Print this process's memory in MB after frames WARM and LONG of the long video."""
    shutil.rmtree(HERE / "out", ignore_errors=True)
    clock = run_clocked(PropagateJob(HERE / "long.avi", HERE / "out", [MaskPrompt(Path(first))]))
    print(clock.memory[WARM], clock.memory[LONG])


def flatness(video: Path, first: Path) -> dict[str, object]:
    """Memory of the command in a process of its own."""
    write_film(video, HERE / "long.avi")
    code = f"from benchmarks.propagate import memory; memory({str(first)!r})"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    early, late = map(float, output.split())
    return {"lite: MB after frame 100": round(early), f"lite: MB after frame {LONG}": round(late),
            "lite: memory growth": round(late / early - 1, 3)}  # fmt: skip


def run(rounds: int = 11, networks: tuple[str, ...] = ("lite", "deeplab-vgg16")) -> None:
    """Speed of every network, memory of the light one."""
    keep_freed_memory()  # as the command does
    HERE.mkdir(parents=True, exist_ok=True)
    what, video, first = clip()
    figures: dict[str, object] = {"clip": what, "size": f"{SIZE[1]}x{SIZE[0]}", "rounds": rounds}
    for network in networks:
        each = setting(network, video, first)
        figures |= speed(each, rounds)
    figures |= flatness(video, strips(first, 1))
    common.save("propagate", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--networks", nargs="+", default=("lite", "deeplab-vgg16"))
    run(**vars(parser.parse_args()))
