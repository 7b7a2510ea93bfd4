"""`datakit export-clips`: what it makes, says and refuses; that its bytes are equal whatever happens to it."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest

from datakit.check_layout.loaders import LOADERS
from datakit.errors import UsageError
from datakit.files import EXPORT_MANIFEST as MANIFEST
from pipelines.export_clips import video_recipe
from tests.faults import FAULTS
from tests.pipelines.test_faults import run_with
from tests.runs import draw_source, small_disk

SMALL = ("--clips", 14, "--recipe", "cutie", "--set", "size=64")
KILLS = [name for name in FAULTS if name.startswith("export-kill-")]
KILLED = [*((fault, 1) for fault in KILLS), ("export-kill-before-record", 2), ("export-kill-before-lists", 2)]


@pytest.fixture
def shards(tmp_path, datakit) -> Path:
    """Six photos in two shards."""
    words = ("build-shards", draw_source(tmp_path / "ecssd", 6), "--out", tmp_path / "shards", "--samples-per-shard", 4)
    assert datakit(*words).exit_code == 0
    return tmp_path / "shards"


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def command(shards: Path, out: Path, *more: object) -> tuple[object, ...]:
    return ("export-clips", shards, "--to", "davis", "--out", out, *SMALL, *more)


@pytest.fixture
def quiet(shards, tmp_path, datakit) -> dict[str, bytes]:
    """What an undisturbed run makes."""
    ran = datakit(*command(shards, tmp_path / "quiet"))
    assert ran.exit_code == 0, ran.output
    return tree(tmp_path / "quiet")


def test_two_workers_make_the_bytes_of_one(shards, tmp_path, datakit, quiet):
    """Lists, plans and all."""
    ran = datakit(*command(shards, tmp_path / "out", "-j", 2))
    assert ran.exit_code == 0, ran.output
    assert tree(tmp_path / "out") == quiet


@pytest.mark.parametrize(
    ("fault", "jobs"),
    [*((fault, 1) for fault in KILLS), ("export-kill-before-record", 2), ("export-kill-before-lists", 2)],
)
def test_a_kill_at_a_named_moment_loses_nothing(shards, tmp_path, datakit, quiet, fault, jobs):
    """SIGKILL of the whole group there; the folder is not there before it is whole, and the same command finishes."""
    out = tmp_path / "out"
    killed = run_with(fault, *command(shards, out, "-j", jobs))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not out.exists()
    ran = datakit(*command(shards, out))
    assert ran.exit_code == 0, ran.output
    assert tree(out) == quiet
    assert not list(tmp_path.glob(".part-*"))


def test_what_a_killed_run_has_finished_is_kept(shards, tmp_path, datakit, quiet):
    """Two videos of eight frames; the others alone are made."""
    out = tmp_path / "out"
    run_with("export-kill-after-record", *command(shards, out))
    ran = datakit(*command(shards, out, "--json"))
    assert json.loads(ran.stdout)["kept"] == 16
    assert tree(out) == quiet


def test_a_run_of_one_process_goes_on_with_what_two_have_begun(shards, tmp_path, datakit, quiet):
    """And a killed worker's half of the work."""
    out = tmp_path / "out"
    run_with("export-kill-after-record", *command(shards, out, "-j", 2))
    (journal,) = tmp_path.glob(".part-out/journal.jsonl")
    begun = [json.loads(line)["chunk"] for line in journal.read_text().splitlines()]
    assert begun
    assert datakit(*command(shards, out)).exit_code == 0
    assert tree(out) == quiet


@pytest.mark.torture
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_any_moment(start, shards, tmp_path, datakit, quiet, jobs):
    """Twelve times on one folder."""
    out = tmp_path / "out"
    for turn in range(12):
        process = start(*command(shards, out, "-j", jobs))
        time.sleep(0.5 + 0.25 * turn)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert datakit(*command(shards, out)).exit_code == 0
    assert tree(out) == quiet


