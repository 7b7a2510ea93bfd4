"""Speed and error of the lattice spline against a dense one.

Dense is what video-segmentation repositories do: the float64 distance of every pixel to every control
point in NumPy, evaluated at full resolution; here for both axes at once, which is their best case.
Run alone: python benchmarks/warp.py [--masks DIR] [--draws N] [--json FILE], or python -m benchmarks.warp
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import common
from datakit.arrays import Mask
from datakit.seeds import generator
from datakit.transforms import PRESETS, Tps, deform
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.tps import Warping
from datakit.transforms.warp import Move, inverse_at_nodes, warp

DAVIS_SIZE = (480, 854)  # where speed is judged


def run(masks: Path | None = None, draws: int = 600, rounds: int = 60) -> dict[str, object]:
    """Accuracy over many draws, speed at 480x854 and per variant at 400x300."""
    cv2.setNumThreads(0)
    figures: dict[str, object] = {"masks": masks.name if masks else "synthetic"}
    for spline in ("smoothing", "interpolating"):
        figures |= {f"{spline}: {name}": value for name, value in accuracy(masks, spline, draws).items()}
    figures |= speed(masks, rounds) | variants(masks, rounds * 5)
    common.save("warp", figures)
    return figures


def synthetic(count: int, size: tuple[int, int] = DAVIS_SIZE) -> Iterator[Mask]:
    """Blobs of two to five ellipses, small to large."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        mask = np.zeros(size, np.uint8)
        centre, radius = rng.uniform(0.25, 0.75, 2) * size[::-1], rng.uniform(0.05, 0.35) * min(size)
        for _ in range(rng.integers(2, 6)):
            x, y = centre + rng.normal(0, radius / 2, 2)
            axes = tuple(int(axis) + 2 for axis in rng.uniform(0.3, 1, 2) * radius)
            cv2.ellipse(mask, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, 1, -1)
        if mask.any():
            yield mask


