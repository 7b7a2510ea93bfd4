"""The page of `datakit evaluate` of several methods: reads frames again, small, so that any can be looked at.

What the page looks like is left to `datakit.preview.compare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from datakit.datasets import ReadOptions
from datakit.evaluation import ObjectScores
from datakit.files import replacing
from datakit.preview.compare import (
    ComparedSequence,
    ComparePage,
    Room,
    ShownMasks,
    apart_place,
    kept_places,
    room_for,
    shown_masks,
    write_compare_page,
)
from datakit.progress import progress
from datakit.video.labels import read_labels
from datakit.wording import counted, shorten

from ..pool import stream_on_processes
from .compare_report import compared_remarks
from .match import SequencePair
from .mosev2 import mosev2_lines
from .part import part_text
from .pictures import Pictures, mask_of, picture_of
from .report import what_is_scored
from .result import Comparison

MOST_NAMED = 4  # methods in the title


@dataclass(frozen=True)
class FrameFiles:
    """A frame to show: files of its ground truth, of every method and of its picture, and what to make of them."""

    frame: str
    target: Path
    predicted: Sequence[Path]
    picture: Path | None
    ids: Sequence[int]
    merged: bool
    read: ReadOptions
    room: Room


@dataclass(frozen=True)
class _Sequence:
    """A sequence of the page: the clips and, an object each, the scores of all methods; frames that count."""

    clips: Sequence[SequencePair]
    objects: Sequence[Sequence[ObjectScores]]
    frames: Sequence[str]


def write_compare(found: Comparison, path: Path, pictures: Path | None, read: ReadOptions, jobs: int) -> list[str]:
    """Write the page of several methods, whole or not at all.

    Args:
        found: scores and the files they are of.
        path: file to write.
        pictures: folder of the frames' pictures, as the ground truth is laid out; None to look beside that.
        read: what grey values are, as they were read for the scores.
        jobs: processes.

    Returns:
        What could not be shown, a sentence each.
    """
    sequences = _sequences(found)
    masks = sum(len(each.frames) * len(each.objects) * (len(found.methods) + 1) for each in sequences)
    total = sum(len(each.frames) for each in sequences)
    room = room_for(total, masks)
    of_pictures = Pictures(found.any.ground_truth, pictures, len(sequences))
    tasks = [task for each in sequences for task in _tasks(each, of_pictures, found, read, room)]
    missing = 0
    with progress(len(tasks), "frames of the page") as bar, replacing(path) as part:

        def counting() -> Iterator[ShownMasks]:
            nonlocal missing
            for shown in stream_on_processes(show_frame, tasks, jobs, __name__):
                missing += not shown.picture
                bar.advance(1)
                yield shown

        stream = counting()
        with part.open("w", encoding="utf-8") as out:
            write_compare_page(out, _page(found), (_shown(each, room, stream) for each in sequences))
    of_pictures.missing = missing
    left = f"of every {room.step} frames the page shows one, {len(tasks)} of {total}, so that it stays small"
    return [*([left] if room.step > 1 else []), *of_pictures.notes()]


def _page(found: Comparison) -> ComparePage:
    one = found.any
    names = list(found.methods)
    about = [
        what_is_scored(one),
        counted(len(names), "method"),
        f"{one.scores.convention.name}: {one.scores.convention.words}",
        f"ground truth: {one.ground_truth}",
        *(f"{name}: {each.predictions}" for name, each in found.methods.items()),
    ]
    lines = [f"{name}: {text}" for name, each in found.methods.items() for text in mosev2_lines(each.scores.mosev2)]
    scores = [each.scores.scores for each in found.methods.values()]
    remarks = [*lines, *compared_remarks(found)]
    return ComparePage(f"Scores of {shorten(names, MOST_NAMED)}", about, names, scores, remarks, what_is_scored(one))


def _sequences(found: Comparison) -> list[_Sequence]:
    """Every sequence with the clips and scores of all methods, and the frames in which an object counts."""
    made = []
    evaluations = list(found.methods.values())
    for place, sequence in enumerate(evaluations[0].scores.sequences):
        clips = [each.clips[place] for each in evaluations]
        columns = [each.scores.sequences[place].objects for each in evaluations]
        counts = {frame for each in sequence.objects for frame in each.frames}
        made.append(_Sequence(clips, list(zip(*columns, strict=True)), [f for f in clips[0].target if f in counts]))
    return made


def _wanted(each: _Sequence) -> list[int]:
    """Where the methods differ most, an object each."""
    return [each.frames.index(methods[0].frames[apart_place(methods)]) for methods in each.objects]


def _tasks(
    each: _Sequence, pictures: Pictures, found: Comparison, read: ReadOptions, room: Room
) -> Iterator[FrameFiles]:
    ids = [methods[0].id for methods in each.objects]
    merged = found.any.scores.convention.merged
    for place in kept_places(len(each.frames), room.step, _wanted(each)):
        frame, clip = each.frames[place], each.clips[0]
        predicted = [clip.predicted[frame] for clip in each.clips]
        picture = pictures.file_of(clip.name, frame)
        yield FrameFiles(frame, clip.target[frame], predicted, picture, ids, merged, read, room)


def _shown(each: _Sequence, room: Room, stream: Iterator[ShownMasks]) -> ComparedSequence:
    clip = each.clips[0]
    count = len(kept_places(len(each.frames), room.step, _wanted(each)))
    return ComparedSequence(clip.name, part_text(clip) if clip.outside else "", each.objects, islice(stream, count))


def show_frame(files: FrameFiles) -> ShownMasks:
    """Read a frame of all methods and make it small; runs on any process."""
    target = read_labels(files.target, str(files.target), files.read)
    found = [read_labels(path, str(path), files.read) for path in files.predicted]
    height, width = target.labels.shape
    return shown_masks(
        files.frame,
        picture_of(files.picture, (height, width)),
        {number: mask_of(target, number, files.merged) for number in files.ids},
        {number: [mask_of(labels, number, files.merged) for labels in found] for number in files.ids},
        target.ignore,
        files.room,
    )
