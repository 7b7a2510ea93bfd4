"""Sets of videos whose masks stand in JSON, read as stills: YouTube-VIS and its like, SA-V, BURST.

A frame in which no object is to be seen is left out; an object's number is its place among the video's objects, so
that it is the same in all frames.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..places import Place
from .annotation_files import AnnotationFiles, ListedReader
from .entries import Entry
from .json_files import Broken, size_in
from .shapes import is_absent

SAV_STEP = 4  # frames between two annotated ones: masklets are of 6 frames a second, films of 24


class YtvisReader(ListedReader):
    """Frames of a YouTube-VIS file; its masks are run lengths or polygons, one list a video and object."""

    holds = (("videos", list),)

    @classmethod
    def load(cls, path: Place | str) -> Any:
        """The file, certain to hold the lists `videos` and `annotations`; see the base class."""
        document = super().load(path)
        if not document.get("annotations"):
            raise Broken("holds no annotations; masks of test videos are not published", is_damage=False)
        return document

    @classmethod
    def entries(cls, name: str, document: Any) -> Iterable[Entry]:
        """An entry for each frame; see the base class."""
        of_video: dict[Any, list[Any]] = defaultdict(list)
        for annotation in document["annotations"]:
            if isinstance(annotation, dict):
                of_video[str(annotation.get("video_id"))].append(annotation)
        for video in document["videos"]:
            if not isinstance(video, dict) or not isinstance(video.get("file_names"), list):
                raise Broken("holds a video without `file_names`")
            tracks = [_list(each.get("segmentations")) for each in of_video[str(video.get("id"))]]
            for frame, written in enumerate(video["file_names"]):
                masks = [track[frame] if frame < len(track) else None for track in tracks]
                place = f"{name}: video {video.get('id')}, frame {frame}"
                yield _entry(name, place, (str(written),), masks, size_in(video, "height", "width"))


class SavReader(ListedReader):
    """Frames of SA-V's files, one file a video: masklets by frame, then by object."""

    holds = (("masklet", list),)

    @classmethod
    def unwanted(cls, files: Sequence[str]) -> dict[str, str]:
        """Automatic masklets beside manual ones of the same video."""
        manual = {name for name in files if name.endswith("_manual.json")}
        automatic = (name for name in files if name.endswith("_auto.json"))
        twins = {name: name.replace("_auto.json", "_manual.json") for name in automatic}
        return {name: f"{twin} is read instead" for name, twin in twins.items() if twin in manual}

    @classmethod
    def entries(cls, name: str, document: Any) -> Iterable[Entry]:
        """An entry for each annotated frame, called VIDEO/NNNNN.jpg by its number in the film; see the base class."""
        video = str(document.get("video_id") or Path(name).stem.rpartition("_")[0])
        size = size_in(document, "video_height", "video_width")
        for at, masks in enumerate(document["masklet"]):
            place = f"{name}: masklets of frame {SAV_STEP * at}"
            written = f"{video}/{SAV_STEP * at:05d}"
            yield _entry(name, place, (f"{written}.jpg", f"{written}.png"), _list(masks), size)


class BurstReader(ListedReader):
    """Frames of a BURST file: for each annotated frame the run lengths of its tracks, without their size."""

    holds = (("sequences", list),)

    @classmethod
    def entries(cls, name: str, document: Any) -> Iterable[Entry]:
        """An entry for each annotated frame; see the base class."""
        for sequence in document["sequences"]:
            if not isinstance(sequence, dict) or not isinstance(sequence.get("annotated_image_paths"), list):
                raise Broken("holds a sequence without `annotated_image_paths`")
            folder = "/".join(str(sequence.get(part)).strip("/") or "-" for part in ("dataset", "seq_name"))
            size = size_in(sequence, "height", "width")
            segmentations = _list(sequence.get("segmentations"))
            tracks = sorted({key for each in segmentations if isinstance(each, dict) for key in each}, key=_by_number)
            for frame, written in enumerate(sequence["annotated_image_paths"]):
                found = segmentations[frame] if frame < len(segmentations) else None
                masks = [_of_track(found, track, size) for track in tracks]
                yield _entry(name, f"{name}: {folder}, {written}", (f"{folder}/{written}",), masks, size)


def _entry(name: str, place: str, names: tuple[str, ...], masks: list[Any], size: tuple[int, int] | None) -> Entry:
    """What a file says of one frame."""
    drawn = [[at, f"object {at}", mask] for at, mask in enumerate(masks, 1) if not is_absent(mask)]
    more = {"size": size, "drawn": drawn}
    return Entry(names, place, name.rpartition("/")[0], [number for number, _, _ in drawn], more)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _by_number(track: str) -> tuple[int, str]:
    return (int(track), "") if track.isdecimal() else (1 << 62, track)


def _of_track(found: Any, track: str, size: tuple[int, int] | None) -> Any:
    """The segmentation of one track in one frame; None where it is not there."""
    mask = found.get(track) if isinstance(found, dict) else None
    if mask is None:
        return None
    counts = mask.get("rle") if isinstance(mask, dict) else mask
    return {"size": size, "counts": counts}


YTVIS = AnnotationFiles(
    "ytvis",
    "YouTube-VIS, OVIS and UVO keep train.json (also instances.json) beside JPEGImages/VIDEO/NNNNN.jpg (Yang et al.,"
    " Video Instance Segmentation, ICCV 2019; Qi et al., OVIS, IJCV 2022).",
    ("**/*.json", "**/*.jpg"),
    is_video=True,
    reader=YtvisReader,
    marks=('"videos"',),
    what="YouTube-VIS file, a .json with `videos` and `annotations`",
)
SAV = AnnotationFiles(
    "sav",
    "SA-V's training part holds sav_NNNNNN.mp4 beside sav_NNNNNN_manual.json and _auto.json; frames are extracted to"
    " sav_NNNNNN/NNNNN.jpg (Ravi et al., SAM 2, 2024).",
    ("**/*_manual.json", "**/*.jpg"),
    is_video=True,
    reader=SavReader,
    marks=('"masklet',),
    what="SA-V file, a .json with `masklet`",
)
BURST = AnnotationFiles(
    "burst",
    "BURST keeps train.json, val.json and test.json, and frames/SPLIT/DATASET/SEQUENCE/NAME.jpg (Athar et al., BURST,"
    " WACV 2023).",
    ("**/*.json", "**/*.jpg"),
    is_video=True,
    reader=BurstReader,
    marks=('"sequences"',),
    what="BURST file, a .json with `sequences`",
)
