"""Data sets on disk as sequences of scenes: open one, combine them, look at one photo at a time.

A layout is a `Layout` in the table `LAYOUTS`, most of them a row of `pair_layouts`. Those of the package are registered
here, others by `register_layout` or an entry point. What the author of a layout needs is exported here: a `Layout`,
a `Reader` whose `read` decodes a photo by `read_photo` and, where it has a mask file, makes samples of it by
`read_mask` and `scene_of`.
"""

from ..mask_files import read_mask
from ..masks import STILLS
from ..photo_files import read_photo
from .cityscapes import CITYSCAPES
from .coco.layouts import COCO, ROBOFLOW
from .coco.panoptic import COCO_PANOPTIC
from .coco.reader import CocoReader
from .layout import LAYOUTS, Layout, Match, Sureness, register_layout
from .mask_samples import scene_of
from .pair_layouts import PAIR_LAYOUTS
from .pairs import PairsLayout, PairsReader
from .reader import Reader, ReadOptions, SoftMask
from .records import Record
from .sa1b import SA1B
from .sources import SourceOptions, SourceSpec, open_source, parse_source, recognise
from .tools.cvat import CVAT
from .tools.isat import ISAT
from .tools.label_studio import LABEL_STUDIO
from .tools.labelme import LABELME
from .tools.supervisely import SUPERVISELY
from .tools.via import VIA
from .tools.yolo import YOLO
from .video_sets import BURST, SAV, YTVIS
from .views import AnyReader, Concat, MinArea, Resize, Subset, View

TOOLS = (LABELME, SUPERVISELY, ISAT, VIA, CVAT, LABEL_STUDIO, YOLO)
COCOS = (COCO, ROBOFLOW, COCO_PANOPTIC)
SETS = (YTVIS, SAV, BURST, SA1B, CITYSCAPES)
for _layout in (*PAIR_LAYOUTS, *COCOS, *TOOLS, *SETS):
    register_layout(_layout)

__all__ = [
    "LAYOUTS",
    "STILLS",
    "AnyReader",
    "CocoReader",
    "Concat",
    "Layout",
    "Match",
    "MinArea",
    "PairsLayout",
    "PairsReader",
    "ReadOptions",
    "Reader",
    "Record",
    "Resize",
    "SoftMask",
    "SourceOptions",
    "SourceSpec",
    "Subset",
    "Sureness",
    "View",
    "open_source",
    "parse_source",
    "read_mask",
    "read_photo",
    "recognise",
    "register_layout",
    "scene_of",
]
