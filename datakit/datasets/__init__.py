"""Data sets on disk as sequences of scenes: open one, combine them, look at one photo at a time.

A layout is a module or a row in a table; `sources` finds the one a folder is in.
"""

from .coco import CocoReader
from .pairs import LAYOUTS, Layout, PairsReader
from .reader import Reader, ReadOptions
from .records import Record
from .sources import LAYOUT_NAMES, SourceSpec, open_dataset, parse_source, recognise
from .views import AnyReader, Concat, MinArea, Resize, Subset, View

__all__ = [
    "LAYOUTS",
    "LAYOUT_NAMES",
    "AnyReader",
    "CocoReader",
    "Concat",
    "Layout",
    "MinArea",
    "PairsReader",
    "ReadOptions",
    "Reader",
    "Record",
    "Resize",
    "SourceSpec",
    "Subset",
    "View",
    "open_dataset",
    "parse_source",
    "recognise",
]
