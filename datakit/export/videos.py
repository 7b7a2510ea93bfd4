"""What an export is made of: videos, whose frames are photos with their objects' masks; a still is a video of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from ..errors import DatakitError
from ..formats import JPEG_START
from ..images import decode_picture, encode_jpeg

MOST_IDS = 254  # in a label picture of 8 bits: 0 is the ground, and several loaders pass over 255

HIDDEN = "photos with objects that lie wholly under later ones and are not in the label picture"
OVERLAPS = "photos with objects that overlap; in the label picture the later one lies on top"
REENCODED = "photos stored as PNG and written as JPEG, which changes pixels a little"


class ExportObject(NamedTuple):
    """One object of a frame.

    Attributes:
        number: from 1, the same in all frames of its video.
        mask: (H, W) uint8, 0 or 1; empty where the object is not seen.
    """

    number: int
    mask: Mask


@dataclass(frozen=True)
class Frame:
    """A photo and the objects on it.

    Attributes:
        name: within its video; five digits.
        stem: of files of its own, unique in an export: letters, digits, '-' and '_'.
        row: from 0 over all frames of an export.
        key: of the photo in its source, or sequence and frame.
        size: (H, W) in pixels, upright.
        photo: JPEG or PNG bytes, upright.
        objects: every object of the video in order: later ones lie over earlier ones.
    """

    name: str
    stem: str
    row: int
    key: str
    size: tuple[int, int]
    photo: bytes = field(repr=False)
    objects: tuple[ExportObject, ...] = field(repr=False)

    @property
    def seen(self) -> tuple[ExportObject, ...]:
        """The objects that have a pixel in this frame."""
        return tuple(each for each in self.objects if each.mask.any())

    @property
    def suffix(self) -> str:
        """`.jpg` or `.png`, as `photo` is stored."""
        return ".jpg" if self.is_jpeg else ".png"

    @property
    def is_jpeg(self) -> bool:
        """Whether `photo` is a JPEG."""
        return self.photo.startswith(JPEG_START)

    def jpeg(self, quality: int) -> bytes:
        """The photo as JPEG: the stored bytes where they are one, else encoded at a quality of 1..100."""
        return self.photo if self.is_jpeg else encode_jpeg(decode_picture(self.photo), quality)

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """(H, W) uint8: the number of the object at each pixel, of several the later; 0 where there is none.

        Raises:
            DatakitError: more objects than a label picture can number.
        """
        labels = np.zeros(self.size, np.uint8)
        if len(self.objects) > MOST_IDS:
            found = f"{len(self.objects)} objects, and a label picture numbers {MOST_IDS}"
            raise DatakitError(f"{self.key}: {found}; export to a format with a mask for each object, such as coco")
        for each in self.objects:
            labels[each.mask.view(np.bool_)] = each.number
        return labels

    def remarks_on_labels(self) -> Iterator[str]:
        """What `labels` cannot hold of this frame."""
        seen = self.seen
        if sum(int(np.count_nonzero(each.mask)) for each in seen) > np.count_nonzero(self.labels):
            yield OVERLAPS
        if len(np.unique(self.labels[self.labels > 0])) < len(seen):
            yield HIDDEN


class ExportedVideo(ABC):
    """Frames of one video, in order; a still is one frame.

    Attributes:
        name: unique in an export: letters, digits, '-' and '_'.
        label: of the source that it is from.
        is_video: whether the frames are those of a video.
        objects: object number -> what the source calls the object.
        remarks: what of it is not exported: words that a number follows, once for the video.
        origin: how it was made, as JSON has it; None where there is nothing to say.
    """

    name: str
    label: str
    is_video: bool
    objects: dict[int, str]
    remarks: Sequence[str] = ()
    origin: Mapping[str, Any] | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames."""

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """The frames, each decoded when it is its turn."""


class VideoSource(ABC):
    """What is exported: videos by position, found without decoding a picture.

    Attributes:
        place: where it lies, for messages.
        lengths: number of frames of each video.
        remarks: what of the source is not exported: a sentence -> how many times.
        origins: name of the file that the videos' origins are written to, a line each; '' for none.
        unit: what its frames are called, for progress and messages.
        expected_bytes: about how many the files take; 0 where nobody knows.
    """

    place: str
    lengths: Sequence[int]
    remarks: dict[str, int]
    origins: str = ""
    unit: str = "photos"
    expected_bytes: int = 0

    @abstractmethod
    def __getitem__(self, position: int) -> ExportedVideo:
        """One video."""

    def __len__(self) -> int:
        """Number of videos."""
        return len(self.lengths)

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What tells this source from another one: kind, and digest of its content or manifest."""

    def contents(self) -> dict[str, Any]:
        """What else the list of an export says of the source, as JSON has it."""
        return {}
