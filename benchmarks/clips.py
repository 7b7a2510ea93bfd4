"""Speed of clips: ours against the published loader of Cutie, by turns on the same stills, one core each.

The peer is the `SyntheticVideoDataset` of rf-cutie 1.0.1, in a Python that has it (`pip install rf-cutie`); ours is
`ClipDataset(SHARDS, "cutie", dialect="cutie")`: three frames of 384 px, the spline at its chance of .33, tensors
included. Then the throughput of one and of two loading processes, and memory over many clips.
Floors: 15 times the peer's speed, 1.8 times the clips from two processes, memory flat.
Run alone: python -m benchmarks.clips SHARDS [--peer-python PYTHON [--peer-stills FOLDER]] [--clips N] [--long N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datakit.clips import ShardStills
from datakit.export.names import unique_names

from . import common

BLOCK = 5  # clips of one turn
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ANSWER = """
import os, sys, time
answer = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
import cv2, torch
torch.set_num_threads(1)


def serve(get):
    for line in sys.stdin:
        seconds = []
        for name in line.split():
            wall, own = time.perf_counter(), time.process_time()
            get(name)
            seconds += [time.perf_counter() - wall, time.process_time() - own]
        print(*seconds, file=answer)
"""
OURS = """
from datakit.clips import ShardStills
from datakit.export.names import unique_names
from model.clip_dataset import ClipDataset

shards, = sys.argv[1:]
cv2.setNumThreads(1)
data = ClipDataset(shards, "cutie", dialect="cutie", split="all")
numbers = {name: number for number, name in enumerate(unique_names(ShardStills(shards).keys))}
serve(lambda name: data[numbers[name]])
"""
PEER = """
import random
from pathlib import Path

import numpy as np

os.environ.setdefault("LOCAL_RANK", "1")
if not torch.cuda.is_available():  # beside a torch without CUDA, torchvision 0.29 imports once its operators are named
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms", "deform_conv2d", "_deform_conv2d_backward", *(
            kind.format(each) for each in ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool")
            for kind in ("{}", "_{}_backward"))):
        operators.define(name + "(Tensor x) -> Tensor")
from cutie.dataset.static_dataset import SyntheticVideoDataset

