"""Make a run's best weights the bundled ones of its network, as float16: python tools/bundle.py RUN"""

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from model.checkpoint import bundled_path, read_checkpoint, write_checkpoint  # noqa: E402


def bundle(run: Path) -> Path:
    """Copy `best.safetensors` of a run into the package, half the size."""
    best = dataclasses.replace(read_checkpoint(run / "best.safetensors"), optimizer={})
    path = bundled_path(best.network["name"])
    path.parent.mkdir(exist_ok=True)
    write_checkpoint(path, best, half=True)
    return path


if __name__ == "__main__":
    made = bundle(Path(sys.argv[1]))
    print(f"{made}: {made.stat().st_size / 1e6:.1f} MB; now bring model/bundled/README.md up to date")
