"""One video from checks and locks to its report: the frames that are missing, in order, and what they are looked at by.

Only this file knows the order of the steps. Where objects begin stands in `prompts`, what the network does in
`network`, files in `output`, pictures to look at in `pictures`.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from datakit.arrays import Labels
from datakit.datasets import ReadOptions
from datakit.errors import UsageError
from datakit.extras import MissingExtra, require
from datakit.files import check_writable, digest_json, replacing, write_json, write_text
from datakit.images import encode_png, is_whole_png
from datakit.places import exists, is_folder, is_stored, read_bytes, size_at
from datakit.progress import progress
from datakit.video.frames import Frames, open_frames
from datakit.video.labels import is_sequence_name
from datakit.video.pyav import EXTRA

from ..interrupt import terminable
from ..lock import run_lock
from . import network
from .masks import MaskPrompt, SequenceStart
from .network import Engine, NetworkChoice
from .output import CONFIDENCE, NAMES, SHEET, SUMMARY, VIDEO, Output
from .passes import Step
from .pictures import OverlayVideo, write_sheet
from .prompts import BoxPrompt, Prompts, read_prompts
from .summary import confidence_table, is_unsure, report_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PropagateJob:
    """One video to segment, and how.

    Attributes:
        video: folder of frames, or a video file.
        out: folder of sequences.
        masks, boxes: where objects begin.
        start, stop, stride: which frames; see `open_frames`.
        network: what segments them.
        overwrite: replace what an earlier run with other settings has left.
        overlay: make the overlay video.
        read: what grey values of masks are, if somebody said so.
    """

    video: Path
    out: Path
    masks: Sequence[MaskPrompt | SequenceStart] = ()
    boxes: Sequence[BoxPrompt] = ()
    start: int = 0
    stop: int | None = None
    stride: int = 1
    network: NetworkChoice = field(default_factory=NetworkChoice)
    overwrite: bool = False
    overlay: bool = True
    read: ReadOptions = field(default_factory=ReadOptions)

    @property
    def name(self) -> str:
        """Of the sequence: that of the folder, or of the file without its suffix."""
        if is_folder(self.video):
            return self.video.name if is_stored(self.video) else self.video.resolve().name
        return self.video.stem


@dataclass(frozen=True)
class PropagateSummary:
    """What a run made of one video.

    Attributes:
        video: what was segmented.
        labels: folder of label pictures.
        report: folder of the overlay video, the sheet and `report.json`.
        frames: all that were chosen.
        kept: those that an earlier run had made.
        seconds: of this run.
        content: what `report.json` holds.
        remarks: what is odd about the video, and what of its masks is not used.
    """

    video: Path
    labels: Path
    report: Path
    frames: int
    kept: int
    seconds: float
    content: Mapping[str, Any]
    remarks: Sequence[str] = ()


def propagate(job: PropagateJob, opened: Callable[[NetworkChoice], Engine] | None = None) -> PropagateSummary:
    """Segment a video, or finish what an earlier run of the same settings has begun.

    Args:
        job: what to do.
        opened: gives the network as chosen; `network.open_engine` unless another is needed, as by an ablation.

    Raises:
        UsageError, SettingsDiffer, Locked, DatakitError: see docs/cli.md for the exit codes.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    began, job = time.monotonic(), drawable(job)
    with terminable():
        frames = open_frames(job.video, job.start, job.stop, job.stride, masks_among(job))
        start = read_prompts(frames, job.masks, job.boxes, job.read)
        remarks = (*frames.remarks, *start.remarks)
        for remark in remarks:
            logger.info(remark)
        engine = (opened or network.open_engine)(job.network)
        check_writable(job.out, f"--out {job.out}")
        output = Output(job.out, sequence_name(job), start.numbers)
        settings = run_settings(job, frames, start, engine)
        output.check(settings, job.overwrite)
        output.report.mkdir(parents=True, exist_ok=True)
        with run_lock(output.report), output.full_disk_told():
            output.prepare_output(settings, job.overwrite)
            kept = _Run(job, frames, start, output).go(engine)
            content = finish(job, frames, start, output, remarks)
    seconds = time.monotonic() - began
    return PropagateSummary(job.video, output.labels, output.report, len(frames), kept, seconds, content, remarks)


def drawable(job: PropagateJob) -> PropagateJob:
    """The job without an overlay video where PyAV is missing, which is content."""
    try:
        if job.overlay:
            require(EXTRA, f"no {VIDEO}, which")
        return job
    except MissingExtra as error:
        logger.warning(f"{error}; everything else is written")
        return replace(job, overlay=False)


def masks_among(job: PropagateJob) -> set[str]:
    """Names of mask files that lie in the folder of the frames.

    Raises:
        UsageError: that folder itself is given as masks.
    """
    if is_stored(job.video) or not job.video.is_dir():
        return set()
    folder, names = job.video.resolve(), set()
    for mask in job.masks:
        if isinstance(mask, MaskPrompt) and mask.file.resolve() == folder:
            raise UsageError(f"--mask {mask.file}: is the folder of the frames; give a mask, or a folder of masks only")
        if isinstance(mask, MaskPrompt) and mask.file.is_file() and mask.file.parent.resolve() == folder:
            names.add(mask.file.name)
    return names


