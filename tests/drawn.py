"""Checkpoints of networks as they are before training, for tests of what reads them."""

from __future__ import annotations

from pathlib import Path


def draw_weights(folder: Path, name: str, **options: object) -> Path:
    """A file in `folder` with the random weights of a network, which are a function of its name and options."""
    from model.checkpoint import Checkpoint, write_checkpoint
    from model.networks import build_network

    path = folder / f"{name}.safetensors"
    write_checkpoint(path, Checkpoint({"name": name, **options}, {}, build_network(name, **options).state_dict()))
    return path
