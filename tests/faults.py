"""Runs the datakit command with one thing going wrong: python -m tests.faults FAULT COMMAND...

A fault named `kill-…` is a SIGKILL of the whole process group at that moment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines import build_shards, cli, export_folder, export_run, publish, shard_parts, shard_task
from pipelines.cluster import run_tasks


def kill_group(*_: object, **__: object) -> None:
    """No handler, no cleaning up."""
    os.killpg(0, signal.SIGKILL)


def after(owner: Any, name: str, action: Callable[..., object], calls: int = 1) -> None:
    """Let the `calls`-th call of a function be followed by an action."""
    original, seen = getattr(owner, name), [0]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        seen[0] += 1
        if seen[0] == calls:
            action()
        return result

    setattr(owner, name, wrapped)


def before(owner: Any, name: str, action: Callable[..., object], calls: int = 1) -> None:
    """Let the `calls`-th call of a function be preceded by an action."""
    original, seen = getattr(owner, name), [0]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        seen[0] += 1
        if seen[0] == calls:
            action()
        return original(*args, **kwargs)

    setattr(owner, name, wrapped)


def change_source(act: Callable[[Path], object]) -> Callable[[], None]:
    """Do something to the eighth photo of the source named by the environment."""
    return lambda: act(Path(os.environ["FAULT_SOURCE"]) / "images" / "0007.jpg") and None


def small_parts() -> None:
    """Let shards of a few small photos be made in parts."""
    shard_parts.LEAST = 1


def before_join() -> None:
    """Join parts in this process, and die when the joined shard is there without its record."""
    small_parts()
    build_shards.run_tasks = lambda *words, **how: run_tasks(*words, **{**how, "jobs": 1})
    before(shard_parts, "write_record", kill_group)


FAULTS: dict[str, Callable[[], None]] = {
    "kill-before-settings": lambda: before(Path, "replace", kill_group, calls=2),
    "kill-planning": lambda: after(build_shards, "plan_without_duplicates", kill_group),
    "kill-claimed": lambda: after(build_shards, "prepare_output", kill_group),
    "kill-mid-shard": lambda: before(shard_task.ShardWriter, "add", kill_group, calls=7),
    "kill-before-replace": lambda: before(Path, "replace", kill_group, calls=5),
    "kill-before-record": lambda: before(shard_task, "write_record", kill_group, calls=2),
    "kill-before-ledger": lambda: before(publish, "write_text", kill_group),
    "kill-before-manifest": lambda: before(publish, "write_manifest", kill_group),
    "kill-after-manifest": lambda: after(publish, "write_manifest", kill_group),
    "export-kill-mid-video": lambda: before(export_folder.Chunk, "add", kill_group, calls=30),
    "export-kill-before-record": lambda: before(export_folder.ExportFolder, "record", kill_group, calls=3),
    "export-kill-after-record": lambda: after(export_folder.ExportFolder, "record", kill_group, calls=2),
    "export-kill-before-lists": lambda: before(export_run, "_finish", kill_group),
    "export-kill-before-list-of-files": lambda: before(export_folder.ExportFolder, "publish", kill_group),
    "export-kill-before-its-place": lambda: before(Path, "rename", kill_group),
    "export-no-preflight": lambda: setattr(export_run, "_check_space", lambda *_: None),
    "small-parts": small_parts,
    "parts-kill-before-record": before_join,
    "no-preflight": lambda: setattr(build_shards, "check_space", lambda *_: None),
    "photo-removed": lambda: after(build_shards, "plan_without_duplicates", change_source(lambda path: path.unlink())),
    "photo-changed": lambda: after(
        build_shards,
        "plan_without_duplicates",
        change_source(lambda path: path.write_bytes(path.read_bytes() + b"\0" * 9)),
    ),
}


if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.argv[1:] = sys.argv[2:]
    cli.cli()
