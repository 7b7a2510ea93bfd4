"""Make a run's best weights the bundled ones of its network, as float16: python tools/bundle.py RUN [SHARE]

SHARE, for a network that begins as another: what it has of that one's bundled weights goes so far from there to the
run's. Between a general network and one fitted to a task, the weights half-way serve both (arXiv 2109.01903).
"""

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from model.checkpoint import Checkpoint, bundled_path, read_checkpoint, write_checkpoint  # noqa: E402
from model.networks import NETWORKS  # noqa: E402


def bundle(run: Path, share: float = 1.0) -> Path:
    """Copy `best.safetensors` of a run into the package, half the size."""
    best = dataclasses.replace(read_checkpoint(run / "best.safetensors"), optimizer={})
    if share < 1:
        best = part_way(best, share)
    path = bundled_path(best.network["name"])
    path.parent.mkdir(exist_ok=True)
    write_checkpoint(path, best, half=True)
    return path


def part_way(best: Checkpoint, share: float) -> Checkpoint:
    """The weights that the network it begins as has, too, moved back towards those."""
    start = read_checkpoint(bundled_path(NETWORKS[best.network["name"]].begins_as)).weights
    weights = {
        name: start[name].lerp(tensor, share) if name in start and tensor.is_floating_point() else tensor
        for name, tensor in best.weights.items()
    }
    return dataclasses.replace(best, weights=weights, about={**best.about, "share": share})


if __name__ == "__main__":
    made = bundle(Path(sys.argv[1]), *map(float, sys.argv[2:]))
    print(f"{made}: {made.stat().st_size / 1e6:.1f} MB; now bring model/bundled/README.md up to date")
