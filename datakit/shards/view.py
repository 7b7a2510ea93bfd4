"""The manifest of a view: a folder that names rows of other folders' shards, so that no picture is copied.

`merge`, `select` and `split` write them, `contents` finds the shards behind them. The format stands in
docs/shard-format.md.
"""

from __future__ import annotations

import base64
import os
import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from ..errors import ShardError
from ..files import digest_json, write_json
from ..places import is_stored, place_of, read_bytes
from ..stores import is_address, same_store
from .manifest import NAME, VIEW_FORMAT, VIEW_VERSION, is_view_body, read_body

BITS = "bits:"  # before rows that are written as a bitmap


@dataclass(frozen=True)
class ViewFolder:
    """One folder behind a view.

    Attributes:
        path: of the folder, from the view's folder, or absolute where the two share no folder but the root.
        manifest: digest of its manifest when the view was made.
        triples: how many of its triples belong to the view.
        rows: shard file -> rows of its triples that belong to the view, as `write_rows` writes them.
    """

    path: str
    manifest: str
    triples: int
    rows: dict[str, str]


@dataclass(frozen=True)
class View:
    """What the manifest of a view says.

    Attributes:
        folders: behind it, in order.
        made: the command that made it: `command`, `inputs` (paths as in `folders`) and `options`.
    """

    folders: tuple[ViewFolder, ...]
    made: dict[str, Any]

    @property
    def triples(self) -> int:
        """Number of triples."""
        return sum(folder.triples for folder in self.folders)

    @property
    def content_digest(self) -> str:
        """SHA-256 of what it holds: the same wherever the folders lie, and however the view was made."""
        return digest_json([[folder.manifest, folder.rows] for folder in self.folders])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with its own digest."""
        folders = [asdict(folder) for folder in self.folders]
        body = {"format": VIEW_FORMAT, "version": VIEW_VERSION, "folders": folders, "made": self.made,
                "triples": self.triples}  # fmt: skip
        return {**body, "digest": digest_json(body)}

    def command(self, folder: Path) -> str:
        """The command line that makes the view in `folder` again."""
        made = self.made
        inputs = [str(folder_behind(folder, path)) for path in made["inputs"]]
        options = [word for name, value in sorted(made["options"].items())
                   for word in ([f"--{name}"] if value is True else [f"--{name}", str(value)])]  # fmt: skip
        out = folder.parent if made["command"] == "split" else folder  # which writes two, side by side
        return shlex.join(["datakit", made["command"], *inputs, *options, "--out", str(out), "--overwrite"])


def write_view(folder: Path, view: View) -> None:
    """Put the manifest of a view in place, in one step."""
    write_json(folder / NAME, view.to_dict())


def read_view(folder: Path) -> View | None:
    """The view in a folder; None where it holds shards of its own.

    Raises:
        MissingShards, ShardError: as `manifest.read_manifest`.
    """
    body = read_body(folder)
    return view_of_body(folder, body) if is_view_body(body) else None


def is_view(folder: Path) -> bool:
    """Whether the manifest in a folder is that of a view, damaged or not."""
    try:
        return f'"format": "{VIEW_FORMAT}"'.encode() in read_bytes(folder / NAME)
    except OSError:
        return False


def view_of_body(folder: Path, body: Mapping[str, Any]) -> View:
    """The view in a folder, of what `read_body` gave.

    Raises:
        ShardError: a field is missing, too many or of another type, or counts do not agree.
    """
    try:
        view = View(tuple(ViewFolder(**each) for each in body["folders"]), body["made"])
        _check_types(view)
        if set(body) != set(view.to_dict()) or body["triples"] != view.triples:
            raise TypeError(f"keys {sorted(body)}, {body.get('triples')} triples")
    except (TypeError, KeyError, AttributeError) as error:
        raise ShardError(f"{folder / NAME}: fields do not fit version {VIEW_VERSION} of a view ({error})") from error
    return view


def _check_types(view: View) -> None:
    made = view.made
    texts = [made["command"], *made["inputs"], *made["options"].keys()]
    for folder in view.folders:
        texts += [folder.path, folder.manifest, *folder.rows, *folder.rows.values()]
        if not isinstance(folder.triples, int) or folder.triples < 1:
            raise TypeError(f"triples is {folder.triples!r}, expected a number from 1 on")
    if wrong := next((text for text in texts if not isinstance(text, str)), None):
        raise TypeError(f"{wrong!r}, expected a text")


def path_from(view: Path, place: Path) -> str:
    """How a view names a folder: from its own, so that both can be moved together, where they share a folder.

    Args:
        view: folder of the view, which need not exist.
        place: the other folder.
    """
    if is_stored(view) or is_stored(place):
        return _address_from(view, place)
    here = view.resolve()  # `..` is taken from where a link leads
    there = place.resolve() if ".." in place.parts else place.absolute()
    try:
        common = Path(os.path.commonpath([here, there]))
    except ValueError:  # another drive
        return str(there)
    return str(there) if common == Path(here.anchor) else Path(os.path.relpath(there, here)).as_posix()


def _address_from(view: Path, place: Path) -> str:
    """As `path_from`, where one is an address: relative within a bucket, so that both can be copied together."""
    here, there = urlsplit(str(view)), urlsplit(str(place if is_stored(place) else place.absolute()))
    if not is_stored(place) or (here.scheme, here.netloc) != (there.scheme, there.netloc):
        return str(place if is_stored(place) else place.absolute())
    return posixpath.relpath(there.path or "/", here.path or "/")


def folder_behind(view: Path, path: str) -> Path:
    """Where a folder lies that a view names."""
    if is_address(path):
        return place_of(path)
    if not is_stored(view):
        return Path(os.path.normpath(view.resolve() / path))
    if path.startswith("/"):
        return Path(path)
    address = urlsplit(str(view))
    behind = posixpath.normpath(posixpath.join(address.path or "/", path))
    return same_store(view, f"{address.scheme}://{address.netloc}{behind}")


def write_rows(rows: NDArray[np.integer[Any]], count: int) -> str:
    """Rows as text: ranges such as `0-9,25`, or a bitmap in base64 after `bits:`, whichever is shorter.

    So a row costs a sixth of a byte at most, however the rows were chosen.

    Args:
        rows: (n,) rising.
        count: of all rows there are.
    """
    bits = np.zeros(count, np.bool_)
    bits[rows] = True
    bitmap = BITS + base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()
    first = rows[np.diff(rows, prepend=-2) != 1]
    if 2 * len(first) - 1 > len(bitmap):
        return bitmap
    last = rows[np.diff(rows, append=count + 1) != 1]
    pairs = zip(first.tolist(), last.tolist(), strict=True)
    ranges = ",".join(f"{low}-{high}" if low < high else f"{low}" for low, high in pairs)
    return ranges if len(ranges) <= len(bitmap) else bitmap


def read_rows(text: str, count: int) -> NDArray[np.int32]:
    """(n,) rising rows out of their text.

    Args:
        text: as `write_rows` writes it.
        count: of all rows there are.

    Raises:
        ValueError, OverflowError: it is none, or names a row that is not there.
    """
    if text.startswith(BITS):
        packed = np.frombuffer(base64.b64decode(text[len(BITS) :], validate=True), np.uint8)
        bits = np.unpackbits(packed, bitorder="little")
        if len(packed) != -(-count // 8) or bits[count:].any():
            raise ValueError(f"a bitmap of {len(bits)} rows, expected one of {count}")
        found = np.flatnonzero(bits)
    else:
        parts = [each.partition("-") for each in text.split(",")]
        ends = np.array([(int(low), int(high or low)) for low, _, high in parts], np.int64)
        found = _of_ranges(ends, count)
    if not len(found):
        raise ValueError("no row at all")
    return found.astype(np.int32)


def _of_ranges(ends: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Rows of ranges (n, 2), both ends in."""
    if (ends[:, 1] < ends[:, 0]).any() or (ends[1:, 0] <= ends[:-1, 1]).any():
        raise ValueError("its ranges do not rise")
    if ends[0, 0] < 0 or ends[-1, 1] >= count:
        raise ValueError(f"rows {ends[0, 0]} to {ends[-1, 1]} of {count}")
    lengths = ends[:, 1] - ends[:, 0] + 1
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    rows: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(ends[:, 0] - before, lengths)
    return rows
