"""validate-source: counts that add up, every problem by reason, every duplicate, exit 4 where something was found."""

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.errors import Problem
from datakit.wording import printable
from pipelines.reasons import grouped
from tests import tiny
from tests.damage import lose_the_middle
from tests.runs import draw_source


def report(result):
    return json.loads(result.stdout)


def reasons(found):
    return {(group["kind"], group["reason"]): group["count"] for group in found["groups"]}


def test_a_sound_source_exits_0(datakit, source):
    """Counts are those of a build; nothing else is said, nothing is written."""
    before = sorted(source.parent.rglob("*"))
    result = datakit("validate-source", source, "--json")
    assert result.exit_code == 0, result.output
    found = report(result)
    assert found["sources"]["ecssd"] == {"layout": "ecssd", "photos": 12, "items": 12, "samples": 12, "failed": 0,
                                         "left_out": 0, "warnings": 0}  # fmt: skip
    assert not found["found"] and not found["groups"] and not found["duplicates"] and found["compared"] == 12
    assert sorted(source.parent.rglob("*")) == before


def test_damage_is_grouped_with_examples_and_exits_4(datakit, source):
    """Failed and left-out items by reason; items = samples + problems."""
    for number in range(5):
        (source / f"images/{number:04d}.jpg").write_bytes(b"")
    (source / "images/Thumbs.db").write_bytes(b"x")
    result = datakit("validate-source", source, "--json", "--examples", 2)
    found = report(result)
    assert result.exit_code == 4 and found["found"]
    assert reasons(found) == {("failed", "empty file"): 5, ("left-out", "stray file"): 1}
    assert [len(group["examples"]) for group in found["groups"]] == [2, 1]
    counts = found["sources"]["ecssd"]
    assert counts["items"] == 13 == counts["samples"] + counts["failed"] + counts["left_out"]
    text = datakit("validate-source", source).output
    assert "5 failed: empty file" in text and "and 2 more" in text and "images/0000.jpg" in text


def test_warnings_alone_exit_0(datakit, source):
    """A full mask is legal; it is counted and named."""
    cv2.imwrite(str(source / "ground_truth_mask/0003.png"), np.full((48, 64), 255, np.uint8))
    result = datakit("validate-source", source, "--json")
    assert result.exit_code == 0 and reasons(report(result)) == {("warning", "full mask"): 1}
    assert report(result)["groups"][0]["examples"][0]["key"] == "ecssd/0003"


def twin(source: Path, root: Path, change) -> Path:
    """Another source with three photos of its own, and `change` of photo 0005 of `source`."""
    draw_source(root, 3)
    for number in range(3):
        noise = np.random.default_rng(100 + number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(root / f"images/{number:04d}.jpg"), noise)
    photo = change(cv2.imread(str(source / "images/0005.jpg")))
    cv2.imwrite(str(root / "images/twin.png"), photo)
    cv2.imwrite(str(root / "ground_truth_mask/twin.png"), np.eye(*photo.shape[:2], dtype=np.uint8) * 255)
    return root


@pytest.mark.parametrize(
    ("change", "how"), [(lambda photo: photo[:, ::-1], "near, mirrored"), (lambda photo: photo[1:, 2:], "near")]
)
def test_near_duplicates_across_sources_exit_4(datakit, source, tmp_path, change, how):
    """A mirrored and a cropped copy in another source are named with both keys."""
    other = twin(source, tmp_path / "other", change)
    result = datakit("validate-source", source, f"other={other}", "--json")
    (pair,) = report(result)["duplicates"]
    assert result.exit_code == 4
    assert (pair["first"], pair["second"], pair["how"], pair["across"]) == ("ecssd/0005", "other/twin", how, True)
    assert "duplicate in two sources: ecssd/0005 = other/twin" in datakit(
        "validate-source", source, f"other={other}").output  # fmt: skip
    assert datakit("validate-source", source, f"other={other}", "--no-duplicates").exit_code == 0


def test_without_imagehash_near_duplicates_are_left_out_with_a_word(datakit, source, tmp_path, monkeypatch):
    """What is missing is named with the command that installs it; all else is validated."""
    monkeypatch.setitem(sys.modules, "imagehash", None)
    other = twin(source, tmp_path / "other", lambda photo: photo[:, ::-1])
    result = datakit("validate-source", source, f"other={other}", "--json")
    assert result.exit_code == 0 and "pip install 'masktrack-datakit[dedup]'" in result.stderr
    assert json.loads(result.stdout)["compared"] == 0 and json.loads(result.stdout)["sources"]["other"]["samples"] == 4


def test_equal_files_are_found_and_within_one_source_exit_0(datakit, source):
    """Byte for byte the same photo under another name."""
    shutil.copy(source / "images/0001.jpg", source / "images/copy.jpg")
    shutil.copy(source / "ground_truth_mask/0001.png", source / "ground_truth_mask/copy.png")
    result = datakit("validate-source", source, "--json", "--no-duplicates")
    (pair,) = report(result)["duplicates"]
    assert (pair["first"], pair["second"], pair["how"], pair["across"]) == (
        "ecssd/0001", "ecssd/copy", "equal file", False)  # fmt: skip
    assert result.exit_code == 0


