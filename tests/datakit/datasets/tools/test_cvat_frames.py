"""Tracks of `CVAT for video 1.1` as stills: which shapes lie on a frame, and which picture is that frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.datasets import AnyReader
from datakit.errors import UsageError
from tests import tiny
from tests.contracts import check_reader
from tests.drawing import picture, write_picture
from tests.tiny_tools import cvat_xml

META = "<size>4</size><mode>interpolation</mode><original_size><width>64</width><height>48</height></original_size>"


def box(frame: object, outside: int = 0, left: int = 5, **more: object) -> str:
    """A box of 15x12 pixels on a frame."""
    extra = "".join(f' {key}="{value}"' for key, value in more.items())
    at = f'frame="{frame}" keyframe="1" outside="{outside}" occluded="0" z_order="0"'
    return f'<box {at} xtl="{left}.00" ytl="6.00" xbr="{left + 15}.00" ybr="18.00"{extra}></box>'


def track(*shapes: str, group: int = 0) -> str:
    """A track of these shapes."""
    grouped = f' group_id="{group}"' if group else ""
    return f'<track id="0" label="dog" source="manual"{grouped}>{"".join(shapes)}</track>'


def clip(root: Path, *tracks: str, names: tuple[str, ...] = (), meta: str = META, folder: str = "images") -> AnyReader:
    """A set of four frames, or of pictures of these names."""
    for number, name in enumerate(names or [f"frame_{frame:06d}.png" for frame in range(4)]):
        write_picture(root / folder / name, picture(number))
    cvat_xml(root / "annotations.xml", "".join(tracks), meta)
    return tiny.opened("set", root, "cvat")


def objects(reader: AnyReader) -> dict[str, dict[int, int]]:
    """Name of a picture -> its objects -> their pixels."""
    return {
        scene.key.rpartition("/")[2]: {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}
        for scene in reader
    }


def test_a_track_ends_where_it_goes_outside(tmp_path: Path) -> None:
    """Shapes between keyframes stand in the file; the closing one of a single shape is none.

    Checked with CVAT's datumaro 0.3 (8970bb7): the same boxes on the same frames, the outside ones marked.
    """
    moving = track(box(0), box(1, left=7), box(2, outside=1, left=7))
    single = track(box(1, left=30), box(2, outside=1, left=30))
    reader = clip(tmp_path, moving, single)
    check_reader(reader)
    assert objects(reader) == {"frame_000000": {1: 180}, "frame_000001": {1: 180, 2: 180}}
    assert {(problem.key, problem.reason) for problem in reader.problems} == {
        ("set/images/frame_000002", "no object"),
        ("set/images/frame_000003.png", "no annotation"),
    }


def test_tracks_of_one_group_are_one_object_on_every_frame(tmp_path: Path) -> None:
    """Numbered after the first of them, also where that one is not there."""
    reader = clip(tmp_path, track(box(0), group=9), track(box(0, left=30), box(1, left=30), group=9), track(box(1)))
    assert objects(reader) == {"frame_000000": {1: 360}, "frame_000001": {1: 180, 3: 180}}


@pytest.mark.parametrize(
    "names", [("0.png", "1.png", "2.png", "3.png"), ("clip-00000.jpg", "clip-00001.jpg", "clip-00002.jpg", "x3.bmp")]
)
def test_the_number_at_the_end_of_a_name_is_the_frame(tmp_path: Path, names: tuple[str, ...]) -> None:
    """However many digits it has."""
    reader = clip(tmp_path, track(box(0), box(2)), names=names)
    assert [record.image for record in reader.records] == [f"images/{names[0]}", f"images/{names[2]}"]


def test_frames_without_a_picture_are_left_out_by_name(tmp_path: Path) -> None:
    """As where only some of a clip's frames were taken; two pictures of one number are none."""
    reader = clip(tmp_path, track(*(box(frame) for frame in range(4))), names=("0.png", "a2.png", "b2.png"))
    assert objects(reader) == {"0": {1: 180}}
    found = {problem.key: problem.detail for problem in reader.problems if problem.reason == "frame without picture"}
    assert set(found) == {f"set/annotations.xml/frame {frame}" for frame in (1, 2, 3)}
    assert "images/a2.png and images/b2.png have its number" in found["set/annotations.xml/frame 2"]


