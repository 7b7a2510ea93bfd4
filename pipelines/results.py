"""A picture of what a network makes of some triples, for `train` and `score`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datakit.files import replacing
from datakit.images import encode_png

if TYPE_CHECKING:
    from datakit.samples import Triple
    from model.compute import Compute
    from model.refine import RefineConfig
    from model.segmenter import Segmenter

ROWS = 6  # of a picture


def draw_results(
    net: Segmenter, triples: Sequence[Triple], view: RefineConfig, compute: Compute, path: Path, title: str
) -> None:
    """Write a PNG with a row for each triple: photo, guide mask, output and target; its folder is made if need be.

    Raises:
        OSError: the file cannot be written.
    """
    from datakit.preview import results_sheet
    from model.score import refined

    rows = list(refined(net, triples, view, compute))
    with replacing(path) as part:
        part.write_bytes(encode_png(results_sheet(rows, title), compact=True))
