"""Data floor: static images with masks in, verified shards of (image, guide mask, target) triples out.

The names below are the library's public face; each is imported when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .shadowed import ShadowFinder

if TYPE_CHECKING:
    from .datasets import Concat, ReadOptions, SourceOptions, open_source
    from .evaluation import CONVENTIONS
    from .metrics import measure
    from .samples import Sample, Triple
    from .shards import ShardReader, ShardWriter
    from .shards.verify import verify
    from .transforms import PRESETS, Recipe, replay
    from .triples import make_triples
    from .video.frames import open_frames

__version__ = "0.1.0"

__all__ = [
    "CONVENTIONS",
    "PRESETS",
    "Concat",
    "ReadOptions",
    "Recipe",
    "Sample",
    "ShardReader",
    "ShardWriter",
    "SourceOptions",
    "Triple",
    "__version__",
    "make_triples",
    "measure",
    "open_frames",
    "open_source",
    "replay",
    "verify",
]

_HOMES = {
    "CONVENTIONS": "evaluation",
    "PRESETS": "transforms",
    "Concat": "datasets",
    "ReadOptions": "datasets",
    "Recipe": "transforms",
    "Sample": "samples",
    "ShardReader": "shards",
    "ShardWriter": "shards",
    "SourceOptions": "datasets",
    "Triple": "samples",
    "make_triples": "triples",
    "measure": "metrics",
    "open_frames": "video.frames",
    "open_source": "datasets",
    "replay": "transforms",
    "verify": "shards.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'datakit' has no attribute {name!r}; it has {', '.join(sorted(_HOMES))}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if ShadowFinder not in sys.meta_path:
    sys.meta_path.append(ShadowFinder)
