"""The grammar of keys, `label/name#object~view@recipe/variant`: written and read in this file alone.

| key of | form |
|---|---|
| a photo | `label/name`, a drawn first-frame view of it `label/name~view` |
| a sample | the photo's, with `#object` after the name where a photo may hold several objects |
| a triple | the sample's, with `@recipe/variant` |

`name` is the photo's path within its source, without suffix; it may hold slashes. `escape_name` takes the separators
out of file names, so that each stands at most once and a key has one reading.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Self

PLAIN_VIEW = "r+0"  # of a recipe with first-frame views, the photo as it is

_COPY = re.compile(r"(.+)\.rf\.[0-9A-Za-z]{16,}")  # as Roboflow names the copies that it makes of one photo

_ESCAPES = str.maketrans({"%": "%25", "#": "%23", "@": "%40", "~": "%7E"})


class Key(NamedTuple):
    """The parts of a key, each as text; '' for a part that the key does not have.

    `str(key)` puts them together again.

    Attributes:
        label: of the source.
        name: of the photo within its source.
        object: number of the object in its source.
        view: the first-frame view, e.g. `r+10f`: turned by 10 degrees, then flipped.
        recipe: name of the recipe.
        variant: number of the draw.
    """

    label: str
    name: str
    object: str = ""
    view: str = ""
    recipe: str = ""
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The parts of the key of a photo, a sample or a triple. Any text has parts; none is refused."""
        sample, _, draw = text.partition("@")
        recipe, _, variant = draw.partition("/")
        whole, _, view = sample.partition("~")
        photo, _, number = whole.partition("#")
        label, _, name = photo.partition("/")
        return cls(label, name, number, view, recipe, variant)

    def __str__(self) -> str:
        """The key."""
        text = f"{self.label}/{self.name}"
        text += f"#{self.object}" if self.object else ""
        text += f"~{self.view}" if self.view else ""
        text += f"@{self.recipe}" if self.recipe else ""
        return text + (f"/{self.variant}" if self.variant else "")


def escape_name(name: str) -> str:
    """The part of a key that stands for a file: NFC, with '#', '@', '~' and '%' percent-escaped."""
    name = name if name.isascii() else unicodedata.normalize("NFC", name)
    return name.translate(_ESCAPES)


def photo_key(label: str, name: str) -> str:
    """Key of a photo: `label/name`, with the separators in the name escaped."""
    return f"{label}/{escape_name(name)}"


def object_key(photo_key: str, number: int) -> str:
    """Key of one object of a photo: `label/name#number`."""
    return f"{photo_key}#{number}"


def view_key(key: str, angle: float, flip: bool) -> str:
    """Key of a first-frame view of a photo or sample: `…~r+10f` for 10 degrees, flipped."""
    return f"{key}~r{angle:+g}{'f' * flip}"


def draw_key(sample_key: str, recipe: str) -> str:
    """Key of all triples that a recipe makes of a sample: `…@recipe`."""
    return f"{sample_key}@{recipe}"


def triple_key(sample_key: str, recipe: str, variant: int) -> str:
    """Key of a triple: `…@recipe/variant`, unique in a build."""
    return f"{sample_key}@{recipe}/{variant}"


def source_of(key: str) -> str:
    """Label of the source, from the key of anything."""
    return key.partition("/")[0]


def sample_of(triple_key: str) -> str:
    """Key of the sample that a triple was made from."""
    return triple_key.partition("@")[0]


def without_view(key: str) -> str:
    """Key of the photo or sample as it is, from the key of any of its views."""
    return key.partition("~")[0]


def original_of(photo_key: str) -> str:
    """What all copies of one photo have in common: the key itself but for copies that a tool made.

    Roboflow exports several altered copies of one photo, `train/x_jpg.rf.HASH`; all are of `label/x_jpg`, whichever
    split they lie in. Who keeps photos apart (validation, near-duplicates) goes by this.
    """
    if ".rf." not in photo_key:
        return photo_key
    label, _, name = photo_key.partition("/")
    copy = _COPY.fullmatch(name.rpartition("/")[2])
    return f"{label}/{copy[1]}" if copy else photo_key


def photo_of(sample_key: str) -> str:
    """Key of the photo as its source has it, from the key of a triple, a sample or a view."""
    return sample_of(sample_key).partition("~")[0].partition("#")[0]


def is_within(key: str, whole: str) -> bool:
    """Whether `key` is `whole`, or an object, view or triple of it."""
    return key == whole or key.startswith((f"{whole}#", f"{whole}~", f"{whole}@"))
