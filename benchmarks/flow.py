"""What the picture of movement tells the network by itself, one frame at a time, so that nothing adds up.

Begun with the true mask of the frame before, each of some frames is segmented from the photo, from the flow picture,
and from both averaged, as `datakit propagate --flow dis` does; the true mask of the frame before stands beside, copied.
Run alone: python -m benchmarks.flow DAVIS [--weights FILE] [--size S] [--step N] [--name NAME]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datakit.arrays import Image, Mask, iou
from datakit.errors import UsageError
from datakit.files import file_sha256
from datakit.formats import MAX_PIXELS
from datakit.photo_files import read_picture
from datakit.video.labels import open_labels, read_labels
from model.checkpoint import checkpoint_path
from model.flow import dis_pictures
from model.propagate import PropagateConfig, Propagator

from . import common
from .validation_sets import Pair, sequence_pairs

WAYS = ("photo", "both", "flow", "copied")


def compared(propagator: Propagator, before: tuple[Image, Mask], after: tuple[Image, Mask], flow: Image) -> list[float]:
    """IoU of each of `WAYS` in one frame.

    Args:
        propagator: knows no object.
        before, after: photo and (H, W) uint8 0/1 mask of the frame before, and of the frame.
        flow: picture of the movement in the frame.
    """
    masks = []
    for photo, beside in ((after[0], None), (after[0], flow), (flow, None)):
        fresh = propagator.fresh()
        fresh.step(*before)
        masks.append((fresh.step(photo, flow=beside) > 0).view(np.uint8))
    return [iou(mask, after[1]) for mask in (*masks, before[1])]


def sequence(propagator: Propagator, pairs: Sequence[Pair], step: int) -> dict[str, float]:
    """Mean IoU of each of `WAYS` over every `step`-th frame of a sequence of one object.

    Raises:
        UsageError: there is no frame between the first and the last with an object in the one before.
    """
    photos = [read_picture(photo, str(photo), MAX_PIXELS) for photo, _ in pairs]
    masks = [(read_labels(file, str(file)).labels > 0).view(np.uint8) for _, file in pairs]
    flows, found = dis_pictures(photos), []
    for place in range(1, len(pairs) - 1, step):
        if not masks[place - 1].any():
            continue
        flow = flows(place)
        assert flow is not None  # only a film of one frame has none
        before, after = ((photos[n], masks[n]) for n in (place - 1, place))
        found.append(compared(propagator, before, after, flow))
    if not found:
        raise UsageError(f"{pairs[0][0].parent}: expected three frames or more, and an object in them")
    return dict(zip(WAYS, np.mean(found, 0).round(3).tolist(), strict=True))


def run(davis: Path, weights: str, size: int, step: int, name: str) -> None:
    """Every sequence of a tree, and their mean."""
    propagator = Propagator.from_pretrained(weights, config=PropagateConfig(size=size))
    rows = {}
    for each in open_labels(davis).sequences:
        rows[each] = sequence(propagator, sequence_pairs(davis, each), step)
        print(each, rows[each], flush=True)
    rows["mean"] = {way: round(float(np.mean([row[way] for row in rows.values()])), 3) for way in WAYS}
    about = {"weights": f"{Path(weights).name} {file_sha256(checkpoint_path(weights))[:12]}"}
    common.save(name, {**about, "cut, pixels": size, "every so many frames": step, **rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("davis", type=Path)
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--size", type=int, default=PropagateConfig().size)
    parser.add_argument("--step", type=int, default=8)
    parser.add_argument("--name", default="flow", help="of the file of results")
    run(**vars(parser.parse_args()))