stills, = sys.argv[1:]
cv2.setNumThreads(1)
random.seed(0), np.random.seed(0), torch.manual_seed(0)
data = SyntheticVideoDataset([(stills, 1, 1)])
numbers = {Path(path).stem: number for number, path in enumerate(data.im_list)}
serve(lambda name: data[numbers[name]])
"""


class Side:
    """A process that makes clips of the stills it is told."""

    def __init__(self, python: str, code: str, folder: Path, scratch: Path, name: str):
        script = scratch / f"{name}.py"
        script.write_text(ANSWER + code)
        environment = os.environ | ONE_CORE
        if name == "ours":
            environment |= {"PYTHONPATH": str(common.HERE.parent)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [python, "-P", str(script), str(folder)], env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1
        )

    def seconds(self, stems: Sequence[str]) -> list[tuple[float, float]]:
        """Of each clip: by the clock, and of the processor."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(" ".join(stems) + "\n")
        found = list(map(float, self.process.stdout.readline().split()))
        if len(found) != 2 * len(stems):
            raise SystemExit(f"{self.process.args}: gave up, its reason stands above")
        return list(zip(found[::2], found[1::2], strict=True))

    def end(self) -> None:
        """Close its input and wait."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def against_peer(shards: Path, peer_python: str, stills: Path, clips: int) -> dict[str, object]:
    """Milliseconds of a clip of both, the stills drawn at random, the sides taking turns."""
    names = unique_names(ShardStills(shards).keys)
    lacking = [name for name in names if not (stills / f"{name}.jpg").is_file()]
    if lacking:
        raise SystemExit(f"{stills}: no {lacking[0]}.jpg, as {len(lacking)} others; leave --peer-stills out")
    order = np.random.default_rng(1).integers(len(names), size=clips).tolist()
    with tempfile.TemporaryDirectory() as scratch:
        sides = {"ours": Side(sys.executable, OURS, shards, Path(scratch), "ours"),
                 "rf-cutie": Side(peer_python, PEER, stills, Path(scratch), "peer")}  # fmt: skip
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for side in sides.values():
            side.seconds([names[number] for number in order[:BLOCK]])  # lazy imports, opened files
        for start in range(0, clips, BLOCK):
            stems = [names[number] for number in order[start : start + BLOCK]]
            for name in list(sides)[:: 1 if start // BLOCK % 2 else -1]:
                taken[name] += sides[name].seconds(stems)
        for side in sides.values():
            side.end()
    figures: dict[str, object] = {"clips": clips}
    shown = {}
    for kind, way in (("ms", 0), ("processor ms", 1)):
        values = {name: 1e3 * np.array([each[way] for each in taken[name]]) for name in sides}
        for share in (50, 95):
            shown[f"{kind}, p{share}"] = {name: round(float(np.percentile(values[name], share)), 2) for name in sides}
        ratio = float(np.percentile(values["rf-cutie"], 50) / np.percentile(values["ours"], 50))
        figures[f"our speed / rf-cutie, {kind}, p50"] = round(ratio, 1)
    return figures | shown


def exported(shards: Path) -> Path:
    """The stills as flat pairs, as the peer reads them."""
    out = common.WORK / "static"
    shutil.rmtree(out, ignore_errors=True)
    command = [Path(sys.executable).with_name("datakit"), "export", shards, "--to", "static", "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def throughput(shards: Path, clips: int, rounds: int = 3) -> dict[str, object]:
    """Clips/s of one and of two loading processes, by turns."""
    from model.clip_dataset import ClipDataset
    from model.sampler import EpochSampler, make_loader, opened

    data = ClipDataset(shards, "cutie", dialect="cutie", split="all")
    batch = 4
    found: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for workers in (1, 2) if number % 2 else (2, 1):
            sampler = EpochSampler(data.weights, batch)
            with opened(make_loader(data, sampler, workers)) as batches:
                for _ in range(5 * workers):  # what they have in store
                    next(batches)
                began = time.perf_counter()
                for _ in range(clips // batch):
                    next(batches)
                found[workers].append(clips // batch * batch / (time.perf_counter() - began))
    speed = {workers: statistics.median(values) for workers, values in found.items()}
    ratio = statistics.median(two / one for one, two in zip(found[1], found[2], strict=True))
    return {f"clips/s, {workers} loaders": round(speed[workers], 1) for workers in speed} | {
        "clips/s, 2 loaders / 1": round(ratio, 2)
    }


def memory(shards: Path, clips: int) -> dict[str, object]:
    """MB of a process that makes clips, at its start and after every tenth of them."""
    code = f"from benchmarks.clips import grow; grow({str(shards)!r}, {clips})"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ | ONE_CORE,
        cwd=common.HERE.parent,
    ).stdout  # fmt: skip
    sizes = list(map(float, output.split()))
    return {
        "MB before, and after every tenth of the clips": sizes,
        "clips made for that": clips,
        "memory growth over the second half": round(sizes[-1] / sizes[5] - 1, 3),
    }


def grow(shards: str, clips: int) -> None:
    """Print this process's MB before the first clip and after every tenth of them."""
    import cv2
    import torch

    from model.clip_dataset import ClipDataset
    from model.dataset import Draw

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    data: Any = ClipDataset(shards, "cutie", dialect="cutie", split="all")
    print(_megabytes())
    for number in range(clips):
        epoch, item = divmod(number, len(data))
        data[Draw(item, epoch)]
        if (number + 1) % (clips // 10) == 0:
            print(_megabytes())


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def run(
    shards: Path, peer_python: str | None = None, peer_stills: Path | None = None, clips: int = 200, long: int = 10_000
) -> None:
    """All of it; the peer is left out where no Python has it."""
    figures: dict[str, object] = {}
    peer_python = peer_python or os.environ.get("DATAKIT_BENCH_CUTIE")
    if peer_python:
        figures |= against_peer(shards, peer_python, peer_stills or exported(shards), clips)
    else:
        print("left out: rf-cutie (name its Python by --peer-python or DATAKIT_BENCH_CUTIE)")
    figures |= throughput(shards, clips)
    if long:
        figures |= memory(shards, long)
    else:
        print("left out: memory over many clips (--long 0)")
    common.save("clips", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--peer-python")
    parser.add_argument("--peer-stills", type=Path)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--long", type=int, default=10_000, help="clips made to see memory grow, a multiple of 10; "
                        "0 leaves that out")  # fmt: skip
    run(**vars(parser.parse_args()))
