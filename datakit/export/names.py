"""Names of exported files: letters, digits, '-' and '_', no two equal where case plays no part.

Loaders cut names at the first or the last dot, so a dot in one would make two photos one.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

LONGEST = 120  # bytes of UTF-8; a file's name may have 255, and suffixes and numbers follow


def unique_names(keys: Iterable[str]) -> list[str]:
    """A name for each key, in order; equal keys and order give equal names.

    Args:
        keys: such as `label/folder/name`; escapes of the form %25 are undone.
    """
    taken: set[str] = set()
    names = []
    for key in keys:
        plain = plain_name(key)
        name, count = plain, 1
        while name.casefold() in taken:
            count += 1
            name = f"{plain}-{count}"
        taken.add(name.casefold())
        names.append(name)
    return names


def plain_name(key: str) -> str:
    """One key as a name; several keys may have the same one."""
    text = unicodedata.normalize("NFC", unquote(key))
    name = "".join(character if character.isalnum() or character in "-_" else "_" for character in text) or "_"
    data = name.encode()
    if len(data) <= LONGEST:
        return name
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{data[:LONGEST].decode(errors='ignore')}-{digest}"
