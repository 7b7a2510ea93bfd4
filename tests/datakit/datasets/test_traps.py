"""Every trap of docs/datasets.md by name: each ends in the right mask or in a named reason."""

from __future__ import annotations

import json
import os
import re
import struct
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from datakit import headers
from datakit.datasets import ReadOptions
from datakit.errors import ItemError, Problem, UsageError
from datakit.files import canonical_json
from datakit.samples import Sample
from tests import tiny

RIGHT = "right mask"
OBJECT = tiny.mask(1)
BYTES = OBJECT * np.uint8(255)
ALL = ReadOptions(min_area=0)
Outcome = list[str]


def outcome(reader: Any) -> Outcome:
    """`right mask` for every sample that has it, `reason` for every problem; all items, sorted."""
    found = [problem.reason for problem in reader.problems]
    for index in range(len(reader)):
        canonical_json(reader.records[index])
        try:
            scene = reader[index]
        except ItemError as error:
            found.append(error.problem.reason)
            continue
        found += [problem.reason for problem in scene.problems]
        found += [judged(sample) for sample in scene.samples]
    return sorted(found)


def judged(sample: Sample) -> str:
    return RIGHT if np.array_equal(sample.mask, OBJECT) else f"wrong mask of {int(sample.mask.sum())} pixels"


def photo(root: Path, name: str = "a.jpg", **settings: Any) -> Path:
    """A sound photo, or one saved by Pillow with these settings."""
    path = root / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = settings.pop("mode", "RGB")
    PillowImage.fromarray(tiny.picture(1)).convert(mode).save(path, **settings)
    return path


def mask(root: Path, name: str = "a.png", image: Any = BYTES) -> Path:
    """A mask written by Pillow."""
    path = root / "masks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (PillowImage.fromarray(image) if isinstance(image, np.ndarray) else image).save(path)
    return path


def huge_png() -> bytes:
    """20 000 x 20 000 black pixels in 48 kB."""
    packer = zlib.compressobj(9)
    row = bytes(2501)
    data = b"".join([*(packer.compress(row) for _ in range(20_000)), packer.flush()])
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )


def with_photo(change: Callable[[Path], None]) -> Callable[[Path], Any]:
    """A set of one photo with a sound mask, after a change to it."""

    def build(root: Path) -> Any:
        mask(root)
        change(root)
        return tiny.opened("p", root, "pairs")

    return build


