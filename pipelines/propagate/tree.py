"""`datakit propagate --davis`: every sequence of a tree as DAVIS lays it out, from the annotations of its objects."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datakit.datasets.pair_layouts import VIDEO_FOLDERS
from datakit.errors import DatakitError, Locked, SettingsDiffer, UsageError
from datakit.progress import progress
from datakit.video.annotations import read_objects
from datakit.video.labels import is_sequence_name, list_frames, open_labels
from datakit.wording import counted, shorten

from ..cluster import run_tasks
from ..evaluate.match import chosen_names
from ..interrupt import terminable
from ..progress import quietly
from ..scaling import WorkerRange
from .masks import SequenceStart, Spacing
from .prompts import MANY_OBJECTS, many_told
from .run import PropagateJob, PropagateSummary, drawable, propagate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TreeJob:
    """A tree of videos to segment.

    Attributes:
        root: holds `JPEGImages/480p/SEQ` and `Annotations/480p/SEQ`, or the same without the resolution.
        job: what holds for every sequence; its video and masks are not looked at.
        sequences: names, a file of them, or a split of `ImageSets`; None for all.
        from_boxes: begin with the boxes of the objects in those annotations instead of their masks (MaskTrackBox).
        spacing: which annotations are given in full besides; None for none.
        jobs: worker processes on this machine.
        scheduler: address of a running Dask scheduler to use instead, or the name of a queueing system.
        adaptive: how many workers there may be, by the work left.
    """

    root: Path
    job: PropagateJob
    sequences: str | None = None
    from_boxes: bool = False
    spacing: Spacing | None = None
    jobs: int = 1
    scheduler: str | None = None
    adaptive: WorkerRange | None = None


@dataclass(frozen=True)
class TreeSummary:
    """What a run made of a tree.

    Attributes:
        out: folder of sequences.
        sequences: what became of each.
        seconds: of the run.
        remarks: what a user should know of the tree, a sentence each.
    """

    out: Path
    sequences: Sequence[PropagateSummary]
    seconds: float
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Failure:
    """A sequence that could not be finished, and why."""

    sequence: str
    text: str
    exit_code: int


def propagate_tree(tree: TreeJob) -> TreeSummary:
    """Segment every sequence of a tree, several at a time.

    Raises:
        UsageError: it is no such tree, or a sequence is not in it.
        DatakitError: sequences failed, the others are finished; each is named with its reason.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    began = time.monotonic()
    jobs = sequence_jobs(replace(tree, job=drawable(tree.job)))
    frames = {job.name: len(list_frames(job.video)) for job in jobs}
    summaries: dict[str, PropagateSummary] = {}
    failures: list[Failure] = []
    logger.info(f"{counted(len(jobs), 'sequence')} with {counted(sum(frames.values()), 'frame')}")
    remarks = left_out(tree, jobs)
    for line in (*remarks, *many_objects(jobs)):
        logger.info(line)
    with terminable(), progress(sum(frames.values()), "frames") as shown:

        def done(job: PropagateJob, result: PropagateSummary | Failure) -> None:
            if isinstance(result, Failure):
                failures.append(result)
            else:
                summaries[job.name] = result
            shown.advance(frames[job.name])

        run_tasks(
            propagate_sequence,
            jobs,
            lambda job: job.name,
            done,
            jobs=tree.jobs,
            scheduler=tree.scheduler,
            adaptive=tree.adaptive,
        )
    refuse(failures, len(jobs))
    return TreeSummary(tree.job.out, [summaries[job.name] for job in jobs], time.monotonic() - began, remarks)


