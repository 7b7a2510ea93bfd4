"""What a layout is: how one kind of data set lies on disk, how it is recognised and how it is opened.

`LAYOUTS` is the one table of them. A layout of another package joins it by `register_layout`, or by an entry point
of the group `masktrack_datakit.layouts` that names a `Layout`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from ..registry import Registry
from .reader import Reader, ReadOptions

GROUP = "masktrack_datakit.layouts"


class Sureness(IntEnum):
    """How sure a layout is of a root; of two layouts the surer one is taken, of equals the one registered first."""

    FILE = 0  # a file that only this layout has
    NAME = 1  # the root is called after the data set, and its folders are there
    FOLDERS = 2  # folders that only this layout has
    COMMON = 3  # folders or a file that several have, and that mean this one if nothing else is known
    MIXED = 4  # pictures and masks in one folder
    LAST = 5  # nothing else fits


class Match(NamedTuple):
    """That a root may be of a layout.

    Attributes:
        sureness: how sure that is.
        why: what it rests on, to follow "taken for NAME, ".
    """

    sureness: Sureness
    why: str


@dataclass(frozen=True)
class Layout(ABC):
    """How one kind of data set lies on disk.

    Attributes:
        name: as on the command line: a-z, 0-9, '_' and '-'.
        source: how the official archive lies, and where it comes from.
        tree: patterns of its files below the root, as `Path.glob` takes them.
        min_area: objects of fewer pixels are left out by default.
        is_video: whether pictures of one folder are frames of one video, which are alike on purpose.
    """

    name: str
    source: str
    tree: tuple[str, ...]
    min_area: int = 0
    is_video: bool = False

    @property
    def reader_type(self) -> type[Reader] | None:
        """What `open` gives, for sources that are opened from a listing file; None where that cannot be."""
        return None

    def check(self, root: Path, options: ReadOptions) -> None:
        """Refuse options that cannot be meant for a set of this layout.

        Raises:
            UsageError: as said.
        """
        return None

    @abstractmethod
    def match(self, root: Path) -> Match | None:
        """Whether a file or folder that exists may be of this layout; None where it is not.

        Raises:
            UsageError: it is, and cannot be opened until the user says more.
        """

    @abstractmethod
    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """List a data set of this layout.

        Args:
            label: name of the source in keys.
            root: its folder or file, which exists.
            images: folder of the pictures, where the user named one.
            options: how annotations become masks.

        Raises:
            UsageError: the root is not of this layout.
        """


def _check(name: str, layout: Layout) -> None:
    if not isinstance(layout, Layout):
        raise UsageError(f"layout {name!r}: expected a datakit.datasets.Layout, found {type(layout).__name__}")
    if layout.name != name:
        raise UsageError(f"layout {name!r}: calls itself {layout.name!r}; register it under that name")
    if not layout.tree or not layout.source:
        raise UsageError(f"layout {name!r}: needs a `tree` of file patterns and a `source` that says where it is from")


LAYOUTS: Registry[Layout] = Registry("layout", GROUP, _check)


def register_layout(layout: Layout) -> Layout:
    """Make a layout known to every command and function that opens sources.

    Raises:
        UsageError: its name is taken or no name, or it says too little about itself.
    """
    return LAYOUTS.add(layout.name, layout)
