"""One id for one colour in all masks of a video, where colours number no objects by themselves.

Each picture by itself counts its colours from the largest object on, so that red is 1 in one and 2 in the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datakit.arrays import Labels
from datakit.errors import UsageError
from datakit.masks import ALIKE, Colour, LabelMap


@dataclass
class ColourIds:
    """Which colour is which object.

    Attributes:
        ids: colour -> id, of colours of no known palette.
        coloured: a file that draws its objects in such colours.
        numbered: a file whose values number its objects themselves.
    """

    ids: dict[Colour, int] = field(default_factory=dict)
    coloured: Path | None = None
    numbered: Path | None = None

    def matched(self, file: Path, found: LabelMap) -> Labels:
        """(H, W) ids of a mask, a colour that an earlier one held with the id that it has there.

        Args:
            file: of the mask.
            found: its objects, as they were read from it alone.

        Raises:
            UsageError: this mask numbers its objects, and another draws them in colours that number none.
        """
        labels = found.labels
        if not found.ids:
            return labels
        if found.colours:
            self.coloured = self.coloured or file
            table = np.zeros(max(found.ids) + 1, np.uint8)
            for number, colour in found.colours.items():
                table[number] = self._id_of(colour)
            labels = table[labels]
        elif found.numbered:  # a mask of 0 and 255 shows one object, as one colour does
            self.numbered = self.numbered or file
        if self.coloured is not None and self.numbered is not None:
            way_out = (
                "give all of them as ids, in a palette PNG or in the colours of the result pictures, or all in others"
            )
            raise UsageError(
                f"--mask {self.coloured}: draws objects in colours of no known palette, and {self.numbered} numbers "
                f"them, so that nobody knows which is which; {way_out}"
            )
        return labels

    def _id_of(self, colour: Colour) -> int:
        for other, number in self.ids.items():
            if sum((a - b) ** 2 for a, b in zip(colour, other, strict=True)) <= ALIKE**2:
                return number
        self.ids[colour] = len(self.ids) + 1
        return self.ids[colour]
