"""A small source to build from, what a build has published, and a disk that is soon full."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.datasets import ReadOptions
from pipelines.settings import BuildSettings
from tests.made import RECIPES

# of both paper recipes, some of whose draws are flagged
PICKY = BuildSettings((replace(RECIPES[0], min_iou=0.9), RECIPES[1]), read=ReadOptions(min_area=0))


def draw_source(root: Path, count: int = 12, size: tuple[int, int] = (48, 64)) -> Path:
    """`count` photos of noise with an ellipse as mask, in ECSSD's layout."""
    for folder in ("images", "ground_truth_mask"):
        (root / folder).mkdir(parents=True)
    height, width = size
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        mask = np.zeros(size, np.uint8)
        cv2.ellipse(mask, (width // 2, height // 2), (width // 4 - number % 3, height // 4), 0, 0, 360, 255, -1)
        cv2.imwrite(str(root / "images" / f"{number:04d}.jpg"), noise)
        cv2.imwrite(str(root / "ground_truth_mask" / f"{number:04d}.png"), mask)
    return root


def shard_bytes(folder: Path) -> dict[str, bytes]:
    """Name -> content of everything published in a folder of shards."""
    return {path.name: path.read_bytes() for path in [*folder.glob("*.h5"), folder / "manifest.json"]}


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of so many bytes mounted on `folder`."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def stopped_trainings() -> Iterator[None]:
    """Trainings inside stop after one step more, as by Ctrl-C."""
    stop = threading.Event()
    stop.set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.train.deferred", lambda: contextlib.nullcontext(stop))
        yield
