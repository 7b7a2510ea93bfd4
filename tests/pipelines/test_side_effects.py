"""Library calls leave the process of their caller as they found it, whether they succeed or fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.runs import draw_source
from tests.small_shards import write_shards

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SNAPSHOT = """
import gc, json, logging, os, signal, sys, warnings
from pathlib import Path

import cv2

import {imported}  # what a library does when it is imported is not ours

def state():
    loggers = [logging.getLogger(name) for name in ("datakit", "model", "pipelines")]
    numbers = []
    if "torch" in sys.modules:
        import torch
        random = torch.get_rng_state().numpy().tobytes()
        numbers = [torch.get_num_threads(), torch.initial_seed(), random, torch.get_default_dtype()]
    return {{
        "logging": [logging.root.manager.disable, logging.root.level, *logging.root.handlers],
        "loggers": [(logger.level, *logger.handlers, logger.propagate) for logger in loggers],
        "environment": list(os.environ.items()),
        "OpenCV": [cv2.getNumThreads()],
        "torch": numbers,
        "warnings": list(map(str, warnings.filters)),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "garbage": [gc.isenabled(), gc.get_freeze_count() > 0, *gc.get_threshold()],
        "folder": [os.getcwd()],
    }}

def main():
    before = state()
    try:
{call}
        outcome = "done"
    except Exception as error:
        outcome = type(error).__name__
    after = state()
    changed = {{
        name: list(map(str, {{*before[name]}} ^ {{*after[name]}})) for name in before if before[name] != after[name]
    }}
    print(json.dumps([outcome, changed]))

if __name__ == "__main__":
    main()
"""
BUILD = """
from datakit.datasets import parse_source
from datakit.transforms import PRESETS
from pipelines.build_shards import build_shards
from pipelines.settings import BuildConfig, BuildSettings
settings = BuildSettings(recipes=(PRESETS["masktrack"],), samples_per_shard=3)
build_shards(BuildConfig((parse_source("s:ecssd={source}"),), Path("{out}"), settings, jobs=2))
"""
TRAIN = """
from model.settings import PRESETS, configure
from dataclasses import replace
from pipelines.train import TrainJob, train
config = replace(PRESETS["default"], init="none", iterations=2, batch=2)
config = configure(config, ["view.size=32", "validation_samples=2", "validation_share=0.6"])
train(TrainJob([Path("{shards}")], Path("{out}"), config, {{}}, workers=0, threads=1))
"""


def changes(tmp_path: Path, imported: str, call: str) -> tuple[str, dict]:
    """How a call ended in a process of its own, and what of that process it changed."""
    script = tmp_path / "caller.py"
    indented = "\n".join(" " * 8 + line for line in call.strip().splitlines())
    script.write_text(SNAPSHOT.format(imported=imported, call=indented))
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert ran.returncode == 0, ran.stderr
    outcome, changed = json.loads(ran.stdout.splitlines()[-1])
    return outcome, changed


def test_a_build_leaves_the_process_as_it_was(tmp_path):
    """With worker processes of its own."""
    source = draw_source(tmp_path / "source")
    call = BUILD.format(source=source, out=tmp_path / "shards")
    assert changes(tmp_path, "distributed", call) == ("done", {})
    assert (tmp_path / "shards" / "manifest.json").is_file()


def test_a_build_that_fails_leaves_it_as_it_was_too(tmp_path):
    """Every mask is unreadable, so that workers were busy and nothing is published."""
    source = draw_source(tmp_path / "source")
    for mask in (source / "ground_truth_mask").iterdir():
        mask.write_bytes(b"no picture")
    call = BUILD.format(source=source, out=tmp_path / "shards")
    assert changes(tmp_path, "distributed", call) == ("DatakitError", {})


def test_a_training_leaves_threads_and_random_numbers_as_they_were(tmp_path):
    """Its threads are limited and its steps are seeded, inside only."""
    call = TRAIN.format(shards=write_shards(tmp_path / "shards"), out=tmp_path / "run")
    assert changes(tmp_path, "torch._dynamo", call) == ("done", {})
