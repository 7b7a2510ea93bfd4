"""Video sets as still images: one folder of frames and one of annotations per sequence, as DAVIS lays them out.

Reading is that of `pairs`; only the row differs. Frames in order are left to propagation.
"""

from __future__ import annotations

from .pairs import Layout

VIDEOS = Layout(
    "videos",
    (
        ("JPEGImages/480p", "Annotations/480p"),
        ("JPEGImages/1080p", "Annotations/1080p"),
        ("JPEGImages/Full-Resolution", "Annotations/Full-Resolution"),
        ("JPEGImages", "Annotations"),
        ("DAVIS/JPEGImages/480p", "DAVIS/Annotations/480p"),
    ),
    "DAVIS unpacks to JPEGImages/480p/SEQ/00000.jpg and Annotations/480p/SEQ/00000.png: grey 0 and 255 in 2016, palette"
    " ids in 2017; YouTube-VOS has the same folders without the resolution and annotates every fifth frame"
    " (Perazzi et al., CVPR 2016; Pont-Tuset et al., arXiv 1704.00675).",
    unpaired="left-out",
    nature="ids",
)
