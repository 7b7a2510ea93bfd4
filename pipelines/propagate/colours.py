"""One id for one colour in all masks of a video, where colours number no objects by themselves.

Each picture by itself counts its colours from the largest object on, so that red is 1 in one and 2 in the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datakit.arrays import Labels
from datakit.colours import ALIKE
from datakit.errors import UsageError
from datakit.formats import MAX_PIXELS
from datakit.photo_files import read_colours
from datakit.video.painted import is_colour_file
from datakit.video.palette import palette

Colour = tuple[int, int, int]
GREY = 8  # difference of red, green and blue in what is a grey value


@dataclass
class ColourIds:
    """Which colour is which object.

    Attributes:
        ids: colour -> id, of colours of no known palette.
        numbered: a file whose values number its objects themselves.
    """

    ids: dict[Colour, int] = field(default_factory=dict)
    numbered: Path | None = None

    def settled(self, file: Path, labels: Labels, is_painted: bool) -> Labels:
        """The objects of a mask, a colour that an earlier one held with the id that it has there.

        Args:
            file: of the mask.
            labels: (H, W) ids, as they were read from it alone.
            is_painted: whether it is a frame that was painted on.

        Raises:
            UsageError: this mask numbers its objects, and another draws them in colours that number none.
        """
        ids = [int(number) for number in np.unique(labels) if number]
        if not ids:
            return labels
        found = _colours(file, labels, ids) if is_painted or is_colour_file(file) else {}
        known = np.array(palette(), np.uint8).reshape(-1, 3).tolist()
        are_grey = not is_painted and all(max(colour) - min(colour) <= GREY for colour in found.values())
        if are_grey or all(list(colour) == known[number] for number, colour in found.items()):
            self.numbered = self.numbered or file
        else:
            table = np.zeros(max(ids) + 1, np.uint8)
            for number, colour in found.items():
                table[number] = self._id_of(colour)
            labels = table[labels]
        if self.ids and self.numbered is not None:
            way_out = "give all of them as ids, in a palette PNG, or all in colours"
            raise UsageError(
                f"--mask {file}: one mask of this video draws objects in colours of no known palette, another "
                f"({self.numbered}) numbers them, so that nobody knows which is which; {way_out}"
            )
        return labels

    def _id_of(self, colour: Colour) -> int:
        for other, number in self.ids.items():
            if sum((a - b) ** 2 for a, b in zip(colour, other, strict=True)) <= ALIKE**2:
                return number
        self.ids[colour] = len(self.ids) + 1
        return self.ids[colour]


def _colours(file: Path, labels: Labels, ids: list[int]) -> dict[int, Colour]:
    """Id -> the colour that most of its pixels have."""
    pixels = read_colours(file, str(file), MAX_PIXELS)[..., :3]
    packed = pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    found = {}
    for number in ids:
        values, counts = np.unique(packed[labels == number], return_counts=True)
        most = int(values[counts.argmax()])
        found[number] = (most >> 16, most >> 8 & 255, most & 255)
    return found
