"""Every format is read back, by pycocotools, Pillow, tarfile and our own readers, to the very masks it was made of."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from datakit.datasets import SourceOptions, open_source, parse_source, recognise
from datakit.datasets.reader import ReadOptions
from datakit.export import EXPORTERS
from datakit.export.davis import SHORT
from datakit.export.exporter import Exporter
from datakit.export.videos import HIDDEN, OVERLAPS, REENCODED
from pipelines.export import configured
from tests.exported import Collected, TwoVideos, label_map

VIDEOS = TwoVideos()


def written(exporter: Exporter, videos=VIDEOS) -> Collected:
    """What an exporter makes of all videos."""
    sink = Collected()
    exporter.close([exporter.write(videos[position], sink) for position in range(len(videos))], sink)
    return sink


def on_disk(root: Path, name: str) -> Collected:
    sink = written(EXPORTERS[name])
    for path, data in sink.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return sink


def frames():
    return [frame for position in range(len(VIDEOS)) for frame in VIDEOS[position]]


def picture(sink: Collected, path: str) -> Image.Image:
    return Image.open(io.BytesIO(sink.files[path]))


def read_by_us(root: Path, layout: str) -> list[list[np.ndarray]]:
    """The masks of every photo, in the order of the reader."""
    options = SourceOptions(ReadOptions(min_area=1))
    scenes = open_source(parse_source(f"x:{layout}={root}"), options)
    return [[sample.mask for sample in scene.samples] for scene in scenes]


def test_coco_gives_pycocotools_every_mask_whole(tmp_path, capsys):
    """Overlaps survive; area, box and iscrowd 0 stand beside each mask, and photos are as stored."""
    on_disk(tmp_path, "coco")
    found = COCO(str(tmp_path / "annotations/instances_train.json"))
    for frame in frames():
        (image,) = found.loadImgs(frame.row + 1)
        assert (tmp_path / "train" / image["file_name"]).read_bytes() == frame.photo
        annotations = found.loadAnns(found.getAnnIds(frame.row + 1))
        assert len(annotations) == len(frame.seen)
        for annotation, each in zip(annotations, frame.seen, strict=True):
            np.testing.assert_array_equal(found.annToMask(annotation), each.mask)
            assert annotation["area"] == each.mask.sum() and annotation["iscrowd"] == 0
            assert annotation["bbox"] == list(cv2.boundingRect(each.mask))


def test_polygons_of_coco_cover_what_the_masks_do():
    """A square without holes comes back to within its rim."""
    document = json.loads(written(configured("coco", ["masks=polygons"])).files["annotations/instances_train.json"])
    first = document["annotations"][0]
    runs = coco_mask.merge(coco_mask.frPyObjects(first["segmentation"], 40, 60))
    truth = frames()[0].seen[0].mask
    assert (coco_mask.decode(runs) & truth).sum() / (coco_mask.decode(runs) | truth).sum() > 0.85


def test_static_is_one_grey_foreground_of_0_and_255():
    """What the STM family cuts at one half."""
    sink = written(EXPORTERS["static"])
    for frame in frames():
        grey = picture(sink, f"{frame.stem}.png")
        assert grey.mode == "L" and set(np.unique(grey)) <= {0, 255}
        np.testing.assert_array_equal(np.asarray(grey) > 127, np.any([each.mask for each in frame.objects], axis=0))


def test_static_of_each_object_writes_the_photo_anew():
    """A pair for every object that is seen."""
    sink = written(configured("static", ["objects=each"]))
    assert len(sink.files) == 2 * sum(len(frame.seen) for frame in frames())
    for frame in frames():
        for each in frame.seen:
            grey = np.asarray(picture(sink, f"{frame.stem}+{each.number}.png"))
            np.testing.assert_array_equal(grey // 255, each.mask)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("aot", lambda video, frame: f"Annotations/{video.label}/{frame.stem}.png"),
        ("davis", lambda video, frame: f"Annotations/480p/{video.name}/{frame.name}.png"),
        ("youtube-vos", lambda video, frame: f"train/Annotations/{video.name}/{frame.name}.png"),
        ("huggingface", lambda video, frame: f"train/labels/{frame.stem}.png"),
        ("webdataset", lambda video, frame: f"{frame.stem}.labels.png"),
    ],
)
def test_the_later_object_lies_on_top(name: str, place: Callable):
    """In every format of label pictures, which are palette pictures numbered from 1."""
    sink = written(EXPORTERS[name])
    for position in range(len(VIDEOS)):
        for frame in VIDEOS[position]:
            labels = picture(sink, place(VIDEOS[position], frame))
            assert labels.mode == "P"
            np.testing.assert_array_equal(np.asarray(labels), label_map(frame))
    assert any(note.startswith(OVERLAPS) for note in sink.notes)
    assert any(note.startswith(HIDDEN) for note in sink.notes)


@pytest.mark.parametrize("name", ["static", "aot", "davis", "youtube-vos", "sav", "sa1b"])
def test_where_jpeg_is_demanded_a_jpeg_keeps_its_bytes_and_a_png_is_encoded_and_told(name):
    """The second video is stored as PNG."""
    sink = written(EXPORTERS[name])
    photos = [data for path, data in sink.files.items() if path.endswith(".jpg")]
    assert len(photos) == len(frames())
    assert all(data.startswith(b"\xff\xd8\xff") for data in photos)
    stored = [frame.photo for frame in frames()]
    assert sum(data in stored for data in photos) == sum(frame.is_jpeg for frame in frames())
    assert sink.notes[REENCODED] == sum(not frame.is_jpeg for frame in frames())


def test_lists_of_aot_pair_by_position():
    """AOT sorts photos and masks apart: equal lists, photos of one suffix."""
    paths = sorted(written(EXPORTERS["aot"]).files)
    photos = [path.partition("/")[2][:-4] for path in paths if path.startswith("JPEGImages")]
    assert photos == [path.partition("/")[2][:-4] for path in paths if path.startswith("Annotations")]


def test_a_set_of_aots_own_name_is_used_for_a_label_that_means_it():
    """`ecssd` goes where AOT looks for it."""
    from datakit.export.aot import BY_LABEL, SETS

    assert BY_LABEL["ecssd"] == "ECSSD" and BY_LABEL["pascals"] == "PASCAL-S"
    assert all(path.split("/")[1] == "COCO" for path in written(configured("aot", ["set_name=COCO"])).files)
    assert "COCO" in SETS


def test_davis_lists_its_videos_and_tells_of_short_ones():
    """Cutie, XMem and SAM 2 pass over videos of fewer than eight frames."""
    sink = written(EXPORTERS["davis"])
    assert sink.files["ImageSets/2017/train.txt"].decode().split() == ["one", "two"]
    assert sink.notes[SHORT] == 2


def test_the_meta_of_youtube_vos_names_the_frames_that_show_an_object():
    """As its label pictures show them: what is hidden is not named."""
    meta = json.loads(written(EXPORTERS["youtube-vos"]).files["train/meta.json"])["videos"]
    for position in range(len(VIDEOS)):
        video = VIDEOS[position]
        for number in video.objects:
            shown = [frame.name for frame in video if (label_map(frame) == number).any()]
            assert meta[video.name]["objects"][str(number)]["frames"] == shown


def test_sav_keeps_each_object_in_a_folder_of_its_own():
    """Three digits from 000, every frame there, overlaps whole."""
    sink = written(EXPORTERS["sav"])
    for position in range(len(VIDEOS)):
        for frame in VIDEOS[position]:
            for each in frame.objects:
                path = f"Annotations_6fps/{VIDEOS[position].name}/{each.number - 1:03d}/{frame.name}.png"
                np.testing.assert_array_equal(np.asarray(picture(sink, path)) > 0, each.mask)


def test_ytvis_gives_mask_box_and_area_or_null_for_each_frame():
    """One entry for each object of a video."""
    document = json.loads(written(EXPORTERS["ytvis"]).files["train/instances.json"])
    tracks = iter(document["annotations"])
    for position, video in enumerate(document["videos"]):
        shown = list(VIDEOS[position])
        assert video["length"] == len(video["file_names"]) == len(shown)
        for number in VIDEOS[position].objects:
            track = next(tracks)
            assert track["video_id"] == video["id"]
            for frame, runs, box in zip(shown, track["segmentations"], track["bboxes"], strict=True):
                mask = frame.objects[number - 1].mask
                assert (runs is None) == (box is None) == (not mask.any())
                if runs is not None:
                    np.testing.assert_array_equal(coco_mask.decode(runs), mask)


def by_bytes(masks: list[np.ndarray]) -> list[bytes]:
    return [mask.tobytes() for mask in masks]


@pytest.mark.parametrize(("name", "layout"), [("sa1b", "sa-1b"), ("coco", "coco")])
def test_our_own_reader_gives_every_mask_whole(tmp_path, name, layout):
    """Formats with a mask for each object lose nothing, whatever overlaps."""
    on_disk(tmp_path, name)
    expected = [by_bytes([each.mask for each in frame.seen]) for frame in frames()]
    assert sorted(map(by_bytes, read_by_us(tmp_path, layout))) == sorted(expected)


def test_our_own_reader_paints_the_shapes_of_labelme_in_their_order(tmp_path):
    """As LabelMe's own exporter does: the later shape lies on top."""
    on_disk(tmp_path, "labelme")
    maps = [label_map(frame) for frame in frames()]
    expected = [by_bytes([(each == n).astype(np.uint8) for n in np.unique(each) if n]) for each in maps]
    assert sorted(map(by_bytes, read_by_us(tmp_path, "labelme"))) == sorted(expected)


