"""Builds into a store, and what lies there afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datakit.datasets import SourceSpec
from datakit.places import Place, entries_in, path_of, read_bytes
from pipelines.build_shards import build_shards
from pipelines.settings import BuildConfig
from tests.runs import PICKY

SETTINGS = replace(PICKY, samples_per_shard=5)


def config_for(source: Path, out: Place, **more: Any) -> BuildConfig:
    """A build of a source in ECSSD's layout."""
    return BuildConfig((SourceSpec("ecssd", "ecssd", source),), out, more.pop("settings", SETTINGS), **more)


def objects(folder: Place) -> dict[str, bytes]:
    """Path below a folder -> content of everything there, on a disk or in a store."""
    found: dict[str, bytes] = {}
    for entry in entries_in(folder):
        path = path_of(entry)
        if entry.is_dir():
            found |= {f"{entry.name}/{name}": data for name, data in objects(path).items()}
        else:
            found[entry.name] = read_bytes(path)
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """What a build on a disk leaves, without the file that the kernel locks."""
    return {name: data for name, data in objects(folder).items() if name != ".lock"}


@pytest.fixture
def on_disk(source, tmp_path):
    """What a build on a disk leaves."""
    build_shards(config_for(source, tmp_path / "on-disk"))
    return files_of(tmp_path / "on-disk")
