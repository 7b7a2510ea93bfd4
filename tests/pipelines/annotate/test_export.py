"""Projects in the formats of other programs."""

import json

import cv2
import numpy as np
import pytest

from datakit.errors import DatakitError
from datakit.rle import decode_rle
from datakit.video.labels import read_labels
from datakit.video.video_file import VideoFile
from pipelines.annotate.export import FORMATS, export_to
from pipelines.annotate.jobs import StopJob
from pipelines.annotate.media import open_media
from pipelines.annotate.project import Project
from tests.clips import labels
from tests.tiny import write_picture


def nothing(left, event=None):
    pass


@pytest.fixture
def drawn(project):
    """Two drawings and a mask that was made."""
    project.draw(0, labels())
    project.draw(4, labels(2))
    project.keep_made(5, labels(3), {})
    return project


def test_davis_has_all_frames_and_palette_pngs(drawn):
    """Of frames without a mask an empty one."""
    export_to(drawn, ["davis"], nothing)
    root = drawn.folder / "export" / "davis"
    found = [read_labels(root / "Annotations/480p/clip" / f"{n:05d}.png", "").labels for n in (0, 1, 4, 5)]
    assert all(np.array_equal(a, b) for a, b in zip(found, (labels(), 0 * labels(), labels(2), labels(3)), strict=True))
    assert len(list((root / "JPEGImages/480p/clip").glob("*.jpg"))) == 10
    assert (root / "ImageSets/2017/train.txt").read_text() == "clip\n"


def test_coco_holds_masks_as_rle_and_names(drawn):
    """Every object of every frame that shows it."""
    drawn.name_object(2, "lamp")
    export_to(drawn, ["coco"], nothing)
    root = drawn.folder / "export" / "coco"
    found = json.loads((root / "annotations/instances_train.json").read_text())
    assert [each["source_id"] for each in found["annotations"]] == ["block", "lamp"] * 3
    rle = found["annotations"][1]["segmentation"]
    assert np.array_equal(decode_rle(rle["counts"].encode(), tuple(rle["size"])), labels() == 2)
    assert [(each["id"], each["name"]) for each in found["categories"]] == [(1, "block"), (2, "lamp")]
    assert [each["category_id"] for each in found["annotations"]] == [1, 2] * 3


def test_coco_calls_what_nobody_named_an_object(drawn):
    """Two of them are of one category."""
    drawn.name_object(1, "object 7")
    drawn.name_object(2, "object 8")
    export_to(drawn, ["coco"], nothing)
    found = json.loads((drawn.folder / "export/coco/annotations/instances_train.json").read_text())
    assert [each["name"] for each in found["categories"]] == ["object"]


def test_coco_of_photos_has_those_that_were_drawn(tmp_path):
    """One that nobody has looked at would be learnt as one without objects."""
    for number in range(3):
        write_picture(tmp_path / "photos" / f"{number}.jpg", np.full((40 + number, 50, 3), 90, np.uint8))
    project = Project(tmp_path / "project", open_media(tmp_path / "photos"))
    project.add_object("cat")
    project.draw(1, np.eye(41, 50, dtype=np.uint8))
    project.draw(2, np.zeros((42, 50), np.uint8))
    export_to(project, ["coco"], nothing)
    found = json.loads((project.folder / "export/coco/annotations/instances_train.json").read_text())
    assert [each["height"] for each in found["images"]] == [41, 42]


def test_photos_whose_names_are_alike_are_both_there(tmp_path):
    """Though a COCO file's name has no blank."""
    for number, name in enumerate(("IMG 1", "IMG_1")):
        write_picture(tmp_path / "photos" / f"{name}.jpg", np.full((40 + number, 50, 3), 90, np.uint8))
    project = Project(tmp_path / "project", open_media(tmp_path / "photos"))
    project.add_object("cat")
    for place in (0, 1):
        project.draw(place, np.eye(40 + place, 50, dtype=np.uint8))
    export_to(project, ["coco"], nothing)
    root = project.folder / "export/coco"
    found = json.loads((root / "annotations/instances_train.json").read_text())["images"]
    sizes = [cv2.imread(str(root / "train" / each["file_name"])).shape[0] for each in found]
    assert sizes == [each["height"] for each in found] == [40, 41]


def test_a_removed_object_is_not_exported_and_leaves_no_gap(drawn):
    """As DAVIS readers expect ids."""
    drawn.remove_object(1)
    export_to(drawn, ["davis"], nothing)
    found = read_labels(drawn.folder / "export/davis/Annotations/480p/clip/00000.png", "").labels
    assert np.array_equal(found, labels() == 2)
    export_to(drawn, ["pairs"], nothing)
    assert set(np.unique(read_labels(drawn.folder / "export/pairs/masks/00000.png", "").labels)) == {0, 1}


def test_an_object_that_was_never_drawn_leaves_no_gap(drawn):
    """As one that was removed."""
    third = drawn.add_object()
    drawn.add_object()
    drawn.draw(6, np.where(labels() == 1, third + 1, labels()).astype(np.uint8))
    export_to(drawn, ["davis", "pairs"], nothing)
    for path in ("davis/Annotations/480p/clip/00006.png", "pairs/masks/00006.png"):
        assert set(np.unique(read_labels(drawn.folder / "export" / path, "").labels)) == {0, 2, 3}


def test_an_object_whose_drawing_was_taken_back_is_exported_as_long_as_it_is_seen(drawn):
    """In what was made of it."""
    drawn.undraw(0)
    drawn.draw(4, np.where(labels(2) == 1, 1, 0).astype(np.uint8), settled={1})
    export_to(drawn, ["pairs"], nothing)
    assert set(np.unique(drawn.labels(5))) == {0, 1, 2}
    assert set(np.unique(read_labels(drawn.folder / "export/pairs/masks/00005.png", "").labels)) == {0, 1, 2}


def test_nothing_is_exported_of_a_project_without_an_object_drawn(project):
    """And that is said."""
    project.draw(0, np.zeros((48, 64), np.uint8))
    with pytest.raises(DatakitError, match="no picture shows an object"):
        export_to(project, ["davis"], nothing)
    assert not (project.folder / "export").exists()


def test_the_film_shows_every_frame(drawn):
    """With the masks on it."""
    pytest.importorskip("av")
    export_to(drawn, ["overlay.mp4"], nothing)
    assert VideoFile(drawn.folder / "export" / "overlay.mp4").inspect().count == 10


def test_pairs_hold_the_pictures_that_show_an_object(drawn):
    """The photos' own bytes, ids as masks."""
    export_to(drawn, ["pairs"], nothing)
    root = drawn.folder / "export" / "pairs"
    assert sorted(path.name for path in (root / "masks").iterdir()) == ["00000.png", "00004.png", "00005.png"]
    assert (root / "images/00004.png").read_bytes() == drawn.media.files[4].read_bytes()
    assert np.array_equal(read_labels(root / "masks/00005.png", "").labels, labels(3))


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_is_stopped_leaves_the_one_before(drawn, name):
    """Nothing half-written looks finished."""
    export_to(drawn, [name], nothing)
    folder = drawn.folder / "export"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    drawn.draw(1, labels())

    def stop(left, event=None):
        if left < 7:
            raise StopJob

    with pytest.raises(StopJob):
        export_to(drawn, [name], stop)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_several_exports_count_together(drawn):
    """So that the time left is that of all."""
    told = []
    export_to(drawn, ["pairs", "coco"], lambda left, event=None: told.append(left))
    assert told == list(range(19, -1, -1))
    assert cv2.imread(str(drawn.folder / "export/pairs/images/00000.png")) is not None
