"""What training made of the weights it began with: judged at step 0, told against that, and never published worse."""

import csv
import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from model.checkpoint import checkpoint_path
from pipelines.cli import cli
from pipelines.train import TrainSummary, describe_validation
from pipelines.train_log import read_validations
from tests.runs import stopped_trainings
from tests.small_shards import write_shards
from tests.small_training import TINY_RUN

SMALL = (*TINY_RUN, "--set", "view.size=64", "--set", "validation_samples=4")
RUINED = ("--set", "optimizer.learning_rate=0.3", "--set", "optimizer.warmup=0", "--set", "optimizer.average=0",
          "--set", "optimizer.clip=1")  # fmt: skip


def train(shards, out, *more, code=0):
    done = CliRunner().invoke(cli, list(map(str, ("train", shards, "--out", out, *SMALL, *more))))
    assert done.exit_code == code, done.stderr
    return done


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Six photos of one disc each."""
    return write_shards(tmp_path_factory.mktemp("start") / "shards")


@pytest.fixture(scope="module")
def ruined(shards, tmp_path_factory):
    """A run that makes good weights worse: its folder, and what it said."""
    out = tmp_path_factory.mktemp("start") / "run"
    return out, train(shards, out, "--init", "bundled", "--iterations", 4, *RUINED)


def test_a_run_that_gets_worse_says_so(ruined):
    """On both streams, against what it began with."""
    out, done = ruined
    rows = read_validations(out / "validation.csv")
    assert [row["step"] for row in rows] == [0, 2, 4]
    began, best = rows[0]["output_iou"], max(row["output_iou"] for row in rows[1:])
    assert best < began
    assert f"began at {began:.3f}, best {best:.3f} at step" in done.stdout
    assert "WORSE than the weights it began with" in done.stdout
    assert "WARNING: began at" in done.stderr
    assert "step 0: validation IoU" in done.stderr and "(the weights it begins with)" in done.stderr


def test_the_best_weights_are_never_worse_than_the_start(ruined):
    """Where nothing after it was better, they are the very weights it began with."""
    best, bundled = load_file(ruined[0] / "best.safetensors"), load_file(checkpoint_path("bundled"))
    names = [name for name in bundled if name in best]
    assert names and all(torch.equal(best[name], bundled[name]) for name in names)


def test_the_table_tells_the_difference_to_the_start(ruined):
    """A column beside the gain over the guide masks."""
    rows = list(csv.DictReader((ruined[0] / "validation.csv").open()))
    began = float(rows[0]["output_iou"])
    assert [float(row["over_start"]) for row in rows] == [float(row["output_iou"]) - began for row in rows]


def test_few_triples_to_judge_by_are_told(ruined):
    """Four of them say little; more would be there."""
    assert "WARNING: only 4 triples to judge by" in ruined[1].stderr
    assert "9 are held back: judge by more of them by --set validation_samples=" in ruined[1].stderr


def test_few_photos_to_judge_by_are_told(shards, tmp_path):
    """Where all that are held back are looked at."""
    told = train(shards, tmp_path / "run", "--iterations", 1, "--set", "validation_samples=90").stderr
    assert "only 9 triples to judge by" in told and "train on 3 times as many photos" in told


def test_a_resumed_run_takes_the_start_from_its_log(shards, tmp_path):
    """It is not judged again, since the weights are gone; the report is that of an uninterrupted run."""
    more = ("--init", "none", "--iterations", 2, "--set", "validation_every=1", "--set", "view.size=32", "--json")
    whole = json.loads(train(shards, tmp_path / "whole", *more).stdout)
    with stopped_trainings():
        train(shards, tmp_path / "run", *more, code=130)
    resumed = train(shards, tmp_path / "run", *more, "--resume")
    assert "step 0:" not in resumed.stderr and "step 2:" in resumed.stderr
    report = json.loads(resumed.stdout)
    assert report["start"]["step"] == 0
    for part in ("start", "trained", "validation"):
        assert report[part]["output_iou"] == whole[part]["output_iou"]


def test_json_tells_start_best_and_difference(shards, tmp_path):
    """A drawn network is judged before it learns, too."""
    report = json.loads(train(shards, tmp_path / "run", "--init", "none", "--iterations", 1, "--json").stdout)
    assert report["start"]["step"] == 0 and report["trained"]["step"] == 1
    assert report["over_start"] == report["trained"]["output_iou"] - report["start"]["output_iou"]
    assert report["validation"]["output_iou"] == max(report[name]["output_iou"] for name in ("start", "trained"))


@pytest.mark.parametrize(("start", "trained", "said"), [
    (0.815, 0.801, "began at 0.815, best 0.801 at step 60 (-0.014): WORSE than the weights it began with, which are "
     "in best.safetensors; train on more photos or for more steps, or keep them"),
    (0.8, 0.85, "began at 0.800, best 0.850 at step 60 (+0.050)"),
    (0.8, 0.8, "no better than the weights it began with"),
    (0.8, None, "began at 0.800; stopped before anything after that was judged"),
    (None, 0.8, ""),
    (None, None, "nothing was judged: best.safetensors is what the last step left"),
])  # fmt: skip
def test_the_verdict(start, trained, said):
    """Of every way it can end."""
    rows = [{} if value is None else {"step": step, "output_iou": value} for step, value in ((0, start), (60, trained))]
    verdict = TrainSummary(Path("run"), 60, False, rows[1] or rows[0], *rows).verdict()
    assert said in verdict and bool(said) == bool(verdict)


def test_a_run_of_an_older_version_has_no_start():
    """Then a validation is told against the guide masks."""
    row = {"step": 60, "input_iou": 0.5, "output_iou": 0.75, "gain": 0.25, "over_start": "", "triples": 64}
    expected = "step 60: validation IoU 0.750 (+0.250 over the guide masks), guide masks 0.500, on 64 triples"
    assert describe_validation(row) == expected


def test_weights_of_another_network_are_refused_before_anything_is_read(shards, tmp_path):
    """A run that is to be begun anew stays as it is."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "steps.csv").write_text("step\n")
    done = train(shards / "nowhere", run, "--network", "deeplab-vgg16", "--init", "bundled", "--overwrite", code=2)
    assert "--init bundled: holds the weights of the network lite, and deeplab-vgg16 is to be trained" in done.stderr
    assert "give --network lite, or other weights: --init imagenet, or --init none" in done.stderr
    assert [path.name for path in run.iterdir()] == ["steps.csv"]