def sequence_name(job: PropagateJob) -> str:
    """The name of the sequence's folder.

    Raises:
        UsageError: the video is called what no sequence may be called.
    """
    if not is_sequence_name(job.name) or not job.name:
        raise UsageError(f"{job.video}: no sequence may be called {job.name!r}; rename the video")
    return job.name


def write_first_frame(video: Path, number: int, path: Path) -> tuple[int, int]:
    """Write one frame of a video as PNG, to draw a mask on; its (H, W).

    Raises:
        UsageError: there is another file of that name; or as `open_frames`.
        DatakitError: it cannot be written; or as `open_frames`.
    """
    check_writable(path.parent, f"--first-frame {path}")
    frames = open_frames(video, number, number + 1)
    picture = encode_png(frames[0])
    if exists(path) and read_bytes(path) != picture:
        raise UsageError(
            f"--first-frame {path}: is there already and is another picture, perhaps one with masks painted on it; "
            "name another file, or remove that one"
        )
    with replacing(path) as part:
        part.write_bytes(picture)
    return frames.size


def run_settings(job: PropagateJob, frames: Frames, start: Prompts, engine: Engine) -> dict[str, Any]:
    """Everything the label pictures depend on, as stored beside them."""
    video = {"frames": len(frames), "size": list(frames.size), "names": digest_json(list(frames.names))}
    files = getattr(frames, "files", None) or [job.video]
    video["bytes"] = digest_json([size_at(file) for file in files])  # another video may have the same names
    return {
        "video": {**video, "first": frames.names[0], "last": frames.names[-1], "stride": job.stride},
        "start": start.to_dict(),
        "network": engine.settings(),
        NAMES: list(frames.names),
    }


class _Run:
    """The frames of one video under way."""

    def __init__(self, job: PropagateJob, frames: Frames, start: Prompts, output: Output):
        self.job, self.frames, self.start, self.output = job, frames, start, output
        self.logged: set[str] = set()  # frames that an earlier run has made, by its log

    def go(self, engine: Engine) -> int:
        """Segment every frame that is missing; how many were there."""
        frames, output = self.frames, self.output
        self.logged = set(output.rows())
        made = [name in self.logged and is_whole_png(output.labels / f"{name}.png") for name in frames.names]
        missing = made.count(False)
        if not missing and (output.report / SUMMARY).is_file():
            return len(frames)
        output.preflight(missing, frames.size)
        output.end_cut_line()
        kept = 0
        with contextlib.ExitStack() as stack:
            overlay = stack.enter_context(OverlayVideo(output.report / VIDEO, frames)) if self.job.overlay else None
            steps = iter(engine.run(frames, self.start, self._written, output.report))
            first = list(itertools.islice(steps, 1))  # what the online stage takes before it is not a frame's time
            with progress(len(frames), "frames") as shown, BackgroundWriter() as behind:
                for step in itertools.chain(first, steps):
                    kept += step.kept
                    if not step.kept:
                        behind.do(self._keep, overlay, step)
                    shown.advance(1)
            if overlay:
                overlay.finish(output)
        return kept

    def _written(self, place: int) -> Labels | None:
        """What an earlier run has made of a frame; nothing where a crash has lost its row of the log."""
        name = self.frames.names[place]
        return self.output.kept(name, self.frames.size) if name in self.logged else None

    def _keep(self, overlay: OverlayVideo | None, step: Step) -> None:
        number, labels, is_complete = self.output.number, step.labels, step.place in self.start.complete
        row = {
            "ms": round(1000 * step.seconds, 1),
            "lost": [] if is_complete else sorted(number(int(each)) for each in step.lost),
            "area": {str(number(each)): area for each, area in areas(labels).items()},
            "margin": {} if is_complete else {str(number(n)): round(each, 4) for n, each in step.margins.items()},
        }
        self.output.keep(self.frames.names[step.place], labels, row)
        if overlay and step.image is not None:
            overlay.add_frame(step.place, step.image, labels)


class BackgroundWriter:
    """A thread that writes a frame while the network looks at the next; an error surfaces with the next frame."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def do(self, function: Callable[..., None], *arguments: Any) -> None:
        """Let the thread do something, once it has done the last thing."""
        self.wait()
        self._last = self._pool.submit(function, *arguments)

    def wait(self) -> None:
        """Until it is done."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def __enter__(self) -> BackgroundWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown()


def areas(labels: Labels) -> dict[int, int]:
    """Object id -> pixels."""
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()  # other threads run meanwhile, unlike bincount
    return {int(number): int(counts[number]) for number in np.flatnonzero(counts) if number}


def finish(
    job: PropagateJob, frames: Frames, start: Prompts, output: Output, remarks: Sequence[str] = ()
) -> dict[str, Any]:
    """Write what a finished sequence is looked at by, where it is not there yet; what `report.json` holds."""
    content = {**report_of(frames, start, output), **({"remarks": list(remarks)} if remarks else {})}
    if not (output.report / SHEET).is_file():
        write_sheet(
            output,
            frames,
            output.rows(),
            output.labels.name,
            content["look_at"] if is_unsure(content["look_at"]) else None,
        )
    if job.overlay and not (output.report / VIDEO).is_file():
        with OverlayVideo(output.report / VIDEO, frames) as overlay:
            overlay.finish(output)
    write_text(output.report / CONFIDENCE, confidence_table(content))
    write_json(output.report / SUMMARY, content)
    return content
