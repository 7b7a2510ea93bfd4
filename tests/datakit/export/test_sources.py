"""What is exported: photos of shards, and frames of videos with their label pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.export import LabelVideos, ShardVideos
from datakit.images import encode_palette_png
from datakit.shards import ShardReader
from datakit.video.palette import palette
from tests.runs import draw_source


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """Three photos, masks and boxes, two variants."""
    from click.testing import CliRunner

    from pipelines.cli import cli

    root = tmp_path_factory.mktemp("export")
    source = draw_source(root / "ecssd", 3)
    words = ["build-shards", source, "--out", root / "out", "--recipe", "masktrack", "--recipe", "masktrack-box"]
    assert CliRunner().invoke(cli, [str(word) for word in words]).exit_code == 0
    return root / "out"


def test_a_photo_of_shards_is_there_once_with_its_targets(shards):
    """Whatever the number of recipes and variants."""
    videos, reader = ShardVideos(shards), ShardReader(shards)
    assert len(videos) == 3 < len(reader)
    for position in range(3):
        (frame,) = videos[position]
        triple = next(each for each in reader if each.sample_key == frame.key)
        assert frame.photo == bytes(triple.photo.encoded)
        (each,) = frame.objects
        np.testing.assert_array_equal(each.mask, triple.target)


def test_turned_views_of_a_photo_are_left_out(tmp_path, datakit):
    """A recipe with first-frame views stores the photo as it is among them."""
    source = draw_source(tmp_path / "ecssd", 2)
    built = datakit("build-shards", source, "--out", tmp_path / "out", "--recipe", "online")
    assert built.exit_code == 0, built.output
    assert len(ShardReader(tmp_path / "out").table("key")) > 2
    videos = ShardVideos(tmp_path / "out")
    assert [videos[position].name for position in range(len(videos))] == ["ecssd_0000", "ecssd_0001"]
    photo = cv2.imread(str(source / "images/0000.jpg"))
    assert next(iter(videos[0])).size == photo.shape[:2]


def video(root: Path, names: list[str], ids=(7, 9)) -> tuple[Path, Path]:
    """A folder of label pictures below `labels/`, and its frames below `frames/`."""
    for number, name in enumerate(names):
        labels = np.zeros((20, 30), np.uint8)
        labels[2:8, 2 + number : 9] = ids[0]
        if number:
            labels[10:18, 10:20] = ids[1]
        for place, data in (
            ("labels/dog", encode_palette_png(labels, palette())),
            ("frames/dog", cv2.imencode(".png", np.full((20, 30, 3), 40 * number, np.uint8))[1].tobytes()),
        ):
            (root / place).mkdir(parents=True, exist_ok=True)
            (root / place / f"{name}.png").write_bytes(data)
    return root / "labels", root / "frames"


@pytest.mark.parametrize("nested", [True, False], ids=["a folder for each", "the one folder"])
def test_objects_of_a_video_are_numbered_from_1_in_all_frames(tmp_path, nested):
    """Also one that is not in the first."""
    labels, frames = video(tmp_path, ["00000", "00005"])
    videos = LabelVideos(labels, frames if nested else frames / "dog")
    (dog,) = (videos[position] for position in range(len(videos)))
    assert dog.objects == {1: "7", 2: "9"}
    first, second = dog
    assert [int(each.mask.sum()) for each in first.objects] == [42, 0]
    assert [int(each.mask.sum()) for each in second.objects] == [36, 80]
    assert [first.name, second.name] == ["00000", "00005"]
    assert first.photo == (frames / "dog/00000.png").read_bytes()


def test_frames_whose_names_are_not_of_five_digits_are_numbered(tmp_path):
    """SAM 2 and the SA-V loader want whole numbers, five digits."""
    labels, frames = video(tmp_path, ["img1", "img2"])
    assert [frame.name for frame in LabelVideos(labels, frames)[0]] == ["00000", "00001"]


def test_label_pictures_without_their_frames_are_refused(tmp_path):
    """It names the first, and what to give."""
    labels, frames = video(tmp_path, ["00000", "00005"])
    (frames / "dog/00005.png").unlink()
    with pytest.raises(UsageError, match=r"has no frame 00005.*give the video"):
        LabelVideos(labels, frames)[0]


def test_a_sequence_without_a_video_is_refused_at_once(tmp_path):
    """Before anything is written."""
    labels, frames = video(tmp_path, ["00000"])
    (frames / "dog").rename(frames / "cat")
    with pytest.raises(UsageError, match="holds no folder and no film 'dog'"):
        LabelVideos(labels, frames)
