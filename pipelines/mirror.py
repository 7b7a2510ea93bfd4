"""An output folder in a store for commands that work on a disk: a folder of this machine that is kept like it.

What lies at the address is fetched first, so that a command goes on with it, or refuses it, as it would on a disk. What
changes is put there every half minute and at the end, also where the command fails; what vouches for the others goes
last. A folder that a killed run left here is gone on with, unless somebody else has changed the store meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from datakit.errors import DatakitError, UsageError
from datakit.files import EXPORT_MANIFEST, PART_PREFIX, check_writable, file_sha256, write_json
from datakit.places import Place, download, is_stored, objects_below, remove
from datakit.shards.cache import Cache
from datakit.stores import StoreError, is_address, upload

from .lock import HOLDER, LOCK, Hold
from .store_lock import hold_folder, read_or_none

logger = logging.getLogger(__name__)
PUT_S = 30.0  # from one time that changes are put in the store to the next
THREADS = 16  # files that go up or come down at once
SMALL = 8 << 20  # bytes of a file that is copied before it goes up, since a command may be adding to it
FOLDERS, STATE = "outputs", "state.json"  # in the cache; and what the store held when this run last looked
VOUCHING = (EXPORT_MANIFEST,)
PUTTING = ".putting.json"  # in the store: what a run puts there that is to be vouched for
LOGGERS = ("datakit", "model", "pipelines")


class Output:
    """Where a command writes.

    Attributes:
        place: as the user named it; None where nobody did.
        here: a folder of this machine; the place itself where that is one.
    """

    def __init__(self, place: Place | None, here: Path | None):
        self.place, self.here = place, here

    def told(self, text: str) -> str:
        """A text for the user: with the place in it where it names the folder of this machine."""
        return text if self.here is None else text.replace(str(self.here), str(self.place))


@contextlib.contextmanager
def output_at(place: Place | None, named: str = "--out") -> Iterator[Output]:
    """A folder to write into; one in a store is kept like it while the body runs, and held for this run.

    Args:
        place: as the user named it.
        named: the option, for messages.

    Raises:
        UsageError: the store can only be read, or several processes of torchrun would write there.
        Locked: another run writes there.
        StoreError: the store cannot be used.
    """
    if place is None or not is_stored(place):
        yield Output(place, place)
        return
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(f"{named} {place}: torchrun's processes need a folder they share; name one, and copy it there")
    check_writable(place, f"{named} {place}")
    with hold_folder(place) as hold:
        mirror = Mirror(place, hold)
        output = Output(place, mirror.here)
        with _told_by(output), mirror.kept_alike():
            yield output


class Mirror:
    """A folder of a store, held by the caller, and the folder of this machine that is kept like it.

    Args:
        place: the address.
        hold: of it.

    Attributes:
        here: the folder of this machine.
    """

    def __init__(self, place: Place, hold: Hold):
        self.place, self._hold = place, hold
        self._home = Cache().folder / FOLDERS / hashlib.sha256(str(place).encode()).hexdigest()[:16]
        self.here = self._home / (place.name or "out")
        self._known: dict[str, tuple[int, int]] = {}  # path -> size and mtime (ns) of what was put
        self._ended = threading.Event()
        self._one_at_a_time = threading.Lock()

    @contextlib.contextmanager
    def kept_alike(self) -> Iterator[None]:
        """Inside, what changes in the folder is put in the store; at the end the folder vanishes.

        What a command keeps beside it to go on from, as an export does, is left.

        Raises:
            StoreError: at the end, where not all could be put there; the message says where it lies.
            Locked: another run has taken the store's folder over.
        """
        self._begin()
        thread = threading.Thread(target=self._put_now_and_then, name="mirror", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._put_all()
            shutil.rmtree(self.here, ignore_errors=True)
            if not any(self._home.glob(f"{PART_PREFIX}*/")):
                shutil.rmtree(self._home, ignore_errors=True)

    def _begin(self) -> None:
        """Make the folder here hold what the store does, or what a killed run made of that."""
        there = self._listed()
        if self.here.is_dir() and self._is_ours(there):
            logger.info(f"{self.place}: going on with what a killed run left in {self._home}")
            self._known = dict.fromkeys(there, (-1, -1))
            return
        (self._home / STATE).unlink(missing_ok=True)  # before anything that it speaks of
        shutil.rmtree(self.here, ignore_errors=True)
        self._home.mkdir(parents=True, exist_ok=True)
        found = self._without_halves(there)
        _in_threads(lambda path: download(self.place / path, self.here / path), found)
        self._known = self._files()
        self._note(found)

    def _listed(self) -> dict[str, list[Any]]:
        found = objects_below(self.place, skip=LOCK)
        return {path: about for path, about in found.items() if path != PUTTING}

    def _note(self, there: Mapping[str, Any], putting: Sequence[str] = ()) -> None:
        """Keep what the store holds, and what is about to change in it."""
        write_json(self._home / STATE, {"there": there, "putting": list(putting)})

    def _is_ours(self, there: Mapping[str, Any]) -> bool:
        """Whether nobody but a run of this machine has changed the store since it was last looked at."""
        try:
            state = json.loads((self._home / STATE).read_text(encoding="utf-8"))
            then, putting = state["there"], set(state["putting"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return all(then.get(path) == there.get(path) for path in {*then, *there} - putting)

    def _without_halves(self, there: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the store holds, without what a run put there that died before it could vouch for it."""
        half = read_or_none(self.place / PUTTING)
        if half is None:
            return there
        ours = set(json.loads(half)) & there.keys()
        _in_threads(lambda path: remove(self.place / path), sorted(ours))
        remove(self.place / PUTTING)
        return {path: about for path, about in there.items() if path not in ours}

    def _put_now_and_then(self) -> None:
        while not self._ended.wait(PUT_S):
            try:
                self.put()
            except (OSError, DatakitError) as error:  # it may pass; the end of the run tries again, and tells
                logger.warning(f"{self.place}: {_why(error)}; changes are put there later")

    def _put_all(self) -> None:
        try:
            self._hold.confirm()
            self.put()
        except OSError as error:
            raise StoreError(
                error.errno,
                f"{self.place}: {_why(error)}; what was made lies in {self._home}. When that is mended run the same "
                f"command again (of a training: `datakit train --resume {self.place}`): it goes on with that",
            ) from error

    def put(self) -> None:
        """Put what has changed since the last time in the store, and remove there what is gone here.

        Raises:
            StoreError: not all of it; what is not there is tried the next time.
        """
        with self._one_at_a_time:
            self._hold.check()
            if not self.here.is_dir():  # not made yet, just about to be replaced, or lost: no reason to remove anything
                return
            files = self._files()
            changed = [path for path, about in sorted(files.items(), key=_by_age) if self._known.get(path) != about]
            gone = [path for path in self._known if path not in files]
            if not (changed or gone):
                return
            vouching = [path for path in (*changed, *gone) if Path(path).name in VOUCHING]
            self._note(self._listed(), [*changed, *gone])
            if vouching:
                write_json(self.place / PUTTING, changed)
            for path in vouching:  # before what it speaks of changes
                remove(self.place / path)
            _in_threads(lambda path: remove(self.place / path), gone)
            _in_threads(self._upload, [path for path in changed if path not in vouching])
            _in_threads(self._upload, [path for path in changed if path in vouching])
            if vouching:
                remove(self.place / PUTTING)
            self._known = files
            self._note(self._listed())

    def _files(self) -> dict[str, tuple[int, int]]:
        """Path -> size and time of change (ns) of every file here that is not half written."""
        found: dict[str, tuple[int, int]] = {}
        for folder, folders, names in os.walk(self.here):
            folders[:] = [name for name in folders if not name.startswith(PART_PREFIX)]
            for name in names:
                if name in (LOCK, HOLDER) or name.startswith(PART_PREFIX):
                    continue
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                    about = path.stat()
                    found[path.relative_to(self.here).as_posix()] = about.st_size, about.st_mtime_ns
        return found

    def _upload(self, path: str) -> None:
        file = self.here / path
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile
            if file.stat().st_size > SMALL:  # made in one step
                upload(file, self.place / path, file_sha256(file))
                return
            copy = self._home / f"{PART_PREFIX}{hashlib.sha256(path.encode()).hexdigest()}"
            shutil.copyfile(file, copy)
            upload(copy, self.place / path, file_sha256(copy))
            copy.unlink()


