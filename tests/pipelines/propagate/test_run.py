"""What a propagation writes: label pictures and nothing else, and a report beside them."""

import json
import shlex
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from datakit.video.frames import open_frames
from datakit.video.labels import read_labels
from pipelines.propagate.output import Output
from pipelines.propagate.pictures import write_sheet
from tests.clips import draw_file, frame, labels, write_labels, written
from tests.tiny import write_picture

pytestmark = pytest.mark.usefixtures("no_weights")
REPORT = {"overlay.mp4", "sheet.png", "report.json", "confidence.csv", "settings.json", "frames.jsonl"}


def test_a_folder_of_frames_becomes_label_pictures_and_nothing_else(datakit, clip, mask, tmp_path):
    """Indexed PNGs in DAVIS's palette, named as the frames; the report beside."""
    out = tmp_path / "out"
    found = datakit("propagate", clip, "--mask", mask, "--out", out)
    assert found.exit_code == 0, found.output
    assert sorted(path.name for path in (out / "clip").iterdir()) == [f"{k:05d}.png" for k in range(6)]
    with Image.open(out / "clip" / "00000.png") as first:
        assert first.mode == "P"
        assert first.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
        np.testing.assert_array_equal(np.asarray(first), labels())
    assert written(out) == REPORT


def test_the_report_tells_of_every_frame(datakit, clip, tmp_path):
    """Milliseconds, areas, what is empty, and when an object was lost."""
    plane = np.where(labels() == 1, labels(), 0)
    second = np.zeros_like(plane)
    second[2, 2] = 2
    out = tmp_path / "out"
    masks = (write_labels(tmp_path / "a.png", plane), write_labels(tmp_path / "b.png", second))
    found = datakit("propagate", clip, "--mask", masks[0], "--mask", f"{masks[1]}@00003", "--out", out, "--json")
    told = json.loads(found.stdout)
    assert told == told | json.loads((out / "_report/clip/report.json").read_text())
    assert told["objects"] == [1, 2]
    assert [each["frame"] for each in told["frames"]] == [f"{k:05d}" for k in range(6)]
    assert told["frames"][0]["area"] == {"1": 180, "2": 0}
    assert told["frames"][3]["objects"] == [1, 2]
    assert all(each["ms"] >= 0 and each["empty"] is False for each in told["frames"])


def test_confidence_of_every_object_in_every_frame_is_a_table(datakit, clip, tmp_path):
    """1 where it is given, the margin after that, no row before it is known."""
    plane = np.where(labels() == 1, labels(), 0)
    second = np.where(labels() == 2, labels(), 0)
    masks = (write_labels(tmp_path / "a.png", plane), write_labels(tmp_path / "b.png", second))
    out = tmp_path / "out"
    datakit("propagate", clip, "--mask", masks[0], "--mask", f"{masks[1]}@00002", "--stop", 4, "--out", out)
    assert (out / "_report/clip/confidence.csv").read_text().splitlines() == [
        "frame,object,confidence,area,lost",
        "00000,1,1.0000,180,0",
        "00001,1,0.9000,180,0",
        "00002,1,0.8000,180,0",
        "00002,2,1.0000,200,0",
        "00003,1,0.7000,180,0",
        "00003,2,0.7000,200,0",
    ]


def test_an_object_without_a_pixel_has_no_confidence(datakit, clip, mask, tmp_path, monkeypatch):
    """0, and it is lost."""
    from tests import clips

    step = clips.Drifting.step

    def losing(self, image, mask=None, *how):
        made = step(self, image, mask, *how)
        if mask is None:
            made[made == 1] = 0
        self.before = made
        return made

    monkeypatch.setattr(clips.Drifting, "step", losing)
    datakit("propagate", clip, "--mask", mask, "--stop", 2, "--out", tmp_path / "out")
    lines = (tmp_path / "out/_report/clip/confidence.csv").read_text().splitlines()
    assert lines[3:] == ["00001,1,0.0000,0,1", "00001,2,0.9000,200,0"]


