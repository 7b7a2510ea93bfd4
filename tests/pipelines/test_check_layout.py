"""check-layout: silent on right trees, each of these spoilt copies found and named, and mended by its own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datakit.check_layout import LOADERS
from pipelines import cli_layout
from tests.layouts import RIGHT, SIZE, aot_davis, davis, flat, labels_of, mask, sa_v, youtube_vos
from tests.spoilt_trees import SPOILT, empty, every, rename_all, white


def checked(datakit, root, loader, *options):
    """The report as JSON; the exit code says whether there is a fault."""
    result = datakit("check-layout", root, "--for", loader, *options, "--json")
    assert result.exit_code in (0, 4), result.output
    found = json.loads(result.stdout)
    assert result.exit_code == 4 * bool(found["faults"])
    return found


def kinds(found):
    return {fault["kind"] for fault in found["faults"]}


@pytest.mark.parametrize(("loader", "task"), RIGHT)
def test_a_right_tree_has_no_fault(datakit, tmp_path, loader, task):
    """And is taken for what it is."""
    found = checked(datakit, RIGHT[loader, task](tmp_path / "data"), loader)
    assert found["faults"] == []
    assert found["task"] == task
    assert found["frames"] > 0 and found["masks"] > 0


def test_a_folder_for_each_object_has_no_fault(datakit, tmp_path):
    """As SA-V's validation set lies."""
    assert checked(datakit, sa_v(tmp_path / "data"), "sam2", "--task", "train")["faults"] == []


def test_the_command_names_every_loader():
    """Its help is written without importing them."""
    assert tuple(LOADERS) == cli_layout.LOADERS


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_copy_is_found_and_its_command_mends_it(datakit, tmp_path, name):
    """The fault that was made is named; commands run one after the other until nothing is found leave a right tree."""
    loader, task, kind, spoil = SPOILT[name]
    root = RIGHT[loader, task](tmp_path / "my data")
    spoil(root)
    found = checked(datakit, root, loader, "--task", task)
    assert kind in kinds(found), found["faults"]
    for _ in range(6):
        if not found["faults"]:
            break
        shell(found["faults"][0]["mend"])
        found = checked(datakit, root, loader, "--task", task)
    assert found["faults"] == []
    assert found["masks"] > 0


def shell(command):
    """Run a mend as a user would, with this Python's packages."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], check=True, env={**os.environ, "PATH": path}, timeout=60)


@pytest.mark.parametrize(
    ("name", "kind", "spoil"),
    [
        ("an object's name is a word", "object-name",
         lambda root: (root / "Annotations/dog/001").rename(root / "Annotations/dog/cat")),
        ("an object of one digit", "object-digits",
         lambda root: (root / "Annotations/dog/001").rename(root / "Annotations/dog/1")),
        ("masks of eight digits", "mask-digits",
         lambda root: rename_all(root / "Annotations/dog/001", "00003.", "00000003.")),
        ("a mask beside the folders", "stray-mask",
         lambda root: mask(root / "Annotations/dog/00000.png", labels_of(0))),
    ],
)  # fmt: skip
def test_a_spoilt_folder_of_objects_is_found_and_mended(datakit, tmp_path, name, kind, spoil):
    """SA-V: folders of three digits, masks of exactly five."""
    root = sa_v(tmp_path / "data")
    spoil(root)
    found = checked(datakit, root, "sam2", "--task", "train")
    assert kind in kinds(found)
    for _ in range(3):
        if found["faults"]:
            shell(found["faults"][0]["mend"])
            found = checked(datakit, root, "sam2", "--task", "train")
    assert found["faults"] == []


def test_a_folder_of_objects_is_a_fault_where_it_is_not_read(datakit, tmp_path):
    """Cutie wants one file a frame."""
    assert "object-folder" in kinds(checked(datakit, sa_v(tmp_path / "data"), "cutie", "--task", "train"))


@pytest.mark.parametrize(
    ("text", "kind"), [("wolf\n", "subset"), ("bear \ndog\n", "subset-spaces"), ("bear\r\ndog\r\n", None)]
)
def test_names_of_a_subset_must_be_those_of_folders(datakit, tmp_path, text, kind):
    """To the last space; the file is mended by its command."""
    root, subset = davis(tmp_path / "data"), tmp_path / "subset.txt"
    subset.write_text(text, newline="")
    found = checked(datakit, root, "xmem", "--subset", subset)
    assert kinds(found) == ({kind} if kind else set())
    if kind:
        shell(found["faults"][0]["mend"])
        assert checked(datakit, root, "xmem", "--subset", subset)["faults"] == []


def test_xmem_without_a_subset_is_told_of_it(datakit, tmp_path):
    """It takes only names of its own lists; that is no fault of the folder."""
    found = checked(datakit, davis(tmp_path / "data"), "xmem")
    assert "util/yv_subset.txt" in found["notes"][0]
    assert checked(datakit, tmp_path / "data", "cutie")["notes"] == []


@pytest.mark.parametrize("text", ["00003\n", '{"bear": []}', '{"bear": [], "dog": []}', "[]"])
def test_the_list_of_empty_masks_must_be_json_and_whole(datakit, tmp_path, text):
    """An entry for each video, with every frame that holds nothing; its command writes that."""
    root, listed = davis(tmp_path / "data"), tmp_path / "empty_masks.txt"
    empty(root / "Annotations/dog/00003.png")
    listed.write_text(text)
    found = checked(datakit, root, "cutie", "--empty-masks", listed)
    assert kinds(found) == {"empty-masks"}
    shell(found["faults"][0]["mend"])
    assert json.loads(listed.read_text()) == {"bear": [], "dog": ["00003"]}
    assert checked(datakit, root, "cutie", "--empty-masks", listed)["faults"] == []


def test_colours_are_told_as_the_ids_that_convert_makes_of_them(datakit, tmp_path):
    """One flat colour becomes eight ids under Pillow's convert("P")."""
    root = davis(tmp_path / "data")
    plane = np.zeros((*SIZE, 3), np.uint8)
    plane[5:35, 5:55] = (38, 75, 192)
    Image.fromarray(plane).save(root / "Annotations/dog/00004.png")
    (fault,) = checked(datakit, root, "cutie")["faults"]
    assert 'convert("P") makes 8 ids of it' in fault["text"] and "1 colour" in fault["text"]


