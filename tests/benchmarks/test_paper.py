"""The paper's table: what its networks see, what is kept of a row, and where two tables do not agree."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import paper
from benchmarks.paper_networks import register, with_boxes, without_mask
from benchmarks.paper_table import Found, describe
from benchmarks.several_frames import copied, quantile
from model.inputs import UNIT_RGB
from model.networks import NETWORKS, build_network
from tests.clips import draw_folder, write_labels

STORED = {"seed": 1, "J": 0.7, "F": 0.6, "J, worst fifth of frames below": 0.5, "sequences": {"dog": 0.7}}
BACKGROUND, FOREGROUND = UNIT_RGB.mask_values


@pytest.fixture
def inputs():
    """Two inputs: the mask of the first is two corners of a box, that of the second is empty."""
    made = torch.rand(2, 4, 16, 16)
    made[:, 3] = BACKGROUND
    made[0, 3, 2, 5] = made[0, 3, 7, 11] = FOREGROUND
    return made


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A plan whose rows lie in a folder of the test."""
    monkeypatch.setattr(paper, "HERE", tmp_path / "work")
    return paper.Bench(paper.PLANS["lite"], tmp_path / "davis", ["dog"], ["ecssd"], 1)


def rows(**scores):
    """Rows with the paper's figure and ours for each seed, both in percent."""
    return [Found(name.replace("_", " "), theirs, seed, each / 100, 0.5, {})
            for name, (theirs, *ours) in scores.items() for seed, each in enumerate(ours)]  # fmt: skip


def test_a_guide_mask_becomes_its_box(inputs):
    """Filled, between the first and the last row and column; an empty one stays empty, colours stay."""
    made = with_boxes(inputs, UNIT_RGB)
    expected = torch.full((2, 16, 16), BACKGROUND)
    expected[0, 2:8, 5:12] = FOREGROUND
    assert torch.equal(made[:, 3], expected) and torch.equal(made[:, :3], inputs[:, :3])


def test_without_a_mask_there_is_background_only(inputs):
    """Colours stay."""
    made = without_mask(inputs, UNIT_RGB)
    assert (made[:, 3] == BACKGROUND).all() and torch.equal(made[:, :3], inputs[:, :3])


@pytest.fixture
def registered():
    """The ablation's networks, for one test alone."""
    before = set(NETWORKS)
    register()
    yield
    for name in set(NETWORKS) - before:
        del NETWORKS[name]


def test_the_networks_see_no_more_than_that(registered):
    """Two masks of one box, or any two masks, give the same logits."""
    one, two = torch.full((2, 1, 4, 32, 32), BACKGROUND)
    one[0, 3, 4:20, 6:12] = two[0, 3, 4, 6] = two[0, 3, 19, 11] = FOREGROUND
    with torch.inference_mode():
        for name, other in (("lite-boxes", two), ("lite-no-mask", torch.full_like(one, BACKGROUND))):
            net = build_network(name).eval()
            assert torch.equal(net(one), net(other))
        assert not torch.equal(build_network("lite").eval()(one), build_network("lite").eval()(two))


def test_a_row_that_is_done_is_kept(bench):
    """By its settings: neither shards nor videos are looked at again."""
    done = bench.folder("no online", 1) / paper.DONE
    done.parent.mkdir(parents=True)
    done.write_text(json.dumps(STORED))
    assert bench.found("no online", 1) == STORED
    assert paper.found_of("no online", STORED) == Found("no online", 69.9, 1, 0.7, 0.5, {"dog": 0.7})


def test_a_row_that_was_made_elsewhere_is_taken_from_there(bench, tmp_path):
    """Where the same data lie in other folders; one of other settings is none of them."""
    elsewhere = replace(bench, davis=Path("/elsewhere/davis"), sources=[f"/elsewhere/{each}" for each in bench.sources])
    row = {**elsewhere.about("no online", 1), **STORED, "sequences": {"dog": 0.7}}
    for name, each in {"row.json": row, "training.json": {"steps": 450}}.items():
        (tmp_path / name).write_text(json.dumps(each))
    known = paper.known_rows([tmp_path / "row.json", tmp_path / "training.json"])
    assert replace(bench, known=known).found("no online", 1) == row
    assert paper.row_digest(bench.about("no online", 0)) not in known


