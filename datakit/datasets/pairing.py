"""Which mask belongs to which photo, by their names alone: one mask of all objects, or a file for each object.

A mask of the very name of a photo is its own. What is left is looked at by the words of `mask_names`: `x_mask`,
`x.jpg`, `mask_001` beside `img_001`, `x_0`, `x/0`, `cat/x`. No mask is given to two photos, and no photo takes two
that might each be all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .mask_names import bases, joined, natural, number_readings, object_numbers

# where a longer name may go on after the name of its photo; '#', '@' and '~' as keys have them
STARTS = (*"_-. /(", "%23", "%40", "%7E")


class ObjectFile(NamedTuple):
    """The mask of one object: its number within the photo, the mask's name."""

    number: int
    name: str


@dataclass(frozen=True)
class Pairing:
    """Who belongs to whom.

    Attributes:
        whole: photo -> the mask of all its objects.
        objects: photo -> a mask of each object, by number.
        doubtful: photo -> several masks that might each be all of it.
    """

    whole: dict[str, str] = field(default_factory=dict)
    objects: dict[str, list[ObjectFile]] = field(default_factory=dict)
    doubtful: dict[str, list[str]] = field(default_factory=dict)

    @property
    def taken(self) -> set[str]:
        """All masks that belong to a photo."""
        return {*self.whole.values(), *(file.name for files in self.objects.values() for file in files)}


class Claim(NamedTuple):
    """That a mask belongs to a photo: whole, or as one object called `token`.

    One in a folder called `token`, which may be the object's or that of all masks, is of the form `folder`.
    """

    photo: str
    form: Literal["whole", "object", "folder"]
    token: str = ""


class Photos:
    """Photos by all that a mask may call them: their name, their name with suffix, their name without `img_`.

    Args:
        names: a photo's name -> its name with suffix.
    """

    def __init__(self, names: Mapping[str, str]):
        self.names = names
        self._exact: dict[str, str] = {}
        self._folded: dict[str, str] = {}
        bare = {name: joined(folder, base) for name in names for folder, base in _bare(name)}
        for tier in ({name: name for name in names}, names, bare):
            _extend(self._exact, tier)
            _extend(self._folded, {name: called.casefold() for name, called in tier.items()})

    def find(self, called: str) -> str | None:
        """The photo of that name, of letters of another case if none is; None where there is none, or there are two."""
        found = self._exact.get(called)
        if found is None:
            found = self._folded.get(called.casefold())
        return found or None


def _bare(name: str) -> Iterator[tuple[str, str]]:
    folder, _, stem = name.rpartition("/")
    parts = bases(stem, "photo")
    if parts:
        yield folder, parts[0]


def _extend(known: dict[str, str], tier: Mapping[str, str]) -> None:
    """Add names of one kind to those of better kinds; '' where two photos share one."""
    added: dict[str, str] = {}
    for name, called in tier.items():
        if called not in known:
            added[called] = "" if added.get(called, name) != name else name
    known |= added


def claim_of(mask: str, photos: Photos) -> Claim | None:
    """The photo that a mask's name means, the likeliest reading first; None where it means none."""
    return next((claim for claim in _claims(mask, photos)), None)


def _claims(mask: str, photos: Photos) -> Iterator[Claim]:
    folder, _, stem = mask.rpartition("/")
    marked = bases(stem, "mask")
    for called in (stem, *marked):
        if photo := photos.find(joined(folder, called)):
            yield Claim(photo, "whole")
    for called in (stem, *(base for base in marked if base)):
        for base, number, _ in number_readings(called):
            for part in (base, *bases(base, "mask")):
                if photo := photos.find(joined(folder, part)):
                    yield Claim(photo, "object", number)
    if not folder:
        return
    above, _, last = folder.rpartition("/")
    for called in (last, *bases(last, "mask")):
        if called and (photo := photos.find(joined(above, called)) or photos.find(joined(folder, called))):
            yield Claim(photo, "whole" if marked == [""] else "object", stem)
    parts = folder.split("/")
    for at in reversed(range(len(parts))):
        rest = "/".join(parts[:at] + parts[at + 1 :])
        for called in (stem, *(base for base in marked if base)):
            if photo := photos.find(joined(rest, called)):
                yield Claim(photo, "folder", parts[at])


def pair_names(names: Mapping[str, str], masks: Collection[str]) -> Pairing:
    """Give every mask to its photo.

    Args:
        names: a photo's name -> its name with suffix, both '/'-separated.
        masks: names of masks, without suffix.
    """
    pairing = Pairing({name: name for name in names if name in masks})
    left = sorted(set(masks) - names.keys())
    if not left or len(pairing.whole) == len(names):
        return pairing
    photos = Photos(names)
    claims: dict[str, dict[str, Claim]] = {}
    unclaimed = []
    for mask in left:
        claim = claim_of(mask, photos)
        if claim is None:
            unclaimed.append(mask)
        elif claim.photo not in pairing.whole:
            claims.setdefault(claim.photo, {})[mask] = claim
    if not pairing.whole:
        _claim_by_beginning(unclaimed, names.keys() - claims.keys(), claims)
    _settle_folders(claims)
    for photo in sorted(claims):
        _settle(photo, claims[photo], pairing)
    return pairing


def _claim_by_beginning(masks: list[str], photos: Collection[str], claims: dict[str, dict[str, Claim]]) -> None:
    """Claims of masks that begin with the name of a photo and go on with words that nobody knows.

    Where all go on in the same way, that is how this set calls its masks; else these words are objects.
    """
    found: dict[str, tuple[str, str]] = {}
    for mask in masks:
        starts = (at for at in range(len(mask) - 1, 0, -1) if mask.startswith(STARTS, at) and mask[:at] in photos)
        if at := next(starts, 0):
            found[mask] = mask[:at], mask[at:]
    is_word = len({rest for _, rest in found.values()}) == 1
    for mask, (photo, rest) in found.items():
        claims.setdefault(photo, {})[mask] = Claim(photo, "whole" if is_word else "object", rest)


def _settle_folders(claims: dict[str, dict[str, Claim]]) -> None:
    """Folders are objects' where there are several of them; one folder for all masks tells nothing."""
    folders = {claim.token for each in claims.values() for claim in each.values() if claim.form == "folder"}
    for each in claims.values():
        for mask, claim in each.items():
            if claim.form == "folder":
                each[mask] = claim._replace(form="object" if len(folders) > 1 else "whole")


def _settle(photo: str, claims: Mapping[str, Claim], pairing: Pairing) -> None:
    """What a photo takes of the masks that claim it: one that is whole, or all that are objects."""
    forms = {claim.form for claim in claims.values()}
    if forms == {"object"}:
        pairing.objects[photo] = object_files({name: claim.token for name, claim in claims.items()})
    elif len(claims) == 1:
        pairing.whole[photo] = next(iter(claims))
    else:
        pairing.doubtful[photo] = sorted(claims, key=natural)


def object_files(tokens: Mapping[str, str]) -> list[ObjectFile]:
    """The masks of one photo's objects by number.

    Args:
        tokens: a mask's name -> what tells its object in it; the whole names tell, where two are alike.
    """
    if len(set(tokens.values())) < len(tokens):  # x_0 and 0/x
        tokens = {name: name for name in tokens}
    numbers = object_numbers(list(tokens.values()))
    return sorted(ObjectFile(numbers[token], name) for name, token in tokens.items())
