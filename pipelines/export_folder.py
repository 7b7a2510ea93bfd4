"""The folder of an export while it grows: what is finished stands in a journal, and a killed run makes the rest.

Everything is written to `.part-NAME` beside the folder asked for, which takes its place in one step at the end.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from datakit.errors import DatakitError, SettingsDiffer, UsageError
from datakit.files import (
    EXPORT_FORMAT,
    EXPORT_MANIFEST,
    PART_PREFIX,
    canonical_json,
    digest_json,
    file_sha256,
    json_text,
    write_json,
)
from datakit.places import is_file, is_stored, objects_below, read_text

from .lock import HOLDER, LOCK
from .settings import differences

logger = logging.getLogger(__name__)

VERSION = 1
STATE, JOURNAL, FILES, ORIGINS, OLD = "state.json", "journal.jsonl", "files", "origins", "old"


class Chunk:
    """The files of some videos while they are written; a `Sink`.

    Args:
        root: folder that the paths are below.
        tar: path of the tar file that holds them all; '' for files of their own.

    Attributes:
        files: [path, bytes, SHA-256] of every file.
        notes: what the format could not hold -> how many times.
    """

    def __init__(self, root: Path, tar: str = ""):
        self.files: list[list[Any]] = []
        self.notes: Counter[str] = Counter()
        self._root, self._tar_path = root, tar
        self._tar: tarfile.TarFile | None = None
        if tar:
            root.mkdir(parents=True, exist_ok=True)
            self._tar = tarfile.TarFile(root / tar, "w", format=tarfile.PAX_FORMAT)

    def add(self, path: str, data: bytes) -> None:
        """Write a file, or a member of the tar file."""
        if self._tar is not None:
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o644
            self._tar.addfile(member, io.BytesIO(data))
            return
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.files.append([path, len(data), hashlib.sha256(data).hexdigest()])

    def note(self, reason: str) -> None:
        """Count something that the format cannot hold."""
        self.notes[reason] += 1

    def end(self) -> None:
        """Finish the tar file, if there is one."""
        if self._tar is not None:
            self._tar.close()
            path = self._root / self._tar_path
            self.files.append([self._tar_path, path.stat().st_size, file_sha256(path)])
            self._tar = None


class ExportFolder:
    """An export under way, locked by the caller.

    Args:
        out: the folder that is asked for.

    Attributes:
        work: the folder beside it where everything is made.
    """

    def __init__(self, out: Path):
        self.out = out
        self.work = out.absolute().parent / f"{PART_PREFIX}{out.absolute().name}"

    def check(self, settings: Mapping[str, Any], overwrite: bool) -> dict[str, Any] | None:
        """The manifest of a finished export of these settings; None where there is something to do.

        Raises:
            UsageError: `out` holds something else.
            SettingsDiffer: another export, and `overwrite` is not given.
        """
        if not self.out.exists():
            return None
        if not self.out.is_dir():
            raise UsageError(f"--out {self.out}: is a file, expected a folder")
        there = sorted(path.name for path in self.out.iterdir())
        if not there:
            return None
        found = read_manifest(self.out)
        if found is None:
            raise UsageError(f"--out {self.out}: holds {there[0]!r} and was not made by this command; name another")
        if found["asked"] == settings and not overwrite:
            return found
        if not overwrite:
            changed = "\n  ".join(differences(found["asked"], settings))
            raise SettingsDiffer(
                f"--out {self.out}: holds an export to {found['asked'].get('to')} of other data or settings; "
                f"nothing was touched\n  {changed}\nname another, or give --overwrite to replace it"
            )
        if foreign := next(foreign_files(self.out, found), None):
            raise UsageError(f"--out {self.out}: holds {foreign}, which the export did not write; move it elsewhere")
        return None

    def prepare(self, settings: Mapping[str, Any], jobs: int = 1) -> dict[int, dict[str, Any]]:
        """Make the work folder ready; what an earlier run of the same settings has finished, by number of the chunk.

        A last line that a kill has cut off, and a line whose files are not as it says, are left out; what they speak
        of is made again.

        Args:
            settings: what the bytes depend on.
            jobs: threads that read the files.
        """
        try:
            same = json.loads((self.work / STATE).read_text(encoding="utf-8")) == settings
        except (OSError, ValueError):
            same = False
        if not same:
            for path in self.work.iterdir():
                if path.name not in (LOCK, HOLDER):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            write_json(self.work / STATE, settings)
        for folder in (self.files, self.work / ORIGINS):
            folder.mkdir(exist_ok=True)
        with ThreadPoolExecutor(jobs) as pool:
            kept = {line["chunk"]: line for line in pool.map(self._whole_line, self._lines()) if line}
        with (self.work / JOURNAL).open("w", encoding="utf-8") as journal:
            journal.writelines(canonical_json(line) + "\n" for line in kept.values())
        return kept

    @property
    def files(self) -> Path:
        """Where the files grow."""
        return self.work / FILES

    def _lines(self) -> list[str]:
        try:
            return (self.work / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _whole_line(self, text: str) -> dict[str, Any] | None:
        """What a line of the journal says, if all of it is there."""
        try:
            line: dict[str, Any] = json.loads(text)
            whole = isinstance(line["chunk"], int) and all(is_whole(self.files, *file) for file in line["files"])
            whole = whole and ("origins" not in line or is_whole(self.work / ORIGINS, *line["origins"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return line if whole else None

    def record(self, line: Mapping[str, Any]) -> None:
        """Put a finished chunk into the journal."""
        with (self.work / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(canonical_json(line) + "\n")

    def join_origins(self, lines: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
        """Write the videos' origins to one file, in order; its path, bytes and SHA-256."""
        with (self.files / name).open("wb") as joined:
            for line in lines:
                with (self.work / ORIGINS / line["origins"][0]).open("rb") as part:
                    shutil.copyfileobj(part, joined)
        return [name, (self.files / name).stat().st_size, file_sha256(self.files / name)]

    def publish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest and put the folder in its place."""
        body = {"format": EXPORT_FORMAT, "version": VERSION, **manifest}
        (self.files / EXPORT_MANIFEST).write_text(json_text({**body, "digest": digest_json(body)}), encoding="utf-8")
        os.sync()  # one for all: a power cut after the rename leaves whole files
        if self.out.exists():
            shutil.rmtree(self.work / OLD, ignore_errors=True)
            self.out.rename(self.work / OLD)
        self.files.rename(self.out)
        shutil.rmtree(self.work, ignore_errors=True)


def write_origins(work: Path, number: int, origins: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Write the origins of the videos of a chunk, a line each; name below its folder, bytes and SHA-256."""
    path = work / ORIGINS / f"{number}.jsonl"
    data = "".join(canonical_json(origin) + "\n" for origin in origins).encode()
    path.write_bytes(data)
    return [path.name, len(data), hashlib.sha256(data).hexdigest()]


