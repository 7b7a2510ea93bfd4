"""A table of named things that other packages can add to: by a call, or by an entry point of their distribution."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Iterator, MutableMapping
from typing import Generic, TypeVar

from .errors import UsageError

logger = logging.getLogger(__name__)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

Entry = TypeVar("Entry")


class Registry(MutableMapping[str, Entry], Generic[Entry]):
    """Name -> entry. Entry points of installed packages are loaded when the table is listed or a name is not found.

    Args:
        what: one of its entries, for messages, such as `layout`.
        group: of entry points; the name of an entry point is the name in the table.
        check: raises UsageError where an entry cannot be used under a name.

    Attributes:
        failed: name -> why an entry point could not be loaded.
    """

    def __init__(self, what: str, group: str, check: Callable[[str, Entry], None]):
        self.what, self.group = what, group
        self.failed: dict[str, str] = {}
        self._entries: dict[str, Entry] = {}
        self._check = check
        self._is_loaded = False

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            self._load()
        return self._entries[name]

    def __setitem__(self, name: str, entry: Entry) -> None:
        if not NAME.fullmatch(name):
            raise UsageError(f"{self.what} {name!r}: a name may hold a-z, 0-9, '_' and '-' only")
        self._check(name, entry)
        self._entries[name] = entry

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def add(self, name: str, entry: Entry) -> Entry:
        """Put an entry under a new name, and give it back.

        Raises:
            UsageError: the name is taken or no name, or the entry cannot be used.
        """
        if name in self._entries and self._entries[name] is not entry:
            raise UsageError(f"{self.what} {name!r}: there is one of that name already; choose another name")
        self[name] = entry
        return entry

    def find(self, name: str, place: str) -> Entry:
        """The entry of a name.

        Args:
            name: as a user wrote it.
            place: opens the message.

        Raises:
            UsageError: there is none; it names the nearest and lists all.
        """
        if name in self:
            return self[name]
        known = tuple(self)
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        why = f"; {self.failed[name]}" if name in self.failed else ""
        raise UsageError(f"{place}: unknown {self.what} {name!r}; {hint}The {self.what}s are {', '.join(known)}{why}")

    def _load(self) -> None:
        """Add what installed packages offer. What cannot be loaded is left out, with a warning."""
        if self._is_loaded:
            return
        self._is_loaded = True
        from importlib.metadata import entry_points  # 50 ms, which a name that is known need not wait for

        for point in entry_points(group=self.group):
            try:
                if point.name not in self._entries:
                    self.add(point.name, point.load())
            except Exception as error:  # whatever another package may do wrong
                package = point.dist.name if point.dist else "a package"
                self.failed[point.name] = f"the {self.what} {point.name!r} of {package} cannot be loaded: {error}"
                logger.warning(self.failed[point.name])