def test_a_full_disk_is_named_with_a_way_out(shards, tmp_path):
    """And nothing is published."""
    with small_disk(tmp_path / "disk", "256k") as disk:
        ran = run_with("export-no-preflight", *command(shards, disk / "out"))
        assert ran.returncode == 1, ran.stderr
        assert f"{disk / 'out'}: No space left on device; free some space there" in ran.stderr
        assert not (disk / "out").exists()


def test_a_full_disk_that_a_worker_meets_is_named_as_well(shards, tmp_path):
    """No traceback of Dask's."""
    with small_disk(tmp_path / "disk", "256k") as disk:
        ran = run_with("export-no-preflight", *command(shards, disk / "out", "-j", 2))
        assert ran.returncode == 1 and "No space left" in ran.stderr, ran.stderr
        assert "Traceback" not in ran.stderr


def test_what_cannot_fit_is_not_begun(shards, tmp_path, datakit, monkeypatch):
    """The size is known beforehand."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    ran = datakit(*command(shards, tmp_path / "out"))
    assert ran.exit_code == 1 and f"needed and 0.0 MB free in {tmp_path}; free some space" in ran.output


def test_a_damaged_photo_of_a_shard_ends_it(shards, tmp_path, datakit):
    """The shard is named, and what to do; nothing is published."""
    path = next(shards.glob("*.h5"))
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xd8\xff") + 600
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    ran = datakit(*command(shards, tmp_path / "out"))
    assert ran.exit_code == 1 and path.name in ran.output and "datakit verify" in ran.output, ran.output
    assert not (tmp_path / "out").exists()


def test_a_folder_somebody_writes_to_is_left_alone(shards, tmp_path, datakit):
    """Exit code 6, as for a build."""
    from pipelines.lock import run_lock

    (tmp_path / ".part-out").mkdir()
    with run_lock(tmp_path / ".part-out"):
        assert datakit(*command(shards, tmp_path / "out")).exit_code == 6


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--recipe", "cutye"), 2, "did you mean cutie?"),
        (("--to", "daviss"), 2, "did you mean davis?"),
        (("--set", "motion.rotatio=3"), 2, "motion.rotation"),
        (("--set", "sav.jpeg_quality=90"), 2, "another format than --to davis"),
        (("--set", "davis.quality=90"), 2, "known are split, jpeg_quality"),
        (("--image-codec", "webp"), 2, "expected png or jpeg:QUALITY with"),
        (("--clips", "0"), 2, "--clips"),
        (("--frames", "0"), 2, "--frames"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_way_out(shards, tmp_path, datakit, words, code, said):
    """And no folder is made."""
    ran = datakit(*command(shards, tmp_path / "out"), *words)
    assert ran.exit_code == code and said in ran.output, ran.output
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".part-*"))


def test_photos_are_to_be_built_first(shards, tmp_path, datakit):
    """The command is there to copy."""
    ran = datakit(*command(tmp_path / "ecssd", tmp_path / "out"))
    assert f"`datakit build-shards {tmp_path / 'ecssd'} --out shards`" in ran.output


def test_a_folder_of_other_things_is_refused(shards, tmp_path, datakit):
    """Nothing is written into it."""
    before = tree(tmp_path / "ecssd")
    ran = datakit(*command(shards, tmp_path / "ecssd", "--overwrite"))
    assert ran.exit_code == 2 and "was not made by this command" in ran.output
    assert tree(tmp_path / "ecssd") == before


def test_videos_of_another_seed_are_replaced_only_when_asked(shards, tmp_path, datakit):
    """The folder is left as it is, then replaced as a whole."""
    out = tmp_path / "out"
    datakit(*command(shards, out))
    before = tree(out)
    refused = datakit(*command(shards, out, "--seed", 1))
    assert refused.exit_code == 5 and "--overwrite" in refused.output
    assert tree(out) == before
    assert datakit(*command(shards, out, "--seed", 1, "--overwrite")).exit_code == 0
    assert tree(out) != before


def test_the_list_says_what_every_video_is_made_of(shards, tmp_path, datakit, quiet):
    """Recipe, seed, shards; key and epoch of each video; a plan for each in its file."""
    manifest = json.loads(quiet[MANIFEST])
    source = manifest["asked"]["source"]
    assert source["recipe"]["name"] == "cutie" and source["recipe"]["frames"] == 8 and source["seed"] == 0
    assert source["manifests"] == [json.loads((shards / "manifest.json").read_text())["digest"]]
    names = [name for name, _, _ in manifest["clip_photos"]]
    assert [epoch for _, _, epoch in manifest["clip_photos"]] == [0] * 6 + [1] * 6 + [2] * 2
    assert [json.loads(line)["name"] for line in quiet["plans.jsonl"].decode().splitlines()] == names
    assert sorted({path.split("/")[2] for path in quiet if path.startswith("JPEGImages")}) == names


@pytest.mark.parametrize(("to", "clips"), [("labelme", 400), ("yolo", 4), ("sa1b", 4), ("coco", 4)])
def test_the_lists_of_an_export_are_no_stray_files(shards, tmp_path, datakit, to, clips):
    """A source that is recognised by its own files, whose every file is accounted for."""
    made = datakit(*command(shards, tmp_path / "out", "--to", to, "--clips", clips, "--frames", 1))
    assert made.exit_code == 0, made.output
    checked = datakit("validate-source", tmp_path / "out", "--no-duplicates")
    assert "plans.jsonl" not in checked.output and MANIFEST not in checked.output, checked.output


LOADER_OF = {"davis": ("cutie", "xmem", "aot", "sam2"), "youtube-vos": ("youtube-vos", "cutie"), "sav": ("sam2",)}


@pytest.mark.parametrize("to", sorted(LOADER_OF))
def test_the_loaders_see_all_of_it(shards, tmp_path, datakit, to):
    """As `check-layout` finds."""
    assert datakit(*command(shards, tmp_path / "out"), "--to", to).exit_code == 0
    for loader in LOADER_OF[to]:
        assert loader in LOADERS
        checked = datakit("check-layout", tmp_path / "out", "--for", loader)
        assert checked.exit_code == 0, checked.output


def test_videos_score_1_against_themselves(shards, tmp_path, datakit, quiet):
    """J and F, every object."""
    masks = tmp_path / "quiet" / "Annotations/480p"
    scored = json.loads(datakit("evaluate", masks, masks, "--json").stdout)
    assert scored["J"]["mean"] == scored["F"]["mean"] == 1


def test_short_videos_are_made_when_asked_for_and_said_to_be(shards, tmp_path, datakit):
    """Loaders pass over them without a word."""
    ran = datakit(*command(shards, tmp_path / "out", "--frames", 3))
    assert ran.exit_code == 0 and "videos of 3 frames: Cutie, XMem and SAM 2 pass over" in ran.output


@pytest.mark.parametrize(
    ("changes", "frames", "expected"), [((), None, 8), (("frames=5",), None, 5), ((), 4, 4), (("frames=40",), None, 40)]
)
def test_a_video_has_8_frames_or_more_unless_asked(changes, frames, expected):
    """By an option or a setting of the recipe."""
    assert video_recipe("cutie", changes, frames).frames == expected


def test_clips_without_an_object_in_the_first_frame_are_drawn_anew():
    """Unless the recipe is told otherwise."""
    assert video_recipe("cutie", (), None).redraw == "empty"
    assert video_recipe("cutie", ("redraw=never",), None).redraw == "never"


def test_an_unknown_recipe_is_refused():
    """With those there are."""
    with pytest.raises(UsageError, match="presets are"):
        video_recipe("nothing", (), None)


def test_settings_of_the_recipe_are_listed(datakit):
    """Without shards."""
    assert "motion.rotation" in datakit("export-clips", "--recipe", "aot", "--set", "help").output