def test_frames_of_one_video_are_no_duplicates(datakit, tmp_path):
    """A still camera gives alike frames; two sequences that are one are reported."""
    root = tiny.davis_2016(tmp_path / "davis")
    for sequence in ("cows", "again"):
        for number in range(3):
            frame = cv2.imread(str(root / "JPEGImages/480p/cows/00000.jpg"))
            frame[0, number] = len(sequence)
            tiny.pair(
                root / "JPEGImages/480p" / sequence, root / "Annotations/480p" / sequence, f"{number:05d}", number
            )
            cv2.imwrite(str(root / f"JPEGImages/480p/{sequence}/{number:05d}.jpg"), frame)
    pairs = report(datakit("validate-source", root, "--json"))["duplicates"]
    assert pairs and all({pair["first"][:11], pair["second"][:11]} == {"davis/again", "davis/cows/"} for pair in pairs)


def test_copies_of_one_photo_are_no_duplicates(datakit, tmp_path):
    """Roboflow alters each photo a few times on purpose, and may spread the copies over splits."""
    root = tiny.roboflow(tmp_path / "set")
    frame = cv2.imread(str(root / f"train/photo0_jpg.rf.{0:032x}.jpg"))
    for nth, split in enumerate(("train", "valid")):
        file = root / split / "_annotations.coco.json"
        document = json.loads(file.read_text())
        for number, entry in enumerate(document["images"]):
            (root / split / entry["file_name"]).unlink()
            entry["file_name"] = f"photo_jpg.rf.{10 * nth + number:032x}.jpg"
            frame[:2, :2] = 90 * number + 40 * nth
            cv2.imwrite(str(root / split / entry["file_name"]), frame)
        file.write_text(json.dumps(document))
    found = report(datakit("validate-source", root, "--json"))
    assert found["sources"]["set"]["layout"] == "roboflow" and found["compared"] == 4 and not found["duplicates"]


def test_a_source_that_cannot_be_listed_is_a_finding(datakit, source, tmp_path):
    """Not JSON: the other source is validated all the same. A root that is not there is a usage error."""
    file = tiny.coco(tmp_path / "coco")
    file.write_text("no json")
    result = datakit("validate-source", source, f"val={file}", "--json")
    found = report(result)
    assert result.exit_code == 4 and reasons(found) == {("failed", "unusable source"): 1}
    assert found["sources"]["ecssd"]["samples"] == 12
    assert datakit("validate-source", tmp_path / "nowhere").exit_code == 2
    assert datakit("validate-source", source, source).exit_code == 2


def test_two_processes_report_what_one_does(datakit, source, tmp_path):
    """The report does not depend on -j."""
    other = twin(source, tmp_path / "other", lambda photo: photo[:, ::-1])
    (source / "images/0001.jpg").write_bytes(b"")
    one, two = (
        datakit("validate-source", source, f"other={other}", "--json", "-j", jobs).stdout for jobs in (1, 2)
    )  # fmt: skip
    assert one == two


def test_jpeg_data_lost_in_the_middle_fails(datakit, tmp_path):
    """As it does in a build: zeros in a photo, of which OpenCV would make a picture."""
    root = draw_source(tmp_path / "ecssd", 3, (240, 320))
    lose_the_middle(root / "images/0001.jpg")
    found = report(datakit("validate-source", root, "--json"))
    assert reasons(found) == {("failed", "damaged image"): 1}
    assert "images/0001.jpg" in found["groups"][0]["examples"][0]["detail"]
    assert "libjpeg says: Corrupt JPEG data" in found["groups"][0]["examples"][0]["detail"]


def test_oddities_that_cost_no_pixel_are_remarks(datakit, tmp_path):
    """Zeros before the end mark, as some cameras write them: the photo is read."""
    root = draw_source(tmp_path / "ecssd", 3, (240, 320))
    path = root / "images/0001.jpg"
    path.write_bytes(path.read_bytes()[:-2] + bytes(100) + b"\xff\xd9")
    found = report(datakit("validate-source", root, "--json"))
    assert reasons(found) == {("warning", "decoder complaint"): 1}


def test_file_names_cannot_steer_a_terminal():
    """Escape sequences and marks that turn text around are shown as what they are."""
    assert printable("a\x1b[2J\u202eb é 日") == "a\\x1b[2J\\u202eb é 日"


def test_groups_are_counted_in_full_whatever_is_shown():
    """Examples are cut, counts are not."""
    problems = [Problem(f"a/{n}", "failed", "read", "empty file", "x: holds nothing") for n in range(9)]
    (group,) = grouped(problems, 0)
    assert group["count"] == 9 and group["examples"] == []


def test_progress_is_a_plain_line_off_a_terminal(datakit, source):
    """As a build has it."""
    assert "12/12 photos" in datakit("validate-source", source).stderr
