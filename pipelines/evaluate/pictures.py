"""Pictures of frames and masks of objects, read again for the pages of `datakit evaluate`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from datakit.arrays import Image, Mask
from datakit.errors import ItemError
from datakit.formats import MAX_PIXELS
from datakit.masks import LabelMap
from datakit.photo_files import read_picture
from datakit.video.labels import Frames, list_frames, photos_beside
from datakit.wording import counted

SHAPE = 0.02  # by which width / height of a picture may differ from that of its labels, as 1920x1080 from 854x480


class Pictures:
    """The pictures of frames, where there are any; keeps count of those it could not give.

    Args:
        ground_truth: the folder that holds its sequences.
        pictures: folder of the frames' pictures, as the ground truth is laid out; None to look beside that.
        sequences: how many the page shows; a folder of pictures without folders in it belongs to a single one.
    """

    def __init__(self, ground_truth: Path, pictures: Path | None, sequences: int):
        self.root = pictures or photos_beside(ground_truth)
        self._single = sequences == 1
        self.folders: dict[str, Frames] = {}
        self.missing = 0

    def of(self, sequence: str, frame: str, size: tuple[int, int]) -> Image | None:
        """(H, W, 3) RGB picture of a frame at the size of its labels, or None."""
        picture = picture_of(self.file_of(sequence, frame), size)
        self.missing += picture is None
        return picture

    def file_of(self, sequence: str, frame: str) -> Path | None:
        """The file of a frame, in a folder of its sequence's name, or in the root itself where that is one sequence."""
        if self.root is None:
            return None
        if sequence not in self.folders:
            own = self.root / sequence
            of_one = self.root if self._single else None
            folder = own if own.is_dir() else of_one
            self.folders[sequence] = list_frames(folder) if folder else {}
        return self.folders[sequence].get(frame)

    def notes(self) -> list[str]:
        """What to say of the pictures that were not there."""
        if not self.missing:
            return []
        lack = f"a picture of their shape in {self.root}" if self.root else "a picture beside the ground truth"
        folders = "" if self._single else ", a folder for each sequence in it"
        frames = counted(self.missing, "frame") + (" of the page is" if self.missing == 1 else " of the page are")
        return [f"{frames} on plain ground, for lack of {lack}: --pictures DIR{folders}"]


def picture_of(file: Path | None, size: tuple[int, int]) -> Image | None:
    """(H, W, 3) RGB picture of a file at this size; None where none can be read, or one of another shape."""
    try:
        picture = None if file is None else read_picture(file, str(file), MAX_PIXELS)
    except ItemError:
        return None
    if picture is None or picture.shape[:2] == size:
        return picture
    (height, width), (rows, columns) = size, picture.shape[:2]
    if abs(columns * height - rows * width) > SHAPE * columns * height:
        return None
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def mask_of(labels: LabelMap, number: int, merged: bool) -> Mask:
    """(H, W) 0/1 mask of an object, or of all where they count as one."""
    mask: Mask = (labels.labels > 0 if merged else labels.labels == number).view(np.uint8)
    return mask
