"""The page of `datakit evaluate`: picks each object's worst frames and reads them again, to be looked at.

What the page looks like is left to `datakit.preview.scores`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from datakit.arrays import Image, Mask
from datakit.datasets import ReadOptions
from datakit.errors import ItemError
from datakit.evaluation import ObjectScores
from datakit.files import replacing
from datakit.formats import MAX_PIXELS
from datakit.masks import LabelMap
from datakit.photo_files import read_picture
from datakit.preview import picture_bytes
from datakit.preview.scores import ScoresPage, ShownFrame, ShownObject, worst_places, write_scores_page
from datakit.video.labels import Frames, list_frames, photos_beside, read_labels
from datakit.wording import counted

from .match import SequencePair
from .mosev2 import mosev2_lines
from .report import remarks, what_is_scored
from .result import Evaluation

WORST = 6  # frames shown of an object


def write_page(found: Evaluation, path: Path, pictures: Path | None, read: ReadOptions) -> list[str]:
    """Write the page of an evaluation, whole or not at all.

    Args:
        found: scores and the files they are of.
        path: file to write.
        pictures: folder of the frames' pictures, as the ground truth is laid out; None to look beside that.
        read: what grey values are, as they were read for the scores.

    Returns:
        What could not be shown, a sentence each.
    """
    shown_pictures = _Pictures(found, pictures, read)
    scores = found.scores
    objects = [(clip, each) for clip, sequence in zip(found.clips, scores.sequences, strict=True)
               for each in sequence.objects]  # fmt: skip
    about = [
        what_is_scored(found),
        counted(len(objects), "object"),
        f"{scores.convention.name}: {scores.convention.words}",
        f"ground truth: {found.ground_truth}",
        *mosev2_lines(found.scores.mosev2),
    ]
    title = f"Scores of {found.predictions.resolve().name}"
    page = ScoresPage(title, about, scores.scores, remarks(found), picture_bytes(WORST * len(objects)))
    several = {sequence.name: len(sequence.objects) > 1 for sequence in scores.sequences}

    def shown() -> Iterator[ShownObject]:
        for clip, each in objects:
            places = worst_places(each, WORST)
            worst = [_frame(clip, each, place, scores.convention.merged, shown_pictures) for place in places]
            yield ShownObject(clip.name, each, several[clip.name], worst)

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("w", encoding="utf-8") as out:
        write_scores_page(out, page, shown())
    return shown_pictures.notes()


class _Pictures:
    """The pictures of frames, where there are any; keeps count of those it could not give."""

    def __init__(self, found: Evaluation, pictures: Path | None, read: ReadOptions):
        self.read = read
        self.root = pictures or photos_beside(found.ground_truth)
        self.folders: dict[str, Frames] = {}
        self.missing = 0

    def of(self, clip: SequencePair, frame: str, size: tuple[int, int]) -> Image | None:
        """(H, W, 3) RGB picture of a frame at the size of its labels, or None."""
        file = self._files(clip.name).get(frame)
        try:
            picture = None if file is None else read_picture(file, str(file), MAX_PIXELS)
        except ItemError:
            picture = None
        if picture is None:
            self.missing += 1
            return None
        if picture.shape[:2] == size:
            return picture
        return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    def _files(self, name: str) -> Frames:
        """The pictures of a sequence: in a folder of its name, or in the root itself where that is one sequence."""
        if self.root is None:
            return {}
        if name not in self.folders:
            own = self.root / name
            self.folders[name] = list_frames(own if own.is_dir() else self.root)
        return self.folders[name]

    def notes(self) -> list[str]:
        """What to say of the pictures that were not there."""
        if not self.missing:
            return []
        where = f"in {self.root}" if self.root else "beside the ground truth"
        return [f"{self.missing} frames of the page are on plain ground, for lack of a picture {where}: --pictures DIR"]


def _frame(clip: SequencePair, each: ObjectScores, place: int, merged: bool, pictures: _Pictures) -> ShownFrame:
    name = each.frames[place]
    sides = (clip.predicted, clip.target)
    found, target = (read_labels(files[name], str(files[name]), pictures.read) for files in sides)
    picture = pictures.of(clip, name, (target.labels.shape[0], target.labels.shape[1]))
    return ShownFrame(place, _mask(found, each.id, merged), _mask(target, each.id, merged), target.ignore, picture)


def _mask(labels: LabelMap, number: int, merged: bool) -> Mask:
    mask: Mask = (labels.labels > 0 if merged else labels.labels == number).view(np.uint8)
    return mask
