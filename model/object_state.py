"""What is remembered of one object while it is carried through a video."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2

from datakit.transforms.object_crop import ObjectCrop


@dataclass(frozen=True)
class ObjectState:
    """What is remembered of one object.

    Attributes:
        good: its last mask that is trusted.
        area: of `good` in pixels.
        centre: of gravity (x, y) of `good`.
        movement: (x, y) of the centre since the frame before, in pixels; none while it is lost.
        missing: frames since it was found.
    """

    good: ObjectCrop
    area: int
    centre: tuple[float, float]
    movement: tuple[float, float] = (0.0, 0.0)
    missing: int = 0

    @classmethod
    def of(cls, figure: ObjectCrop) -> ObjectState:
        """A track that begins with an object's mask."""
        moments = cv2.moments(figure.pixels, binaryImage=True)
        area = max(moments["m00"], 1.0)
        x, y = moments["m10"] / area + figure.box[0], moments["m01"] / area + figure.box[1]
        return cls(figure, round(moments["m00"]), (x, y))

    def is_lost(self, area: int, collapse: float) -> bool:
        """Whether so many pixels are too few to be trusted."""
        return area < max(1.0, collapse * self.area)

    def followed(self, figure: ObjectCrop, collapse: float) -> ObjectState:
        """The track with the object's next mask, which is trusted unless it is far too small."""
        found = ObjectState.of(figure)
        if self.is_lost(found.area, collapse):
            return replace(self, movement=(0.0, 0.0), missing=self.missing + 1)
        if self.missing:
            return found
        return replace(found, movement=(found.centre[0] - self.centre[0], found.centre[1] - self.centre[1]))
