"""Videos whose masks stand in JSON give the masks that pycocotools decodes, frame by frame."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.samples import Scene
from tests import tiny, tiny_videos
from tests.drawing import SIZE, mask, picture, write_picture
from tests.tiny_videos import NOWHERE, rle, runs, small


def masks(scene: Scene) -> dict[int, np.ndarray]:
    """Object -> its mask."""
    return {sample.object_id: sample.mask for sample in scene.samples}


@pytest.mark.parametrize(
    ("name", "second"),
    [("ytvis", "set/v1/00005"), ("sav", "set/sav_000001/00004"), ("burst", "set/frames/train/YFCC100M/v1/00001")],
)
def test_each_frame_has_the_objects_that_are_seen_in_it(tmp_path: Path, name: str, second: str) -> None:
    """Lists and strings of run lengths, absent objects, overlaps; an object has one number in all frames."""
    reader = tiny.opened("set", tiny_videos.LAYOUTS[name](tmp_path))
    assert [list(masks(reader[at])) for at in range(3)] == [[1], [1, 2], [1]] and not reader.problems
    key = second.replace("set/", "set/JPEGImages/") if name == "ytvis" else second
    assert reader.records[1].key == key
    assert (masks(reader[1])[1] == mask(2)).all() and (masks(reader[1])[2] == small()).all()
    assert reader.is_video


def test_an_object_that_is_nowhere_to_be_seen_is_no_object_of_that_frame(tmp_path: Path) -> None:
    """Null, an empty list, run lengths of ground alone: SA-V writes the last, never null."""
    absent = [None, [], NOWHERE, rle(np.zeros(SIZE, np.uint8))]
    names = [f"v1/{at:05d}.jpg" for at in range(4)]
    tiny_videos.write_frames(tmp_path / "JPEGImages", names)
    video = {"id": "a", "file_names": names, "height": SIZE[0], "width": SIZE[1]}
    seen = {"video_id": "a", "segmentations": [runs(mask(1))] * 4}
    document = {"videos": [video], "annotations": [{"video_id": "a", "segmentations": absent}, seen]}
    (tmp_path / "instances.json").write_text(json.dumps(document))
    reader = tiny.opened("set", tmp_path)
    assert [list(masks(reader[at])) for at in range(4)] == [[2]] * 4 and not reader.problems


def test_frames_without_objects_are_left_out(tmp_path: Path) -> None:
    """By name, as no object."""
    root = tiny_videos.sav(tmp_path)
    file = root / "sav_000001_manual.json"
    document = json.loads(file.read_text())
    document["masklet"][0] = [rle(np.zeros(SIZE, np.uint8))] * 2
    file.write_text(json.dumps(document))
    reader = tiny.opened("set", root)
    assert [(problem.key, problem.reason) for problem in reader.problems] == [("set/sav_000001/00000", "no object")]


def test_automatic_masklets_beside_manual_ones_are_not_read(tmp_path: Path) -> None:
    """Alone they are."""
    root = tiny_videos.sav(tmp_path)
    manual, automatic = root / "sav_000001_manual.json", root / "sav_000001_auto.json"
    automatic.write_bytes(manual.read_bytes())
    reader = tiny.opened("set", root)
    (problem,) = reader.problems
    assert problem.key == "set/sav_000001_auto.json" and "sav_000001_manual.json is read instead" in problem.detail
    manual.unlink()
    assert len(tiny.opened("set", root)) == 3


def test_a_film_whose_frames_are_missing_is_named(tmp_path: Path) -> None:
    """Every object of every frame fails, with the name that was looked for."""
    root = tiny_videos.sav(tmp_path)
    for frame in (root / "sav_000001").iterdir():
        frame.unlink()
    reader = tiny.opened("set", root)
    assert len(reader) == 0 and len(reader.problems) == 4
    assert "sav_000001/00000.jpg" in reader.problems[0].detail


def test_the_validation_part_of_sav_is_read_by_a_pattern(tmp_path: Path) -> None:
    """A folder for each object, which may overlap; only every fourth frame has masks."""
    for frame in range(8):
        write_picture(tmp_path / "JPEGImages_24fps" / "v1" / f"{frame:05d}.jpg", picture(frame))
    for frame in (0, 4):
        for number, plane in enumerate((mask(frame), small())):
            name = f"v1/{number:03d}/{frame:05d}.png"
            tiny.write_grey(tmp_path / "Annotations_6fps" / name, plane * np.uint8(255))
    options = tiny.ReadOptions(mask_names={"": "{folder}/*/{stem}.png"})
    root, photos = tmp_path / "Annotations_6fps", tmp_path / "JPEGImages_24fps"
    reader = tiny.opened("set", root, "pairs", photos, options)
    assert [record.image for record in reader.records] == ["v1/00000.jpg", "v1/00004.jpg"]
    assert (masks(reader[1])[2] == small()).all() and (masks(reader[1])[1] == mask(4)).all()


def test_videos_without_published_masks_are_told(tmp_path: Path) -> None:
    """As those of a test split."""
    tiny_videos.ytvis(tmp_path)
    document = json.loads((tmp_path / "train.json").read_text())
    (tmp_path / "train.json").write_text(json.dumps({**document, "annotations": None}))
    with pytest.raises(UsageError, match="YouTube-VIS file"):
        tiny.opened("set", tmp_path, "ytvis")


def test_run_lengths_of_a_wrong_sum_fail_alone(tmp_path: Path) -> None:
    """The frame and the object are named."""
    root = tiny_videos.ytvis(tmp_path)
    document = json.loads((root / "train.json").read_text())
    document["annotations"][1]["segmentations"][1] = {"size": list(SIZE), "counts": [5, 5]}
    (root / "train.json").write_text(json.dumps(document))
    scene = tiny.opened("set", root)[1]
    (problem,) = scene.problems
    assert list(masks(scene)) == [1] and problem.reason == "broken run lengths"
    assert "video 1, frame 1" in problem.detail and "object 2" in problem.detail


def test_masks_of_sa1b_keep_what_others_cover(tmp_path: Path) -> None:
    """They overlap on purpose."""
    scene = tiny.opened("set", tiny_videos.sa1b(tmp_path))[0]
    assert (masks(scene)[1] == mask(1)).all() and (masks(scene)[2] == small()).all()
    assert (masks(scene)[1] & masks(scene)[2]).any()


def test_merged_masks_are_one(tmp_path: Path) -> None:
    """The union of all."""
    options = tiny.ReadOptions(objects="merged")
    (sample,) = tiny.opened("set", tiny_videos.sa1b(tmp_path), options=options)[0].samples
    assert (sample.mask == (mask(1) | small())).all()


def test_the_first_annotated_frames_of_youtube_vos_are_read(tmp_path: Path) -> None:
    """`valid/Annotations` holds a frame for each new object, with that object alone; other frames are left out."""
    for at in range(4):
        write_picture(tmp_path / "JPEGImages" / "v1" / f"{at * 5:05d}.jpg", picture(at))
    tiny.write_grey(tmp_path / "Annotations" / "v1" / "00000.png", mask(1))
    tiny.write_grey(tmp_path / "Annotations" / "v1" / "00010.png", small() * np.uint8(2))
    reader = tiny.opened("set", tmp_path)
    assert reader.layout == "videos"
    assert [[sample.object_id for sample in reader[at].samples] for at in range(2)] == [[1], [2]]
    assert [problem.reason for problem in reader.problems] == ["no mask"] * 2
