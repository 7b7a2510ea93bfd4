"""The command with a real network of random weights: online stage, flow and Dask give what a quiet run gives."""

import json
import os
import shutil

import numpy as np
import pytest

from datakit.video.frames import open_frames
from datakit.video.labels import read_labels
from model.checkpoint import bundled_path
from model.compute import limited_threads
from pipelines.propagate.network import (
    NetworkChoice,
    is_all_given,
    neighbours,
    online_verdict,
    online_words,
    open_engine,
)
from pipelines.propagate.prompts import Prompts
from tests.clips import draw_folder, draw_tree, labels, write_labels
from tests.drawn import draw_weights

torch = pytest.importorskip("torch", reason="torch is not installed")

QUICK = ("--size", 64, "--threads", 1, "--precision", "fp32")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A checkpoint of the light network as it is before training."""
    return draw_weights(tmp_path_factory.mktemp("weights"), "lite")


def pictures(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.png")) if "_report" not in str(path)}


class Checkered:
    """In place of a CRF: gives the first object every other pixel, and those to no other."""

    def __init__(self):
        from model.crf import CrfConfig

        self.config = CrfConfig()

    def __call__(self, image, scores, ids):
        from model.objects import join

        found = join(scores, ids)
        found[::2, ::2] = ids[0]
        return found


def test_going_on_after_an_online_stage_learns_nothing_again(datakit, weights, tmp_path):
    """The fitted weights are kept, and the frames that were missing come out the same."""
    clip, mask = draw_folder(tmp_path / "clip", 4), write_labels(tmp_path / "m.png", labels())
    out = tmp_path / "out"
    command = ("propagate", clip, "--mask", mask, "--out", out, "--weights", weights, *QUICK, "--flow", "dis")
    command += ("--online", "--set", "online.iterations=1", "--set", "online.batch=1", "--set", "online.learns=head")
    found = datakit(*command)
    assert found.exit_code == 0, found.output
    online = json.loads((out / "_report/clip/report.json").read_text())["online"]
    assert online["seconds"] > 0 and [each["part"] for each in online["judge"]["trials"]] == [0, 0.5, 1]
    assert ("online stage: declined" if online["judge"]["declined"] else "online stage: used") in found.stdout
    before = pictures(out)
    tuned = (out / "_report/clip/online.safetensors").stat().st_mtime_ns
    for name in ("00002.png", "00003.png"):
        (out / "clip" / name).unlink()
    assert "2 of them made before" in datakit(*command).stdout
    assert pictures(out) == before
    assert (out / "_report/clip/online.safetensors").stat().st_mtime_ns == tuned


def test_a_run_that_was_killed_before_the_verdict_judges_alike(datakit, weights, tmp_path):
    """What was learnt is kept, the verdict is the same, and so are the pictures."""
    clip, mask = draw_folder(tmp_path / "clip", 3), write_labels(tmp_path / "m.png", labels())
    out = tmp_path / "out"
    command = ("propagate", clip, "--mask", mask, "--out", out, "--weights", weights, *QUICK, "--no-overlay")
    command += ("--online", "--set", "online.iterations=1", "--set", "online.batch=1", "--set", "online.judge.clips=1")
    assert datakit(*command).exit_code == 0
    before, report = pictures(out), out / "_report/clip/online.json"
    about, tuned = json.loads(report.read_text()), (out / "_report/clip/online.safetensors").stat().st_mtime_ns
    report.write_text(json.dumps({name: about[name] for name in about if name != "judge"}))
    for picture in (out / "clip").glob("*.png"):
        picture.unlink()
    assert datakit(*command).exit_code == 0
    again = json.loads(report.read_text())
    assert again["judge"]["trials"] == about["judge"]["trials"] and again["share"] == about["share"]
    assert pictures(out) == before
    assert (out / "_report/clip/online.safetensors").stat().st_mtime_ns == tuned


def test_a_declined_online_stage_leaves_the_pictures_as_they_were(datakit, weights, tmp_path):
    """With a share of 0 there is nothing to prove; a tree counts how often that happened."""
    root = draw_tree(tmp_path / "davis", count=3)
    command = ("propagate", "--davis", root, "--weights", weights, *QUICK, "--no-overlay", "--out")
    online = ("--online", *(f"--set=online.{each}" for each in ("share=0", "judge.clips=0", "iterations=1", "batch=1")))
    assert datakit(*command, tmp_path / "plain").exit_code == 0
    found = datakit(*command, tmp_path / "online", *online)
    assert found.exit_code == 0, found.output
    assert "online stage: declined in 2 of 2 sequences" in found.stdout
    assert pictures(tmp_path / "online") == pictures(tmp_path / "plain") != {}
    reports = [json.loads(path.read_text()) for path in (tmp_path / "online").rglob("online.json")]
    assert [(each["judge"]["declined"], each["share"]) for each in reports] == [(True, 0)] * 2


def test_an_online_stage_that_is_not_judged_is_used(datakit, weights, tmp_path):
    """As the paper does."""
    clip, mask = draw_folder(tmp_path / "clip", 2), write_labels(tmp_path / "m.png", labels())
    command = ("propagate", clip, "--mask", mask, "--weights", weights, *QUICK, "--no-overlay", "--out", tmp_path / "o")
    command += ("--online", *(f"--set=online.{each}" for each in ("iterations=1", "batch=1", "judge.asked=false")))
    found = datakit(*command)
    assert found.exit_code == 0 and "online stage:" not in found.stdout
    about = json.loads((tmp_path / "o/_report/clip/online.json").read_text())
    assert about["share"] == 0.5 and "judge" not in about


def test_an_online_stage_with_nothing_to_follow_is_left_out(datakit, weights, tmp_path):
    """Every frame was given."""
    clip, mask = draw_folder(tmp_path / "clip", 1), write_labels(tmp_path / "m.png", labels())
    command = ("propagate", clip, "--mask", mask, "--weights", weights, *QUICK, "--no-overlay", "--online")
    found = datakit(*command, "--out", tmp_path / "o")
    assert found.exit_code == 0 and "online stage: left out" in found.stderr, found.output
    assert not (tmp_path / "o/_report/clip/online.json").exists()


@pytest.mark.parametrize(
    ("given", "begins", "is_all"),
    [
        pytest.param([{1}, {1}], 0, True, id="all"),
        pytest.param([{1}, None], 0, False, id="one frame"),
        pytest.param([{1, 2}, {1}], 0, False, id="one object"),
        pytest.param([{1}, {2}], 0, False, id="each in a frame of its own"),
        pytest.param([None, {1}], 1, True, id="from where it begins"),
    ],
)
def test_nothing_is_followed_where_every_object_is_given_everywhere(given, begins, is_all):
    masks = {n: np.array([[0, *ids]], np.uint8) for n, ids in enumerate(given) if ids}
    assert is_all_given(masks, begins, len(given)) is is_all


def test_an_object_that_departs_is_told():
    """Since the online stage may have been declined for it."""
    trial = {"part": 0, "clips": 0.5, "returned": 0.5, "met": 0.5, "agreement": 1.0}
    trials = [trial, {**trial, "part": 1, "agreement": 0.7, "least": 0.2}]
    words = online_words({"share": 0, "judge": {"declined": True, "part": 0, "trials": trials}})
    assert "the network is used as it came" in words
    assert words.endswith("masks of both agree by 0.70, of one object by 0.20")


def test_a_fitted_network_that_is_used_says_how_far():
    """As a share of the way between both."""
    judged = {"declined": False, "part": 1, "trials": []}
    assert online_verdict({"share": 0.5, "judge": judged}).endswith("50% of the way from the network as it came")
    assert online_verdict({"share": 1, "judge": judged}).endswith("is the fine-tuned one")


@pytest.mark.parametrize(
    ("place", "count", "found"),
    [(0, 5, [0, 1, 2]), (4, 5, [4, 3, 2]), (2, 5, [2, 3, 4]), (3, 5, [3, 2, 1]), (0, 1, [0])],
)
def test_the_judge_looks_where_more_of_the_video_lies(place, count, found):
    assert neighbours(place, count, 2) == found


def test_the_judge_looks_at_no_frame_before_the_first_object():
    assert neighbours(4, 6, 9, first=3) == [4, 5]
    assert neighbours(5, 6, 9, first=3) == [5, 4, 3]


@pytest.mark.parametrize(
    ("name", "given", "mirrored"),
    [
        ("lite", {}, True),
        ("lite", {"mirrored": None}, True),
        ("lite", {"mirrored": False}, False),
        ("deeplab-vgg16", {}, False),
    ],
)
def test_a_second_look_is_the_network_s_own_choice_unless_given(name, given, mirrored, tmp_path):
    """What label maps depend on tells which it was."""
    options = {"head": "largefov"} if name == "deeplab-vgg16" else {}
    engine = open_engine(NetworkChoice(str(draw_weights(tmp_path, name, **options)), given))
    assert engine.settings()["propagate"]["mirrored"] is mirrored


def test_every_setting_of_the_online_stage_can_be_changed(datakit, weights, tmp_path):
    """Those of its optimiser and view too; what they came to is stored. Unknown ones are refused with the known."""
    clip, mask = draw_folder(tmp_path / "clip", 2), write_labels(tmp_path / "m.png", labels())
    command = ("propagate", clip, "--mask", mask, "--out", tmp_path / "out", "--weights", weights, *QUICK)
    command += ("--online", "--online-preset", "paper", "--set", "online.iterations=1", "--set", "online.batch=1")
    command += ("--set", "online.view.size=32", "--set", "online.optimizer.learning_rate=1e-5")
    found = datakit(*command)
    assert found.exit_code == 0, found.output
    stored = json.loads((tmp_path / "out/_report/clip/settings.json").read_text())["network"]["online"]
    assert (stored["optimizer"]["name"], stored["optimizer"]["learning_rate"], stored["view"]["size"]) == (
        "sgd",
        1e-5,
        32,
    )
    refused = datakit(*command, "--set", "online.view.sise=3")
    assert refused.exit_code == 2 and "online.view.size" in refused.stderr


def test_going_on_with_a_crf_makes_the_same_pictures(datakit, weights, tmp_path, monkeypatch):
    """What it made is not gone on from: a clip is finished, or made anew."""
    monkeypatch.setattr("model.crf.Crf", Checkered)
    clip, mask = draw_folder(tmp_path / "clip", 4), write_labels(tmp_path / "m.png", labels())
    out = tmp_path / "out"
    command = ("propagate", clip, "--mask", mask, "--out", out, "--weights", weights, *QUICK, "--crf", "--no-overlay")
    found = datakit(*command)
    assert found.exit_code == 0, found.output
    before = pictures(out)
    assert "4 of them made before" in datakit(*command).stdout
    (out / "clip/00002.png").unlink()
    assert "made before" not in datakit(*command).stdout
    assert pictures(out) == before


def test_without_the_crf_package_the_extra_is_named(datakit, weights, tmp_path, monkeypatch):
    """Before anything is made."""
    monkeypatch.setattr("datakit.extras.find_spec", lambda _name: None)
    clip, mask = draw_folder(tmp_path / "clip", 2), write_labels(tmp_path / "m.png", labels())
    found = datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out", "--weights", weights, "--crf")
    assert found.exit_code == 2
    assert "pip install 'masktrack-datakit[crf]'" in found.stderr and not (tmp_path / "out" / "clip").exists()


def test_a_crf_sharpens_a_clip(datakit, weights, tmp_path):
    """The real one: every frame comes out, with the objects that were given and no others."""
    pytest.importorskip("pydensecrf", reason="needs the extra crf (pydensecrf2)")
    clip, mask = draw_folder(tmp_path / "clip", 3), write_labels(tmp_path / "m.png", labels())
    out = tmp_path / "out"
    found = datakit("propagate", clip, "--mask", mask, "--out", out, "--weights", weights, *QUICK, "--crf")
    assert found.exit_code == 0, found.output
    assert len(pictures(out)) == 3
    ids = {int(number) for path in (out / "clip").glob("*.png") for number in np.unique(read_labels(path, "").labels)}
    assert ids <= {0, *np.unique(labels()).tolist()}


def test_two_processes_make_what_one_makes(datakit, weights, tmp_path):
    """A tree, shared by Dask."""
    root = draw_tree(tmp_path / "davis", count=3)
    command = ("propagate", "--davis", root, "--weights", weights, *QUICK, "--no-overlay", "--out")
    for jobs, out in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        found = datakit(*command, out, "-j", jobs)
        assert found.exit_code == 0, found.output
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two") != {}


def test_a_folder_without_flow_of_these_frames_is_refused(datakit, weights, tmp_path):
    """It says which file was expected."""
    clip, mask = draw_folder(tmp_path / "clip", 2), write_labels(tmp_path / "m.png", labels())
    (tmp_path / "flow").mkdir()
    found = datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out", "--weights", weights, *QUICK,
                    "--flow", tmp_path / "flow")  # fmt: skip
    assert found.exit_code == 2
    assert "expected 00000.flo" in found.stderr


def test_a_box_becomes_a_mask_first(datakit, weights, tmp_path):
    """The first picture holds the object, whatever the network makes of the box."""
    clip, out = draw_folder(tmp_path / "clip", 2), tmp_path / "out"
    found = datakit("propagate", clip, "--box", "5,5,30,30:4", "--out", out, "--weights", weights, *QUICK)
    assert found.exit_code == 0, found.output
    assert set(np.unique(read_labels(out / "clip/00000.png", "").labels)) == {0, 4}


def test_idle_threads_of_torch_sleep(datakit, monkeypatch):
    """Said before torch is imported; spinning, they slow each other down where anything else runs."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert datakit("propagate").exit_code == 2
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize(("asked", "objects", "expected"), [(0, 1, 2), (0, 2, 3), (2, 1, 2)])
def test_with_one_object_the_light_network_leaves_a_core_to_reading_and_writing(
    weights, tmp_path, asked, objects, expected
):
    """Several are work for all cores; what is asked for holds; and afterwards torch is as it was."""
    mask, frames = labels(), open_frames(draw_folder(tmp_path / "clip", 1))
    engine = open_engine(NetworkChoice(weights=str(weights), threads=asked))
    start = Prompts({0: np.where(mask <= objects, mask, np.uint8(0))})
    with limited_threads(3):
        for _ in engine.run(frames, start, lambda _: None, tmp_path / "scratch"):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 3


@pytest.mark.parametrize(("part", "doubtful"), [(0.0, 0.65), (1.0, 0.75)])
def test_a_fitted_network_must_be_surer_to_have_found_an_object(tmp_path, part, doubtful):
    """It finds something also where nothing is; one that was declined is followed as it came."""
    engine = open_engine(NetworkChoice("lite-memory", online=True, device="cpu"))
    shutil.copy(bundled_path("lite-memory"), tmp_path / "online.safetensors")  # as an earlier run has left it
    trial = {"part": part, "clips": 0.5, "returned": 0.5, "met": 0.5, "agreement": 1.0}
    judged = {"declined": not part, "part": part, "trials": [trial, trial]}
    (tmp_path / "online.json").write_text(json.dumps({"share": part, "judge": judged}))
    assert engine._fitted([], {0: labels()}, 0, tmp_path).config.doubtful == pytest.approx(doubtful)