def is_whole(folder: Path, path: str, size: int, sha256: str) -> bool:
    """Whether a file has these bytes.

    Raises:
        OSError: it cannot be read.
    """
    file = folder / path
    return file.stat().st_size == size and file_sha256(file) == sha256


def foreign_files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Paths of what lies in the folder of an export and is not of it."""
    ours = {EXPORT_MANIFEST, *(path for path, _, _ in manifest["files"])}
    if is_stored(folder):
        yield from sorted(path for path in objects_below(folder, skip=LOCK) if path not in ours)
        return
    for place, _, names in os.walk(folder):
        below = Path(place).relative_to(folder)
        yield from (path for name in sorted(names) if (path := (below / name).as_posix()) not in ours)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an export; None where there is none.

    Raises:
        DatakitError: it is damaged.
    """
    path = folder / EXPORT_MANIFEST
    if not is_file(path):
        return None
    try:
        body: dict[str, Any] = json.loads(read_text(path))
        digest = body.pop("digest")
        fits = digest_json(body) == digest and body["format"] == EXPORT_FORMAT and isinstance(body["asked"], dict)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatakitError(f"{path}: damaged, no manifest of an export ({error!r}); remove {folder}") from None
    if not fits:
        raise DatakitError(f"{path}: damaged, its digest does not fit its content; remove {folder}")
    return body