@pytest.mark.parametrize(
    ("name", "below", "layout"),
    [("coco", "", "coco"), ("ytvis", "train", "ytvis"), ("labelme", "train", "labelme"), ("sa1b", "train", "sa-1b")],
)
def test_what_is_written_is_recognised_for_what_it_is(tmp_path, name, below, layout):
    """Without a word on its layout."""
    on_disk(tmp_path, name)
    assert recognise(tmp_path / below)[0] == layout


def test_labelme_groups_an_object_over_the_frames_of_its_video():
    """group_id is the number of the object."""
    sink = written(EXPORTERS["labelme"])
    for frame in frames():
        shapes = json.loads(sink.files[f"train/{frame.stem}.json"])["shapes"]
        assert [shape["group_id"] for shape in shapes] == [each.number for each in frame.seen]


def test_yolo_lines_come_back_where_an_object_has_neither_holes_nor_parts():
    """Filled as Ultralytics fills them, whole pixels at the photo's own size."""
    sink = written(EXPORTERS["yolo"])
    frame = frames()[0]
    lines = sink.files[f"labels/train/{frame.stem}.txt"].decode().splitlines()
    assert len(lines) == len(frame.seen)
    points = np.array(lines[0].split()[1:], float).reshape(-1, 2) * (60, 40)
    filled = np.zeros((40, 60), np.uint8)
    cv2.fillPoly(filled, [points.astype(np.int32)], 1)
    np.testing.assert_array_equal(filled, frame.seen[0].mask)


