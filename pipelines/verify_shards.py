"""`datakit verify`: a folder against its manifest, or a single shard by itself; with `--repair`, repaired as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from datakit import places
from datakit.datasets import SourceSpec
from datakit.errors import UsageError
from datakit.shards import read_contents
from datakit.shards.manifest import SHARDS
from datakit.shards.verify import Finding, verify, verify_file
from datakit.shards.view import is_view
from datakit.wording import no_such

from .repair import RepairConfig, repair_shards


@dataclass(frozen=True)
class Verification:
    """What is wrong, and what was done about it.

    Attributes:
        path: folder or file.
        remaining: findings, after the repair where there was one.
        asked_deep: whether every record was to be examined.
        repair: whether a repair was asked for.
        repaired: files restored to their published bytes.
        refused: file -> why it could not be restored.
        shards, triples: how many there are; of a single file one shard, whose triples are not counted; of a view the
            shards of the folders behind it, and its own triples.
        is_view: whether the folder is a view of others.
    """

    path: Path
    remaining: Sequence[Finding]
    asked_deep: bool = False
    repair: bool = False
    repaired: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    shards: int = 1
    triples: int | None = None
    is_view: bool = False

    @property
    def vouched_for(self) -> bool:
        """Whether a manifest stood behind the bytes."""
        return places.is_folder(self.path) and not any(finding.place == "manifest" for finding in self.remaining)

    @property
    def deep(self) -> bool:
        """Whether every record was examined, not of damaged shards alone."""
        return self.asked_deep or not self.vouched_for


def verify_shards(
    path: Path,
    jobs: int = 1,
    deep: bool = False,
    repair: bool = False,
    sources: Sequence[SourceSpec] = (),
    images: Mapping[str, Path] | None = None,
) -> Verification:
    """Check a folder of shards or one shard.

    Args:
        path: a folder of shards, or a file.
        jobs: processes.
        deep: examine every record of a folder, as is always done of a single file.
        repair: restore what is damaged.
        sources: with `repair`, where sources lie now.
        images: with `repair`, where their pictures lie, by label.

    Raises:
        UsageError: there is no such path, or a single file or a view was to be repaired.
    """
    if places.is_folder(path):
        if repair and is_view(path):
            raise UsageError(f"{path}: is a view and holds no shards; repair the folders behind it, each by itself, "
                             f"`datakit verify {path}` names those that need it")  # fmt: skip
        if repair:
            done = repair_shards(RepairConfig(path, sources, images or {}, jobs=jobs, deep=deep))
            verification = Verification(path, done.remaining, deep, True, done.repaired, done.refused)
        else:
            verification = Verification(path, verify(path, jobs, deep), deep, is_view=is_view(path))
        if verification.remaining:
            return verification
        contents = read_contents(path)
        shards = sum(len(build.manifest.shards) for build in contents.builds)
        return replace(verification, shards=shards, triples=contents.triples)
    if not places.exists(path):
        raise UsageError(no_such(path, f"{SHARDS}, or a shard"))
    if not places.is_file(path):
        raise UsageError(f"{path}: is neither a folder nor a regular file")
    if repair:
        raise UsageError(f"{path}: a single file has no manifest to be repaired by; name its folder")
    return Verification(path, verify_file(path), deep)