def masks_of(folder: Path | None, count: int) -> list[Mask]:
    """`count` masks of a folder of 0/255 PNGs, spread over it, or drawn ones."""
    if folder is None:
        return list(synthetic(count))
    paths = sorted(folder.rglob("*.png"))
    if not paths:
        raise SystemExit(f"{folder}: no PNG masks below it; give --masks a folder of mask pictures, or leave it out")
    read = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths[:: max(len(paths) // count, 1)][:count])
    masks = [(mask > 127).astype(np.uint8) for mask in read if mask is not None]
    return [mask for mask in masks if mask.any()]


def dense_of(warping: Warping, size: tuple[int, int]) -> NDArray[np.float64]:
    """The dense map of a fitted spline."""
    pull = warping.pull
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float64)
    scaled = np.stack([(x - pull.origin[0]) / pull.unit, (y - pull.origin[1]) / pull.unit], axis=-1)
    distance = np.sqrt(np.square(scaled[:, :, None, :] - pull.sites).sum(axis=-1))
    kernel = distance**2 * np.log(distance**2 + 1e-100)
    n = len(pull.sites)
    return kernel @ pull.weights[:n] + pull.weights[n] + scaled @ pull.weights[n + 1 :]


def read_by(mask: Mask, dense: NDArray[np.float64]) -> Mask:
    """The mask read through a dense map, nearest pixel."""
    flat = np.ascontiguousarray(dense.astype(np.float32))
    return cv2.remap(mask, flat, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)


def accuracy(folder: Path | None, spline: str, draws: int) -> dict[str, object]:
    """Map error where the object may lie, and IoU of the two warped masks, one draw after the other."""
    errors, worst, ious = [], [], []
    masks = masks_of(folder, min(draws, 200))
    step = Tps(spline=spline)
    for n in range(draws):
        mask = masks[n % len(masks)]
        figure = ObjectCrop.of(mask)
        numbers = step.sample_params(generator(0, f"{spline}-{n}", 0), figure)
        warping = step.point_map(numbers, figure.box, ())
        if warping is None:
            continue
        dense = dense_of(warping, figure.size)
        x0, y0, x1, y1 = Move.planned(figure, [warping]).inside
        difference = np.hypot(*(upsampled(warping, figure) - dense)[y0:y1, x0:x1].transpose(2, 0, 1))
        errors.append(difference.mean())
        worst.append(difference.max())
        ious.append(warp(figure, [warping]).iou(ObjectCrop.of(read_by(mask, dense))))
    return {
        "draws": len(errors),
        "mean map error px, median / 95th percentile": percentiles(errors, 50, 95),
        "share of draws with mean map error <= 0.05 px": share(np.array(errors) <= 0.05),
        "largest map error px, median / 99th percentile": percentiles(worst, 50, 99),
        "IoU with the dense warp, 1st percentile / least": percentiles(ious, 1, 0),
        "share of draws with IoU >= 0.99": share(np.array(ious) >= 0.99),
    }


def upsampled(warping: Warping, figure: ObjectCrop) -> NDArray[np.float64]:
    """(H, W, 2) map of the lattice at every pixel, as `warp` upsamples it."""
    height, width = figure.size
    frame = Move.planned(figure, [warping], whole=True)
    step, nodes = frame.step, frame.nodes
    top, left = -nodes[1] * step, -nodes[0] * step
    planes = []
    for part, corner in zip(inverse_at_nodes(nodes, step, [warping], figure.box), figure.box[:2], strict=True):
        full = cv2.resize(part, (part.shape[1] * step, part.shape[0] * step), interpolation=cv2.INTER_LINEAR)
        planes.append(full[top : top + height, left : left + width].astype(np.float64) + corner)
    return np.stack(planes, axis=-1)


def percentiles(values: list[float], *at: float) -> list[float]:
    """Rounded percentiles."""
    return [round(float(np.percentile(values, each)), 4) for each in at]


def share(flags: NDArray[np.bool_]) -> float:
    """Fraction that is true."""
    return round(float(flags.mean()), 4)


def speed(folder: Path | None, rounds: int) -> dict[str, object]:
    """One spline warp at 480x854, both sides fitting it anew, taking turns on the same masks."""
    masks = [cv2.resize(m, DAVIS_SIZE[::-1], interpolation=cv2.INTER_NEAREST) for m in masks_of(folder, rounds)]
    ours, dense = [], []
    for n, mask in enumerate(masks):
        figure, step = ObjectCrop.of(mask), Tps()
        numbers = step.sample_params(generator(0, f"speed-{n}", 0), figure)
        if np.isnan(numbers).any():
            continue
        sides = (
            (ours, lambda f=figure, s=step, p=numbers: warp(f, [s.point_map(p, f.box, ())]).mask()),
            (
                dense,
                lambda f=figure, s=step, p=numbers, m=mask: read_by(m, dense_of(s.point_map(p, f.box, ()), f.size)),
            ),
        )
        for seconds, side in sides if n % 2 else sides[::-1]:
            seconds.append(best_of(side, 3))
    return {
        "480x854 spline ms, lattice / dense": [milliseconds(ours), milliseconds(dense)],
        "480x854 dense / lattice, median of pairs": round(common.median_ratio(dense, ours), 1),
    }


def variants(folder: Path | None, rounds: int) -> dict[str, object]:
    """A `masktrack` variant at 400x300, as a build makes two of a mask, beside a full-frame remap and a dilation."""
    masks = [cv2.resize(m, (400, 300), interpolation=cv2.INTER_NEAREST) for m in masks_of(folder, 50)]
    x, y = np.meshgrid(np.arange(400, dtype=np.float32) + 0.25, np.arange(300, dtype=np.float32) + 0.25)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    recipe = PRESETS["masktrack"]
    ours, floor = [], []

    def drawn(mask: Mask, key: str) -> None:
        figure = ObjectCrop.of(mask)
        for variant in (0, 1):
            deform(figure, recipe, generator(0, key, variant))

    def least(mask: Mask) -> None:
        for _ in (0, 1):
            cv2.dilate(cv2.remap(mask, x, y, cv2.INTER_NEAREST), disc)

    for n in range(rounds):
        mask = masks[n % len(masks)]
        ours.append(best_of(lambda m=mask, n=n: drawn(m, f"variant-{n}"), 1) / 2)
        floor.append(best_of(lambda m=mask: least(m), 1) / 2)
    return {
        "400x300 masktrack variant ms, whole / remap and dilation alone": [milliseconds(ours), milliseconds(floor)],
    }


def best_of(side: common.Timed, times: int) -> float:
    """Least seconds of a few runs."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        side()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def milliseconds(seconds: list[float]) -> float:
    """Median in milliseconds."""
    return round(statistics.median(seconds) * 1e3, 3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--masks", type=Path, help="folder of mask PNGs, searched in depth; default drawn masks")
    parser.add_argument("--draws", type=int, default=600, help="draws for the accuracy, of either kind")
    parser.add_argument("--rounds", type=int, default=60, help="rounds for the speed")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    found = run(options.masks, options.draws, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
