"""PASCAL VOC objects: palette PNGs that number the objects of a photo, 255 where nobody judges.

Reading is that of `pairs`; only the row differs.
"""

from __future__ import annotations

from .pairs import Layout

VOC = Layout(
    "voc",
    (
        ("JPEGImages", "SegmentationObject"),
        ("VOCdevkit/VOC2012/JPEGImages", "VOCdevkit/VOC2012/SegmentationObject"),
        ("VOC2012/JPEGImages", "VOC2012/SegmentationObject"),
    ),
    "VOCtrainval_11-May-2012.tar unpacks to VOCdevkit/VOC2012 with JPEGImages/*.jpg (17 125) and, for the 2 913"
    " segmented ones, SegmentationObject/*.png: palette pictures, one index per object, 255 on contours and"
    " difficult regions (Everingham et al., The PASCAL Visual Object Classes Challenge, 2012).",
    unpaired="left-out",
    nature="ids",
)
