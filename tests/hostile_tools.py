"""Hundreds of bad sets of annotation tools: damaged files, values that lie, names that lead out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from tests import tiny, tiny_tools
from tests.hostile_sets import CLIMBS, DAMAGE, VALUES, Build, changed_value

LAYOUTS = (*tiny_tools.LAYOUTS, "ytvis", "sav", "burst", "sa-1b")
NUMBERS = ("", "x", "nan", "inf", "-inf", "1e999", "-1", "0", "1e9", "-1e9", "99999999999999999999", "9" * 5000,
           "0x1", "1_0", "٣", "0.5,", "1;2", "\u202e1", "5 5")  # fmt: skip


def annotation_files(root: Path) -> list[Path]:
    """The files of a set that are no pictures."""
    found = (path for path in root.rglob("*.*") if path.suffix in (".xml", ".json", ".txt"))
    return sorted(path for path in found if path.name != "meta.json")  # of a Supervisely project, which is not read


def damaged_bytes(layout: str, damage: Callable[[bytes, random.Random], bytes]) -> Build:
    """One annotation file with damaged bytes."""

    def build(root: Path, rng: random.Random) -> None:
        tiny.LAYOUTS[layout](root)
        file = rng.choice(annotation_files(root))
        file.write_bytes(damage(file.read_bytes(), rng))

    return build


def changed_values(layout: str) -> Build:
    """One to four values of an annotation file replaced: JSON's by any other, those of texts by odd numbers."""

    def build(root: Path, rng: random.Random) -> None:
        tiny.LAYOUTS[layout](root)
        file = rng.choice(annotation_files(root))
        for _ in range(rng.choice((1, 1, 2, 4))):
            if file.suffix == ".json":
                document = json.loads(file.read_text())
                changed_value(document, rng)
                file.write_text(json.dumps(document))
            else:
                pattern = r'(?<==")[^"]*(?=")' if file.suffix == ".xml" else r"\S+"
                text = file.read_text()
                place = rng.choice(list(re.finditer(pattern, text)))
                value = str(rng.choice((*NUMBERS, *(each for each in VALUES if isinstance(each, str) and each > "!"))))
                value = value.encode(errors="replace").decode()
                value = escape(value, {'"': "&quot;"}) if file.suffix == ".xml" else value
                file.write_text(text[: place.start()] + value + text[place.end() :])

    return build


def named_photo(layout: str, name: str) -> Build:
    """An annotation whose photo leads out of the folder."""

    def build(root: Path, rng: random.Random) -> None:
        tiny.LAYOUTS[layout](root)
        (file,) = annotation_files(root)
        outside = str(root.parent / "outside")
        written = escape(name.replace("OUTSIDE", outside)).replace("\\", "\\\\" if file.suffix == ".json" else "\\")
        file.write_text(re.sub(r'[^"]*0002\.jpg', lambda _: written, file.read_text()))
        (root / "linked").symlink_to(outside)

    return build


def cases() -> dict[str, Build]:
    """Every case by its name."""
    found: dict[str, Build] = {}
    for layout in LAYOUTS:
        found |= {f"{layout} {damage.__name__}": damaged_bytes(layout, damage) for damage in DAMAGE}
        found |= {f"{layout} bytes {number}": damaged_bytes(layout, DAMAGE[number % 8]) for number in range(16)}
        found |= {f"{layout} values {number}": changed_values(layout) for number in range(40)}
    for layout in ("cvat", "label-studio"):
        found |= {f"{layout} photo {name}": named_photo(layout, name) for name in CLIMBS}
    return found
