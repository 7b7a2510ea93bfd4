"""Views of small finished folders, and what must be equal in a triple that is read through one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datakit.samples import Triple
from datakit.shards import ShardReader
from datakit.shards.combine import gather, view_of
from datakit.shards.view import write_view


def write_view_of(out: Path, *readers: ShardReader, command: str = "merge") -> Path:
    """A view of readers, as the commands write them."""
    out.mkdir(parents=True, exist_ok=True)
    inputs = [reader.folder for reader in readers]
    write_view(out, view_of(gather(readers), out, command, inputs, {}))
    return out


def contents_of(triples: Iterable[Triple]) -> dict[str, tuple[Any, ...]]:
    """Key -> every byte of image, guide and target, and what the table says."""
    return {
        each.key: (each.image.tobytes(), each.guide.tobytes(), each.target.tobytes(), each.sample_key, each.recipe,
                   each.flags, each.iou, each.parameters.tobytes())
        for each in triples
    }  # fmt: skip