def _why(error: Exception) -> str:
    """What is wrong, without the object that it was met at, and without a way out that is another here."""
    text = str(error)
    return text.partition(": ")[2].partition("; ")[0] if is_address(text.partition(": ")[0]) else text


def _by_age(item: tuple[str, tuple[int, int]]) -> int:
    return item[1][1]


def _in_threads(work: Callable[[str], None], paths: Iterable[str]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, paths):
            pass


@contextlib.contextmanager
def _told_by(output: Output) -> Iterator[None]:
    """Inside, errors and what is logged name the place instead of the folder of this machine."""

    def renamed(record: logging.LogRecord) -> bool:
        record.msg, record.args = output.told(record.getMessage()), ()
        return True

    handlers = [handler for name in LOGGERS for handler in logging.getLogger(name).handlers]
    for handler in handlers:
        handler.addFilter(renamed)
    try:
        yield
    except (DatakitError, OSError, KeyboardInterrupt) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            home = output.here.parent if output.here else ""
            raise DatakitError(
                f"{output.place}: is made in {home}, whose disk is full; make room there, or name a folder on another "
                "disk by --cache DIR"
            ) from error
        error.args = tuple(output.told(each) if isinstance(each, str) else each for each in error.args)
        if isinstance(error, OSError) and isinstance(error.filename, str):
            error.filename = output.told(error.filename)
        raise
    finally:
        for handler in handlers:
            handler.removeFilter(renamed)