def test_the_report_names_file_and_command(datakit, tmp_path):
    """And what the loader does; with the repository it was read in."""
    root = davis(tmp_path / "data")
    rename_all(root / "JPEGImages/dog", ".jpg", ".JPG")
    shown = datakit("check-layout", root, "--for", "sam2").stdout
    for words in ("SAM 2, train (as there are 32 masks of 32 frames", "github.com/facebookresearch/sam2 at 2b90b9f",
                  "frame-suffix: 1 place", "JPEGImages/dog/00000.JPG", "mend: mv -n", "in silence"):  # fmt: skip
        assert words in shown
    assert datakit("check-layout", davis(tmp_path / "right"), "--for", "sam2").stdout.endswith("SAM 2 sees all of it\n")


def test_few_places_of_a_kind_are_shown(datakit, tmp_path):
    """The others are counted."""
    root = davis(tmp_path / "data")
    for video in ("bear", "dog"):
        (root / f"Annotations/{video}/00003.png").unlink()
    shown = datakit("check-layout", root, "--for", "cutie", "--examples", "1").stdout
    assert "frame-without-mask: 2 places" in shown and "and 1 more; --examples 2" in shown


def test_fewest_frames_can_be_given(datakit, tmp_path):
    """MOSEv2's first stage takes 8."""
    root = davis(tmp_path / "data", frames=8, masks=8)
    assert kinds(checked(datakit, root, "mose")) == {"too-few-frames"}
    assert checked(datakit, root, "mose", "--fewest", "8")["faults"] == []


def test_folders_of_white_masks_are_noted(datakit, tmp_path):
    """As DAVIS-2016 lies: legal, one object of number 255."""
    root = davis(tmp_path / "data")
    for video in ("bear", "dog"):
        every(root / "Annotations" / video, white)
    found = checked(datakit, root, "cutie")
    assert found["faults"] == [] and "whose number is 255" in found["notes"][0]


@pytest.mark.parametrize("jobs", [1, 2])
def test_splits_and_resolutions_are_found(datakit, tmp_path, jobs):
    """Below the folder that is given, on any number of processes."""
    youtube_vos(tmp_path / "data/train")
    youtube_vos(tmp_path / "data/valid")
    found = checked(datakit, tmp_path / "data", "youtube-vos", "-j", jobs)
    assert found["folders"] == 4 and found["faults"] == []
    aot_davis(tmp_path / "davis")
    assert checked(datakit, tmp_path / "davis", "xmem", "-j", jobs)["folders"] == 2


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("nothing", "is no folder"),
        ("empty", "it holds nothing"),
        ("data/JPEGImages", "give the folder above it"),
    ],
)
def test_what_is_no_tree_is_told(datakit, tmp_path, where, words):
    """With what is there, and the way out; exit 2, as of any path that cannot be used."""
    davis(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    result = datakit("check-layout", tmp_path / where, "--for", "sam2")
    assert result.exit_code == 2 and words in result.stderr


def test_unknown_loaders_and_tasks_are_refused(datakit, tmp_path):
    """With what there is."""
    result = datakit("check-layout", davis(tmp_path / "data"), "--for", "cuti")
    assert result.exit_code == 2 and "cutie" in result.stderr
    result = datakit("check-layout", flat(tmp_path / "flat"), "--for", "sam2", "--task", "static")
    assert result.exit_code == 2 and "train, inference" in result.stderr


def test_nothing_is_written(datakit, tmp_path):
    """A check only reads."""
    root = davis(tmp_path / "data")
    mask(root / "Annotations/dog/00005.png", labels_of(5, (1, 2)) * 0)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    checked(datakit, root, "cutie")
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
