"""`datakit merge`, `select` and `split`: finished folders put together or taken apart, without copying a picture.

What they write is the manifest of a view, see `datakit.shards.view`; what may meet in one is left to `combine`.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.errors import DatakitError, SettingsDiffer, ShardError, UsageError
from datakit.files import PART_PREFIX, check_writable
from datakit.places import is_file, is_same, is_stored, lies_in, make_folder, remove, size_at
from datakit.shards import ShardReader
from datakit.shards.combine import check_apart, gather, held_back, view_of, whole_photos
from datakit.shards.contents import differing_recipes
from datakit.shards.manifest import NAME
from datakit.shards.query import Query
from datakit.shards.table import what_is_there
from datakit.shards.view import View, is_view, read_view, write_view
from datakit.wording import counted, shorten

from .lock import HOLDER, LOCK
from .output_folder import names_in
from .settings import differences
from .store_lock import hold_folder

TRAIN, VAL = "train", "val"


@dataclass(frozen=True)
class MadeView:
    """A view that is there now.

    Attributes:
        out: its folder.
        view: what its manifest says.
        folders: of each folder behind it the place, triples in the view, and triples of the folder.
        of: triples that it was made of.
        photos: of which it has a triple.
        notes: what a user should know.
        kept: whether it was there already.
    """

    out: Path
    view: View
    folders: Sequence[tuple[Path, int, int]]
    of: int
    photos: int
    notes: Sequence[str] = ()
    kept: bool = False

    @property
    def bytes(self) -> int:
        """Of its manifest, which is all that was written."""
        return size_at(self.out / NAME) or 0


def merge(inputs: Sequence[Path], out: Path, overwrite: bool = False) -> MadeView:
    """A view of all triples of several folders of shards or views.

    Raises:
        UsageError: one key means two things in them, or `out` cannot be used.
        SettingsDiffer: `out` holds another view and `overwrite` is not given.
        ShardError: an input is no finished folder of shards.
        Locked: another run writes there.
    """
    readers = [ShardReader(path) for path in inputs]
    made = _planned(readers, out, "merge", inputs, {})
    with _taken(out, readers):
        return _put(made, overwrite)


def select(source: Path, where: str, out: Path, photos: bool = False, overwrite: bool = False) -> MadeView:
    """A view of those triples of a folder of shards, or a view, for which a condition holds.

    Args:
        source: the folder.
        where: the condition, as for `ShardReader.where`.
        out: folder to make.
        photos: take all triples of a photo of which one is chosen.
        overwrite: replace another view.

    Raises:
        UsageError: the condition cannot be read or holds for no triple, or `out` cannot be used.
        SettingsDiffer, ShardError, Locked: as `merge`.
    """
    reader = ShardReader(source)
    chosen = reader.where(where)
    if not len(chosen):
        there = "; ".join(what_is_there(reader.table(*Query.parse(where, reader.columns).names)))
        raise UsageError(f"--where {where!r}: holds for none of {counted(len(reader), 'triple')} of {source}"
                         + (f"; there is {there}" if there else ""))  # fmt: skip
    chosen = whole_photos(reader, chosen) if photos else chosen
    options = {"where": where, **({"photos": True} if photos else {})}
    made = _planned([chosen], out, "select", [source], options)
    with _taken(out, [reader]):
        return _put(made, overwrite)


def split(source: Path, share: float, out: Path, overwrite: bool = False) -> tuple[MadeView, MadeView]:
    """Two views in `out`, of the photos that training learns from and of those that it holds back.

    Args:
        source: a folder of shards, or a view.
        share: of the photos, held back by the rule of training.
        out: folder to make; the views are `train` and `val` in it.
        overwrite: replace other views.

    Raises:
        UsageError: one side is empty, or `out` cannot be used.
        SettingsDiffer, ShardError, Locked: as `merge`.
    """
    reader = ShardReader(source)
    held = held_back(reader, share)
    sides = {TRAIN: reader.pick(~held), VAL: reader.pick(held)}
    if empty := next((name for name, side in sides.items() if not len(side)), None):
        raise UsageError(f"--val {share}: leaves none of the {counted(len(reader), 'triple')} of {source} for {empty}; "
                         "give another share")  # fmt: skip
    made = [_planned([side], out / name, "split", [source], {"val": share}) for name, side in sides.items()]
    with _taken(out, [reader], sides):
        for each in made:
            _check_view(each.out, each.view, overwrite)
        if not all(_is_there(each) for each in made):
            remove(out / VAL / NAME)  # never a new one beside an old one, which may share photos
        train, val = [_put(each, overwrite) for each in made]
    return train, val


def _planned(
    readers: Sequence[ShardReader], out: Path, command: str, inputs: Sequence[Path], options: Mapping[str, Any]
) -> MadeView:
    """The view of some readers, before anything is written."""
    gathered = gather(readers)
    if not gathered:
        raise UsageError(
            f"{', '.join(map(str, inputs))}: hold no triple; name folders that `datakit build-shards` filled"
        )
    notes = [f"{counted(each.twice, 'triple')} of {each.build.folder} came more than once, and each is there once"
             for each in gathered if each.twice]  # fmt: skip
    notes += check_apart(gathered)
    builds = [each.build for each in gathered]
    for name, recipes in differing_recipes(builds).items():
        changed = shorten(list(differences(recipes[0].to_dict(), recipes[1].to_dict())))
        notes.append(f"recipe {name!r} is not the same in all folders: {changed}; every triple keeps its own")
    folders = [(each.build.folder, each.triples, each.build.manifest.triples) for each in gathered]
    of, photos = sum(reader.contents.triples for reader in readers), sum(each.count_photos() for each in gathered)
    return MadeView(out, view_of(gathered, out, command, inputs, options), folders, of, photos, notes)


@contextlib.contextmanager
def _taken(out: Path, readers: Sequence[ShardReader], parts: Collection[str] = ()) -> Iterator[None]:
    """Hold the output folder, once nothing speaks against it; of a split, `parts` are the views in it."""
    builds = [build.folder for reader in readers for build in reader.contents.builds]
    inputs = [reader.folder for reader in readers]
    _check_out(out, builds, inputs, parts)
    folders = [out, *(out / name for name in parts)]
    with contextlib.ExitStack() as held:
        for folder in folders:
            make_folder(folder)
            held.enter_context(hold_folder(folder))
        _check_out(out, builds, inputs, parts)
        if not is_stored(out):
            for half in (half for folder in folders for half in folder.glob(f"{PART_PREFIX}*")):  # of a killed run
                shutil.rmtree(half, ignore_errors=True)
        yield


def _check_out(out: Path, builds: Sequence[Path], inputs: Sequence[Path], parts: Collection[str]) -> None:
    """Refuse an output folder that holds something else, or lies in an input; touch nothing."""
    _check_place(out, builds)
    for build in builds:
        if lies_in(out, build):
            raise UsageError(f"--out {out}: is, or lies in, the folder of shards {build}; name a folder elsewhere")
    for each in inputs:
        if any(is_same(out / name, each) for name in ("", *parts)):
            raise UsageError(f"--out {out}: is the view that is read, {each}; name another folder")
    for folder in (out / name for name in parts) if parts else (out,):
        _check_foreign(folder, {NAME} if is_view(folder) else set(), out)
    if parts:
        _check_foreign(out, set(parts), out)


def _check_place(out: Path, builds: Sequence[Path]) -> None:
    """Refuse an output folder that cannot be written, or from which the shards would not be found."""
    local = next((build for build in builds if not is_stored(build)), None)
    if is_stored(out) and local:
        raise UsageError(f"--out {out}: whoever reads a view in a store has not {local} of this machine; copy those "
                         "shards to a store and name them there, or name a folder here")  # fmt: skip
    check_writable(out, f"--out {out}")


def _check_foreign(folder: Path, ours: set[str], out: Path) -> None:
    if is_file(folder):
        raise UsageError(f"--out {out}: {folder} is a file, expected a folder")
    names = sorted(names_in(folder))
    foreign = [name for name in names if name not in (LOCK, HOLDER, *ours) and not name.startswith(PART_PREFIX)]
    if foreign:
        what = "a folder of shards or an export" if NAME in foreign else f"{foreign[0]!r}"
        raise UsageError(f"--out {out}: {folder} holds {what}, which this command did not make; name another folder")


def _check_view(out: Path, view: View, overwrite: bool) -> None:
    """Refuse to replace another view unless that is asked for."""
    if overwrite or not is_view(out):
        return
    try:
        there = read_view(out)
    except ShardError as error:
        raise DatakitError(f"{error}; give --overwrite to replace it") from None
    if there is not None and there != view:
        changed = "\n  ".join(differences(_told(there), _told(view)))
        raise SettingsDiffer(f"{out}: holds another view; nothing was touched\n  {changed}\n"
                             "name another --out, or give --overwrite to replace it")  # fmt: skip


def _told(view: View) -> dict[str, Any]:
    """What tells two views apart, short enough for a message."""
    folders = {each.path: {"manifest": each.manifest[:12], "triples": each.triples} for each in view.folders}
    return {**view.made, "folders": folders, "content": view.content_digest[:12]}


def _is_there(made: MadeView) -> bool:
    try:
        return read_view(made.out) == made.view
    except ShardError:
        return False


def _put(made: MadeView, overwrite: bool) -> MadeView:
    """Write a view, unless it is there already."""
    _check_view(made.out, made.view, overwrite)
    if _is_there(made):
        return MadeView(made.out, made.view, made.folders, made.of, made.photos, made.notes, kept=True)
    write_view(made.out, made.view)
    return made
