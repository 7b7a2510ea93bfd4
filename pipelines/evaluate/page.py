"""The page of `datakit evaluate`: picks each object's worst frames and reads them again, to be looked at.

What the page looks like is left to `datakit.preview.scores`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from datakit.datasets import ReadOptions
from datakit.evaluation import ObjectScores
from datakit.files import replacing
from datakit.preview import picture_bytes
from datakit.preview.scores import ScoresPage, ShownFrame, ShownObject, worst_places, write_scores_page
from datakit.video.labels import read_labels
from datakit.wording import counted

from .match import SequencePair
from .mosev2 import mosev2_lines
from .pictures import Pictures, mask_of
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
    shown_pictures = Pictures(found.ground_truth, pictures, len(found.clips))
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
            worst = [_frame(clip, each, place, scores.convention.merged, shown_pictures, read) for place in places]
            yield ShownObject(clip.name, each, several[clip.name], worst)

    with replacing(path) as part, part.open("w", encoding="utf-8") as out:
        write_scores_page(out, page, shown())
    return shown_pictures.notes()


def _frame(
    clip: SequencePair, each: ObjectScores, place: int, merged: bool, pictures: Pictures, read: ReadOptions
) -> ShownFrame:
    name = each.frames[place]
    sides = (clip.predicted, clip.target)
    found, target = (read_labels(files[name], str(files[name]), read) for files in sides)
    picture = pictures.of(clip.name, name, (target.labels.shape[0], target.labels.shape[1]))
    return ShownFrame(place, mask_of(found, each.id, merged), mask_of(target, each.id, merged), target.ignore, picture)
