"""check-layout: silent on right trees, each of these spoilt copies found and named, and mended by its own command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datakit.check_layout import LOADERS
from pipelines import cli_layout
from tests.layouts import RIGHT, SIZE, aot_davis, davis, flat, labels_of, mask, photo, sa_v, youtube_vos


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


def resave(path, change):
    """Change the values of a mask; it is grey afterwards."""
    Image.fromarray(change(np.array(Image.open(path)))).save(path)


def every(folder, change):
    for path in sorted(Path(folder).glob("*.png")):
        change(path)


def rename_all(folder, old, new):
    for path in sorted(folder.glob(f"*{old}*")):
        path.rename(path.with_name(path.name.replace(old, new)))


def coloured(path):
    """The colours of the palette instead of ids."""
    Image.open(path).convert("RGB").save(path)


def with_alpha(path):
    Image.open(path).convert("RGBA").save(path)


def one_bit(path):
    Image.fromarray(np.array(Image.open(path)) == 1).save(path)


def white(path):
    Image.fromarray(((np.array(Image.open(path)) > 0) * 255).astype(np.uint8)).save(path)


def empty(path):
    mask(path, labels_of(0) * 0)


def second_object_void(path):
    resave(path, lambda plane: np.where(plane == 2, np.uint8(255), plane))


def shortened(root, video, count):
    for side in ("JPEGImages", "Annotations"):
        for path in sorted((root / side / video).iterdir())[count:]:
            path.unlink()


def spoil_png_frames(root):
    for path in sorted((root / "JPEGImages/dog").glob("*.jpg")):
        Image.open(path).save(path.with_suffix(".png"))
        path.unlink()


def spoil_names(root):
    for side, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".png")):
        rename_all(root / side / "dog", suffix, f"x{suffix}")
        for path in sorted((root / side / "dog").iterdir()):
            path.rename(path.with_name("frame_" + path.name.replace("x.", ".")))


def spoil_order(root):
    for side in ("JPEGImages", "Annotations"):
        for path in sorted((root / side / "dog").iterdir()):
            path.rename(path.with_name(f"f{int(path.stem)}{path.suffix}"))


def spoil_mixed_static(root):
    path = root / "JPEGImages/ECSSD/001.jpg"
    Image.open(path).save(path.with_suffix(".png"))
    path.unlink()


def spoil_meta_frames(root):
    meta = json.loads((root / "meta.json").read_text())
    meta["videos"]["dog"]["objects"]["2"]["frames"].append("00099")
    (root / "meta.json").write_text(json.dumps(meta))


def spoil_meta_ids(root):
    every(root / "Annotations/dog", lambda path: mask(path, np.array(Image.open(path)) * 3))


def move_up(root):
    """No folder 480p."""
    for side in ("JPEGImages", "Annotations"):
        for path in list((root / side / "480p").iterdir()):
            path.rename(root / side / path.name)
        (root / side / "480p").rmdir()


def grey16(path):
    Image.fromarray(np.array(Image.open(path)).astype(np.uint16) * 300).save(path)


SPOILT = {
    # name: (loader, task, kind of fault, how)
    "frames are .jpeg": ("cutie", "train", "frame-suffix",
                         lambda root: rename_all(root / "JPEGImages/dog", ".jpg", ".jpeg")),
    "frames are .JPG": ("sam2", "train", "frame-suffix",
                        lambda root: rename_all(root / "JPEGImages/dog", ".jpg", ".JPG")),
    "frames are .png": ("xmem", "train", "frame-format", spoil_png_frames),
    "frames are called frame_00000": ("sam2", "train", "frame-name", spoil_names),
    "frames do not sort by number": ("cutie", "train", "frame-order", spoil_order),
    "a frame is there twice": ("cutie", "train", "frame-twice",
                               lambda root: photo(root / "JPEGImages/dog/00003.png")),
    "a hidden file among frames": ("xmem", "train", "stray-file",
                                   lambda root: (root / "JPEGImages/dog/.DS_Store").write_bytes(b"x")),
    "a hidden file among masks": ("cutie", "inference", "stray-file",
                                  lambda root: (root / "Annotations/dog/.DS_Store").write_bytes(b"x")),
    "a note among videos": ("cutie", "train", "stray-video",
                            lambda root: (root / "JPEGImages/readme.txt").write_text("x")),
    "seven frames": ("cutie", "train", "too-few-frames", lambda root: shortened(root, "dog", 7)),
    "fifteen frames for MOSEv2": ("mose", "train", "too-few-frames", lambda root: shortened(root, "dog", 15)),
    "a frame without a mask": ("xmem", "train", "frame-without-mask",
                               lambda root: (root / "Annotations/dog/00004.png").unlink()),
    "a mask without its frame": ("sam2", "train", "mask-without-frame",
                                 lambda root: (root / "JPEGImages/dog/00015.jpg").unlink()),
    "a mask is .PNG": ("cutie", "inference", "mask-suffix",
                       lambda root: rename_all(root / "Annotations/dog", ".png", ".PNG")),
    "the first mask is called first": ("cutie", "inference", "first-mask",
                                       lambda root: rename_all(root / "Annotations/dog", "00000.", "first.")),
    "a mask is no number": ("sam2", "train", "mask-name",
                            lambda root: rename_all(root / "Annotations/dog", "00002.", "m_00002.")),
    "a video without masks": ("xmem", "inference", "no-masks",
                              lambda root: shutil.rmtree(root / "Annotations/dog")),
    "masks without a video": ("cutie", "inference", "no-frames",
                              lambda root: shutil.rmtree(root / "JPEGImages/dog")),
    "a mask of 1 bit": ("cutie", "inference", "mask-mode",
                        lambda root: one_bit(root / "Annotations/dog/00000.png")),
    "masks of 16 bits": ("aot", "train", "mask-16-bit", lambda root: every(root / "Annotations/480p/dog", grey16)),
    "masks are RGBA": ("cutie", "inference", "mask-mode",
                       lambda root: every(root / "Annotations/dog", with_alpha)),
    "coloured masks are dithered": ("xmem", "train", "colour-mask",
                                    lambda root: every(root / "Annotations/dog", coloured)),
    "255 beside ids": ("aot", "train", "void", lambda root: every(root / "Annotations/480p/dog", second_object_void)),
    "0 and 255 among ids": ("sam2", "train", "white-masks", lambda root: every(root / "Annotations/dog", white)),
    "a mask of another size": ("cutie", "train", "mask-size",
                               lambda root: Image.open(root / "Annotations/dog/00005.png").resize((30, 20), 0)
                               .save(root / "Annotations/dog/00005.png")),
    "no object in any mask": ("sam2", "train", "empty-video", lambda root: every(root / "Annotations/dog", empty)),
    "the first mask is empty": ("cutie", "inference", "empty-first",
                                lambda root: (mask(root / "Annotations/dog/00003.png", labels_of(3)),
                                              empty(root / "Annotations/dog/00000.png"))),
    "a mask is cut": ("cutie", "train", "unreadable-mask",
                      lambda root: (root / "Annotations/dog/00005.png").write_bytes(
                          (root / "Annotations/dog/00005.png").read_bytes()[:60])),
    "AOT: no 480p": ("aot", "train", "resolution-folder", move_up),
    "AOT: no list of names": ("aot", "train", "image-sets", lambda root: shutil.rmtree(root / "ImageSets")),
    "AOT: a name that is no folder": ("aot", "train", "image-sets",
                                      lambda root: (root / "ImageSets/2017/train.txt").write_text("bear\nwolf\n")),
    "AOT: counts differ": ("aot", "train", "pairing",
                           lambda root: (root / "Annotations/480p/dog/00004.png").unlink()),
    "meta.json is not there": ("youtube-vos", "train", "meta", lambda root: (root / "meta.json").unlink()),
    "meta.json lists a frame that is not there": ("youtube-vos", "train", "meta", spoil_meta_frames),
    "meta.json lists other ids": ("youtube-vos", "train", "meta", spoil_meta_ids),
    "AOT stills: .jpg and .png mixed": ("aot", "static", "mixed-suffixes", spoil_mixed_static),
    "AOT stills: a photo too many": ("aot", "static", "pairing",
                                     lambda root: photo(root / "JPEGImages/COCO/009.jpg")),
    "AOT stills: a set in lower case": ("aot", "static", "set-name",
                                        lambda root: [(root / side / "ECSSD").rename(root / side / "ecssd")
                                                      for side in ("JPEGImages", "Annotations")]),
    "AOT stills: void of VOC": ("aot", "static", "void",
                                lambda root: every(root / "Annotations/ECSSD", second_object_void)),
    "AOT stills: coloured masks": ("aot", "static", "colour-mask",
                                   lambda root: every(root / "Annotations/ECSSD", coloured)),
    "stills: .jpeg": ("cutie", "static", "photo-suffix", lambda root: rename_all(root / "ecssd", ".jpg", ".jpeg")),
    "stills: masks of 0 and 1": ("xmem", "static", "faint-mask",
                                 lambda root: every(root / "ecssd", lambda path: resave(path, lambda p: p // 255))),
    "stills: x.jpg.png": ("cutie", "static", "mask-name",
                          lambda root: rename_all(root / "ecssd", ".png", ".jpg.png")),
    "stills: no mask": ("xmem", "static", "photo-without-mask", lambda root: (root / "fss/cat/1.png").unlink()),
    "stills: a file among classes": ("cutie", "static", "stray-file",
                                     lambda root: (root / "fss/.DS_Store").write_bytes(b"x")),
    "stills: an empty mask": ("cutie", "static", "empty-mask",
                              lambda root: resave(root / "ecssd/1.png", lambda plane: plane * 0)),
}  # fmt: skip


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