def test_pictures_numbered_from_one_are_refused(tmp_path: Path) -> None:
    """As ffmpeg numbers them; each would get the masks of the frame after it."""
    names = tuple(f"{number:04d}.png" for number in range(1, 5))
    with pytest.raises(UsageError, match=r"frames are 0 to 3, the pictures 1 to 4.*-start_number 0"):
        clip(tmp_path, track(box(0), box(1)), names=names)


def test_a_clip_may_begin_at_another_frame(tmp_path: Path) -> None:
    """Frames are counted in the whole clip."""
    meta = META + "<start_frame>10</start_frame><stop_frame>13</stop_frame>"
    reader = clip(tmp_path, track(box(10)), names=tuple(f"{number}.png" for number in range(10, 14)), meta=meta)
    assert objects(reader) == {"10": {1: 180}}
    with pytest.raises(UsageError, match="frames are 10 to 13, the pictures 11 to 14"):
        clip(tmp_path / "b", track(box(11)), names=tuple(f"{number}.png" for number in range(11, 15)), meta=meta)


def test_a_task_of_single_photos_is_refused_where_names_cannot_be_frames(tmp_path: Path) -> None:
    """Its frames are places in a list that the file does not hold."""
    meta = META.replace("interpolation", "annotation")
    with pytest.raises(UsageError, match=r"frames 0 to 3.*IMG_7\.png is none.*CVAT for images 1\.1"):
        clip(tmp_path, track(box(2)), names=("IMG_2.png", "IMG_5.png", "IMG_7.png"), meta=meta)


@pytest.mark.parametrize("names", [("cat.png", "dog.png"), ("frame_9.png",)])
def test_pictures_without_a_frames_number_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    """With the way out: the other format, which holds names."""
    with pytest.raises(UsageError, match="no picture has the number of one of its frames"):
        clip(tmp_path, track(box(0)), names=names)


@pytest.mark.parametrize("frame", ["", "x", "-1", "1.5", "9" * 40, "²"])
def test_a_shape_without_a_frame_fails_by_name(tmp_path: Path, frame: str) -> None:
    """The others of its track are read."""
    reader = clip(tmp_path, track(box(frame), box(1)))
    assert objects(reader) == {"frame_000001": {1: 180}}
    (problem,) = (problem for problem in reader.problems if problem.kind == "failed")
    assert problem.reason == "broken shape" and "track 1: <box> has the frame" in problem.detail


def test_each_clip_has_the_pictures_of_its_own_folder(tmp_path: Path) -> None:
    """Two exports beside each other, whose frames have equal names."""
    for name in ("one", "two"):
        clip(tmp_path / name, track(box(0, left=5 if name == "one" else 30)))
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert [record.image for record in reader.records] == [
        "one/images/frame_000000.png",
        "two/images/frame_000000.png",
    ]
    assert [int(scene.samples[0].mask.argmax() % 64) for scene in reader] == [5, 30]


def test_turned_boxes_and_masks_of_tracks_are_drawn(tmp_path: Path) -> None:
    """As those of photos."""
    mask = '<mask frame="1" outside="0" rle="1, 3, 2, 4, 2" left="40" top="30" width="4" height="3" z_order="0"></mask>'
    reader = clip(tmp_path, track(box(0, rotation="90.00")), track(mask))
    assert objects(reader) == {"frame_000000": {1: 180}, "frame_000001": {2: 7}}
    columns = reader[0].samples[0].mask.any(axis=0).nonzero()[0]
    assert len(columns) == 12
