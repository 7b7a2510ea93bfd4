"""A propagation that is run again: equal to an undisturbed one, whatever ended it, or refused with what differs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datakit.video.labels import read_labels
from pipelines.lock import run_lock
from tests.clips import contents, draw_folder, labels, write_labels
from tests.propagate_faults import FAULTS
from tests.runs import small_disk

pytestmark = pytest.mark.usefixtures("no_weights")
ROOT = Path(__file__).parents[3]
KILLS = [name for name in FAULTS if name.startswith("kill-")]


def run_with(fault, *command):
    return subprocess.run(
        [sys.executable, "-m", "tests.propagate_faults", fault, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


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


def test_a_finished_picture_that_is_damaged_is_made_again(datakit, clip, mask, tmp_path):
    """Though none is missing."""
    out, quiet = tmp_path / "out", tmp_path / "quiet"
    for folder in (out, quiet):
        datakit("propagate", clip, "--mask", mask, "--out", folder)
    (out / "clip/00003.png").write_text("x")
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--json")
    assert json.loads(found.stdout)["kept"] == 3
    assert contents(out) == contents(quiet)


def test_a_picture_whose_row_a_crash_has_lost_is_made_again(datakit, clip, mask, tmp_path):
    """The log may reach the disk, or a store, after the pictures."""
    out, quiet = tmp_path / "out", tmp_path / "quiet"
    for folder in (out, quiet):
        datakit("propagate", clip, "--mask", mask, "--out", folder)
    (out / "_report/clip/report.json").unlink()
    log = out / "_report/clip/frames.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-2]))
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--json")
    assert json.loads(found.stdout)["kept"] == 4
    assert contents(out) == contents(quiet)


def test_another_video_of_the_same_names_is_another(datakit, clip, mask, tmp_path):
    """Its pictures are not those that were made before."""
    datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out")
    other = tmp_path / "other" / "clip"
    other.mkdir(parents=True)
    for number, path in enumerate(sorted(clip.iterdir())):
        (other / path.name).write_bytes(sorted(clip.iterdir())[5 - number].read_bytes())
    found = datakit("propagate", other, "--mask", mask, "--out", tmp_path / "out")
    assert found.exit_code == 5 and "video.bytes" in found.stderr


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
    assert "network.given.margin: nothing -> 0.7" in found.stderr
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
