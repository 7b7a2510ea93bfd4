"""Hundreds of bad data sets on disk: damaged files, odd names and trees, documents that lie; by a generator each."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import socket
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from tests import tiny

Build = Callable[[Path, random.Random], None]

# What is done to bytes --------------------------------------------------------------------------


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 5, 40))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def blank(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    length = rng.choice((1, 16, 300))
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def drop(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 8, 100)) :]


def insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.choice((1, 30, 900))) + data[start:]


def header(data: bytes, rng: random.Random) -> bytes:
    """Damage where sizes and kinds stand."""
    changed = bytearray(data)
    for _ in range(3):
        changed[rng.randrange(min(60, len(changed)))] = rng.randrange(256)
    return bytes(changed)


def repeat(data: bytes, rng: random.Random) -> bytes:
    return data + data


def swap(data: bytes, rng: random.Random) -> bytes:
    middle = len(data) // 2
    return data[middle:] + data[:middle]


DAMAGE = (cut, flip, blank, drop, insert, header, repeat, swap)


def encoded(image: PillowImage.Image, form: str) -> bytes:
    stream = BytesIO()
    image.save(stream, form)
    return stream.getvalue()


FORMS = {".jpg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".webp": "WEBP", ".tif": "TIFF"}
MODES = {".jpg": ("L", "RGB", "CMYK"), ".png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), ".gif": ("L", "P"),
         ".bmp": ("1", "L", "P", "RGB"), ".tif": ("1", "L", "P", "RGB", "RGBA", "I;16", "F")}  # fmt: skip


def damaged_file(role: str, suffix: str, damage: Callable[[bytes, random.Random], bytes]) -> Build:
    """One photo or mask of a sound set, damaged."""

    def build(root: Path, rng: random.Random) -> None:
        tiny.pairs(root, 2)
        victim = next((root / role).rglob("photo 1.*"))
        victim.unlink()
        source = tiny.picture(1) if role == "images" else tiny.mask(1) * np.uint8(255)
        form = FORMS[suffix]
        victim.with_suffix(suffix).write_bytes(damage(encoded(PillowImage.fromarray(source), form), rng))

    return build


def moded_file(role: str, suffix: str, mode: str) -> Build:
    """One photo or mask in another mode, whatever comes of it."""

    def build(root: Path, rng: random.Random) -> None:
        tiny.pairs(root, 2)
        victim = next((root / role).rglob("photo 1.*"))
        victim.unlink()
        source = tiny.picture(1) if role == "images" else tiny.mask(1) * np.uint8(255)
        PillowImage.fromarray(source).convert(mode).save(victim.with_suffix(suffix))

    return build


def sized_mask(height: int, width: int) -> Build:
    def build(root: Path, rng: random.Random) -> None:
        tiny.pairs(root, 2)
        tiny.write_grey(root / "masks/part1/photo 1.png", np.full((height, width), 255, np.uint8))

    return build


NAMES = ("a b", "ä", "e\u0301", "ア", "😀", "a#1", "a@2", "a%23", "a\nb", "a\tb", "\x1b[2J", "a\\b", "..a", "a..",
         "~", "-rf", "CON", "a" * 200, "x.tar.gz", "'; DROP", "%s%n", "\u202egpj", "\u200b", "{0}", "é/é",
         "d/" * 30 + "x")  # fmt: skip


def odd_name(name: str) -> Build:
    def build(root: Path, rng: random.Random) -> None:
        tiny.pair(root / "images", root / "masks", "sound", 1)
        tiny.pair(root / "images" / Path(name).parent, root / "masks" / Path(name).parent, Path(name).name, 2)
        with contextlib.suppress(OSError):
            os.link(
                root / "images/sound.jpg", os.fsencode(root / "images") + b"/\xff" + os.fsencode(name[:3]) + b".jpg"
            )

    return build


# Trees that are no trees ------------------------------------------------------------------------


def special(make: Callable[[Path], Any]) -> Build:
    """Something that is no file in the place of a photo, of a mask, and beside them."""

    def build(root: Path, rng: random.Random) -> None:
        tiny.pairs(root, 4)
        for place in ("images/part1/photo 1.jpg", "masks/part0/photo 2.png"):
            (root / place).unlink()
            make(root / place)
        make(root / "images" / "beside.jpg")
        make(root / "images" / "no suffix")

    return build


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(path.parent):
        server.bind(path.name)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 42)


SPECIALS: dict[str, Callable[[Path], Any]] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "folder with files": lambda path: tiny.write_picture(path / "inner.jpg", tiny.picture(3)),
    "socket": listening,
    "link to itself": lambda path: path.symlink_to(path.name),
    "dangling link": lambda path: path.symlink_to("/nowhere/at all"),
    "link to its folder": lambda path: path.symlink_to("."),
    "link to the root": lambda path: path.symlink_to("../.."),
    "sparse terabytes": sparse,
    "no bytes": Path.touch,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "hidden": lambda path: tiny.write_picture(path.parent / f".{path.stem}.jpg", tiny.picture(3)),
    "resource folder": lambda path: tiny.write_picture(path.parent / "__MACOSX" / path.stem / "x.jpg", tiny.picture(3)),
    "twins": lambda path: [path.with_suffix(s).write_bytes(b"x") for s in (".JPG", ".jpeg", ".png", ".bmp", ".tiff")],
}


# Annotation files -------------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 1 << 40, 1 << 70, 0.5, float("nan"), float("inf"), -1e308, "", "x", "1", "\0",
    "\ud800", "é", "a" * 5000, [], {}, [[]], [None], {"counts": "x"}, {"counts": [], "size": [0, 0]}, {"id": 1},
    [[1, 2, 3, 4]], "../outside/canary.jpg", "/etc/passwd", "000000000002.jpg", "OUTSIDE", "..", ".", "/",
    "linked/canary.jpg",
)  # fmt: skip


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document below its two lists."""
    if len(path) > 1:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from spots(inner, (*path, key))