def sequence_jobs(tree: TreeJob) -> list[PropagateJob]:
    """One job for each sequence, those with the most frames first."""
    folder = frames_folder(tree.root)
    annotations = open_labels(tree.root).sequences
    names = list(annotations) if tree.sequences is None else chosen_sequences(tree.root, tree.sequences)
    unknown = [name for name in names if name not in annotations or not (folder / name).is_dir()]
    if unknown or not names:
        frames = sorted(path.name for path in folder.iterdir() if path.is_dir())
        raise UsageError(
            f"{tree.root}: no frames and annotations of {shorten(unknown)}; annotations are of "
            f"{shorten(list(annotations), 10)}, frames of {shorten(frames, 10)}: names must be equal"
        )
    network, workers = tree.job.network, min(tree.jobs, len(names))
    if workers > 1 and tree.scheduler is None and not network.threads:  # else every worker takes all cores
        network = replace(network, threads=max(1, (os.cpu_count() or 1) // workers))
    jobs = [
        replace(tree.job, video=folder / name, network=network, out=tree.job.out.absolute(),
                masks=(SequenceStart(annotations[name], tree.from_boxes, tree.spacing),))
        for name in names
    ]  # fmt: skip
    return sorted(jobs, key=lambda job: -len(list_frames(job.video)))


def left_out(tree: TreeJob, jobs: Sequence[PropagateJob]) -> list[str]:
    """A line where frames have no annotations, unless somebody chose the sequences."""
    if tree.sequences is not None:
        return []
    folder, taken = frames_folder(tree.root), {job.name for job in jobs}
    names = sorted(path.name for path in folder.iterdir() if is_sequence_name(path.name) and list_frames(path))
    others = [name for name in names if name not in taken]
    return [f"no annotations of {shorten(others, 10)}: not looked at"] if others else []


def many_objects(jobs: Sequence[PropagateJob]) -> list[str]:
    """A line for each sequence that begins with more objects than are usual; what cannot be read is content later."""
    lines = []
    for job in jobs:
        starts = [mask for mask in job.masks if isinstance(mask, SequenceStart)]
        file = next(iter(starts[0].files.values()))
        with contextlib.suppress(DatakitError):
            count = len(read_objects(file, job.read, may_be_empty=True).ids)
            if count > MANY_OBJECTS:
                lines.append(f"{job.name}: {many_told(count)}")
    return lines


def frames_folder(root: Path) -> Path:
    """Folder of the sequences' frames.

    Raises:
        UsageError: there is none.
    """
    for images, _ in VIDEO_FOLDERS:
        if (root / images).is_dir() and any(path.is_dir() and list_frames(path) for path in (root / images).iterdir()):
            return root / images
    expected = ", ".join(images for images, _ in VIDEO_FOLDERS[:4])
    raise UsageError(f"--davis {root}: no frames found; expected sequence folders in one of {expected}")


def chosen_sequences(root: Path, text: str) -> tuple[str, ...]:
    """Names out of `a,b`, a file, or a split such as `val` that `ImageSets` lists.

    Raises:
        UsageError: several different lists have that name.
    """
    files = [] if "," in text else root.glob(f"ImageSets/**/{text}.txt")
    lists = {chosen_names(str(path)) or () for path in files}
    if len(lists) > 1:
        raise UsageError(
            f"--sequences {text}: {root / 'ImageSets'} holds {len(lists)} different lists of that name; give the file"
        )
    return lists.pop() if lists else chosen_names(text) or ()


def propagate_sequence(job: PropagateJob) -> PropagateSummary | Failure:
    """One sequence, on any process; what is wrong with it stops no other."""
    try:
        with quietly():  # progress counts whole sequences
            return propagate(job)
    except DatakitError as error:
        return Failure(job.name, str(error), error.exit_code)
    except Exception as error:  # a fault of ours, or a device without memory: the others are finished all the same
        logger.exception(f"{job.name} failed")
        return Failure(job.name, repr(error), DatakitError.exit_code)


def refuse(failures: Sequence[Failure], count: int) -> None:
    """Raise one error for all failures, of the kind that all of them are."""
    if failures:
        kinds = {SettingsDiffer.exit_code: SettingsDiffer, Locked.exit_code: Locked, UsageError.exit_code: UsageError}
        codes = {failure.exit_code for failure in failures}
        kind = kinds.get(codes.pop(), DatakitError) if len(codes) == 1 else DatakitError
        listed = "\n  ".join(f"{failure.sequence}: {failure.text}" for failure in failures)
        raise kind(f"{len(failures)} of {count} sequences failed, the others are finished:\n  {listed}")
