"""Shards, clips made of them, and the label pictures of videos, as the folders and files that other programs read.

An exporter is an `Exporter` in the table `EXPORTERS`. Those of the package are registered here, others by
`register_exporter` or an entry point. Of overlapping objects the later lies on top, in every format that holds one
object a pixel: the order of the shards, which is that of the source.
"""

from .aot import AOT
from .coco import COCO
from .davis import DAVIS, YOUTUBE_VOS
from .exporter import EXPORTERS, Exporter, Sink, register_exporter
from .from_clips import ClipVideos
from .from_labels import LabelVideos
from .from_shards import ShardVideos
from .huggingface import HUGGINGFACE
from .labelme import LABELME
from .sa1b import SA1B
from .sav import SAV
from .static import STATIC
from .videos import ExportedVideo, ExportObject, Frame, VideoSource
from .webdataset import WEBDATASET
from .yolo import YOLO
from .ytvis import YTVIS

for _exporter in (
    COCO, STATIC, AOT, DAVIS, YOUTUBE_VOS, SAV, YTVIS, SA1B, LABELME, YOLO, WEBDATASET, HUGGINGFACE
):  # fmt: skip
    register_exporter(_exporter)

__all__ = [
    "EXPORTERS",
    "ClipVideos",
    "ExportObject",
    "ExportedVideo",
    "Exporter",
    "Frame",
    "LabelVideos",
    "ShardVideos",
    "Sink",
    "VideoSource",
    "register_exporter",
]
