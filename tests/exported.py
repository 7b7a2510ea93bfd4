"""Videos to export, made here: two short videos whose objects overlap, hide, leave, have holes and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from datakit.export import ExportedVideo, ExportObject, Frame, VideoSource
from datakit.images import encode_jpeg, encode_png

SIZE = (40, 60)


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.notes: Counter[str] = Counter()

    def add(self, path: str, data: bytes) -> None:
        assert path not in self.files
        self.files[path] = data

    def note(self, reason: str) -> None:
        self.notes[reason] += 1


class Drawn(ExportedVideo):
    """Frames of rectangles."""

    is_video = True

    def __init__(self, name: str, boxes: list[list[tuple[int, int, int, int]]], row: int, as_jpeg: bool):
        self.name, self.label = name, name
        self._boxes, self._row, self._as_jpeg = boxes, row, as_jpeg
        self.objects = {number: str(10 * number) for number in range(1, len(boxes[0]) + 1)}

    def __len__(self) -> int:
        return len(self._boxes)

    def __iter__(self) -> Iterator[Frame]:
        for place, boxes in enumerate(self._boxes):
            pixels = np.random.default_rng(self._row + place).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
            photo = encode_jpeg(pixels, 90) if self._as_jpeg else encode_png(pixels)
            objects = []
            for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
                mask = np.zeros(SIZE, np.uint8)
                mask[y0:y1, x0:x1] = 1
                if not self._as_jpeg and number == 1 and mask.any():
                    mask[y0 + 3 : y0 + 5, x0 + 3 : x0 + 5] = 0  # a hole
                    mask[-3:, :4] = 1  # a part
                objects.append(ExportObject(number, mask))
            name = f"{place:05d}"
            row = self._row + place
            key = f"{self.name}/{name}"
            yield Frame(name, f"{self.name}_{name}", row, key, SIZE, photo, tuple(objects))


class TwoVideos(VideoSource):
    """`one`: overlap, one hidden, one gone; `two`: stored as PNG, with a hole and a part."""

    place = "drawn"

    def __init__(self) -> None:
        overlap, hidden, gone = [(5, 5, 20, 20), (15, 15, 40, 30)], [(16, 16, 20, 20), (15, 15, 40, 30)], (0, 0, 0, 0)
        self._videos = [
            Drawn("one", [overlap, hidden, [gone, (1, 2, 9, 9)]], 0, True),
            Drawn("two", [[(5, 5, 20, 20)], [(8, 8, 30, 30)]], 3, False),
        ]
        self.lengths = [3, 2]
        self.remarks: dict[str, int] = {}

    def __getitem__(self, position: int) -> Drawn:
        return self._videos[position]

    def identity(self) -> dict[str, str]:
        return {"kind": "drawn"}


def label_map(frame: Frame) -> np.ndarray:
    """(H, W): the number of the object on top, later over earlier, painted pixel by pixel."""
    labels = np.zeros(frame.size, int)
    for each in frame.objects:
        labels = np.where(each.mask > 0, each.number, labels)
    return labels