def with_mask(change: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """A set of one sound photo, and the mask that `change` writes."""

    def build(root: Path) -> Any:
        photo(root)
        (root / "masks").mkdir(exist_ok=True)
        change(root)
        return tiny.opened("p", root, "pairs")

    return build


def write(root: Path, name: str, data: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def pipe(root: Path) -> None:
    (root / "images").mkdir()
    os.mkfifo(root / "images" / "a.jpg")


def two_subfolders(root: Path) -> None:
    for part in ("x", "y"):
        photo(root, f"{part}/a.jpg")
        mask(root, f"{part}/a.png")
    (root / "masks" / "a.png").unlink()


def two_forms(root: Path) -> None:
    photo(root, unicodedata.normalize("NFD", "café") + ".jpg")
    (root / "masks" / "a.png").rename(root / "masks" / (unicodedata.normalize("NFC", "café") + ".png"))


def as_dvc(root: Path) -> None:
    """Every file a link into a cache outside the root."""
    photo(root)
    cache = root.parent / "cache"
    cache.mkdir()
    for number, path in enumerate(sorted(root.rglob("a.*"))):
        path.rename(cache / f"{number:032x}")
        path.symlink_to(cache / f"{number:032x}")


def gone(root: Path) -> None:
    (root / "images").mkdir()
    (root / "images" / "a.jpg").symlink_to(root / "nowhere.jpg")


def itself(root: Path) -> None:
    (root / "images").mkdir()
    (root / "images" / "a.jpg").symlink_to("a.jpg")


def sparse(root: Path) -> None:
    (root / "images").mkdir()
    with (root / "images" / "a.jpg").open("wb") as file:
        file.truncate(1 << 40)


def grey_palette() -> PillowImage.Image:
    picture = PillowImage.fromarray(OBJECT)
    picture.putpalette([0, 0, 0, 255, 255, 255])
    return picture


def cut_out() -> PillowImage.Image:
    return PillowImage.fromarray(np.dstack([np.zeros_like(BYTES)] * 3 + [BYTES]))


def opaque() -> PillowImage.Image:
    return PillowImage.fromarray(np.dstack([BYTES] * 3 + [np.full_like(BYTES, 255)]))


def ids() -> PillowImage.Image:
    picture = PillowImage.fromarray(OBJECT)
    picture.putpalette(tiny.VOC_PALETTE)
    return picture


PAIRS: dict[str, tuple[Callable[[Path], Any], Outcome]] = {
    "JPEG mask": (with_mask(lambda r: mask(r, "a.jpg")), [RIGHT]),
    "mask with alpha": (with_mask(lambda r: mask(r, image=opaque())), [RIGHT]),
    "cut-out mask": (with_mask(lambda r: mask(r, image=cut_out())), [RIGHT]),
    "16-bit mask": (with_mask(lambda r: mask(r, image=OBJECT * np.uint16(65535))), [RIGHT]),
    "mode 1 mask": (with_mask(lambda r: mask(r, image=PillowImage.fromarray(OBJECT > 0))), [RIGHT]),
    "palette mask": (with_mask(lambda r: mask(r, image=ids())), [RIGHT]),
    "palette of greys": (with_mask(lambda r: mask(r, image=grey_palette())), [RIGHT]),
    "CMYK mask": (with_mask(lambda r: mask(r, "a.jpg", PillowImage.fromarray(BYTES).convert("CMYK"))), [RIGHT]),
    "colour mask": (with_mask(lambda r: mask(r, image=tiny.picture(1))), ["colour mask"]),
    "empty mask": (with_mask(lambda r: mask(r, image=BYTES * 0)), ["empty mask"]),
    "mask one pixel too wide": (with_mask(lambda r: mask(r, image=tiny.mask(1, (48, 65)))), ["size mismatch"]),
    "mask one pixel too low": (with_mask(lambda r: mask(r, image=tiny.mask(1, (47, 64)))), ["size mismatch"]),
    "CMYK photo": (with_photo(lambda r: photo(r, mode="CMYK")), [RIGHT]),
    "photo with alpha": (with_photo(lambda r: photo(r, "a.png", mode="RGBA")), [RIGHT]),
    "16-bit photo": (with_photo(lambda r: photo(r, "a.png", mode="I;16")), [RIGHT]),
    "palette photo": (with_photo(lambda r: photo(r, "a.png", mode="P")), [RIGHT]),
    "mode 1 photo": (with_photo(lambda r: photo(r, "a.png", mode="1")), [RIGHT]),
    "zero-byte photo": (with_photo(lambda r: write(r, "images/a.jpg", b"")), ["empty file"]),
    "zero-byte mask": (with_mask(lambda r: write(r, "masks/a.png", b"")), ["empty file"]),
    "20000x20000 photo": (with_photo(lambda r: write(r, "images/a.png", huge_png())), ["too many pixels"]),
    "20000x20000 mask": (with_mask(lambda r: write(r, "masks/a.png", huge_png())), ["too many pixels"]),
    "sparse file of 1 TB": (with_photo(sparse), ["too many bytes"]),
    "text called .jpg": (with_photo(lambda r: write(r, "images/a.jpg", b"<html>404</html>")), ["not an image"]),
    "PostScript called .jpg": (with_photo(lambda r: write(r, "images/a.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox:"
                                                          b" 0 0 9 9\n%%EndComments\n")), ["not an image"]),
    "missing mask": (with_mask(lambda r: None), ["missing mask"]),
    "missing photo": (with_photo(lambda r: photo(r, "b.jpg")), ["missing image", "missing mask"]),
    "pipe in the folder": (with_photo(pipe), ["not a regular file"]),
    "dangling link": (with_photo(gone), ["missing file"]),
    "link to itself": (with_photo(itself), ["unreadable file"]),
    "NFC and NFD names": (with_photo(two_forms), [RIGHT]),
    "equal stems in subfolders": (with_photo(two_subfolders), [RIGHT, RIGHT]),
    "tree of links as DVC makes": (with_photo(as_dvc), [RIGHT]),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_trap_of_pictures(tmp_path: Path, name: str) -> None:
    """The right mask or the named reason, and nothing beside it."""
    build, expected = PAIRS[name]
    (tmp_path / "set").mkdir()
    assert outcome(build(tmp_path / "set")) == sorted(expected)


POLYGON = [[7, 5, 39, 5, 39, 29, 7, 29]]  # the outline of OBJECT
RUNS = np.diff(np.flatnonzero(np.diff(OBJECT.T.ravel(), prepend=2, append=2))).tolist()
PIXELS = OBJECT.size


def coco(root: Path, segmentation: Any = None, change: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """A photo with one annotation, after a change to the document."""
    tiny.write_picture(root / "val2017" / "a.jpg", tiny.picture(1))
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 48, "width": 64}],
        "annotations": [{"id": 1, "image_id": 1, "iscrowd": 0, "segmentation": segmentation or POLYGON}],
    }
    if change:
        change(document)
    path = root / "annotations" / "instances_val2017.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document))
    return tiny.opened("c", path, options=ALL)


def named(name: str) -> Callable[[dict[str, Any]], None]:
    """The photo under another file name."""
    return lambda document: document["images"][0].update(file_name=name)


def linked_away(root: Path) -> Any:
    """A file name that goes through a folder which is a link out of the photos."""
    tiny.write_picture(root.parent / "outside" / "a.jpg", tiny.picture(1))
    (root / "val2017").mkdir()
    (root / "val2017" / "out").symlink_to(root.parent / "outside")
    return coco(root, change=named("out/a.jpg"))


def dvc_photo(root: Path) -> Any:
    """The photo is a link into a cache outside the root."""
    tiny.write_picture(root.parent / "cache" / "0f.jpg", tiny.picture(1))
    (root / "val2017").mkdir()
    (root / "val2017" / "a.jpg").symlink_to(root.parent / "cache" / "0f.jpg")
    return coco(root, change=lambda document: None)


def without(part: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document[part].clear()


def twice(part: str, **change: Any) -> Callable[[dict[str, Any]], None]:
    """The first entry of a list once more, changed."""
    return lambda document: document[part].append({**document[part][0], **change})


OUTSIDE = ["not listed", "path outside the source", "unknown image"]
COCO: dict[str, tuple[Callable[[Path], Any], Outcome]] = {
    "polygon": (lambda r: coco(r), [RIGHT]),
    "list of runs": (lambda r: coco(r, {"counts": RUNS, "size": [48, 64]}), [RIGHT]),
    "polygon of four numbers": (lambda r: coco(r, [[7, 5, 39, 29]]), ["broken polygon"]),
    "polygon with NaN": (lambda r: coco(r, [[7, 5, float("nan"), 5, 39, 29]]), ["broken polygon"]),
    "polygon with infinity": (lambda r: coco(r, [[7, 5, float("inf"), 5, 39, 29]]), ["broken polygon"]),
    "polygon outside the image": (lambda r: coco(r, [[70, 5, 90, 5, 90, 29]]), ["outline outside the photo"]),
    "polygon far outside": (lambda r: coco(r, [[0, 0, 1e9, 0, 1e9, 1e9]]), ["broken polygon"]),
    "empty list of polygons": (lambda r: coco(r, [[]]), ["broken polygon"]),
    "run lengths too short": (lambda r: coco(r, {"counts": [10, 20], "size": [48, 64]}), ["broken run lengths"]),
    "run lengths too long": (lambda r: coco(r, {"counts": [9, PIXELS], "size": [48, 64]}), ["broken run lengths"]),
    "run lengths of another size": (lambda r: coco(r, {"counts": RUNS, "size": [64, 48]}), ["broken run lengths"]),
    "annotation id twice": (lambda r: coco(r, change=twice("annotations")), ["duplicate annotation id", RIGHT]),
    "photo listed twice": (lambda r: coco(r, change=twice("images", id=2)), [RIGHT]),
    "image id of two photos": (lambda r: coco(r, change=twice("images", file_name="b.jpg")),
                               ["duplicate image id"] * 3),
    "annotation for a missing photo": (lambda r: coco(r, change=named("b.jpg")), ["missing image", "not listed"]),
    "annotation for an unknown photo": (lambda r: coco(r, change=without("images")), ["not listed", "unknown image"]),
    "photo without annotation": (lambda r: coco(r, change=without("annotations")), ["no object"]),
    "file_name ../": (lambda r: coco(r, change=named("../outside/a.jpg")), OUTSIDE),
    "file_name absolute": (lambda r: coco(r, change=named(str(r.parent / "outside/a.jpg"))), OUTSIDE),
    "file_name through a link": (linked_away, sorted(["not listed", *OUTSIDE])),  # the link and the sound photo
    "photo that is a link as DVC makes": (dvc_photo, [RIGHT]),
    "id beyond 64 bits": (lambda r: coco(r, change=lambda d: d["annotations"][0].update(id=1 << 70)),
                          ["broken annotation", "no object"]),
}  # fmt: skip


@pytest.mark.parametrize("name", COCO)
def test_trap_of_annotation_files(tmp_path: Path, name: str) -> None:
    """The right mask or the named reason, and nothing beside it."""
    build, expected = COCO[name]
    (tmp_path / "set").mkdir()
    tiny.write_picture(tmp_path / "outside" / "a.jpg", tiny.picture(1))
    found = outcome(build(tmp_path / "set"))
    assert found == sorted(expected)


def test_trap_not_json(tmp_path: Path) -> None:
    """An annotation file that is no JSON, or a pipe, is refused by name before anything is read."""
    file = tmp_path / "annotations" / "instances_val2017.json"
    file.parent.mkdir()
    (tmp_path / "val2017").mkdir()
    file.write_bytes(b"\x89PNG")
    with pytest.raises(UsageError, match="cannot be read as JSON"):
        tiny.opened("c", tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(UsageError, match="not a regular file"):
        tiny.opened("c", tmp_path)


def test_trap_full_mask(tmp_path: Path) -> None:
    """A mask of the whole photo is legal; `validate-source` warns of it."""
    photo(tmp_path)
    mask(tmp_path, image=np.full(tiny.SIZE, 255, np.uint8))
    (scene,) = tiny.opened("p", tmp_path)
    assert scene.samples[0].mask.all() and not scene.problems


def test_trap_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read costs its own photo only."""
    root = tiny.ecssd(tmp_path, 2)

    def refuse(path: str, *how: Any, **settings: Any) -> Any:
        if path.endswith("0001.jpg"):
            raise PermissionError(13, "Permission denied")
        return Path(path).open(*how, **settings)

    monkeypatch.setattr(headers, "open", refuse, raising=False)
    reader = tiny.opened("e", root)
    with pytest.raises(ItemError) as caught:
        reader[0]
    problem: Problem = caught.value.problem
    assert (problem.kind, problem.stage, problem.reason) == ("failed", "read", "unreadable file")
    assert "images/0001.jpg: cannot be read: Permission denied" in problem.detail and reader[1].samples


def test_trap_huge_picture_is_judged_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded of 48 kB that would be 400 million pixels."""
    data = huge_png()
    assert 45_000 < len(data) < 55_000
    photo(tmp_path, "a.png").write_bytes(data)
    mask(tmp_path)
    for name in ("datakit.images.cv2.imdecode", "PIL.ImageFile.ImageFile.load"):
        monkeypatch.setattr(name, lambda *_: pytest.fail("decoded"))
    with pytest.raises(ItemError, match="20000x20000 pixels"):
        tiny.opened("p", tmp_path)[0]


def test_every_trap_is_documented() -> None:
    """docs/datasets.md has a row for every trap here, by its name."""
    text = (Path(__file__).parents[3] / "docs/datasets.md").read_text()
    table = text[text.index("## Traps") :]
    rows = set(re.findall(r"^\| (.+?) \|", table, re.M))
    assert {name.replace("|", r"\|") for name in (*PAIRS, *COCO)} - {"polygon", "list of runs"} <= rows