def test_a_lost_object_is_told_with_its_frames(datakit, clip, mask, tmp_path, monkeypatch):
    """In the report and on the terminal."""
    from tests import clips

    step = clips.Drifting.step

    def losing(self, image, *given):
        made = step(self, image, *given)
        if self.steps > 4:
            made = np.where(made == 2, np.uint8(0), made)
            self.before = made
        return made

    monkeypatch.setattr(clips.Drifting, "step", losing)
    out = tmp_path / "out"
    found = datakit("propagate", clip, "--mask", mask, "--out", out)
    assert "object 2 was not found in 2 frames: 00004, 00005" in found.stdout
    assert json.loads((out / "_report/clip/report.json").read_text())["lost"] == {"2": ["00004", "00005"]}


def test_a_video_file_gives_numbered_frames_and_a_film(datakit, tmp_path, mask):
    """Named after the file; the film has as many frames and the file's speed."""
    video, out = draw_file(tmp_path / "holiday.avi", 7), tmp_path / "out"
    assert datakit("propagate", video, "--mask", mask, "--out", out, "--start", 2).exit_code == 0
    assert sorted(path.stem for path in (out / "holiday").iterdir()) == [f"{k:05d}" for k in range(2, 7)]
    film = cv2.VideoCapture(str(out / "_report/holiday/overlay.mp4"))
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FPS)) == (5, 12)


def test_a_box_starts_an_object_beside_a_mask(datakit, clip, mask, tmp_path):
    """With the next free id, or the one that is named."""
    out = tmp_path / "out"
    boxes = ("--box", "50,2,60,8", "--box", "1,40,4,44@2:9")
    assert datakit("propagate", clip, "--mask", mask, *boxes, "--out", out).exit_code == 0
    first = read_labels(out / "clip/00000.png", "").labels
    assert (first[2:8, 50:60] == 3).all()
    assert 9 not in first
    assert (read_labels(out / "clip/00002.png", "").labels == 9).sum() == 12


