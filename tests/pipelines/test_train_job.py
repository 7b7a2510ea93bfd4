"""Going on with a training run from its folder alone, for more iterations, and what is refused."""

import csv
import json
import shutil
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from model.checkpoint import read_checkpoint, write_checkpoint
from model.optimize import poly_rate
from pipelines.cli import cli
from tests.runs import stopped_trainings
from tests.small_shards import write_shards
from tests.small_training import TINY_RUN

STEPS = 3
TINY = (*TINY_RUN, "--iterations", STEPS, "--weight", "made/box=0.5", "--save-every", 50)


def train(*words):
    return CliRunner().invoke(cli, ["train", *map(str, words)])


def rows(run):
    with (run / "steps.csv").open() as file:
        return list(csv.DictReader(file))


def losses(run):
    return [row["loss"] for row in rows(run)]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Six photos of one disc each, masks and boxes."""
    return write_shards(tmp_path_factory.mktemp("job") / "shards")


@pytest.fixture(scope="module")
def finished(shards, tmp_path_factory):
    """Folder of an undisturbed run; not to be changed."""
    out = tmp_path_factory.mktemp("job") / "run"
    done = train(shards, "--out", out, *TINY)
    assert done.exit_code == 0, done.stderr
    return out


@pytest.fixture
def run(finished, tmp_path):
    """A copy of that folder."""
    return shutil.copytree(finished, tmp_path / "run")


def test_resume_alone_goes_on_with_the_folder_s_settings(shards, finished, tmp_path):
    """Neither shards nor options: the losses and weights of an undisturbed run, bit for bit."""
    with stopped_trainings():
        assert train(shards, "--out", tmp_path / "run", *TINY).exit_code == 130
    assert len(losses(tmp_path / "run")) == 1
    done = train("--resume", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    assert losses(tmp_path / "run") == losses(finished)
    one, two = (load_file(folder / "last.safetensors") for folder in (tmp_path / "run", finished))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_goes_on_by_its_folder(run):
    """`--resume RUN`, where shards stand otherwise; `--out` may name it, too."""
    for words in (("--resume", run), (run, "--resume"), ("--resume", run, "--out", run)):
        done = train(*words)
        assert done.exit_code == 0, done.stderr
        assert f"all {STEPS} steps are done" in done.stderr


def test_a_stopped_run_names_the_command_that_goes_on(shards, tmp_path):
    """Nothing of the first command needs to be repeated."""
    with stopped_trainings():
        stopped = train(shards, "--out", tmp_path / "run", *TINY)
    assert stopped.stderr.endswith(f"to go on, run again:\n  datakit train --resume {tmp_path / 'run'}\n")


def test_shards_may_stand_beside_the_run(shards, run):
    """Whichever folder holds the checkpoint is the run."""
    (run / "run.json").unlink()
    assert train("--resume", shards, run, "--workers", 0).exit_code == 0
    assert json.loads((run / "run.json").read_text())["shards"] == [str(shards.absolute())]


@pytest.mark.parametrize(("words", "said"), [
    ((), "which run is to go on? none is named; name its folder: datakit train --resume RUN"),
    (("{shards}", "{shards}"), "holds one; name its folder"),
    (("{shards}",), "shards/last.safetensors: no checkpoint to go on from"),
    (("{run}", "--out", "{run}2"), "both runs; a run goes on in its own folder, one at a time: datakit train --resume"),
])  # fmt: skip
def test_what_run_is_meant_must_be_clear(shards, run, words, said):
    """Each with the way out; no folder is made."""
    done = train("--resume", *(word.format(shards=shards, run=run) for word in words))
    assert done.exit_code == 2
    assert said in done.stderr
    assert not run.with_name("run2").exists()


def test_out_is_needed_to_begin(shards):
    """Only going on knows it."""
    done = train(shards, *TINY)
    assert done.exit_code == 2
    assert "Missing option '--out'" in done.stderr


def test_resume_alone_keeps_how_the_run_is_run(shards, finished, run):
    """Loader processes, threads and the rest, unless they are given."""
    before = json.loads((finished / "run.json").read_text())
    assert before["shards"] == [str(shards.absolute())]
    assert (before["workers"], before["threads"], before["save_every"]) == (0, 1, 50)
    assert train("--resume", "--out", run, "--save-every", 7).exit_code == 0
    assert json.loads((run / "run.json").read_text()) == {**before, "save_every": 7}


def test_more_iterations_go_on(run):
    """What was done stays; every further step has the rate of the longer schedule, and that is said."""
    before = losses(run)
    done = train("--resume", "--out", run, "--iterations", STEPS + 2)
    assert done.exit_code == 0, done.stderr
    assert losses(run)[:STEPS] == before
    assert [int(row["step"]) for row in rows(run)] == [1, 2, 3, 4, 5]
    for done_before, row in enumerate(rows(run)[STEPS:], start=STEPS):
        expected = 0.45e-3 * poly_rate(done_before, STEPS + 2, 0.9, 50)
        assert float(row["rate"]) == pytest.approx(expected, rel=1e-3)
    said = f"{STEPS} -> {STEPS + 2} iterations: the learning rate follows the schedule of {STEPS + 2} steps from step 4"
    assert said in done.stderr


def test_more_iterations_at_a_rate_that_never_falls_are_those_of_one_go(shards, tmp_path):
    """Bit for bit, and that is said."""
    even = (*TINY, "--set", "optimizer.power=0", "--set", "optimizer.warmup=0")
    assert train(shards, "--out", tmp_path / "whole", *even, "--iterations", STEPS + 2).exit_code == 0
    assert train(shards, "--out", tmp_path / "parts", *even).exit_code == 0
    done = train("--resume", tmp_path / "parts", "--iterations", STEPS + 2, "--json")
    assert f"the weights are those of {STEPS + 2} steps in one go" in done.stderr
    assert json.loads(done.stdout)["in_one_go"]
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert losses(tmp_path / "whole") == losses(tmp_path / "parts")


def test_a_run_remembers_that_its_rate_fell_sooner(run):
    """Wherever iterations were added, and also when it goes on once more."""
    done = train("--resume", run, "--iterations", STEPS + 1)
    assert f"not the weights of {STEPS + 1} steps in one go" in done.stderr
    assert f"iterations were added after {STEPS} (step {STEPS}): the learning rate fell sooner" in done.stdout
    told = json.loads(train("--resume", run, "--json").stdout)
    assert (told["extended"], told["in_one_go"]) == ([{"planned": STEPS, "done": STEPS}], False)


def test_more_iterations_are_kept_by_a_kill(run, monkeypatch):
    """The new number is in the checkpoint before the first step."""

    def die(*_):
        raise RuntimeError("killed")

    monkeypatch.setattr("model.train.Trainer.run", die)
    assert isinstance(train("--resume", "--out", run, "--iterations", 5).exception, RuntimeError)
    about = read_checkpoint(run / "last.safetensors").about
    assert (about["config"]["iterations"], about["step"]) == (5, STEPS)


def test_a_finished_run_says_how_it_goes_on(run):
    """Nothing is left to do, which is no error."""
    done = train("--resume", "--out", run)
    assert done.exit_code == 0, done.stderr
    assert f"all {STEPS} steps are done; a larger --iterations goes on" in done.stderr


@pytest.mark.parametrize(("words", "said"), [
    (("--iterations", STEPS - 1), f"config.iterations: {STEPS} -> {STEPS - 1}"),
    (("--batch", 4), "config.batch: 2 -> 4"),
    (("--set", "optimizer.power=0.5", "--iterations", 9), "config.optimizer.power: 0.9 -> 0.5"),
    (("--weight", "made=2"), "weights.made: nothing -> 2.0"),
    (("--preset", "paper"), "config.network: 'lite' -> 'deeplab-vgg16'"),
])  # fmt: skip
def test_other_settings_are_refused_with_the_way(run, words, said):
    """Each is named, and how a new run begins from these weights; nothing is touched."""
    before = (run / "last.safetensors").read_bytes()
    done = train("--resume", "--out", run, *words)
    assert done.exit_code == 5
    assert said in done.stderr
    assert f"--init {run}/last.safetensors --out {run}2" in done.stderr
    assert "config.iterations" not in done.stderr or "--iterations" in words
    assert (run / "last.safetensors").read_bytes() == before


def test_the_way_that_is_named_works(shards, run, tmp_path):
    """A new run from these weights, of other settings."""
    other = [word if word != "none" else run / "last.safetensors" for word in TINY]
    done = train(shards, "--out", f"{run}2", *other, "--seed", 3)
    assert done.exit_code == 0, done.stderr


def test_shards_that_lie_elsewhere_now_can_be_named(shards, run):
    """Where they are gone the message says how; named, the run goes on and remembers the new place."""
    stored = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**stored, "shards": [str(run / "gone")]}))
    refused = train("--resume", "--out", run)
    assert refused.exit_code == 2
    assert f"{run / 'gone'}: the shards of the run are not there any more" in refused.stderr
    assert f"datakit train SHARDS --resume --out {run}" in refused.stderr
    assert train(shards, "--resume", "--out", run).exit_code == 0
    assert json.loads((run / "run.json").read_text())["shards"] == [str(shards.absolute())]


def test_a_run_of_an_older_version_needs_its_shards_named(shards, run):
    """It has no `run.json`; everything else is in its checkpoint."""
    (run / "run.json").unlink()
    refused = train("--resume", "--out", run)
    assert refused.exit_code == 2
    assert "does not say where its shards are" in refused.stderr
    assert train(shards, "--resume", "--out", run, "--workers", 0).exit_code == 0


def test_a_run_begun_before_a_setting_existed_goes_on(run):
    """It has that setting's default."""
    path = run / "last.safetensors"
    begun = read_checkpoint(path)
    config = {name: value for name, value in begun.about["config"].items() if name != "clips"}
    write_checkpoint(path, replace(begun, about={**begun.about, "config": config}))
    done = train("--resume", run)
    assert done.exit_code == 0, done.stderr


def test_shards_are_needed_to_begin(tmp_path):
    """Only going on knows them."""
    done = train("--out", tmp_path / "run", *TINY)
    assert done.exit_code == 2
    assert "Missing argument 'SHARDS...'" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_written_into_a_folder_of_shards(datakit, tmp_path):
    """Its checkpoints would lie beside the shards; the folder stays as it was."""
    shards = write_shards(tmp_path / "shards", photos=2)
    before = sorted(path.name for path in shards.iterdir())
    found = datakit("train", shards, "--out", shards, "--init", "none", "--iterations", "1")
    assert found.exit_code == 2 and "is a folder of shards" in found.output
    assert sorted(path.name for path in shards.iterdir()) == before
