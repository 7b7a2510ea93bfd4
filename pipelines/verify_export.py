"""`datakit verify` of the folder of an export: every file against what `export.json` says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from datakit.errors import DatakitError, UsageError
from datakit.files import EXPORT_MANIFEST
from datakit.places import is_file, sha256_at, size_at
from datakit.progress import progress
from datakit.shards.manifest import NAME
from datakit.stores import StoreError
from datakit.wording import counted, printable, size_text

from .export_folder import foreign_files, read_manifest
from .report import as_text


@dataclass(frozen=True)
class FileFinding:
    """One file that is not as the list says.

    Attributes:
        file: its path below the folder.
        kind: `missing`, `changed`, `extra`: in the folder but not in the list; `list`: the list itself is damaged.
        text: what was found and what was expected.
    """

    file: str
    kind: Literal["missing", "changed", "extra", "list"]
    text: str


@dataclass(frozen=True)
class ExportVerification:
    """What is wrong with an export.

    Attributes:
        folder: of the export.
        findings: in order of the files.
        files, bytes: that the list speaks of.
        to: name of the exporter.
    """

    folder: Path
    findings: Sequence[FileFinding]
    files: int = 0
    bytes: int = 0
    to: str = ""


def is_export(path: Path) -> bool:
    """Whether a folder is that of an export, and none of shards."""
    return is_file(path / EXPORT_MANIFEST) and not is_file(path / NAME)


def verify_export(folder: Path, jobs: int = 1, repair: bool = False) -> ExportVerification:
    """Compare sizes and SHA-256 of all files with the list.

    Args:
        folder: of the export.
        jobs: threads that read.
        repair: refused, an export is made again.

    Raises:
        UsageError: it was to be repaired.
    """
    if repair:
        raise UsageError(f"{folder}: an export is not repaired; run the command that made it again, with --overwrite")
    try:
        manifest = read_manifest(folder)
    except DatakitError as error:
        return ExportVerification(folder, [FileFinding(EXPORT_MANIFEST, "list", str(error))])
    assert manifest is not None
    files = manifest["files"]
    with progress(len(files), "files") as shown, ThreadPoolExecutor(jobs) as pool:

        def found(file: Sequence[Any]) -> FileFinding | None:
            return _of_file(folder, *file)

        findings = []
        for each in pool.map(found, files):
            shown.advance(1)
            if each is not None:
                findings.append(each)
    findings += _extra(folder, manifest)
    size = sum(size for _, size, _ in files)
    return ExportVerification(folder, sorted(findings, key=lambda each: each.file), len(files), size,
                              str(manifest["asked"].get("to")))  # fmt: skip


def _of_file(folder: Path, name: str, size: int, sha256: str) -> FileFinding | None:
    path = folder / name
    try:
        there = size_at(path)
        if there is None:
            return FileFinding(name, "missing", "is not there")
        if there != size:
            return FileFinding(name, "changed", f"has {there} bytes, expected {size}")
        digest = sha256_at(path)
    except StoreError:
        raise  # it is to blame, and no file
    except OSError as error:
        return FileFinding(name, "changed", f"cannot be read: {error.strerror}")
    if digest != sha256:
        return FileFinding(name, "changed", f"has SHA-256 {digest[:12]}…, expected {sha256[:12]}…")
    return None


def _extra(folder: Path, manifest: Mapping[str, Any]) -> Iterator[FileFinding]:
    text = f"is not in {EXPORT_MANIFEST}; a loader may read it, so move it elsewhere"
    yield from (FileFinding(name, "extra", text) for name in foreign_files(folder, manifest))


def verify_export_report(found: ExportVerification, as_json: bool) -> str:
    """Every file that is not as it should be, or that there is none."""
    if as_json:
        about = {"folder": str(found.folder), "to": found.to, "files": found.files, "bytes": found.bytes}
        return as_text({**about, "findings": [asdict(each) for each in found.findings]})
    if [each.kind for each in found.findings] == ["list"]:
        return found.findings[0].text
    lines = [f"{printable(each.file)}: {each.kind}: {each.text}" for each in found.findings]
    summary = f"sound: {counted(found.files, 'file')}, {size_text(found.bytes)} as {found.to}"
    if found.findings:
        kinds = [each.kind for each in found.findings]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("missing", "changed", "extra") if kind in kinds)
        summary = f"{counts} of {counted(found.files, 'file')}"
        if {"missing", "changed"} & set(kinds):
            summary += "; run the command that made it again, with --overwrite"
    return "\n".join([*lines, f"{found.folder}: {summary}"])