def test_yolo_tells_of_holes_and_of_parts():
    """Both are in the second video."""
    from datakit.export.yolo import BRIDGES, HOLES

    notes = written(EXPORTERS["yolo"]).notes
    assert notes[HOLES] and notes[BRIDGES]


def test_members_of_a_tar_are_grouped_by_the_name_before_the_first_dot(tmp_path):
    """As webdataset reads them; one that is written has no other dot."""
    from pipelines.export_folder import Chunk

    chunk = Chunk(tmp_path, "shard-000000.tar")
    exporter = EXPORTERS["webdataset"]
    exporter.write(VIDEOS[0], chunk)
    chunk.end()
    with tarfile.open(tmp_path / "shard-000000.tar") as tar:
        names = tar.getnames()
    assert [name.partition(".")[2] for name in names] == ["jpg", "labels.png", "json"] * len(VIDEOS[0])
    assert len({name.partition(".")[0] for name in names}) == len(VIDEOS[0])


def test_the_metadata_of_huggingface_names_both_pictures_of_each_frame():
    """Relative to itself, as an image folder has it."""
    sink = written(EXPORTERS["huggingface"])
    lines = [json.loads(line) for line in sink.files["train/metadata.jsonl"].splitlines()]
    assert len(lines) == len(frames())
    for line, frame in zip(lines, frames(), strict=True):
        assert sink.files[f"train/{line['file_name']}"] == frame.photo
        assert f"train/{line['labels_file_name']}" in sink.files
        size = [line["height"], line["width"]]
        for each, stored in zip(frame.seen, line["objects"], strict=True):
            np.testing.assert_array_equal(coco_mask.decode({"size": size, "counts": stored["counts"]}), each.mask)


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_two_runs_give_equal_bytes(name):
    """Nothing of the clock or of chance is in an export."""
    assert written(EXPORTERS[name]).files == written(EXPORTERS[name]).files
