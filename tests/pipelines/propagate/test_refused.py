"""What a propagation cannot use: one clear line for each, and nothing is written."""

import numpy as np
import pytest

from tests.clips import labels, write_labels

pytestmark = pytest.mark.usefixtures("no_weights")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("{clip}", "--out", "{out}"), 2, "give --mask FILE or --box"),
        (("{clip}", "--mask", "{mask}"), 2, "--out DIR is needed"),
        (("--mask", "{mask}", "--out", "{out}"), 2, "name the VIDEO"),
        (("{gone}", "--mask", "{mask}", "--out", "{out}"), 2, "no such video"),
        (("{clip}", "--mask", "{gone}", "--out", "{out}"), 2, "gone.png: no such file"),
        (("{clip}", "--mask", "{clip}", "--out", "{out}"), 2, "is the folder of the frames"),
        (("{clip}", "--mask", "{small}", "--out", "{out}"), 2, "the mask is 32x24, the frames are 64x48"),
        (("{clip}", "--mask", "{empty}", "--out", "{out}"), 1, "the mask is empty"),
        (("{clip}", "--mask", "{mask}@77", "--out", "{out}"), 2, "frame '77' is not among the chosen ones, 0 to 5"),
        (("{clip}", "--box", "1,2,3", "--out", "{out}"), 2, "expected x0,y0,x1,y1"),
        (("{clip}", "--box", "60,2,70,9", "--out", "{out}"), 2, "does not lie in the frame of 64x48"),
        (("{clip}", "--box", "9,2,9,9", "--out", "{out}"), 2, "does not lie in the frame"),
        (("{clip}", "--box", "40,30,10,5", "--out", "{out}"), 2, "x,y,width,height: give 40,30,50,35"),
        (("{clip}", "--box", "1.5,2,9.2,9@2:4", "--out", "{out}"), 2, "rounded outwards: 1,2,10,9@2:4"),
        (("{clip}", "--box", "1,2,9,9:300", "--out", "{out}"), 2, "object id 300, expected 1 to 254"),
        (("{clip}", "--mask", "{mask}", "--box", "1,2,9,9:1", "--out", "{out}"), 2, "object 1 is given twice"),
        (("{clip}", "--mask", "{mask}", "--mask", "{mask}", "--out", "{out}"), 2, "say of which frame it is: --mask"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--start", "6"), 2, "leave none of its 6 frames"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--sequences", "a"), 2, "belongs to --davis"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "-j", "2"), 2, "-j belongs to --davis"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--annotate-every", "1"), 2, "belongs to --davis"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--online-preset", "paper"), 2, "add --online"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--set", "online.batch=2"), 2, "add --online"),
        (("{clip}", "--davis", "{clip}", "--out", "{out}"), 2, "leave VIDEO, --mask and --box out"),
        (("--davis", "{clip}", "--out", "{out}"), 2, "no frames found"),
        (
            ("{clip}", "--mask", "{mask}", "--out", "{out}", "--set", "widht=3"),
            2,
            "unknown key 'widht' (did you mean widen?)",
        ),
        (
            ("{clip}", "--mask", "{mask}", "--out", "{out}", "--set", "size"),
            2,
            "expected KEY=VALUE or online.KEY=VALUE",
        ),
        (("{clip}", "--first-frame", "{out}.jpg"), 2, "expected a PNG file"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(datakit, clip, mask, tmp_path, arguments, code, text):
    """Nothing is written."""
    write_labels(tmp_path / "small.png", labels()[::2, ::2])
    write_labels(tmp_path / "empty.png", labels() * np.uint8(0))
    names = {"clip": clip, "mask": mask, "gone": tmp_path / "gone.png", "out": tmp_path / "out"}
    names |= {"small": tmp_path / "small.png", "empty": tmp_path / "empty.png"}
    found = datakit("propagate", *(part.format(**names) for part in arguments))
    assert (found.exit_code, found.stdout) == (code, ""), found.output
    assert text in found.stderr
    assert len(found.stderr.splitlines()) <= 2
    assert not (tmp_path / "out").exists()


def test_two_equal_boxes_are_refused(datakit, clip, tmp_path):
    """One of the objects would be in no picture."""
    boxes = ("--box", "8,8,40,40:1", "--box", "8,8,40,40:2")
    found = datakit("propagate", clip, *boxes, "--out", tmp_path / "out")
    assert found.exit_code == 2 and "lies wholly under other objects of frame '00000'" in found.stderr


def test_an_unreadable_frame_in_the_middle_leaves_nothing_behind(datakit, clip, mask, tmp_path):
    """It is named before the first frame is made."""
    (clip / "00004.png").write_bytes((clip / "00004.png").read_bytes()[:100])
    found = datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out")
    assert found.exit_code == 1
    assert "00004.png: ends after 100 bytes" in found.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("clip/00003.png", "folder"),
        ("_report/clip/overlay.mp4", "folder"),
        ("_report/clip/online.json", "folder"),
        ("_report/clip", "file"),
        ("_report", "file"),
    ],
)
def test_what_stands_in_the_way_is_named(datakit, clip, mask, tmp_path, place, kind):
    """By its own path; it is left alone."""
    path = tmp_path / "out" / place
    path.parent.mkdir(parents=True)
    if kind == "folder":
        path.mkdir()
    else:
        path.write_text("mine")
    found = datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out")
    assert found.exit_code == 2 and f"{path}: is a {kind}, and a " in found.stderr
    assert path.exists()