@pytest.mark.parametrize("change", [
    {"plan": replace(paper.PLANS["lite"], iterations=4)}, {"sequences": ["cows"]}, {"sources": ["pascal_s"]},
])  # fmt: skip
def test_other_settings_are_another_row(bench, change):
    """So nothing of one budget is taken for that of another."""
    assert replace(bench, **change).folder("full", 0) != bench.folder("full", 0)


def test_every_row_is_the_full_system_but_for_one_thing():
    """The paper's ablation; the rows with flow and of several frames build on each other."""
    full = paper.ROWS[paper.FULL]
    for name, row in paper.ROWS.items():
        changed = {each for each in vars(row) if getattr(row, each) != getattr(full, each)} - {"paper"}
        together = {"+ flow + CRF": {"flow", "crf"}, "boxes as input": {"recipe", "network"},
                    "no mask input": {"network", "whole"}}.get(name)  # fmt: skip
        assert changed == together if together else len(changed) <= 1


def test_the_table_has_both_figures_and_changes():
    """Percent, the mean of the seeds, and each seed."""
    lines = describe(rows(full=(74.8, 70, 72), no_online=(69.9, 66, 64)), "full", None).splitlines()
    assert lines[2] == "| full | 74.8 |  | 71.0 |  | 70.0, 72.0 |"
    assert lines[3] == "| no online | 69.9 | -4.9 | 65.0 | -6.0 | 66.0, 64.0 |"


def test_a_change_is_that_of_the_seeds_of_both_rows():
    """Where a run was stopped, a row may lack a seed."""
    lines = describe(rows(full=(74.8, 70, 80), no_online=(69.9, 66)), "full", None).splitlines()
    assert lines[3] == "| no online | 69.9 | -4.9 | 66.0 | -4.0 | 66.0 |"


def test_rows_of_another_sign_are_named():
    """With every seed, or with some."""
    text = describe(rows(full=(74.8, 70, 70), a=(69.9, 71, 72), b=(69.9, 71, 69), c=(69.9, 60, 60)), "full", None)
    assert "Other sign than in the paper: a.\nOther sign with some of the seeds: b.\n" in text


def test_rows_that_are_not_in_the_paper_or_hardly_differ_are_not_named():
    """A mean moves by a point for nothing."""
    text = describe(rows(full=(74.8, 70), a=(70, 70.9), b=(None, 90)), "full", None)
    assert "| b |  |  | 90.0 | +20.0 | 90.0 |" in text
    assert "Other sign than in the paper: none.\nOther order than in the paper, with every seed: none.\n" in text


def test_rows_of_another_order_are_named():
    """Where no seed says otherwise."""
    text = describe(rows(full=(74.8, 70, 70), a=(73, 60, 66), b=(72, 65, 67), c=(71, 68, 69)), "full", None)
    assert "Other order than in the paper, with every seed: a below c; b below c.\n" in text


def test_tables_that_agree_say_so():
    """Nothing is named."""
    text = describe(rows(full=(74.8, 70), a=(69.9, 60)), "full", None)
    assert "sign than in the paper: none." in text and "order than in the paper, with every seed: none." in text


def test_figures_of_several_frames_stand_below():
    """The quantile of their row, and the copied annotations."""
    found = [Found("every 10th frame annotated", 86, 0, 0.8, 0.75, {})]
    assert "lies below J 75.0 (paper: 81)" in describe(found, "full", 0.6)
    assert "reach 60.0 (paper: 64)" in describe(found, "full", 0.6)


def test_a_quantile_is_that_of_all_frames(tmp_path):
    """Of the table that `evaluate` writes."""
    lines = ["sequence,object,frame,J,F", *(f"dog,1,{k:05d},{k / 10},0" for k in range(11))]
    (tmp_path / "frames.csv").write_text("\n".join(lines))
    assert quantile(tmp_path / "frames.csv", 0.2) == pytest.approx(0.2)


def test_copied_annotations_are_those_of_the_nearest_frame(tmp_path):
    """Frames 1 to 4 of six count; 0 and 3 are annotated, and the object doubles in frame 2 and stays so."""
    draw_folder(tmp_path / "JPEGImages/480p/dog", 6, ".jpg")
    for number in range(6):
        plane = np.zeros((48, 64), np.uint8)
        plane[8:16, 8 : 16 if number < 2 else 24] = 1
        write_labels(tmp_path / f"Annotations/480p/dog/{number:05d}.png", plane)
    assert copied(tmp_path, ["dog"], 3) == 1
    assert copied(tmp_path, ["dog"], 6) == pytest.approx((1 + 0.5 + 0.5 + 0.5) / 4)
