"""Sources with known truth through the commands: every pixel of every object arrives, or is named where it does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.shards import ShardReader
from datakit.video.labels import read_labels
from datakit.wording import counted
from pipelines.propagate import network
from tests.clips import DriftingEngine
from tests.made_sources import Masks, coco_file, label_pictures, masks_of, video_tree
from tests.mask_files import blocks, save, standard
from tests.tiny import picture, write_picture


def built(out: Path) -> dict[str, Masks]:
    """Photo name -> object id -> target, of a folder of shards."""
    found: dict[str, Masks] = {}
    for triple in ShardReader(out):
        name = triple.sample_key.partition("/")[2].partition("#")[0]
        found.setdefault(name, {})[triple.object_id] = triple.target > 0
    return found


def refused(out: Path) -> dict[str, str]:
    """Key of what gave no sample -> why."""
    lines = (out / "errors.jsonl").read_text().splitlines()
    return {problem["key"]: problem["reason"] for problem in map(json.loads, lines)}


def check_masks(truth: dict[str, Masks], found: dict[str, Masks], named: dict[str, str]) -> list[str]:
    """Photos whose objects are not all there, and not named: each object with its very pixels, and no other."""
    wrong = []
    for name, masks in truth.items():
        have = {mask.tobytes() for mask in found.get(name, {}).values()}
        missing = {n for n, mask in masks.items() if mask.any() and mask.tobytes() not in have}
        told = {key for key in named if key.partition("/")[2].partition("#")[0] == name}
        if (missing and not told) or len(have) > len(masks):
            wrong.append(f"{name}: {sorted(missing)} of {sorted(masks)} missing, {len(have)} found")
    return wrong


def check_label_pictures(datakit: Any, folder: Path, seed: int, count: int) -> list[str]:
    """Build label pictures of all codings and compare."""
    truth = label_pictures(folder / "set", seed, count)
    result = datakit("build-shards", f"s:pairs={folder / 'set'}", "--out", folder / "out", "--recipe", "masktrack-box",
                     "--max-error-rate", 1)  # fmt: skip
    assert result.exit_code == 0, result.output
    named = refused(folder / "out")
    allowed = {"ambiguous mask", "empty mask"}
    strange = [f"{key}: {reason}" for key, reason in named.items() if reason not in allowed]
    return check_masks(truth, built(folder / "out"), named) + strange


def check_coco(datakit: Any, folder: Path, seed: int, count: int) -> list[str]:
    """Build a COCO file of all dialects and compare."""
    file, truth = coco_file(folder / "coco", seed, count)
    result = datakit("build-shards", f"c:coco={file}", "--out", folder / "shards", "--recipe", "masktrack-box",
                     "--min-area", 0)  # fmt: skip
    assert result.exit_code == 0, result.output
    named = {key: why for key, why in refused(folder / "shards").items() if why != "not listed"}
    return check_masks(truth, built(folder / "shards"), named) + [f"{key}: {why}" for key, why in named.items()]


def check_video(datakit: Any, folder: Path, seed: int) -> list[str]:
    """Propagate a tree with objects that enter and leave, then score: every object from its first frame on."""
    frames, wrong = video_tree(folder / "tree", seed), []
    truth = folder / "tree/truth"
    assert datakit("evaluate", truth, truth, "--json").exit_code == 0
    run = datakit("propagate", "--davis", folder / "tree", "--out", folder / "results", "--no-overlay")
    assert run.exit_code == 0, run.output
    seen: set[int] = set()
    for number, plane in enumerate(frames):
        made = read_labels(folder / f"results/walk/{number:05d}.png", "").labels
        for new in set(masks_of(plane)) - seen:
            if not ((made == new) == (plane == new)).all():
                wrong.append(f"seed {seed}: object {new} of frame {number} is not as it was given")
        if set(masks_of(made)) - set(masks_of(plane)) - seen:
            wrong.append(f"seed {seed}: frame {number} shows {set(masks_of(made))}")
        seen |= set(masks_of(plane))
    scores = datakit("evaluate", folder / "results", truth, "--json")
    assert scores.exit_code == 0, scores.output
    table = json.loads(scores.stdout)
    if table["convention"] != "davis2016":
        counted = {int(n) for n in table["sequences"]["walk"]["objects"]}
        counted |= set(table["sequences"]["walk"]["objects_left_out"])
        if counted != seen:
            wrong.append(f"seed {seed}: {counted} counted of {seen}")
    return wrong


SAME = {
    "16-bit ids": (blocks(26001, 26002, 33001, dtype=np.uint16), None, {26001, 26002, 33001}),
    "more than 32 ids and void": (blocks(*range(1, 58), ignore=255), None, set(range(1, 58))),
    "a lone id": (blocks(2), None, {2}),
    "palette": (blocks(1, 7, ignore=255), standard(), {1, 7}),
}


@pytest.mark.parametrize("case", SAME)
def test_every_command_finds_the_same_objects(datakit, tmp_path, monkeypatch, case):
    """Build, validate-source and preview of a photo; propagate with --mask and --davis; evaluate, on both sides."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)
    plane, colours, ids = SAME[case]
    mask = save(tmp_path / "set/masks/a.png", plane, colours)
    for name in ("set/images/a.png", "clip/00000.png", "clip/00001.png", "clip/00002.png"):
        write_picture(tmp_path / name, picture(1, plane.shape))
    source = f"s:pairs={tmp_path / 'set'}"
    assert datakit("build-shards", source, "--out", tmp_path / "out", "--recipe", "masktrack-box").exit_code == 0
    assert set(built(tmp_path / "out")["a"]) == ids
    validated = json.loads(datakit("validate-source", source, "--json").stdout)
    assert validated["sources"]["s"]["samples"] == len(ids)
    keys = [word for number in sorted(ids) for word in ("--sample", f"s/a#{number}")]
    preview = datakit("preview-deformations", source, *keys, "--recipe", "masktrack-box", "--out", tmp_path / "p.png")
    assert f"{counted(len(ids), 'sample')}, " in preview.output, preview.output
    tree = tmp_path / "tree"
    shutil.copytree(tmp_path / "clip", tree / "JPEGImages/clip")
    for folder in ("tree/Annotations/clip", "truth/clip"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(mask, tmp_path / folder / "00000.png")
    given = (tmp_path / "clip", "--mask", mask, "--out", tmp_path / "one")
    assert datakit("propagate", *given).exit_code == 0
    assert datakit("propagate", "--davis", tree, "--out", tmp_path / "two").exit_code == 0
    for out in ("one", "two"):
        assert set(read_labels(tmp_path / out / "clip/00000.png", "").ids) == ids
    for number in (1, 2):
        shutil.copy(mask, tmp_path / f"truth/clip/{number:05d}.png")
    scores = datakit("evaluate", tmp_path / "one", tmp_path / "truth", "--convention", "davis2017", "--json")
    assert scores.exit_code == 0, scores.output
    assert set(map(int, json.loads(scores.stdout)["sequences"]["clip"]["objects"])) == ids


def test_label_pictures_arrive(datakit, tmp_path):
    """Three of every coding."""
    assert check_label_pictures(datakit, tmp_path, 1, 24) == []


def test_coco_dialects_arrive(datakit, tmp_path):
    """Ten photos, EXIF turns among them."""
    assert check_coco(datakit, tmp_path, 1, 10) == []


@pytest.mark.parametrize("seed", range(4))
def test_objects_of_videos_arrive(datakit, tmp_path, monkeypatch, seed):
    """Late, leaving and sparse."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)
    assert check_video(datakit, tmp_path, seed) == []


@pytest.mark.torture
def test_three_hundred_sources(datakit, tmp_path, monkeypatch):
    """A hundred of each kind; three minutes."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)
    wrong = check_label_pictures(datakit, tmp_path / "labels", 7, 100) + check_coco(datakit, tmp_path / "coco", 7, 100)
    for seed in range(100):
        wrong += check_video(datakit, tmp_path / f"video{seed}", 1000 + seed)
    assert wrong == []


def test_the_check_sees_a_lost_object():
    """So that it can fail."""
    truth = {"a": {1: np.eye(4) > 0, 2: np.eye(4) == 0}}
    assert not check_masks(truth, truth, {})
    assert check_masks(truth, {"a": {1: truth["a"][1]}}, {}) and check_masks(truth, {}, {})
