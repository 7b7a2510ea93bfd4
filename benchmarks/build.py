"""Speed of a build against its floor: the same work in bare processes without bookkeeping.

The floor reads the bytes, decodes image and mask once, and per variant does one full-frame
`cv2.remap`, one `cv2.dilate`, one mask encode, one CRC, and writes it all to one file per process.
Run alone: python -m benchmarks.build [--photos N] [--rounds N]
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import subprocess
import sys
import threading
import time
import zlib
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from datakit.datasets import SourceSpec, open_source
from datakit.rle import encode_rle

from . import common

VARIANTS = 2  # of the preset `masktrack`
PHOTOS = 11_282  # as many as the paper trained on (§4)
DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
DATAKIT = Path(sys.executable).with_name("datakit")


def floor_worker(share: list[tuple[str, str]], out: Path) -> None:
    """The unavoidable work for a share of the photos."""
    cv2.setNumThreads(0)
    maps: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}
    with out.open("wb") as file:
        for image_path, mask_path in share:
            encoded = Path(image_path).read_bytes()
            image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
            mask_bytes = Path(mask_path).read_bytes()
            mask = (cv2.imdecode(np.frombuffer(mask_bytes, np.uint8), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
            if image.shape[:2] not in maps:
                grid = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
                maps[image.shape[:2]] = grid[1] + 3.3, grid[0] - 2.7
            file.write(encoded)
            zlib.crc32(encoded)
            for _ in range(VARIANTS):
                warped = cv2.remap(mask, *maps[image.shape[:2]], cv2.INTER_NEAREST)
                record = encode_rle(cv2.dilate(warped, DISC))
                zlib.crc32(record)
                file.write(record)


def floor(photos: list[tuple[str, str]], jobs: int) -> None:
    """The floor on `jobs` bare processes."""
    common.WORK.mkdir(exist_ok=True)
    processes = [
        multiprocessing.Process(target=floor_worker, args=(photos[job::jobs], common.WORK / f"floor-{job}"))
        for job in range(jobs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def build(sources: list[str], jobs: int) -> None:
    """The whole command as a user runs it, start-up and all."""
    out = common.WORK / "shards"
    shutil.rmtree(out, ignore_errors=True)
    command = [DATAKIT, "build-shards", *sources, "--out", out, "-j", str(jobs)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def worker_memory(sources: list[str], jobs: int) -> dict[str, float]:
    """Peak resident MB of the largest worker and of the parent, sampled while a build runs."""
    import psutil

    peaks: dict[int, float] = {}
    done = threading.Event()
    parent = psutil.Process()

    def watch() -> None:
        while not done.is_set():
            for process in parent.children(recursive=True):
                try:
                    if "forkserver" in " ".join(process.cmdline()) or "build-shards" in process.cmdline():
                        peaks[process.pid] = max(peaks.get(process.pid, 0.0), process.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    build(sources, jobs)
    done.set()
    watcher.join()
    return {"largest_process_MB": round(max(peaks.values()), 1)}


def run(photos: int = PHOTOS, rounds: int = 3) -> None:
    """Build and floor by turns, with one job and with two."""
    root = common.data_root().absolute()
    reader = open_source(SourceSpec("bench", None, root))
    pairs = [(str(reader.images / r.image), str(reader.root / r.annotation[0])) for r in reader.records]
    copies = max(round(photos / len(pairs)), 1)
    sources = [f"copy{number}={root}" for number in range(copies)]
    figures: dict[str, object] = {"photos": copies * len(pairs), "variants": VARIANTS}
    scaling = {}
    for jobs in (1, 2):
        sides = {"build": partial(build, sources, jobs), "floor": partial(floor, pairs * copies, jobs)}
        seconds = common.by_turns(sides, rounds)
        scaling[jobs] = common.medians(seconds)
        figures[f"-j {jobs}: seconds"] = scaling[jobs]
        figures[f"-j {jobs}: speed / floor speed"] = round(common.median_ratio(seconds["floor"], seconds["build"]), 3)
    for side in ("build", "floor"):
        figures[f"{side}: -j 1 / -j 2"] = round(scaling[1][side] / scaling[2][side], 2)
    figures["memory -j 2"] = worker_memory(sources[:2], 2)
    figures["memory -j 2, all photos"] = worker_memory(sources, 2)
    common.save("build", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--rounds", type=int, default=3)
    run(**vars(parser.parse_args()))
