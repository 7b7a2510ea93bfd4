"""The folders a propagation writes: label pictures of a sequence and nothing else, and beside them its report.

A label picture has its final name only when it is whole, so a run that was killed goes on at the first that is missing.
"""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels
from datakit.datasets import ReadOptions
from datakit.errors import DatakitError, ItemError, SettingsDiffer, UsageError
from datakit.files import PART_PREFIX, canonical_json, write_json
from datakit.images import encode_palette_png, encode_png
from datakit.video.labels import REPORT, read_labels
from datakit.video.palette import palette

from ..lock import HOLDER, LOCK
from ..settings import differences

SETTINGS, LOG, SUMMARY = "settings.json", "frames.jsonl", "report.json"
NAMES = "names"  # in the settings: of the frames, so that --overwrite knows which pictures are ours
VIDEO, SHEET, CONFIDENCE = "overlay.mp4", "sheet.png", "confidence.csv"
TUNED, ONLINE_REPORT = "online.safetensors", "online.json"  # what a run that was killed in a video need not learn again
BYTES_PER_PIXEL = 0.06  # of a label picture and its share of the overlay video, generously


class Output:
    """Where one sequence goes.

    Args:
        out: folder of all sequences.
        name: of the sequence.
        numbers: ids of objects 1, 2, 3 … in label pictures, where some are beyond 8 bits; else none.

    Attributes:
        labels: folder of the label pictures.
        report: folder of everything else.
    """

    def __init__(self, out: Path, name: str, numbers: Sequence[int] = ()):
        self.labels, self.report = out / name, out / REPORT / name
        self._ids = np.array([0, *numbers], np.uint16)

    def check(self, settings: Mapping[str, Any], overwrite: bool) -> None:
        """Refuse folders that hold something else, or were made with other settings; touch nothing.

        Raises:
            UsageError: there are files that no run of ours has written.
            SettingsDiffer: made with other settings; the message lists key: old -> new.
        """
        stored = self._stored()
        self._refuse_in_the_way({*settings[NAMES], *(stored or {}).get(NAMES, ())})
        if stored is None:
            foreign = [path.name for path in self.labels.iterdir()] if self.labels.is_dir() else []
            if foreign or self.labels.is_file():
                found = f"holds {min(foreign)!r}" if foreign else "is a file"
                raise UsageError(f"{self.labels}: {found} and was not made by this command; name another --out")
            return
        changed = list(differences(_comparable(stored), _comparable(settings)))
        if changed and not overwrite:
            raise SettingsDiffer(
                f"{self.labels}: made with other settings; nothing was touched\n  "
                + "\n  ".join(changed)
                + "\ngive the settings it was made with, use another --out, or --overwrite to replace it"
            )

    def _refuse_in_the_way(self, names: Collection[str]) -> None:
        """Raise UsageError where a file stands in the place of a folder, or a folder in that of a file."""
        reported = (SETTINGS, LOG, SUMMARY, VIDEO, SHEET, CONFIDENCE, TUNED, ONLINE_REPORT)
        files = [*(self.report / name for name in reported), *(self.labels / f"{name}.png" for name in sorted(names))]
        folders = self.labels.parent, self.report.parent, self.report
        for path in filter(Path.is_dir, files):
            raise UsageError(f"{path}: is a folder, and a file of that name is to be written; move it elsewhere")
        for path in filter(Path.is_file, folders):
            raise UsageError(f"{path}: is a file, and a folder of that name is to be made; move it elsewhere")

    def prepare_output(self, settings: Mapping[str, Any], overwrite: bool) -> None:
        """Make the locked folders ready: clear them where asked, and what a killed run left half written."""
        self.check(settings, overwrite)
        stored = self._stored()
        if stored is not None and overwrite:
            for name in stored[NAMES]:
                (self.labels / f"{name}.png").unlink(missing_ok=True)
            for path in self.report.iterdir():
                if path.name not in (LOCK, HOLDER) and path.is_file():
                    path.unlink()
        for part in self.report.glob(f"{PART_PREFIX}*"):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        write_json(self.report / SETTINGS, settings)
        self.labels.mkdir(exist_ok=True)

    def _stored(self) -> dict[str, Any] | None:
        path = self.report / SETTINGS
        try:
            stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            list(stored[NAMES])
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # what stands in the way is told elsewhere
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DatakitError(f"{path}: damaged ({error!r}); remove {self.report} and {self.labels}") from None
        return stored

    def kept(self, name: str, size: tuple[int, int]) -> Labels | None:
        """The label map of a frame that an earlier run has written; None where it is missing or not whole."""
        path = self.labels / f"{name}.png"
        try:
            labels = read_labels(path, str(path), ReadOptions(values="ids")).labels
        except ItemError:
            return None
        if len(self._ids) > 1:
            labels = np.searchsorted(self._ids, labels).astype(np.uint8)
        return labels if labels.shape == size else None

    def number(self, each: int) -> int:
        """The id in label pictures of an object that is followed."""
        return int(self._ids[each]) if len(self._ids) > 1 else each

    def keep(self, name: str, labels: Labels, row: Mapping[str, Any]) -> None:
        """Write a frame's label map, and a row of the log before it: a row without its picture is written anew.

        Args:
            name: of the frame.
            labels: (H, W) uint8, what the picture shows.
            row: of the log.
        """
        with (self.report / LOG).open("a", encoding="utf-8") as log:
            log.write(canonical_json({"frame": name, **row}) + "\n")
        path = self.labels / f"{name}.png"
        part = self.report / f"{PART_PREFIX}{path.name}"
        numbered = len(self._ids) > 1
        part.write_bytes(encode_png(self._ids[labels]) if numbered else encode_palette_png(labels, palette()))
        part.replace(path)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Frame name -> row of the log; of several the last, and none of a line that a kill cut off."""
        rows = {}
        with contextlib.suppress(FileNotFoundError):
            for line in (self.report / LOG).read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    row = json.loads(line)
                    rows[row["frame"]] = row
        return rows

    def end_cut_line(self) -> None:
        """Let the log's next row begin a line of its own, also after a kill in the middle of one."""
        path = self.report / LOG
        if path.is_file() and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            with path.open("a", encoding="utf-8") as log:
                log.write("\n")

    def preflight(self, frames: int, size: tuple[int, int]) -> None:
        """Refuse to start what cannot fit.

        Raises:
            DatakitError: the disk has less room than the frames to do will take.
        """
        needed, free = frames * size[0] * size[1] * BYTES_PER_PIXEL, shutil.disk_usage(self.report).free
        if needed > free:
            found = f"about {needed / 1e6:.0f} MB needed and {free / 1e6:.0f} MB free"
            raise DatakitError(f"{self.labels}: {found}; free some space, or name another --out")

    @contextlib.contextmanager
    def full_disk_told(self) -> Iterator[None]:
        """Inside, a disk that is full becomes one sentence."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            for part in self.report.glob(f"{PART_PREFIX}*"):
                part.unlink(missing_ok=True)
            way_out = "what was finished is kept: free some space and run the same command again"
            raise DatakitError(f"{self.labels}: the disk is full ({error.strerror}); {way_out}") from None


def _comparable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without the list of names, which would be told in full; their digest is among the others."""
    return {key: value for key, value in settings.items() if key != NAMES}
