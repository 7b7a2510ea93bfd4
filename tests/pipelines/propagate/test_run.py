"""`datakit propagate`: outputs and nothing else, resumes equal to undisturbed runs, one clear line for every fault."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from datakit.video.labels import read_labels
from pipelines.lock import run_lock
from pipelines.propagate import network
from pipelines.propagate.run import PropagateJob
from pipelines.propagate.tree import TreeJob, sequence_jobs
from tests.clips import DriftingEngine, draw_file, draw_folder, draw_tree, frame, labels, write_labels
from tests.propagate_faults import FAULTS
from tests.runs import small_disk
from tests.tiny import write_picture

ROOT = Path(__file__).parents[3]
KILLS = [name for name in FAULTS if name.startswith("kill-")]
REPORT = {"overlay.mp4", "sheet.png", "report.json", "settings.json", "frames.jsonl"}


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    """A propagator that only moves masks."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)


@pytest.fixture
def clip(tmp_path):
    """A folder of six frames, `clip`."""
    return draw_folder(tmp_path / "clip")


@pytest.fixture
def mask(tmp_path):
    """Its first mask, with two objects."""
    return write_labels(tmp_path / "first.png", labels())


def run_with(fault, *command):
    return subprocess.run(
        [sys.executable, "-m", "tests.propagate_faults", fault, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def written(out, name="clip"):
    """Names of the files of a report."""
    return {path.name for path in (out / "_report" / name).iterdir() if path.name[0] != "."}


def contents(out):
    """What must be equal between runs: everything but how long frames took."""
    timed = ("frames.jsonl", "report.json", ".lock", ".lock-holder.json")
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name not in timed
    }


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


def test_a_lost_object_is_told_with_its_frames(datakit, clip, mask, tmp_path, monkeypatch):
    """In the report and on the terminal."""
    from tests import clips

    step = clips.Drifting.step

    def losing(self, image, given=None, flow=None):
        made = step(self, image, given, flow)
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


@pytest.mark.parametrize("fault", KILLS)
def test_a_kill_at_a_named_moment_loses_nothing(clip, mask, tmp_path, datakit, fault):
    """SIGKILL of the whole group there: the same command finishes to the very same files."""
    out, quiet = tmp_path / "out", tmp_path / "quiet"
    command = ("propagate", clip, "--mask", mask, "--out")
    assert datakit(*command, quiet).exit_code == 0
    killed = run_with(fault, *command, out)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert datakit(*command, out).exit_code == 0
    assert contents(out) == contents(quiet)
    assert len(json.loads((out / "_report/clip/report.json").read_text())["frames"]) == 6


def test_going_on_begins_at_the_first_missing_frame(datakit, clip, mask, tmp_path):
    """Of a finished sequence, too; what a kill cut short counts as missing, and what follows is made anew."""
    out, quiet = tmp_path / "out", tmp_path / "quiet"
    for folder in (out, quiet):
        datakit("propagate", clip, "--mask", mask, "--out", folder)
    path = out / "clip/00003.png"
    path.write_bytes(path.read_bytes()[:40])
    (out / "clip/00004.png").unlink()
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--json")
    assert json.loads(found.stdout)["kept"] == 3
    assert contents(out) == contents(quiet)


def test_a_finished_sequence_is_left_as_it_is(datakit, clip, mask, tmp_path):
    """Nothing is written again."""
    out = tmp_path / "out"
    datakit("propagate", clip, "--mask", mask, "--out", out)
    before = {path: path.stat().st_mtime_ns for path in (out / "clip").iterdir()}
    found = datakit("propagate", clip, "--mask", mask, "--out", out)
    assert "6 of them made before" in found.stdout
    assert {path: path.stat().st_mtime_ns for path in (out / "clip").iterdir()} == before


def test_other_settings_are_refused_with_exit_code_5(datakit, clip, mask, tmp_path):
    """They are listed, nothing is touched; --overwrite replaces."""
    out = tmp_path / "out"
    datakit("propagate", clip, "--mask", mask, "--out", out)
    before = contents(out)
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--margin", 0.7, "--stop", 4)
    assert found.exit_code == 5
    assert "video.frames: 6 -> 4" in found.stderr
    assert "network.given.margin: None -> 0.7" in found.stderr
    assert contents(out) == before
    assert datakit("propagate", clip, "--mask", mask, "--out", out, "--stop", 4, "--overwrite").exit_code == 0
    assert len(list((out / "clip").iterdir())) == 4


def test_another_mask_is_another_setting(datakit, clip, mask, tmp_path):
    """A changed pixel is enough."""
    out = tmp_path / "out"
    datakit("propagate", clip, "--mask", mask, "--out", out)
    plane = labels()
    plane[0, 0] = 1
    write_labels(mask, plane)
    assert datakit("propagate", clip, "--mask", mask, "--out", out).exit_code == 5


def test_a_folder_of_somebody_else_is_refused(datakit, clip, mask):
    """Most of all that of the frames themselves."""
    found = datakit("propagate", clip, "--mask", mask, "--out", clip.parent, "--overwrite")
    assert found.exit_code == 2
    assert "was not made by this command" in found.stderr
    assert len(list(clip.iterdir())) == 6


def test_a_second_run_is_locked_out(datakit, clip, mask, tmp_path):
    """Exit 6."""
    report = tmp_path / "out/_report/clip"
    report.mkdir(parents=True)
    with run_lock(report):
        assert datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out").exit_code == 6


def test_interrupting_tells_how_to_go_on(clip, mask, tmp_path):
    """Ctrl-C in the middle: three lines, exit 130, no traceback, and what was finished is there."""
    code = (
        "import os, signal; from tests.faults import after; from pipelines import cli;"
        " from pipelines.propagate import network as n, output as o;"
        " from tests.clips import DriftingEngine; n.open_engine = DriftingEngine;"
        "after(o, 'encode_palette_png', lambda: os.kill(os.getpid(), signal.SIGINT), 3); cli.cli()"
    )
    command = [sys.executable, "-c", code, "propagate", str(clip), "--mask", str(mask), "--out", str(tmp_path / "out")]
    stopped = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert stopped.returncode == 130
    assert "Traceback" not in stopped.stderr
    assert "to go on, run again:\n  datakit propagate" in stopped.stderr
    assert 2 <= len(list((tmp_path / "out/clip").iterdir())) < 6


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(datakit, mask, tmp_path):
    """Every label picture that is there is whole."""
    clip = draw_folder(tmp_path / "clip", 30)
    command = ("propagate", clip, "--mask", mask, "--out")
    with small_disk(tmp_path / "disk", "64k") as disk:
        full = run_with("no-preflight", *command, disk)
        assert full.returncode == 1
        assert "the disk is full" in full.stderr
        assert "Traceback" not in full.stderr
        for path in (disk / "clip").glob("*"):
            assert read_labels(path, "").labels.shape == (48, 64)


def test_too_little_room_is_told_before_anything_is_made(datakit, mask, tmp_path):
    """By an estimate."""
    clip = draw_folder(tmp_path / "clip", 30)
    with small_disk(tmp_path / "disk", "4k") as disk:
        found = datakit("propagate", clip, "--mask", mask, "--out", disk)
        assert found.exit_code == 1
        assert "free" in found.stderr


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
        (("{clip}", "--mask", "{mask}", "--mask", "{mask}", "--out", "{out}"), 2, "that another mask of this frame"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--start", "6"), 2, "leave none of its 6 frames"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "--sequences", "a"), 2, "belongs to --davis"),
        (("{clip}", "--mask", "{mask}", "--out", "{out}", "-j", "2"), 2, "-j belongs to --davis"),
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


def test_an_unreadable_frame_in_the_middle_leaves_nothing_behind(datakit, clip, mask, tmp_path):
    """It is named before the first frame is made."""
    (clip / "00004.png").write_bytes((clip / "00004.png").read_bytes()[:100])
    found = datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out")
    assert found.exit_code == 1
    assert "00004.png: ends after 100 bytes" in found.stderr
    assert not (tmp_path / "out").exists()


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


def test_without_pyav_a_tree_tells_so_once(datakit, tmp_path, monkeypatch):
    """Not for every sequence."""
    monkeypatch.setitem(sys.modules, "av", None)
    found = datakit("propagate", "--davis", draw_tree(tmp_path / "davis"), "--out", tmp_path / "out")
    assert found.exit_code == 0 and found.stderr.count("no overlay.mp4, which needs av") == 1


def test_a_tree_is_segmented_with_or_without_imagesets(datakit, tmp_path):
    """Every sequence, or those of a split."""
    root, out = draw_tree(tmp_path / "davis", ("cat", "dog", "emu")), tmp_path / "out"
    found = datakit("propagate", "--davis", root, "--out", out)
    assert found.exit_code == 0, found.output
    assert sorted(path.name for path in out.iterdir()) == ["_report", "cat", "dog", "emu"]
    (root / "ImageSets/2017").mkdir(parents=True)
    (root / "ImageSets/2017/val.txt").write_text("emu\n")
    told = json.loads(
        datakit("propagate", "--davis", root, "--out", tmp_path / "b", "--sequences", "val", "--json").stdout
    )
    assert [each["sequence"] for each in told["sequences"]] == ["emu"]


def test_a_tree_begins_with_the_boxes_of_its_objects(datakit, tmp_path):
    """With their ids, as if they had been written with --box."""
    root = draw_tree(tmp_path / "davis", ("cat",))
    clip, boxes = root / "JPEGImages/480p/cat", ("--box", "5,8,20,20@00000:1", "--box", "30,30,50,40@00000:2")
    assert datakit("propagate", "--davis", root, "--from-boxes", "--out", tmp_path / "tree").exit_code == 0
    assert datakit("propagate", clip, *boxes, "--out", tmp_path / "one").exit_code == 0
    settings = [json.loads((tmp_path / out / "_report/cat/settings.json").read_text()) for out in ("tree", "one")]
    assert settings[0]["start"] == settings[1]["start"] != {}
    assert contents(tmp_path / "tree" / "cat") == contents(tmp_path / "one" / "cat")


def test_a_bad_sequence_stops_no_other(datakit, tmp_path):
    """It is named with its reason, the others are finished."""
    root, out = draw_tree(tmp_path / "davis"), tmp_path / "out"
    path = root / "JPEGImages/480p/cat/00002.jpg"
    path.write_bytes(path.read_bytes()[:200])
    found = datakit("propagate", "--davis", root, "--out", out)
    assert found.exit_code == 1
    assert "1 of 2 sequences failed" in found.stderr
    assert "00002.jpg: ends after 200 bytes" in found.stderr
    assert len(list((out / "dog").iterdir())) == 4
    assert not (out / "cat").exists()


def test_a_bad_annotation_stops_no_other_sequence_that_begins_with_boxes(datakit, tmp_path):
    """It is read where the sequence is made."""
    root, out = draw_tree(tmp_path / "davis"), tmp_path / "out"
    (root / "Annotations/480p/cat/00000.png").write_bytes(b"no picture")
    found = datakit("propagate", "--davis", root, "--out", out, "--from-boxes")
    assert found.exit_code == 1 and "1 of 2 sequences failed" in found.stderr and "cat" in found.stderr
    assert len(list((out / "dog").iterdir())) == 4


def test_workers_that_there_are_share_the_cores(tmp_path, monkeypatch):
    """One sequence gets all of them, however many workers were asked for."""
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    root = draw_tree(tmp_path / "davis")
    threads = []
    for jobs, names in ((8, "cat"), (8, "cat,dog"), (1, None)):
        tree = TreeJob(root, PropagateJob(root, tmp_path / "out"), sequences=names, jobs=jobs)
        threads.append({job.network.threads for job in sequence_jobs(tree)})
    assert threads == [{0}, {8}, {0}]


def test_a_tree_made_with_other_settings_is_refused_with_exit_code_5(datakit, tmp_path):
    """As a single video is."""
    root, out = draw_tree(tmp_path / "davis"), tmp_path / "out"
    datakit("propagate", "--davis", root, "--out", out)
    assert datakit("propagate", "--davis", root, "--out", out, "--size", 64).exit_code == 5
    assert datakit("propagate", "--davis", root, "--out", out).exit_code == 0


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


def test_more_objects_than_usual_are_told_before_a_tree_is_begun(datakit, tmp_path):
    """With the sequence."""
    root = draw_tree(tmp_path / "davis")
    plane = np.arange(48 * 64).reshape(48, 64) // 30 % 71
    write_labels(root / "Annotations/480p/dog/00000.png", plane.astype(np.uint8))
    found = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert found.stderr.index("dog: 70 objects are given") < found.stderr.index("8/8 frames")


def test_the_frame_that_is_least_sure_is_proposed(datakit, clip, mask, tmp_path):
    """In the report for scripts, and for people with the command that writes it to draw on."""
    out = tmp_path / "out"
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--start", 1)
    told = json.loads((out / "_report/clip/report.json").read_text())
    assert told["look_at"] == {"frame": "00005", "number": 5, "object": 1, "margin": 0.6}
    assert told["mean_margin"] == {"1": 0.75, "2": 0.75}
    assert [each["margin"] for each in told["frames"]] == [{}] + [{"1": m, "2": m} for m in (0.9, 0.8, 0.7, 0.6)]
    assert "frame 00005: look here, object 1 is least sure there (margin 0.60)" in found.stdout
    assert f"datakit propagate {clip} --first-frame fix.png --start 5" in found.stdout
    datakit("propagate", clip, "--first-frame", tmp_path / "fix.png", "--start", 5)
    again = ("--mask", f"{write_labels(tmp_path / 'fix.png', labels(5))}@00005", "--start", 1, "--overwrite")
    assert datakit("propagate", clip, "--mask", mask, "--out", out, *again).exit_code == 0


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
