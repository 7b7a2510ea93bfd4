"""A training run as a folder: logs, checkpoints, and going on after whatever ended it."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from datakit.files import canonical_json
from tests.conftest import DATAKIT
from tests.runs import small_disk
from tests.small_shards import write_shards
from tests.small_training import TINY_RUN

ROOT = Path(__file__).parents[2]
TINY = (*TINY_RUN, "--iterations", 6, "--set", "validation_every=3")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Six photos of one disc each, masks and boxes."""
    return write_shards(tmp_path_factory.mktemp("train") / "shards")


@pytest.fixture(autouse=True)
def threads():
    """A run sets the number of threads of its process, which is ours here."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def command(shards, out, *more, tiny=TINY):
    return ("train", shards, "--out", out, *tiny, *more)


def losses(run):
    with (run / "steps.csv").open() as file:
        return [row["loss"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def quiet(shards, tmp_path_factory):
    """Folder of an undisturbed run."""
    out = tmp_path_factory.mktemp("train") / "quiet"
    done = subprocess.run([*DATAKIT, *map(str, command(shards, out))], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_a_run_leaves_logs_pictures_and_checkpoints(quiet):
    """A row for each step, a row and a picture for each validation, the last and the best weights, no part file."""
    assert [row["step"] for row in csv.DictReader((quiet / "steps.csv").open())] == list("123456")
    validations = list(csv.DictReader((quiet / "validation.csv").open()))
    assert [row["step"] for row in validations] == ["0", "3", "6"]
    assert all(0 < float(row["input_iou"]) < 1 for row in validations)
    assert sorted(path.name for path in (quiet / "pictures").iterdir()) == ["000000.png", "000003.png", "000006.png"]
    names = {path.name for path in quiet.iterdir()} - {".lock"}
    assert names == {"steps.csv", "validation.csv", "pictures", "last.safetensors", "best.safetensors", "run.json"}


def test_the_gain_is_that_of_input_and_output(quiet):
    """Validation reports both means; their difference is the gain."""
    for row in csv.DictReader((quiet / "validation.csv").open()):
        assert float(row["gain"]) == pytest.approx(float(row["output_iou"]) - float(row["input_iou"]))


def test_weights_to_use_hold_no_optimiser(quiet):
    """The best checkpoint is the network alone, the last one can be gone on from."""
    assert {name.partition(".")[0] for name in load_file(quiet / "best.safetensors")} == {"net"}
    assert {name.partition(".")[0] for name in load_file(quiet / "last.safetensors")} == {"net", "optimizer"}


@pytest.mark.parametrize("workers", [0, 1])
def test_interrupted_and_resumed_is_bitwise_the_same(start, shards, tmp_path, quiet, workers):
    """SIGTERM saves and leaves with 130 and the command to go on; resumed, the losses and weights are the very same."""
    process = start(*command(shards, tmp_path / "run", "--workers", workers))
    wait_for_steps(tmp_path / "run", 1, process)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "--resume" in told
    assert "Traceback" not in told
    resume(shards, tmp_path / "run")
    assert losses(tmp_path / "run") == losses(quiet)
    assert equal_weights(tmp_path / "run", quiet)


def test_killed_at_random_steps_and_resumed_is_bitwise_the_same(start, shards, tmp_path, quiet):
    """SIGKILL costs the steps since the last checkpoint and nothing else."""
    run, chance, kills = tmp_path / "run", random.Random(0), 0
    for more in ((), ("--resume",), ("--resume",)):  # what is to be gone on with is there before the first step
        process = start(*command(shards, run, "--save-every", 1, *more))
        wait_for_steps(run, chance.randint(1, 4), process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
    assert kills
    resume(shards, run)
    assert losses(run) == losses(quiet)
    assert equal_weights(run, quiet)


def test_killed_before_the_first_step_and_resumed_is_the_same(datakit, shards, tmp_path, quiet, monkeypatch):
    """What it begins with is not judged twice."""

    def killed(*_):
        raise KeyboardInterrupt

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("model.train.Trainer.run", killed)
        assert datakit(*command(shards, run)).exit_code == 130
    assert losses(run) == []
    resume(shards, run)
    assert losses(run) == losses(quiet) and equal_weights(run, quiet)
    judged = [[row[:4] for row in csv.reader((each / "validation.csv").open())] for each in (run, quiet)]
    assert judged[0] == judged[1]


def test_a_log_of_another_kind_is_not_taken_for_a_run_without_steps(datakit, shards, tmp_path):
    """It is somebody's, and stays."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "steps.csv").write_text("a,b\n")
    done = datakit(*command(shards, run))
    assert done.exit_code == 2 and "holds a run; begin anew by --overwrite" in done.stderr
    assert (run / "steps.csv").read_text() == "a,b\n"


