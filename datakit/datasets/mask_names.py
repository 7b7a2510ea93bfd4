"""What the name of a file or folder says: that it holds a mask, a photo, or neither, and of which photo or object.

Words as people and annotation tools write them, before or behind the name proper, in any case, with or without a
separator. Names are '/'-separated paths without suffix. Nothing is opened; who belongs to whom is left to `pairing`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Role = Literal["photo", "mask", "other", ""]

# '#', '@' and '~' as keys have them
SEPARATOR = r"(?:[_\-. +()\[\]]|%23|%40|%7E)"
MASK = (
    r"(?:(?:ped|bit|bin)?masks?|msks?|gts?|ground[_\- ]?truths?|truths?|seg|segs|segments?|segmentations?|segmaps?"
    r"|labels?|lbls?|label[_\- ]?maps?|label[_\- ]?ids|annotations?|annots?|annos?|mattes?|alphas?"
    r"|silhouettes?|targets?|fuse|objects?|cut[_\- ]?outs?|foregrounds?|fg|removebg(?:[_\- ]preview)?|rembg"
    r"|no[_\- ]?(?:bg|background)|bg[_\- ]removed|transparent"
    r"|manual\d?|(?:segmentation|semantic|seg)[_\-]?(?:class|object)(?:png|raw|aug)?|instances?"
    r"|instance[_\- ]?(?:ids|masks?|segmentation)|masks?[_\- ]?(?:png|tif|bmp|gif|instances?|objects?|binary))"
)
PHOTO = (
    r"(?:images?|imgs?|im|photos?|pictures?|pics?|rgb|(?:jpe?g|png)(?:images?)?|originals?|orig|inputs?|frames?|sat"
    r"|raw|src|sources?|leftimg8bit|colou?r)"
)
OTHER = (
    r"(?:edges?|contours?|outlines?|boundary|boundaries|depths?|disp(?:arity)?|trimaps?|thumb(?:nail)?s?|previews?"
    r"|vis|viz|visual(?:ization|isation)?s?|(?:segmentationclass|segmentationobject|semantic|instance|mask)[_\-]?"
    r"vi(?:s|z|sualization|sualisation)|overlays?|overlaid|blend(?:ed)?|bbox(?:es)?|skeletons?|heatmaps?|scribbles?)"
)
# what may stand beside such a word in the name of a folder, and tells nothing of its files
FILLER = re.compile(r"(?:binary|maps?|files?|final|all|full|new|old|human|machine|v?\d{1,2})", re.IGNORECASE)
OBJECT = r"(?:objects?|obj|instances?|inst|ids?|parts?|no|nr|n|m)"
GLUED = r"(?:masks?|labels?|matte|segmentation|groundtruth)"  # words that also stand without a separator

_ENDS = r"[_\-. )\]]{0,4}"  # what may close a name; bounded, so that a name of separators alone takes no time
_WORDS = {"mask": MASK, "photo": PHOTO, "other": OTHER}
_WHOLE = {role: re.compile(word, re.IGNORECASE) for role, word in _WORDS.items()}
# the separators before a word belong to the word, or all but one to the name: "x___fuse", "x (1)_mask"
_AROUND = {
    role: tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"(?P<base>.+){SEPARATOR}{word}{_ENDS}",
            rf"(?P<base>.+?){SEPARATOR}{{1,4}}{word}{_ENDS}",
            rf"{word}{SEPARATOR}{{1,4}}(?P<base>.+)",
        )
    )
    for role, word in _WORDS.items()
}
_GLUED = re.compile(rf"(?P<base>.+?){GLUED}{_ENDS}", re.IGNORECASE)
_NUMBERED = tuple(
    re.compile(
        rf"(?:(?P<base>{base})?(?:(?P<word>{MASK}|{OBJECT}){SEPARATOR}{{0,4}})?(?P<number>\d+){_ENDS}", re.IGNORECASE
    )
    for base in (rf".+){SEPARATOR}", rf".+?){SEPARATOR}{{1,4}}")
)
_NUMBER_FIRST = re.compile(
    rf"(?P<word>{MASK}|{OBJECT}){SEPARATOR}{{0,4}}(?P<number>\d+){SEPARATOR}{{1,4}}(?P<base>.+)", re.IGNORECASE
)
_DIGITS = re.compile(r"(\d+)")


class Numbered(NamedTuple):
    """A name that holds the number of an object.

    Attributes:
        base: the name without it.
        number: as text.
        is_mask: whether a word for masks stands with the number, too.
    """

    base: str
    number: str
    is_mask: bool


def bases(stem: str, role: Literal["mask", "photo", "other"]) -> list[str]:
    """What may be left of a file's stem without a word of that role, the likeliest first; '' where it is that word."""
    if _WHOLE[role].fullmatch(stem):
        return [""]
    parts = [match["base"] for pattern in _AROUND[role] if (match := pattern.fullmatch(stem))]
    if not parts and role == "mask" and (glued := _GLUED.fullmatch(stem)):
        parts = [glued["base"]]
    return list(dict.fromkeys(parts))


def number_readings(stem: str) -> list[Numbered]:
    """The readings of a stem that holds an object's number: `x_1`, `x_mask1`, `x (1)`, `obj1_x`, `mask_1`, `1`."""
    matches = (pattern.fullmatch(stem) for pattern in (*_NUMBERED, _NUMBER_FIRST))
    found = (
        Numbered(match["base"] or "", match["number"], bool(_WHOLE["mask"].fullmatch(match["word"] or "")))
        for match in matches
        if match
    )
    return list(dict.fromkeys(found))


@lru_cache(maxsize=100_000)
def folder_role(name: str) -> tuple[Role, str]:
    """What one folder holds by its name, and what is left of that: ('mask', 'train') of `train_masks`.

    A name without such a word has no role and is left as it is.
    """
    roles: tuple[Literal["other", "mask", "photo"], ...] = ("other", "mask", "photo")
    for role in roles:
        if _WHOLE[role].fullmatch(name):
            return role, ""
    for role in roles:
        if parts := bases(name, role):
            is_plain = FILLER.fullmatch(parts[0]) or any(word.fullmatch(parts[0]) for word in _WHOLE.values())
            return role, "" if is_plain else parts[0]
    return "", name


@lru_cache(maxsize=100_000)
def path_role(folder: str) -> tuple[Role, str]:
    """The role of the deepest folder of a path that has one, and the path without words of masks and photos."""
    role: Role = ""
    kept = []
    for part in folder.split("/") if folder else []:
        found, rest = folder_role(part)
        role = found or role
        kept.append(rest)
    return role, "/".join(part for part in kept if part)


def joined(folder: str, stem: str) -> str:
    """`folder/stem`, or what there is of the two."""
    return f"{folder}/{stem}" if folder and stem else folder or stem


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which 2 stands before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name)]


def object_numbers(tokens: list[str]) -> dict[str, int]:
    """Numbers of one photo's objects by what their files are called: those numbers, if all are whole, unlike and not 0.

    Else they are counted from 1 in natural order.
    """
    ordered = sorted(set(tokens), key=lambda token: (natural(token), token))
    if all(token.isascii() and token.isdigit() and len(token) <= 9 for token in ordered):
        numbers = [int(token) for token in ordered]
        if len(set(numbers)) == len(numbers) and numbers[0] > 0:
            return dict(zip(ordered, numbers, strict=True))
    return {token: number for number, token in enumerate(ordered, 1)}
