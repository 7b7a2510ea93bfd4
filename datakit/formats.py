"""How files of pictures begin and end, how large they may be, and kinds of files that are not read.

Each of these is known by its bytes or its name, and called what it is instead of a broken picture or a stray file.
Some of them are read as photos where a library is there, see `headers.can_read`, and never as masks.
"""

from __future__ import annotations

from typing import NamedTuple

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

MAX_PIXELS = 100_000_000  # of one photo, unless more are allowed (--max-pixels)

HEAD = 64  # bytes that tell a kind
TEXT_HEAD = 512  # bytes among which a page shows its first tag


class Unread(NamedTuple):
    """A kind of file that is not read: what it is called, with its article, what to do about it, and the reason."""

    name: str
    way_out: str
    reason: str = "unread format"

    def __str__(self) -> str:
        return f"is {self.name}, which is not read; {self.way_out}"


_AS_JPEG = "convert it to JPEG or PNG"
HEIC = Unread(
    "a HEIC photo",
    f"photos are with the extra `heif` (pip install 'masktrack-datakit[heif]'); or {_AS_JPEG}, e.g. `heif-convert"
    " IN.heic OUT.jpg`",
)
AVIF = Unread("an AVIF photo", f"photos are with Pillow 11.3 or later; or {_AS_JPEG}, e.g. `ffmpeg -i IN.avif OUT.png`")
JPEG_2000 = Unread(
    "a JPEG 2000 photo",
    f"photos are where Pillow has OpenJPEG; or {_AS_JPEG}, e.g. `opj_decompress -i IN.jp2 -o OUT.png`",
)
JPEG_XL = Unread("a JPEG XL photo", f"{_AS_JPEG}, e.g. `djxl IN.jxl OUT.png`")
GIF = Unread("a GIF", f"{_AS_JPEG}, e.g. `ffmpeg -i IN.gif -frames:v 1 OUT.png`")
RAW = Unread("a camera's raw photo", "develop it and export it as JPEG or PNG")
PHOTOSHOP = Unread("a Photoshop file", "export it as PNG")
GIMP = Unread("a GIMP file", "export it as PNG")
DRAWING = Unread("an SVG drawing", "export it as PNG in the size of the photo")
PAGE = Unread("a web page or XML and no picture", "download the picture itself anew", "not an image")
DOCUMENT = Unread("a PDF", "export the picture in it as PNG")
POINTER = Unread("a pointer of Git LFS and no picture", "fetch the files with `git lfs pull`", "not an image")
ARRAY = Unread("a file of NumPy", "save it as PNG, ids as grey values")
MATLAB = Unread("a file of MATLAB", "save it as PNG, ids as grey values")

# suffixes as photos and masks of these kinds bear them; those of layouts' own files (.json, .txt, .xml) are none
SUFFIXES = {
    **dict.fromkeys((".heic", ".heif", ".hif"), HEIC),
    **dict.fromkeys((".avif", ".avifs"), AVIF),
    **dict.fromkeys((".jp2", ".j2k", ".jpf", ".jpx", ".j2c"), JPEG_2000),
    ".jxl": JPEG_XL,
    ".gif": GIF,
    **dict.fromkeys(
        (".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srw", ".orf", ".rw2", ".raf", ".pef"), RAW
    ),
    ".psd": PHOTOSHOP,
    ".xcf": GIMP,
    ".svg": DRAWING,
    **dict.fromkeys((".npy", ".npz"), ARRAY),
    ".mat": MATLAB,
}
_BRANDS = {
    HEIC: (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"),
    AVIF: (b"avif", b"avis"),
    RAW: (b"crx ",),
}
_STARTS = (
    (b"\0\0\0\x0cjP  \r\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"\0\0\0\x0cJXL \r\n", JPEG_XL),
    (b"\xff\x0a", JPEG_XL),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),
    (b"II*\0\x10\0\0\0CR", RAW),
    (b"8BPS", PHOTOSHOP),
    (b"gimp xcf", GIMP),
    (b"%PDF", DOCUMENT),
    (b"version https://git-lfs", POINTER),
    (b"\x93NUMPY", ARRAY),
    (b"MATLAB 5.0", MATLAB),
)


def unread_kind(data: bytes) -> Unread | None:
    """Which kind that is not read these bytes are; None where they are none of those known.

    Source: ISO/IEC 14496-12, 23008-12 (HEIF brands) and the signatures of the formats themselves.
    """
    head = data[:HEAD]
    if head[4:8] == b"ftyp":
        # the major brand, then the compatible ones: AVIF files may call themselves mif1 first
        brands = [
            head[8:12],
            *(head[at : at + 4] for at in range(16, min(len(head), int.from_bytes(head[:4], "big")), 4)),
        ]
        for kind in (AVIF, HEIC, RAW):
            if any(brand in _BRANDS[kind] for brand in brands):
                return kind
        return None
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    text = data[:TEXT_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<"):
        return DRAWING if b"<svg" in text else PAGE if text.startswith((b"<!doctype", b"<html", b"<?xml")) else None
    return None
