"""`datakit verify`: a folder against its manifest, or a single shard by itself; with `--repair`, mended as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datakit.datasets import SourceSpec
from datakit.errors import UsageError
from datakit.shards.verify import Finding, Track, silent, verify, verify_file

from .repair import RepairConfig
from .repair import repair as mend


@dataclass(frozen=True)
class Verification:
    """What is wrong, and what was done about it.

    Attributes:
        path: folder or file.
        remaining: findings, after the repair where there was one.
        vouched_for: whether a manifest stood behind the bytes.
        deep: whether every record was examined, not of damaged shards alone.
        repair: whether a repair was asked for.
        repaired: files restored to their published bytes.
        refused: file -> why it could not be restored.
    """

    path: Path
    remaining: Sequence[Finding]
    vouched_for: bool = True
    deep: bool = True
    repair: bool = False
    repaired: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def verify_shards(
    path: Path,
    jobs: int = 1,
    deep: bool = False,
    repair: bool = False,
    sources: Sequence[SourceSpec] = (),
    images: Mapping[str, Path] | None = None,
    track: Track = silent,
) -> Verification:
    """Check a folder of shards or one shard.

    Args:
        path: a folder of shards, or a file.
        jobs: processes.
        deep: examine every record of a folder, as is always done of a single file.
        repair: restore what is damaged.
        sources: with `repair`, where sources lie now.
        images: with `repair`, where their pictures lie, by label.
        track: given the number of shards, gives a context manager of a `Progress`.

    Raises:
        UsageError: there is no such path, or a single file was to be repaired.
    """
    if path.is_dir():
        if repair:
            done = mend(RepairConfig(path, sources, images or {}, jobs=jobs, deep=deep), track)
            vouched = _vouched_for(done.remaining)
            return Verification(path, done.remaining, vouched, deep or not vouched, True, done.repaired, done.refused)
        found = verify(path, jobs, deep, track)
        vouched = _vouched_for(found)
        return Verification(path, found, vouched, deep or not vouched)
    if not path.is_file():
        raise UsageError(f"{path}: no such folder or regular file")
    if repair:
        raise UsageError(f"{path}: a single file has no manifest to be repaired by; name its folder")
    return Verification(path, verify_file(path), vouched_for=False)


def _vouched_for(findings: Sequence[Finding]) -> bool:
    return not any(finding.place == "manifest" for finding in findings)
