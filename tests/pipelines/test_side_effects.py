"""Library calls leave the process of their caller as they found it, whether they succeed or fail."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests import clips
from tests.labelled import draw_tree
from tests.runs import draw_source
from tests.small_shards import write_shards

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SNAPSHOT = """
import ctypes, gc, json, logging, os, signal, sys, warnings
from pathlib import Path

import cv2

import {imported}  # what a library does when it is imported is not ours

def maps_large_blocks():
    # Whether glibc asks the system for a block just under 32 MB, as it does by itself: bit 1 of the size before it.
    # Several are asked for, since the first may fit into what imports have freed. Nothing is freed: that would teach it
    # to keep such blocks.
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return []
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    places = [libc.malloc((32 << 20) - (64 << 10)) - ctypes.sizeof(ctypes.c_size_t) for _ in range(16)]
    return [any(ctypes.c_size_t.from_address(place).value & 2 for place in places)]

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
        "memory": maps_large_blocks(),
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
settings = BuildSettings(recipes=(PRESETS["masktrack"],), samples_per_shard=2)
build_shards(BuildConfig((parse_source("s:ecssd={source}"),), Path("{out}"), settings, jobs=2))
"""
TRAIN = """
from model.settings import PRESETS, configure
from dataclasses import replace
from pipelines.train import TrainJob, train
config = replace(PRESETS["default"], init="none", iterations=1, batch=1)
config = configure(config, ["view.size=32", "validation_samples=2", "validation_share=0.6"])
train(TrainJob([Path("{shards}")], Path("{out}"), config, {{}}, workers=0, threads=1))
"""
EVALUATE = """
from pipelines.evaluate.result import EvaluateConfig
from pipelines.evaluate.run import evaluate
evaluate(EvaluateConfig(Path("{predictions}"), Path("{truth}"), jobs={jobs}, html=Path("{out}")))
"""
PROPAGATE = """
from pipelines.propagate.masks import MaskPrompt
from pipelines.propagate.network import NetworkChoice
from pipelines.propagate.run import PropagateJob, propagate
choice = NetworkChoice(given=dict(size=32), threads=1)
propagate(PropagateJob(Path("{video}"), Path("{out}"), [MaskPrompt(Path("{mask}"))], network=choice))
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
    source = draw_source(tmp_path / "source", 4)
    call = BUILD.format(source=source, out=tmp_path / "shards")
    assert changes(tmp_path, "distributed", call) == ("done", {})
    assert (tmp_path / "shards" / "manifest.json").is_file()


def test_a_build_that_fails_leaves_it_as_it_was_too(tmp_path):
    """Every mask is unreadable, so that workers were busy and nothing is published."""
    source = draw_source(tmp_path / "source", 4)
    for mask in (source / "ground_truth_mask").iterdir():
        mask.write_bytes(b"no picture")
    call = BUILD.format(source=source, out=tmp_path / "shards")
    assert changes(tmp_path, "distributed", call) == ("DatakitError", {})


def test_a_training_leaves_threads_and_random_numbers_as_they_were(tmp_path):
    """Its threads are limited and its steps are seeded, inside only."""
    call = TRAIN.format(shards=write_shards(tmp_path / "shards"), out=tmp_path / "run")
    assert changes(tmp_path, "torch._dynamo", call) == ("done", {})


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_evaluation_leaves_the_process_as_it_was(tmp_path, jobs):
    """Memory, too: that freed blocks are kept is for the command alone."""
    trees = {"truth": 0, "predictions": 1}
    folders = {name: draw_tree(tmp_path / name, {"bear": (1,)}, 4, late) for name, late in trees.items()}
    call = EVALUATE.format(**folders, jobs=jobs, out=tmp_path / "page.html")
    assert changes(tmp_path, "multiprocessing", call) == ("done", {})
    assert (tmp_path / "page.html").is_file()


def test_an_evaluation_that_fails_leaves_it_as_it_was_too(tmp_path):
    """A frame has no prediction."""
    folders = {name: draw_tree(tmp_path / name, {"bear": (1,)}, 4) for name in ("truth", "predictions")}
    (folders["predictions"] / "bear" / "00002.png").unlink()
    call = EVALUATE.format(**folders, jobs=1, out=tmp_path / "page.html")
    assert changes(tmp_path, "multiprocessing", call) == ("Mismatch", {})


def test_a_propagation_leaves_the_process_as_it_was(tmp_path):
    """With the network in this package, an overlay video and a sheet."""
    mask = clips.write_labels(tmp_path / "mask.png", clips.labels())
    call = PROPAGATE.format(video=clips.draw_folder(tmp_path / "clip", 2), mask=mask, out=tmp_path / "out")
    assert changes(tmp_path, "torch", call) == ("done", {})
    assert len(list((tmp_path / "out" / "clip").glob("*.png"))) == 2


def test_a_changed_setting_of_malloc_is_seen(tmp_path):
    """So that the tests above can fail."""
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("only glibc keeps freed memory on demand")
    call = "from pipelines.process import keep_freed_memory\nkeep_freed_memory()"
    outcome, changed = changes(tmp_path, "ctypes", call)
    assert (outcome, list(changed)) == ("done", ["memory"])
