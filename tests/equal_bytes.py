"""Prints the SHA-256 of shards of every kind, made with one processor switch thrown, and proves the switch took effect.

Run as a program by test_equal_bytes: python equal_bytes.py SWITCH SOURCE OUT
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

SWITCHES = {
    "none": {},
    "opencv-plain": {},
    "opencv-threads": {},
    "ipp-off": {"OPENCV_IPP": "disabled"},
    "numpy-baseline": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
    "blas-generic": {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_L2_SIZE": "512"},
}


def throw(switch: str) -> None:
    """Throw a switch of this process and fail unless it took effect."""
    import cv2
    import numpy as np
    from threadpoolctl import threadpool_info

    cv2.setNumThreads(0)
    features = np._core._multiarray_umath.__cpu_features__
    cores = {pool.get("architecture") for pool in threadpool_info() if pool["internal_api"] == "openblas"}
    if switch == "opencv-plain":
        cv2.setUseOptimized(False)
        assert not cv2.useOptimized()
    elif switch == "opencv-threads":
        cv2.setNumThreads(4)
        assert cv2.getNumThreads() == 4
    elif switch == "ipp-off":
        assert not cv2.ipp.useIPP()
    elif switch == "numpy-baseline":
        assert not features["X86_V3"]
        assert not features["X86_V4"]
    elif switch == "blas-generic":
        assert cores <= {"Prescott", "Katmai"}, cores  # numpy's and OpenCV's own copy
    else:
        assert cv2.useOptimized()
        print(f"# ipp {cv2.ipp.useIPP()}, numpy {features['X86_V3']} {features['X86_V4']}, blas {cores}")


def write_shard(path: Path, source: Path, names: list[str], longest: int | None, codec: str) -> str:
    """One shard of a source by some recipes; its SHA-256."""
    from datakit.datasets import SourceOptions, SourceSpec, open_source
    from datakit.shards import ShardHeader, ShardWriter
    from datakit.transforms import PRESETS
    from datakit.triples import expand

    recipes = [PRESETS[name] for name in names]
    header = ShardHeader("source", {}, {}, {recipe.name: recipe.parameter_names for recipe in recipes})
    with ShardWriter(path, header) as writer:
        options = SourceOptions(image_size=longest, image_codec=codec)
        for scene in open_source(SourceSpec("source", None, source), options):
            for sample in scene.samples:
                for view, triples in expand(sample, recipes, 0):
                    writer.add(view, triples)
        return writer.publish().sha256


def clips_digest(shards: Path, name: str) -> str:
    """SHA-256 of two clips by a recipe, pictures, ids and guide masks."""
    from datakit.clips import CLIP_PRESETS, ClipMaker, ShardStills

    maker, digest = ClipMaker(ShardStills(shards), CLIP_PRESETS[name]), hashlib.sha256()
    for position in range(len(maker)):
        clip = maker.clip(position)
        for part in (clip.frames, clip.labels, clip.guides):
            digest.update(b"" if part is None else part.tobytes())
    return digest.hexdigest()


def main(switch: str, source: str, out: str) -> None:
    """A line per kind of shard: what it is, and its SHA-256; then one per recipe of clips."""
    from datakit.clips import CLIP_PRESETS
    from datakit.transforms import PRESETS

    throw(switch)
    plain = [name for name, recipe in PRESETS.items() if recipe.augment is None]
    kinds = {"plain": (plain, None, "source"), "shrunk": (plain[:1], 90, "png"), "jpeg": (plain[:1], 90, "jpeg:90")}
    for kind, arguments in {**kinds, "online": (["online"], 90, "png")}.items():
        print(kind, write_shard(Path(out) / f"{kind}.h5", Path(source), *arguments))
    for name in CLIP_PRESETS:
        print(name, clips_digest(Path(source).parent / "shards", name))


if __name__ == "__main__":
    os.environ.pop("PYTHONSTARTUP", None)
    main(*sys.argv[1:])