def test_the_first_frame_is_written_to_draw_on(datakit, clip, tmp_path):
    """And nothing else."""
    found = datakit("propagate", clip, "--first-frame", tmp_path / "new" / "first.png", "--start", 2)
    assert found.exit_code == 0
    assert "64x48" in found.stdout
    written = cv2.cvtColor(cv2.imread(str(tmp_path / "new" / "first.png")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(written, frame(2))


def test_what_comes_after_the_first_frame_is_told_as_a_whole_command(datakit, clip, mask, tmp_path):
    """With the options that chose the frame; it runs as it stands."""
    first = tmp_path / "the first.png"
    told = datakit("propagate", clip, "--first-frame", first, "--start", 2, "--stride", 2).stdout.strip()
    words = shlex.split(told.partition("then: ")[2])
    assert words == [
        "datakit",
        "propagate",
        str(clip),
        "--mask",
        str(first),
        *["--start", "2", "--stride", "2", "--out", "results"],
    ]
    write_labels(first, labels(2))
    assert datakit(*words[1:-1], tmp_path / "results").exit_code == 0


def test_without_pyav_everything_but_the_video_is_made(datakit, clip, mask, tmp_path, monkeypatch):
    """One line says so, and how to get it; a later run adds it."""
    out = tmp_path / "out"
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "av", None)
        found = datakit("propagate", clip, "--mask", mask, "--out", out)
    assert found.exit_code == 0, found.output
    told = "no overlay.mp4, which needs av, which is not installed: pip install 'masktrack-datakit[film]'"
    assert found.stderr.count(told) == 1
    assert written(out) == REPORT - {"overlay.mp4"}
    assert datakit("propagate", clip, "--mask", mask, "--out", out).exit_code == 0
    assert written(out) == REPORT


def test_unused_pictures_of_a_folder_are_no_frames(datakit, clip, mask, tmp_path):
    """A text file beside the frames is passed over."""
    (clip / "notes.txt").write_text("x")
    write_picture(clip / "00006.jpg", frame(6))
    datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out")
    assert len(list((tmp_path / "out/clip").iterdir())) == 7


def test_a_mask_among_the_frames_is_no_frame(datakit, clip, tmp_path):
    """Whatever it is called; it is named, and so is a frame that is there twice."""
    write_labels(clip / "mask.png", labels())
    write_picture(clip / "00003.jpg", frame(3))
    found = datakit("propagate", clip, "--mask", clip / "mask.png", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert len(list((tmp_path / "out/clip").iterdir())) == 6
    assert "mask.png: lies among the frames and is not taken for one" in found.stderr
    assert "of frames that are there twice, these are not used: 00003." in found.stderr


def test_the_frame_that_is_least_sure_is_proposed(datakit, clip, mask, tmp_path):
    """In the report for scripts, and for people with the command that writes it to draw on."""
    out = tmp_path / "out"
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--start", 1)
    told = json.loads((out / "_report/clip/report.json").read_text())
    assert told["look_at"] == {"frame": "00005", "number": 5, "object": 1, "margin": 0.6}
    assert told["mean_margin"] == {"1": 0.75, "2": 0.75}
    assert [each["margin"] for each in told["frames"]] == [{}] + [{"1": m, "2": m} for m in (0.9, 0.8, 0.7, 0.6)]
    assert "frame 00005: look here, object 1 is least sure there (margin 0.60)" in found.stdout
    fix = out / "clip-00005.png"
    assert f"datakit propagate {clip} --first-frame {fix} --start 5" in found.stdout
    datakit("propagate", clip, "--first-frame", fix, "--start", 5)
    again = ("--mask", f"{write_labels(fix, labels(5))}@00005", "--start", 1, "--overwrite")
    assert datakit("propagate", clip, "--mask", mask, "--out", out, *again).exit_code == 0


def test_a_painted_mask_is_never_in_the_way_of_the_next(datakit, clip, mask, tmp_path):
    """The proposed name is one that is free, and --first-frame does not write over another picture."""
    out = tmp_path / "out"
    painted = write_labels(out / "clip-00005.png", labels(5))
    before = painted.read_bytes()
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--start", 1)
    assert f"--first-frame {out / 'clip-00005-2.png'} --start 5" in found.stdout
    refused = datakit("propagate", clip, "--first-frame", painted, "--start", 5)
    assert refused.exit_code == 2 and "is there already and is another picture" in refused.stderr
    assert painted.read_bytes() == before


def test_no_frame_is_proposed_where_all_are_sure(datakit, clip, mask, tmp_path):
    """Neither in the text nor on the sheet; the report for scripts has the least sure one all the same."""
    out = tmp_path / "out"
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--stop", 2)
    assert found.exit_code == 0 and "look here" not in found.stdout
    least = json.loads((out / "_report/clip/report.json").read_text())["look_at"]
    assert least["margin"] == 0.9
    output, frames = Output(out, "clip"), open_frames(clip, stop=2)
    drawn = output.report / "sheet.png"
    plain = drawn.read_bytes()
    write_sheet(output, frames, output.rows(), "clip", least)
    assert drawn.read_bytes() != plain
    write_sheet(output, frames, output.rows(), "clip")
    assert drawn.read_bytes() == plain


def test_a_report_of_an_earlier_version_proposes_nothing(datakit, clip, mask, tmp_path):
    """Its rows tell no margin; the rest of the report is as it was."""
    out = tmp_path / "out"
    datakit("propagate", clip, "--mask", mask, "--out", out)
    log, summary = out / "_report/clip/frames.jsonl", out / "_report/clip/report.json"
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "margin"}) + "\n" for row in rows))
    summary.unlink()
    found = datakit("propagate", clip, "--mask", mask, "--out", out)
    assert found.exit_code == 0 and "look here" not in found.stdout
    assert json.loads(summary.read_text())["look_at"] is None
