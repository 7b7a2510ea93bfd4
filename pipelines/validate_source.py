"""`datakit validate-source`: everything a build would stumble over, and photos that are there twice, without building.

Every photo is read by the reader that a build uses. What is found is counted by reason, with a few examples
each; the report is drawn in `report`, what makes a remark or a duplicate stands in `datakit`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from datakit import reading, store_memory
from datakit.datasets import AnyReader, Record, SourceOptions, SourceSpec, open_source
from datakit.datasets.views import in_turn
from datakit.duplicates import Fingerprint, find_near_duplicates, fingerprint
from datakit.errors import ItemError, Problem, UsageError
from datakit.extras import MissingExtra, require
from datakit.keys import original_of
from datakit.progress import progress
from datakit.samples import Scene
from datakit.validate import Notice, remarks

from .cluster import run_tasks
from .interrupt import terminable
from .plan import check_labels, recognised
from .process import single_threaded_opencv
from .source_preview import check_preview, write_preview
from .splits import splits_notice

CHUNK = 64  # photos of a task: a second or two
MOST_COMPARED = 50_000  # photos; the comparison grows with their square

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chunk:
    """A slice of a source to read; `reader` is a slice of the source's reader, from `start` on.

    With `near`, what near-duplicates are found by is kept of every photo.
    """

    label: str
    start: int
    reader: AnyReader
    near: bool

    def name(self) -> str:
        """For messages."""
        return f"{self.label}, photos from {self.start + 1}"


@dataclass(frozen=True)
class PhotoMark:
    """What is kept of a photo to find it again; without a fingerprint where it is flat, or none was asked for."""

    key: str
    label: str
    path: Path
    size: int
    crc32: int
    family: str
    fingerprint: Fingerprint | None


@dataclass(frozen=True)
class ChunkResult:
    """What reading a chunk found."""

    samples: int
    problems: list[Problem]
    remarks: list[Notice]
    photos: list[PhotoMark]


@dataclass(frozen=True)
class Duplicate:
    """Two photos that are one.

    Attributes:
        first, second: their keys.
        how: `equal file`, `near` or `near, mirrored`.
        score: share of bits of the perceptual hash that agree; 1 for equal files.
        across: whether they belong to different sources.
    """

    first: str
    second: str
    how: str
    score: float
    across: bool


@dataclass
class SourceReport:
    """Counts of one source; items = samples + problems."""

    layout: str
    photos: int
    samples: int = 0
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Notice] = field(default_factory=list)

    def counts(self) -> dict[str, str | int]:
        """The numbers by name, as a build's manifest has them."""
        failed = sum(problem.kind == "failed" for problem in self.problems)
        return {
            "layout": self.layout,
            "photos": self.photos,
            "items": self.samples + len(self.problems),
            "samples": self.samples,
            "failed": failed,
            "left_out": len(self.problems) - failed,
            "warnings": len(self.remarks),
        }


@dataclass(frozen=True)
class Validation:
    """All that was found.

    Attributes:
        sources: label -> report.
        duplicates: photos that are there twice, in order of keys.
        compared: photos that near-duplicates were looked for among.
        preview: the picture that was written.
    """

    sources: dict[str, SourceReport]
    duplicates: list[Duplicate]
    compared: int
    preview: Path | None = None

    @property
    def found(self) -> bool:
        """Whether something failed, or a photo is in two sources; warnings alone do not count."""
        failed = any(report.counts()["failed"] for report in self.sources.values())
        return failed or any(duplicate.across for duplicate in self.duplicates)


def validate_source(
    sources: Sequence[SourceSpec],
    options: SourceOptions,
    images: Mapping[str, Path] | None = None,
    jobs: int = 1,
    near: bool = True,
    preview: Path | None = None,
) -> Validation:
    """Read every photo and mask of the sources and say what is wrong, odd or there twice; nothing is written.

    Args:
        sources: where the photos are.
        options: how they are opened; `options.images` is not used.
        images: label -> picture folder, where a layout does not find it by itself.
        jobs: worker processes on this machine.
        near: whether to look for near-duplicates.
        preview: a .png to be written with twelve photos of each source and the outlines of their objects.

    Raises:
        DatakitError: `preview` cannot be written.
        UsageError: a source is not there, its layout is not recognised, or labels are used wrongly.
    """
    if preview is not None:
        check_preview(preview)
    with terminable():
        if near:
            try:
                require("dedup", "looking for near-duplicates")
            except MissingExtra as error:
                logger.warning(f"only equal files are found: {error}")
                near = False
        readers, reports = open_sources(sources, options, images or {})
        photos: list[PhotoMark] = []
        chunks = [
            Chunk(label, start, reader[start : start + CHUNK], near)
            for label, reader in readers.items()
            for start in range(0, len(reader), CHUNK)
        ]
        with progress(sum(len(reader) for reader in readers.values()), "photos") as shown:

            def done(chunk: Chunk, result: ChunkResult) -> None:
                report = reports[chunk.label]
                report.samples += result.samples
                report.problems += result.problems
                report.remarks += result.remarks
                photos.extend(result.photos)
                shown.advance(len(chunk.reader))

            with tempfile.TemporaryDirectory() as scratch:
                run_tasks(read_chunk, chunks, Chunk.name, done, jobs=jobs, scratch=Path(scratch))
        for report in reports.values():
            report.problems.sort(key=lambda problem: (problem.key, problem.stage, problem.reason))
            report.remarks.sort(key=lambda remark: (remark.key, remark.reason))
        photos.sort(key=lambda photo: photo.key)
        duplicates, compared = find_duplicates(photos, near)
        if preview is not None:
            write_preview(preview, readers, {label: report.problems for label, report in reports.items()})
    return Validation(reports, duplicates, compared, preview)


