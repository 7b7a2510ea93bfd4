"""The static sets of AOT, DeAOT and RMem: JPEGImages/SET and Annotations/SET, one list of names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..config import setting, validate
from .coding import label_png
from .exporter import Exporter, Sink, jpeg_of
from .videos import ExportedVideo

SETS = ("COCO", "ECSSD", "MSRA10K", "PASCAL-S", "PASCALVOC2012")  # no other folder is looked for
BY_LABEL = {name.replace("-", "").lower(): name for name in SETS} | {"voc2012": "PASCALVOC2012", "voc": "PASCALVOC2012"}
OTHER = "photos in a set that AOT's loader does not look for; name one of its own by --set set_name=COCO"


@dataclass(frozen=True)
class AotExporter(Exporter):
    """JPEGImages/SET/X.jpg and Annotations/SET/X.png, palette pictures whose ids begin at 1.

    Attributes:
        set_name: the folder of all photos; `label` takes AOT's name for the source's label, else the label itself.
        jpeg_quality: of photos that are stored as PNG.
    """

    set_name: str = setting("label", choices=("label", *SETS))
    jpeg_quality: int = setting(95, 1, 100)

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """The photo as JPEG, its objects as a palette PNG."""
        folder = self.set_name
        if folder == "label":
            folder = BY_LABEL.get(video.label.replace("-", "").replace("_", "").lower(), video.label)
        for frame in video:
            if folder not in SETS:
                sink.note(OTHER)
            for remark in frame.remarks_on_labels():
                sink.note(remark)
            sink.add(f"JPEGImages/{folder}/{frame.stem}.jpg", jpeg_of(frame, self.jpeg_quality, sink))
            sink.add(f"Annotations/{folder}/{frame.stem}.png", label_png(frame))


AOT = AotExporter("aot", "AOT, DeAOT, RMem, OneVOS: their static stage", "what lies under another object")
