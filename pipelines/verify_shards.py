"""`datakit verify`: a folder against its manifest, or a single shard by itself; with `--repair`, mended as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datakit.datasets import SourceSpec
from datakit.errors import UsageError
from datakit.shards.manifest import NAME
from datakit.shards.verify import Finding, verify, verify_file

from .repair import RepairConfig
from .repair import repair as mend


@dataclass(frozen=True)
class Verification:
    """What is wrong, and what was done about it.

    Attributes:
        path: folder or file.
        remaining: findings, after the repair where there was one.
        vouched_for: whether a manifest stood behind the bytes.
        repair: whether a repair was asked for.
        repaired: files restored to their published bytes.
        refused: file -> why it could not be restored.
    """

    path: Path
    remaining: Sequence[Finding]
    vouched_for: bool = True
    repair: bool = False
    repaired: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def verify_shards(
    path: Path,
    jobs: int = 1,
    quick: bool = False,
    repair: bool = False,
    sources: Sequence[SourceSpec] = (),
    images: Mapping[str, Path] | None = None,
) -> Verification:
    """Check a folder of shards or one shard.

    Args:
        path: a folder of shards, or a file.
        jobs: processes.
        quick: judge bytes only.
        repair: restore what is damaged.
        sources: with `repair`, where sources lie now.
        images: with `repair`, where their pictures lie, by label.

    Raises:
        UsageError: there is no such path, or a single file was to be repaired or judged by bytes alone.
    """
    if path.is_dir():
        if repair:
            done = mend(RepairConfig(path, sources, images or {}, jobs=jobs, quick=quick))
            return Verification(path, done.remaining, True, True, done.repaired, done.refused)
        return Verification(path, verify(path, jobs, quick), (path / NAME).is_file())
    if not path.is_file():
        raise UsageError(f"{path}: no such folder or regular file")
    if repair or quick:
        raise UsageError(f"{path}: a single file has no manifest to be judged or repaired by; name its folder")
    return Verification(path, verify_file(path), vouched_for=False)