def open_sources(
    sources: Sequence[SourceSpec], options: SourceOptions, images: Mapping[str, Path]
) -> tuple[dict[str, AnyReader], dict[str, SourceReport]]:
    """Readers of all sources that can be listed, and a report on every source; one that cannot is a problem."""
    check_labels(sources, images)
    readers: dict[str, AnyReader] = {}
    reports: dict[str, SourceReport] = {}
    for spec in sorted(sources, key=lambda spec: spec.label):
        folder = images.get(spec.label)
        with store_memory.remembered():  # both look into the same folders
            spec = recognised(spec, folder, options.read)
            try:
                reader = open_source(spec, replace(options, images=folder))
            except UsageError as error:
                problem = Problem(spec.label, "failed", "list", "unusable source", str(error))
                reports[spec.label] = SourceReport(spec.layout or "pairs", 0, problems=[problem])
                continue
        readers[spec.label] = reader
        if notice := splits_notice(spec.label, reader):
            logger.info(notice)
        reports[spec.label] = SourceReport(reader.layout, len(reader), problems=list(reader.problems))
    return readers, reports


def read_chunk(chunk: Chunk) -> ChunkResult:
    """Read the photos of one chunk; runs on any worker."""
    result = ChunkResult(0, [], [], [])
    samples = 0
    with single_threaded_opencv():
        for index, record in in_turn(chunk.reader):
            try:
                scene: Scene = chunk.reader[index]
                found = list(remarks(chunk.reader, record, scene))
            except ItemError as error:
                result.problems.append(error.problem)
                continue
            samples += len(scene.samples)
            result.problems.extend(scene.problems)
            result.remarks.extend(found)
            if scene.samples:
                result.photos.append(mark_photo(chunk, record, scene))
    return ChunkResult(samples, result.problems, result.remarks, result.photos)


def mark_photo(chunk: Chunk, record: Record, scene: Scene) -> PhotoMark:
    """What is kept of a photo that gave samples."""
    photo = scene.samples[0].photo
    family = f"{chunk.label}/{Path(record.image).parent}" if chunk.reader.is_video else original_of(scene.key)
    path = chunk.reader.images / record.image
    known = fingerprint(photo.pixels) if chunk.near else None
    return PhotoMark(scene.key, chunk.label, path, record.size, photo.source_crc32, family, known)


def find_duplicates(photos: Sequence[PhotoMark], near: bool) -> tuple[list[Duplicate], int]:
    """Equal files by their bytes, then near-duplicates among what is left; and how many were compared."""
    duplicates, single = _equal_files(photos)
    if near and len(single) > MOST_COMPARED:
        logger.warning(
            f"{len(single)} photos are too many to look for near-duplicates, {MOST_COMPARED} at most; use --limit"
        )
    if not near or len(single) > MOST_COMPARED:
        return duplicates, 0
    numbers: dict[str, int] = {}
    # one number for the frames of a video, and for the copies of a photo
    families = [numbers.setdefault(photo.family, len(numbers)) for photo in single]
    with single_threaded_opencv():
        for pair in find_near_duplicates([photo.fingerprint for photo in single], families):
            first, second = single[pair.first], single[pair.second]
            how = "near, mirrored" if pair.mirrored else "near"
            duplicates.append(Duplicate(first.key, second.key, how, pair.score, first.label != second.label))
    return sorted(duplicates, key=lambda pair: (pair.first, pair.second)), len(single)


def _equal_files(photos: Sequence[PhotoMark]) -> tuple[list[Duplicate], list[PhotoMark]]:
    """Pairs of photos with equal bytes, and one photo of every kind."""
    kinds: dict[tuple[int, int], list[PhotoMark]] = {}
    duplicates: list[Duplicate] = []
    for photo in photos:
        known = kinds.setdefault((photo.size, photo.crc32), [])
        twin = next((other for other in known if _same_bytes(other.path, photo.path)), None)
        if twin is None:
            known.append(photo)
        else:
            duplicates.append(Duplicate(twin.key, photo.key, "equal file", 1.0, twin.label != photo.label))
    return duplicates, sorted((photo for kind in kinds.values() for photo in kind), key=lambda photo: photo.key)


def _same_bytes(first: Path, second: Path) -> bool:
    try:
        return reading.read_file(first) == reading.read_file(second)
    except OSError:  # gone since it was read
        return False
