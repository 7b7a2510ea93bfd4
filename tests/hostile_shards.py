"""Shards made by somebody who means harm: a table of traps, and a loop of random mutations."""

from __future__ import annotations

import hashlib
import random
import shutil
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from datakit.shards import Shard, ShardStats, layout
from datakit.shards.sandbox import SandboxedVerifier
from tests.made import made_sample, write_made

OFFSETS = [f"{kind}/offsets" for kind in layout.KINDS]
NUMBERS = (0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


def write_shard(path: Path, samples: int = 3) -> ShardStats:
    """A sound shard of made samples, the second with a void region."""
    return write_made(path, (made_sample(f"made/{number}", number, ignore=number == 1) for number in range(samples)))


def replace_dataset(file: h5py.File, name: str, **how: object) -> None:
    """Store a data set anew in another manner, its attributes kept."""
    values, attributes = file[name][()], dict(file[name].attrs)
    del file[name]
    dataset = file.create_dataset(name, **{"data": values, **how})
    for key, value in attributes.items():
        dataset.attrs[key] = value


def set_cell(file: h5py.File, table: str, column: str, value: object, row: int = 0) -> None:
    """Change a cell, with a CRC-32 that fits."""
    rows = file[table][()]
    rows[column][row] = value
    file[table][...] = rows
    file[table].attrs["crc32"] = np.uint32(zlib.crc32(rows.tobytes()))


def set_offset(file: h5py.File, kind: str, row: int, value: int) -> None:
    file[f"{kind}/offsets"][row] = np.uint64(value)


def _soft_link(file: h5py.File) -> None:
    del file["targets/data"]
    file["targets/data"] = h5py.SoftLink("/deformed/data")


def _soft_group(file: h5py.File) -> None:
    del file["targets"]
    file["targets"] = h5py.SoftLink("/deformed")


def _external_link(file: h5py.File) -> None:
    del file["images/data"]
    file["images/data"] = h5py.ExternalLink("/etc/passwd", "/images/data")


def _external_storage(file: h5py.File) -> None:
    size = len(file["images/data"])
    del file["images/data"]
    file.create_dataset("images/data", (size,), "u1", external=[("/etc/passwd", 0, size)])


def _virtual(file: h5py.File) -> None:
    size = len(file["images/data"])
    del file["images/data"]
    virtual = h5py.VirtualLayout((size,), "u1")
    virtual[:] = h5py.VirtualSource("/elsewhere.h5", "data", (size,))
    file.create_virtual_dataset("images/data", virtual)


def _plugin_filter(file: h5py.File) -> None:
    """A filter that no HDF5 has by itself (32 001 is blosc), written as raw chunks."""
    size = len(file["images/data"])
    del file["images/data"]
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((size,))
    plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    space = h5py.h5s.create_simple((size,))
    h5py.h5d.create(file["images"].id, b"data", h5py.h5t.STD_U8LE, space, plist)


def _compact(file: h5py.File) -> None:
    values = file["images/crc32"][()]
    del file["images/crc32"]
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(file["images"].id, b"crc32", h5py.h5t.STD_U32LE, space, plist).write(
        h5py.h5s.ALL, h5py.h5s.ALL, values
    )


def _absurd_size(file: h5py.File) -> None:
    """A contiguous array of 2**50 bytes none of which was written: reading it would ask for a petabyte of zeros."""
    del file["images/data"]
    file.create_dataset("images/data", (2**50,), "u1")


def _shared_bytes(file: h5py.File) -> None:
    del file["deformed/data"]
    file["deformed/data"] = file["targets/data"]


def _table(file: h5py.File, name: str, change: Callable[[list], list]) -> None:
    rows = file[name][()]
    fields = [(field, rows.dtype[field]) for field in rows.dtype.names]
    dtype = np.dtype(change(fields))
    wide = np.zeros(len(rows), dtype)
    for field in dtype.names:
        if dtype[field].hasobject:
            wide[field] = "x"
    replace_dataset(file, name, data=wide)


def _with_attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    def trap(file: h5py.File) -> None:
        file.attrs[name] = value

    return trap


def _huge_offsets(file: h5py.File) -> None:
    replace_dataset(file, "targets/offsets", data=np.arange(4, dtype="<u8") * np.uint64(2**62))


def _picture_bomb(file: h5py.File) -> None:
    """The header of a PNG says 30 000 x 30 000, the table what it always said."""
    data = file["images/data"]
    data[16:24] = np.frombuffer(np.array([30000, 30000], ">u4").tobytes(), np.uint8)
    _fit_crc32(file, "images", 0)


def _mask_bomb(file: h5py.File) -> None:
    """A run-length string whose one run is as long as any number it can hold."""
    start, stop = (int(value) for value in file["targets/offsets"][:2])
    file["targets/data"][start:stop] = np.frombuffer(b"o" * (stop - start - 1) + b"0", np.uint8)
    _fit_crc32(file, "targets", 0)


def _fit_crc32(file: h5py.File, kind: str, row: int) -> None:
    start, stop = (int(value) for value in file[f"{kind}/offsets"][row : row + 2])
    file[f"{kind}/crc32"][row] = np.uint32(zlib.crc32(file[f"{kind}/data"][start:stop].tobytes()))


# name -> what it does to an open file, words of the refusal; all are refused when the shard is opened
OPENING = {
    "soft link": (_soft_link, "link"),
    "soft link to a group": (_soft_group, "link"),
    "external link": (_external_link, "link"),
    "external storage": (_external_storage, "images/data"),
    "virtual data set": (_virtual, "images/data"),
    "chunked": (lambda file: replace_dataset(file, "images/data", chunks=(100,)), "images/data"),
    "gzip": (lambda file: replace_dataset(file, "images/offsets", compression="gzip"), "images/offsets"),
    "filter of a plugin": (_plugin_filter, "images/data"),
    "compact": (_compact, "images/crc32"),
    "a petabyte never written": (_absurd_size, "images/data"),
    "two names for the same bytes": (_shared_bytes, "deformed/offsets|shares bytes"),
    "data of another type": (lambda f: replace_dataset(f, "targets/data", dtype="i1"), "targets/data"),
    "big-endian offsets": (lambda f: replace_dataset(f, "images/offsets", dtype=">u8"), "images/offsets"),
    "float CRC-32": (lambda f: replace_dataset(f, "images/crc32", dtype="f4"), "images/crc32"),
    "two dimensions": (lambda f: replace_dataset(f, "images/crc32", data=np.zeros((3, 1), "u4")), "dimensions"),
    "text of any length": (
        lambda f: _table(f, "images/table", lambda t: [("key", h5py.string_dtype()), *t[1:]]),
        "images/table",
    ),
    "a column more": (lambda f: _table(f, "triples", lambda t: [*t, ("more", "u1")]), "columns"),
    "a column less": (lambda f: _table(f, "triples", lambda t: t[:-1]), "columns"),
    "columns in another order": (lambda f: _table(f, "targets/table", lambda t: t[::-1]), "columns"),
    "a wider number": (
        lambda f: _table(f, "images/table", lambda t: [(n, "<u8" if n == "height" else d) for n, d in t]),
        "types",
    ),
    "text of two megabytes": (
        lambda f: _table(f, "images/table", lambda t: [("key", h5py.string_dtype("utf-8", 2 << 20)), *t[1:]]),
        "images/table",
    ),
    "a group for an array": (lambda f: (f.__delitem__("images/crc32"), f.create_group("images/crc32")), "GroupID"),
    "something missing": (lambda f: f.__delitem__("ignores"), "ignores"),
    "something more": (lambda f: f.create_dataset("payload", data=np.zeros(10)), "members"),
    "a large thing beside": (lambda f: f["images"].create_dataset("x", data=np.zeros(10)), "members"),
    "another format": (_with_attribute("format", "x"), "expected"),
    "a newer version": (_with_attribute("version", 2), "reads version 1; install a newer"),
    "an attribute more": (_with_attribute("more", "x"), "expected"),
    "an array for a text": (_with_attribute("source", np.zeros(1000)), "source"),
    "a huge attribute": (_with_attribute("settings_json", '"' + "x" * (3 << 20) + '"'), "settings_json"),
    "no JSON": (_with_attribute("settings_json", "{"), "shard"),
    "deep JSON": (_with_attribute("tools_json", "[" * 100_000), "shard"),
    "JSON of another kind": (_with_attribute("parameter_names_json", "[]"), "JSON"),
    "other parameter names": (_with_attribute("parameter_names_json", "{}"), "recipe"),
    "offsets beyond the data": (lambda f: set_offset(f, "images", -1, 2**40), "images/offsets"),
    "offsets of 2**62": (_huge_offsets, "targets/offsets"),
    "offsets that run backwards": (lambda f: set_offset(f, "deformed", 1, 2**64 - 5), "backwards"),
    "two records in one place": (lambda f: set_offset(f, "deformed", 2, int(f["deformed/offsets"][1])), "stand still"),
    "first record not at 0": (lambda f: set_offset(f, "images", 0, 1), "images/offsets"),
    "an offset too few": (
        lambda f: replace_dataset(f, "images/offsets", data=f["images/offsets"][:-1]),
        "for 3 records",
    ),
    "a photo of 4e9 x 4e9": (lambda f: set_cell(f, "images/table", "height", 2**32 - 1), "pixels"),
    "a photo of no pixels": (lambda f: set_cell(f, "images/table", "width", 0), "pixels"),
    "image_row nowhere": (lambda f: set_cell(f, "targets/table", "image_row", 7), "nowhere"),
    "ignore_row nowhere": (lambda f: set_cell(f, "targets/table", "ignore_row", 7), "nowhere"),
    "ignore_row below -1": (lambda f: set_cell(f, "targets/table", "ignore_row", -2), "nowhere"),
    "target_row nowhere": (lambda f: set_cell(f, "triples", "target_row", 2**32 - 1), "nowhere"),
    "the photo of another": (lambda f: set_cell(f, "triples", "image_row", 2), "not the photo"),
    "an unknown kind": (lambda f: set_cell(f, "triples", "kind", b"blob"), "mask nor box"),
    "an unknown recipe": (lambda f: set_cell(f, "triples", "recipe", b"masktrack\x00"[:4]), "recipe"),
    "text that is not UTF-8": (lambda f: set_cell(f, "targets/table", "key", b"\xff\xfe"), "UTF-8"),
}  # fmt: skip

# found when the records are read
READING = {
    "a picture of 30 000 x 30 000": (_picture_bomb, "30000"),
    "a mask of a trillion pixels": (_mask_bomb, "decode"),
    "another area": (lambda f: set_cell(f, "targets/table", "area", 5), "area|pixels"),
    "an IoU that is no number": (lambda f: set_cell(f, "triples", "iou", np.nan), "iou|recomputed"),
    "another area ratio": (lambda f: set_cell(f, "triples", "area_ratio", 3.0), "recomputed"),
    "settings of another digest": (_with_attribute("settings_json", "{}"), "digest"),
}


class Mutator:
    """Random changes to a sound shard.

    Args:
        sound: the shard.
        seed: of the changes.
    """

    def __init__(self, sound: Path, seed: int):
        self.sound = sound
        self.bytes = sound.read_bytes()
        self.random = random.Random(seed)
        self.structure = self._structure()

    def _structure(self) -> list[int]:
        """Positions of the bytes that belong to no record and no table."""
        inside = np.zeros(len(self.bytes), bool)
        with h5py.File(self.sound) as file:
            for name in [f"{k}/{p}" for k in layout.KINDS for p in ("data", "offsets", "crc32")] + [*layout.TABLES]:
                start = file[name].id.get_offset() or 0
                inside[start : start + file[name].size * file[name].dtype.itemsize] = True
        return np.flatnonzero(~inside).tolist()

    def mutate(self, path: Path) -> str:
        """Write a mutant and name its kind; every tenth is edited through HDF5 itself."""
        if self.random.random() < 0.1:
            return self._edit(path)
        kind = self.random.choice(["flip", "flips", "byte", "number", "cut", "splice", "swap", "insert", "delete"])
        content = bytearray(self.bytes)
        getattr(self, f"_{kind}")(content)
        path.write_bytes(content)
        return kind

    def _place(self, length: int = 1) -> int:
        """Half of all changes hit HDF5's own structure, which is a small part of a shard."""
        if self.random.random() < 0.5:
            return min(self.random.choice(self.structure), len(self.bytes) - length)
        return self.random.randrange(len(self.bytes) - length)

    def _flip(self, content: bytearray) -> None:
        content[self._place()] ^= 1 << self.random.randrange(8)

    def _flips(self, content: bytearray) -> None:
        for _ in range(self.random.randrange(2, 30)):
            self._flip(content)

    def _byte(self, content: bytearray) -> None:
        content[self._place()] = self.random.choice([0, 1, 0x7F, 0x80, 0xFF, self.random.randrange(256)])

    def _number(self, content: bytearray) -> None:
        size = self.random.choice([2, 4, 8])
        at = self._place(size)
        value = self.random.choice([*NUMBERS, len(content), len(content) - 1, self.random.getrandbits(64)])
        content[at : at + size] = (value % 256**size).to_bytes(size, "little")

    def _cut(self, content: bytearray) -> None:
        del content[self.random.randrange(len(content)) :]

    def _splice(self, content: bytearray) -> None:
        length = self.random.randrange(1, 300)
        to, start = self._place(length), self._place(length)
        content[to : to + length] = self.bytes[start : start + length]

    def _swap(self, content: bytearray) -> None:
        length = self.random.randrange(1, 64)
        a, b = self._place(length), self._place(length)
        content[a : a + length], content[b : b + length] = self.bytes[b : b + length], self.bytes[a : a + length]

    def _insert(self, content: bytearray) -> None:
        at = self._place()
        content[at:at] = self.random.randbytes(self.random.randrange(1, 100))

    def _delete(self, content: bytearray) -> None:
        at = self._place()
        del content[at : at + self.random.randrange(1, 100)]

    def _edit(self, path: Path) -> str:
        shutil.copyfile(self.sound, path)
        with h5py.File(path, "r+") as file:
            choice = self.random.randrange(4)
            if choice == 0:
                self.random.choice([*OPENING.values(), *READING.values()])[0](file)
            elif choice == 1:
                offsets = file[self.random.choice(OFFSETS)]
                offsets[self.random.randrange(len(offsets))] = np.uint64(self.random.choice(NUMBERS))
            elif choice == 2:
                self._edit_cell(file)
            else:
                name = self.random.choice(list(layout.ATTRIBUTES))
                file.attrs[name] = self.random.choice(["", "x" * 70_000, "{}", "[1]", 7, "9" * 5000, '{"recipes": 3}'])
        return "edit"

    def _edit_cell(self, file: h5py.File) -> None:
        table = self.random.choice(layout.TABLES)
        rows = file[table][()]
        column = self.random.choice(rows.dtype.names)
        field = rows.dtype[column]
        width = field.itemsize
        raw = rows[column][:1].copy()
        raw.view(np.uint8)[...] = np.frombuffer(
            self.random.choice([b"\0" * width, b"\xff" * width, self.random.randbytes(width)]), np.uint8
        ).reshape(raw.view(np.uint8).shape)
        set_cell(file, table, column, raw[0], self.random.randrange(len(rows)))


def content(shard: Shard) -> str:
    """Digest of everything that a shard holds for its reader: records, tables, settings."""
    digest = hashlib.sha256()
    for name in layout.TABLES:
        digest.update(shard.table(name).tobytes())
    for kind in layout.KINDS:
        for row in range(len(shard.offsets(kind)) - 1):
            digest.update(shard.record(kind, row))
        digest.update(shard.offsets(kind).tobytes())
    return digest.hexdigest() + shard.settings_digest


def fuzz(folder: Path, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Examine `count` mutants of a shard apart, none of which may end this process.

    Returns:
        Outcome -> number, and what went wrong: a mutant of which nothing is found though it holds something else.
        One whose CRC-32 were made to fit, as a forger would, may be such; the manifest's SHA-256 differs for all.
    """
    sound = folder / "sound.h5"
    write_shard(sound, samples=2)
    expected, digest = content(Shard(sound)), hashlib.sha256(sound.read_bytes()).hexdigest()
    mutator, outcomes, wrong = Mutator(sound, seed), Counter(), []
    path = folder / "mutant.h5"
    with SandboxedVerifier(seconds=5) as child:
        for number in range(count):
            kind = mutator.mutate(path)
            while hashlib.sha256(path.read_bytes()).hexdigest() == digest:  # a zero over a zero is no mutant
                kind = mutator.mutate(path)
            outcome = _outcome(child, path)
            if outcome == "harmless" and content(Shard(path)) != expected:
                outcome = "forged: SHA-256 alone tells"
                if kind != "edit":
                    wrong.append(
                        f"mutant {number} of seed {seed} ({kind}): changed, and not found without the manifest"
                    )
            outcomes[outcome] += 1
    return outcomes, wrong


def _outcome(child: SandboxedVerifier, path: Path) -> str:
    found = child.examine(path)
    if not found:
        return "harmless"
    if "crashed while reading" in found[0].text:
        return f"child died: {found[0].text.rpartition('(')[2].rstrip(')')}"
    if "timed out" in found[0].text:
        return "child hung"
    return "refused on opening" if found[0].text.startswith("not a readable shard") else "found on reading"