def wait_for_steps(run, steps, process):
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if (run / "steps.csv").is_file() and len((run / "steps.csv").read_text().splitlines()) > steps:
            return
        time.sleep(0.01)


def resume(shards, run):
    words = command(shards, run, "--resume")
    done = subprocess.run([*DATAKIT, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def equal_weights(run, other):
    one, two = load_file(run / "last.safetensors"), load_file(other / "last.safetensors")
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_two_processes_make_the_weights_of_one(shards, tmp_path, quiet):
    """torchrun with two processes: the same global batch, the same weights but for rounding.

    AdamW makes a step even of the rounding of a gradient near zero.
    """
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
                "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]  # fmt: skip
    words = [*torchrun, "-m", "pipelines", *map(str, command(shards, tmp_path / "run"))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, two = load_file(quiet / "last.safetensors"), load_file(tmp_path / "run" / "last.safetensors")
    weights = [name for name in one if name.startswith("net.")]
    moved = max(float((one[name] - two[name]).abs().max()) for name in weights)
    assert moved < 1e-4


def test_a_folder_with_a_run_is_not_overwritten(datakit, shards, tmp_path, quiet):
    """Neither --resume nor --overwrite: refused, naming both."""
    done = datakit(*command(shards, quiet))
    assert done.exit_code == 2
    assert "--resume" in done.stderr
    assert "--overwrite" in done.stderr


def test_a_run_that_was_killed_before_its_first_step_is_begun_again(datakit, shards, tmp_path):
    """By the same command; there is nothing to lose."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "steps.csv").write_text("step,loss,rate,waited,seconds\n")
    assert datakit(*command(shards, run, "--iterations", 1)).exit_code == 0
    assert len(losses(run)) == 1


def test_going_on_and_beginning_anew_are_not_asked_for_at_once(datakit, quiet):
    """Either would be what somebody did not mean."""
    done = datakit("train", "--resume", quiet, "--overwrite")
    assert done.exit_code == 2 and "give one of them" in done.stderr


def test_nothing_to_resume(datakit, shards, tmp_path):
    """--resume in an empty folder says so."""
    done = datakit(*command(shards, tmp_path / "run", "--resume"))
    assert done.exit_code == 2
    assert "no checkpoint to go on from" in done.stderr


def test_other_settings_do_not_resume(datakit, shards, quiet):
    """Each changed setting is named; nothing is touched."""
    before = (quiet / "last.safetensors").read_bytes()
    changed = command(shards, quiet, "--resume", "--seed", 4, "--set", "optimizer.learning_rate=1e-4")
    done = datakit(*changed)
    assert done.exit_code == 5
    assert "config.seed: 0 -> 4" in done.stderr
    assert "config.optimizer.learning_rate: 0.00045 -> 0.0001" in done.stderr
    assert (quiet / "last.safetensors").read_bytes() == before


def test_a_loss_that_is_no_number_ends_the_run(datakit, shards, tmp_path):
    """Named with its step and a way out; the checkpoint before stays."""
    done = datakit(*command(shards, tmp_path / "run", "--set", "optimizer.learning_rate=1e30",
                            "--set", "optimizer.warmup=0", "--save-every", 1))  # fmt: skip
    assert done.exit_code == 1
    assert "the loss is" in done.stderr
    assert "optimizer.learning_rate" in done.stderr


@pytest.mark.parametrize(("text", "said"), [
    ("view.sise=3", "unknown key 'view.sise' (did you mean view.size?)"),
    ("optimizer.lr=3", "unknown key 'optimizer.lr' (did you mean optimizer.learning_rate?)"),
    ("batch", "expected KEY=VALUE"),
    ("view.size=7", "outside"),
    ("network.colour=red", "has no option 'colour'"),
])  # fmt: skip
def test_settings_that_do_not_exist(datakit, shards, tmp_path, text, said):
    """Refused before anything is made."""
    done = datakit(*command(shards, tmp_path / "run", "--set", text))
    assert done.exit_code == 2
    assert said in done.stderr


def test_no_shards(datakit, tmp_path):
    """A folder without a manifest is named."""
    (tmp_path / "nothing").mkdir()
    done = datakit(*command(tmp_path / "nothing", tmp_path / "run"))
    assert done.exit_code == 1
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_ends_with_a_line(start, shards, tmp_path):
    """No space for a checkpoint: one line, no part file, and an earlier checkpoint is still whole."""
    with small_disk(tmp_path / "disk", "30m") as disk:
        process = start(*command(shards, disk / "run"))
        _, told = process.communicate(timeout=120)
        assert process.returncode == 1, told
        assert "Traceback" not in told
        assert not list(disk.rglob(".part-*"))


def test_resume_refuses_a_damaged_checkpoint(datakit, shards, tmp_path, quiet):
    """A truncated file is named, with what was expected."""
    run = tmp_path / "run"
    run.mkdir()
    for name in ("steps.csv", "last.safetensors"):
        (run / name).write_bytes((quiet / name).read_bytes())
    (run / "last.safetensors").write_bytes((quiet / "last.safetensors").read_bytes()[:-1000])
    done = datakit(*command(shards, run, "--resume"))
    assert done.exit_code == 1
    assert "is not a safetensors file, or is damaged" in done.stderr


def test_json_says_where_the_weights_are(datakit, shards, tmp_path):
    """`--json` names the file to use and the best validation."""
    done = datakit(*command(shards, tmp_path / "run", "--json"))
    report = json.loads(done.stdout)
    assert Path(report["weights"]).is_file()
    assert report["steps"] == 6
    assert 0 <= report["validation"]["output_iou"] <= 1


def test_too_few_photos_to_hold_any_back(datakit, shards, tmp_path):
    """Without validation the run goes through, and the best weights are the last."""
    plain = ("--set", "validation_share=0", "--set", "optimizer.average=0")
    done = datakit(*command(shards, tmp_path / "run", *plain))
    assert done.exit_code == 0
    assert "nothing to judge by" in done.stderr and "best.safetensors is what the last step left" in done.stdout
    one, two = (load_file(tmp_path / "run" / name) for name in ("best.safetensors", "last.safetensors"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_photos_that_a_split_took_away_are_told(datakit, shards, tmp_path):
    """Its train part holds none of those that training would hold back; the way out is a larger share."""
    datakit("split", shards, "--val", 0.5, "--out", tmp_path / "parts")
    train = tmp_path / "parts" / "train"
    done = datakit(*command(train, tmp_path / "run", "--iterations", 1, "--set", "validation_share=0.5"))
    assert done.exit_code == 0, done.stderr
    assert "nothing to judge by (`datakit split` put what would be held back into val; --set validation_share=0.6" in (
        done.stderr
    )


def test_the_checkpoint_tells_how_it_came_to_be(quiet):
    """Configuration, step, shards' digests and versions are in its metadata, as JSON."""
    from safetensors import safe_open

    with safe_open(quiet / "best.safetensors", "np") as file:
        told = json.loads(file.metadata()["datakit"])
    assert told["network"] == {"name": "lite"}
    assert told["about"]["config"]["view"]["size"] == 32
    assert told["about"]["run"]["tools"]["torch"] == torch.__version__
    assert canonical_json(told) == canonical_json(json.loads(json.dumps(told)))
    assert np.isfinite(told["about"]["seconds"])


def test_events_for_tensorboard_on_request(datakit, shards, tmp_path):
    """The numbers of the tables, as TensorBoard reads them."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert datakit(*command(shards, tmp_path / "run", "--tensorboard")).exit_code == 0
    events = EventAccumulator(str(tmp_path / "run" / "events"))
    events.Reload()
    told = [event.value for event in events.Scalars("train/loss")]
    assert told == pytest.approx([float(loss) for loss in losses(tmp_path / "run")])
    assert len(events.Scalars("validation/output_iou")) == 3
    assert [event.step for event in events.Scalars("validation/over_start")] == [0, 3, 6]
    assert [event.step for event in events.Images("validation/results")] == [0, 3, 6]
    settings = events.Tensors("configuration/text_summary")[0].tensor_proto.string_val[0].decode()
    assert json.loads(settings.removeprefix("```json\n").removesuffix("\n```"))["iterations"] == 6
