"""`--mask-name`: where the mask of a photo lies, in the user's own words: `{stem}_seg.png`, `{folder}/gt/{name}.png`.

| part | stands for |
|---|---|
| `{stem}` | the photo's file name without suffix |
| `{name}` | the same with suffix |
| `{folder}` | the photo's folder, below the folder of photos |
| `*` | any letters but a slash; where a photo finds several masks by it, each is one object |

A pattern without a slash is a name in the same subfolder; with one it begins at the folder of masks. Letters of another
case fit where none of the same case do.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..errors import UsageError
from ..keys import escape_name
from .pairing import Pairing, object_files

FIELDS = ("{stem}", "{name}", "{folder}")
EXAMPLE = "e.g. '{stem}_seg.png', 'masks/{stem}/*.png' or '{folder}/gt/{name}.png'"
STAR = "\0"  # `*`, once a photo's own name, which may hold one, has been put in
END = "\U0010ffff"  # behind every name that begins alike


@dataclass(frozen=True)
class MaskPattern:
    """A pattern that was found to be one.

    Attributes:
        text: as given.
        parts: its names of folders and of the mask, the last without suffix, as keys have them.
        suffixes: of masks, lower case.
    """

    text: str
    parts: tuple[str, ...]
    suffixes: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, suffixes: tuple[str, ...]) -> MaskPattern:
        """Read a pattern.

        Args:
            text: as given.
            suffixes: those that masks may have, lower case.

        Raises:
            UsageError: it is none; says why, with an example.
        """
        path, dot, suffix = text.rpartition(".")
        suffix = f"{dot}{suffix}".lower()
        parts = path.split("/") if "/" in path else ["{folder}", path]
        if faults := list(_faults(text, parts, suffix, suffixes)):
            raise UsageError(f"--mask-name {text!r}: {faults[0]}; {EXAMPLE}")
        kept = tuple(escape_name(part) for part in parts if part != ".")
        return cls(text, kept, suffixes if suffix == ".*" else (suffix,))

    def below(self, folder: str) -> MaskPattern:
        """The pattern as it begins at a folder, where it names that folder itself."""
        named = tuple(escape_name(part) for part in folder.split("/") if part)
        if not named or len(self.parts) <= len(named) or self.parts[: len(named)] != named:
            return self
        return MaskPattern(self.text, self.parts[len(named) :], self.suffixes)

    def wanted(self, name: str, full: str) -> str:
        """The name that the mask of a photo must have, '/'-separated, `STAR` for `*`.

        Args:
            name: the photo's, without suffix, '/'-separated, as keys have it.
            full: the same with suffix.
        """
        folder, _, stem = name.rpartition("/")
        values = {"{stem}": stem, "{name}": full.rpartition("/")[2], "{folder}": folder}
        text = "/".join(self.parts).replace("*", STAR)
        text = re.sub(r"\{\w+\}", lambda field: values[field[0]], text)
        return "/".join(part for part in text.split("/") if part)

    def fits(self, name: str) -> bool:
        """Whether a mask of that name may be one that the pattern finds, had it a photo."""
        return bool(self._shape.fullmatch(name.casefold()))

    @cached_property
    def _shape(self) -> re.Pattern[str]:
        known = {"{folder}/": "(?:.*/)?", "{folder}": ".*", "{stem}": "[^/]*", "{name}": "[^/]*", "*": "[^/]*"}
        pieces = re.split(r"(\{folder\}/|\{\w+\}|\*)", "/".join(self.parts).casefold())
        return re.compile("".join(known.get(piece, re.escape(piece)) for piece in pieces))

    def pair(self, names: Mapping[str, str], masks: Collection[str]) -> Pairing:
        """Give every mask that the pattern finds to its photo.

        A mask that two photos find belongs to the one of the longer file name; to neither where both are as long.

        Args: as `pairing.pair_names`.
        """
        index = _Names(masks)
        found = {name: dict(index.find(self.wanted(name, full))) for name, full in names.items()}
        owners: dict[str, list[str]] = {}
        for name, masks_found in found.items():
            for mask in masks_found:
                owners.setdefault(mask, []).append(name)
        has_objects = "*" in "".join(self.parts) and any(len(each) > 1 for each in found.values())
        pairing = Pairing()
        for name, each in found.items():
            lengths = {mask: [len(owner.rpartition("/")[2]) for owner in owners[mask]] for mask in each}
            mine = len(name.rpartition("/")[2])
            own = {mask: token for mask, token in each.items() if mine == max(lengths[mask])}
            shared = [mask for mask in own if lengths[mask].count(mine) > 1]
            if shared:
                pairing.doubtful[name] = sorted(shared)
            elif has_objects and own:
                pairing.objects[name] = object_files(own)
            elif own:
                _take(pairing, name, list(own))
        return pairing


def _faults(text: str, parts: list[str], suffix: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    fields = re.findall(r"\{[^{}]*\}", text)
    for field in fields:
        if field not in FIELDS:
            yield f"{field} stands for nothing, expected {', '.join(FIELDS)}"
    if "{" in re.sub(r"\{\w+\}", "", text) or "}" in re.sub(r"\{\w+\}", "", text):
        yield "a brace has no partner"
    if not fields:
        yield f"every photo would have the same mask, expected {', '.join(FIELDS)} in it"
    if text.startswith(("/", "~")) or ".." in text.split("/") or "\\" in text or "\0" in text:
        yield "leaves the folder of masks, expected a path within it, with /"
    if suffix != ".*" and suffix not in suffixes:
        yield f"ends in no suffix of a mask, expected {', '.join(suffixes)} or .*"
    for part in parts:
        before, _, after = re.sub(r"\{\w+\}", "\0", part).partition("\0")
        if "*" in before and "*" in after:
            yield f"{part} holds * on both sides of a photo's name, expected it on one"


def _literal(part: str) -> str:
    """A part of a pattern as keys have names."""
    return escape_name(part)


def _take(pairing: Pairing, name: str, own: list[str]) -> None:
    if len(own) == 1:
        pairing.whole[name] = own[0]
    else:
        pairing.doubtful[name] = sorted(own)


class _Names:
    """Names of masks, to be found by a name with stars in it; two looks into a sorted list and what lies between."""

    def __init__(self, names: Collection[str]):
        self.folders: dict[str, _Names] = {}
        self.leaves: dict[str, list[str]] = {}
        for name in names:
            node = self
            *folders, leaf = name.split("/")
            for folder in folders:
                node = node.folders.setdefault(folder.casefold(), _Names(()))
            node.leaves.setdefault(leaf.casefold(), []).append(name)

    def find(self, wanted: str) -> Iterator[tuple[str, str]]:
        """(name of a mask, what the stars stand for in it)."""
        for names, token in self._walk(wanted.casefold().split("/"), ""):
            same_case = [name for name in names if _fits(wanted, name)] if len(names) > 1 else names
            yield from ((name, token) for name in same_case or names)

    def _walk(self, parts: list[str], token: str) -> Iterator[tuple[list[str], str]]:
        first, *rest = parts
        found: dict[str, _Names] | dict[str, list[str]] = self.folders if rest else self.leaves
        for name in self._near(first, bool(rest)) if STAR in first else [first]:
            stars = _stars(first, name)
            if stars is None or name not in found:
                continue
            grown = "/".join(filter(None, (token, *stars)))
            if rest:
                yield from self.folders[name]._walk(rest, grown)
            else:
                yield self.leaves[name], grown

    def _near(self, wanted: str, is_folder: bool) -> list[str]:
        """Names that begin, or end, as one with stars does."""
        start, end = wanted.partition(STAR)[0], wanted.rpartition(STAR)[2]
        forward, backward = self._sorted_folders if is_folder else self._sorted_leaves
        if len(end) > len(start):
            return [name[::-1] for name in _between(backward, end[::-1])]
        return _between(forward, start)

    @cached_property
    def _sorted_folders(self) -> tuple[list[str], list[str]]:
        return sorted(self.folders), sorted(name[::-1] for name in self.folders)

    @cached_property
    def _sorted_leaves(self) -> tuple[list[str], list[str]]:
        return sorted(self.leaves), sorted(name[::-1] for name in self.leaves)


def _between(names: list[str], start: str) -> list[str]:
    return names[bisect_left(names, start) : bisect_left(names, start + END)]


def _fits(wanted: str, name: str) -> bool:
    """Whether a path is one with stars in it, letter by letter."""
    parts = zip(wanted.split("/"), name.split("/"), strict=True)
    return all(_stars(part, found) is not None for part, found in parts)


def _stars(wanted: str, name: str) -> list[str] | None:
    """What the stars of a name stand for in another; None where that is none of its kind."""
    first, *middle = wanted.split(STAR)
    if not middle:
        return [] if name == wanted else None
    last = middle.pop()
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return None
    found, rest = [], name[len(first) : len(name) - len(last)]
    for piece in filter(None, middle):
        before, met, rest = rest.partition(piece)
        if not met:
            return None
        found.append(before)
    return [*found, rest]
