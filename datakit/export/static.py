"""Static pre-training sets of the STM family: X.jpg and a grey X.png beside it, 255 inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Mask
from ..config import setting, validate
from .coding import grey_png
from .exporter import Exporter, Sink, jpeg_of
from .videos import ExportedVideo, Frame

MERGED = "photos with several objects, which are one foreground now"


@dataclass(frozen=True)
class StaticExporter(Exporter):
    """One folder of X.jpg and X.png.

    Attributes:
        objects: `merged` makes all objects of a photo one foreground; `each` writes the photo anew for every object.
        jpeg_quality: of photos that are stored as PNG.
    """

    objects: str = setting("merged", choices=("merged", "each"))
    jpeg_quality: int = setting(95, 1, 100)

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """The photo as JPEG, its foreground as grey PNG."""
        for frame in video:
            if self.objects == "merged" and len(frame.seen) > 1:
                sink.note(MERGED)
            photo = jpeg_of(frame, self.jpeg_quality, sink)
            for stem, mask in self._foregrounds(frame):
                sink.add(f"{stem}.jpg", photo)
                sink.add(f"{stem}.png", grey_png(mask))

    def _foregrounds(self, frame: Frame) -> Iterator[tuple[str, Mask]]:
        if self.objects == "merged":
            merged = np.zeros(frame.size, np.uint8)
            for each in frame.objects:
                merged |= each.mask
            yield frame.stem, merged
        else:
            # '+' is in no stem, so these names are unique as well
            yield from ((f"{frame.stem}+{each.number}", each.mask) for each in frame.seen)


STATIC = StaticExporter(
    "static",
    "STCN, XMem, DEVA, Cutie, LiVOS: their static stage",
    "which object a pixel is of (`--set objects=each` writes the photo once for each object)",
)