def changed_value(document: Any, rng: random.Random, canary: str = "") -> None:
    """One value of a document replaced, removed or doubled."""
    places = [spot for spot in spots(document) if spot[0] != "categories"]
    if not places:
        return
    *parents, last = rng.choice(places)
    holder = document
    for key in parents:
        holder = holder[key]
    act = rng.randrange(5)
    if act == 0:
        del holder[last]
    elif act == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        value = copy.deepcopy(rng.choice(VALUES))
        holder[last] = canary if value == "OUTSIDE" else value


def changed_document(root: Path, rng: random.Random) -> None:
    """One to four values of a sound document replaced, removed or doubled."""
    file = tiny.coco(root)
    document = json.loads(file.read_text())
    for _ in range(rng.choice((1, 1, 2, 4))):
        changed_value(document, rng, str(root.parent / "outside/canary.jpg"))
    (root / "val2017" / "linked").symlink_to(root.parent / "outside")
    file.write_text(json.dumps(document))


def damaged_document(root: Path, rng: random.Random) -> None:
    """The text of a sound document with damaged bytes."""
    file = tiny.coco(root)
    file.write_bytes(rng.choice(DAMAGE)(file.read_bytes(), rng))


def named_document(name: str) -> Build:
    """A photo whose file name leads out of the folder."""

    def build(root: Path, rng: random.Random) -> None:
        file = tiny.coco(root)
        document = json.loads(file.read_text())
        document["images"][1]["file_name"] = name.replace("OUTSIDE", str(root.parent / "outside"))
        (root / "val2017" / "linked").symlink_to(root.parent / "outside")
        (root / "val2017" / "up").symlink_to("..")
        file.write_text(json.dumps(document))

    return build


CLIMBS = ("../outside/canary.jpg", "../../outside/canary.jpg", "OUTSIDE/canary.jpg", "./../../outside/canary.jpg",
          "linked/canary.jpg", "linked/../linked/canary.jpg", "up/../../outside/canary.jpg", "up/annotations/x.jpg",
          "..\\..\\outside\\canary.jpg", "/", "..", ".", "linked", "file:///etc/passwd", "~/x.jpg", "$HOME/x.jpg",
          "//etc/passwd", "val2017/../../outside/canary.jpg", "sub/../000000000002.jpg",
          "000000000002.jpg/.")  # fmt: skip


def cases() -> dict[str, Build]:
    """Every case by its name."""
    found: dict[str, Build] = {}
    for role in ("images", "masks"):
        for suffix in FORMS:
            for damage in DAMAGE:
                found[f"{role} {suffix} {damage.__name__}"] = damaged_file(role, suffix, damage)
        for suffix, modes in MODES.items():
            for mode in modes if suffix != ".gif" or role == "masks" else ():
                found[f"{role} {suffix} mode {mode}"] = moded_file(role, suffix, mode)
    for height, width in ((47, 64), (49, 64), (48, 63), (48, 65), (64, 48), (1, 1), (96, 128)):
        found[f"mask of {height}x{width}"] = sized_mask(height, width)
    found |= {f"name {name[:20]!r}": odd_name(name) for name in NAMES}
    found |= {f"tree {name}": special(make) for name, make in SPECIALS.items()}
    found |= {f"document {number}": changed_document for number in range(100)}
    found |= {f"document bytes {number}": damaged_document for number in range(24)}
    return found | {f"file_name {name}": named_document(name) for name in CLIMBS}
