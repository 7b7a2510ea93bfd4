"""Copies of right trees, each spoilt in one way that a loader stumbles over: name -> loader, task, fault, spoiling."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from tests.layouts import labels_of, mask, photo


def resave(path, change):
    """Change the values of a mask; it is grey afterwards."""
    Image.fromarray(change(np.array(Image.open(path)))).save(path)


def every(folder, change):
    for path in sorted(Path(folder).glob("*.png")):
        change(path)


def rename_all(folder, old, new):
    for path in sorted(folder.glob(f"*{old}*")):
        path.rename(path.with_name(path.name.replace(old, new)))


def coloured(path):
    """The colours of the palette instead of ids."""
    Image.open(path).convert("RGB").save(path)


def with_alpha(path):
    Image.open(path).convert("RGBA").save(path)


def one_bit(path):
    Image.fromarray(np.array(Image.open(path)) == 1).save(path)


def white(path):
    Image.fromarray(((np.array(Image.open(path)) > 0) * 255).astype(np.uint8)).save(path)


def empty(path):
    mask(path, labels_of(0) * 0)


def second_object_void(path):
    resave(path, lambda plane: np.where(plane == 2, np.uint8(255), plane))


def shortened(root, video, count):
    for side in ("JPEGImages", "Annotations"):
        for path in sorted((root / side / video).iterdir())[count:]:
            path.unlink()


def spoil_png_frames(root):
    for path in sorted((root / "JPEGImages/dog").glob("*.jpg")):
        Image.open(path).save(path.with_suffix(".png"))
        path.unlink()


def spoil_names(root):
    for side, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".png")):
        rename_all(root / side / "dog", suffix, f"x{suffix}")
        for path in sorted((root / side / "dog").iterdir()):
            path.rename(path.with_name("frame_" + path.name.replace("x.", ".")))


def spoil_order(root):
    for side in ("JPEGImages", "Annotations"):
        for path in sorted((root / side / "dog").iterdir()):
            path.rename(path.with_name(f"f{int(path.stem)}{path.suffix}"))


def spoil_mixed_static(root):
    path = root / "JPEGImages/ECSSD/001.jpg"
    Image.open(path).save(path.with_suffix(".png"))
    path.unlink()


def spoil_meta_frames(root):
    meta = json.loads((root / "meta.json").read_text())
    meta["videos"]["dog"]["objects"]["2"]["frames"].append("00099")
    (root / "meta.json").write_text(json.dumps(meta))


def spoil_meta_ids(root):
    every(root / "Annotations/dog", lambda path: mask(path, np.array(Image.open(path)) * 3))


def move_up(root):
    """No folder 480p."""
    for side in ("JPEGImages", "Annotations"):
        for path in list((root / side / "480p").iterdir()):
            path.rename(root / side / path.name)
        (root / side / "480p").rmdir()


def grey16(path):
    Image.fromarray(np.array(Image.open(path)).astype(np.uint16) * 300).save(path)


SPOILT = {
    # name: (loader, task, kind of fault, how)
    "frames are .jpeg": ("cutie", "train", "frame-suffix",
                         lambda root: rename_all(root / "JPEGImages/dog", ".jpg", ".jpeg")),
    "frames are .JPG": ("sam2", "train", "frame-suffix",
                        lambda root: rename_all(root / "JPEGImages/dog", ".jpg", ".JPG")),
    "frames are .png": ("xmem", "train", "frame-format", spoil_png_frames),
    "frames are called frame_00000": ("sam2", "train", "frame-name", spoil_names),
    "frames do not sort by number": ("cutie", "train", "frame-order", spoil_order),
    "a frame is there twice": ("cutie", "train", "frame-twice",
                               lambda root: photo(root / "JPEGImages/dog/00003.png")),
    "a hidden file among frames": ("xmem", "train", "stray-file",
                                   lambda root: (root / "JPEGImages/dog/.DS_Store").write_bytes(b"x")),
    "a hidden file among masks": ("cutie", "inference", "stray-file",
                                  lambda root: (root / "Annotations/dog/.DS_Store").write_bytes(b"x")),
    "a note among videos": ("cutie", "train", "stray-video",
                            lambda root: (root / "JPEGImages/readme.txt").write_text("x")),
    "seven frames": ("cutie", "train", "too-few-frames", lambda root: shortened(root, "dog", 7)),
    "fifteen frames for MOSEv2": ("mose", "train", "too-few-frames", lambda root: shortened(root, "dog", 15)),
    "a frame without a mask": ("xmem", "train", "frame-without-mask",
                               lambda root: (root / "Annotations/dog/00004.png").unlink()),
    "a mask without its frame": ("sam2", "train", "mask-without-frame",
                                 lambda root: (root / "JPEGImages/dog/00015.jpg").unlink()),
    "a mask is .PNG": ("cutie", "inference", "mask-suffix",
                       lambda root: rename_all(root / "Annotations/dog", ".png", ".PNG")),
    "the first mask is called first": ("cutie", "inference", "first-mask",
                                       lambda root: rename_all(root / "Annotations/dog", "00000.", "first.")),
    "a mask is no number": ("sam2", "train", "mask-name",
                            lambda root: rename_all(root / "Annotations/dog", "00002.", "m_00002.")),
    "a video without masks": ("xmem", "inference", "no-masks",
                              lambda root: shutil.rmtree(root / "Annotations/dog")),
    "masks without a video": ("cutie", "inference", "no-frames",
                              lambda root: shutil.rmtree(root / "JPEGImages/dog")),
    "a mask of 1 bit": ("cutie", "inference", "mask-mode",
                        lambda root: one_bit(root / "Annotations/dog/00000.png")),
    "masks of 16 bits": ("aot", "train", "mask-16-bit", lambda root: every(root / "Annotations/480p/dog", grey16)),
    "masks are RGBA": ("cutie", "inference", "mask-mode",
                       lambda root: every(root / "Annotations/dog", with_alpha)),
    "coloured masks are dithered": ("xmem", "train", "colour-mask",
                                    lambda root: every(root / "Annotations/dog", coloured)),
    "255 beside ids": ("aot", "train", "void", lambda root: every(root / "Annotations/480p/dog", second_object_void)),
    "0 and 255 among ids": ("sam2", "train", "white-masks", lambda root: every(root / "Annotations/dog", white)),
    "a mask of another size": ("cutie", "train", "mask-size",
                               lambda root: Image.open(root / "Annotations/dog/00005.png").resize((30, 20), 0)
                               .save(root / "Annotations/dog/00005.png")),
    "no object in any mask": ("sam2", "train", "empty-video", lambda root: every(root / "Annotations/dog", empty)),
    "the first mask is empty": ("cutie", "inference", "empty-first",
                                lambda root: (mask(root / "Annotations/dog/00003.png", labels_of(3)),
                                              empty(root / "Annotations/dog/00000.png"))),
    "a mask is cut": ("cutie", "train", "unreadable-mask",
                      lambda root: (root / "Annotations/dog/00005.png").write_bytes(
                          (root / "Annotations/dog/00005.png").read_bytes()[:60])),
    "AOT: no 480p": ("aot", "train", "resolution-folder", move_up),
    "AOT: no list of names": ("aot", "train", "image-sets", lambda root: shutil.rmtree(root / "ImageSets")),
    "AOT: a name that is no folder": ("aot", "train", "image-sets",
                                      lambda root: (root / "ImageSets/2017/train.txt").write_text("bear\nwolf\n")),
    "AOT: counts differ": ("aot", "train", "pairing",
                           lambda root: (root / "Annotations/480p/dog/00004.png").unlink()),
    "meta.json is not there": ("youtube-vos", "train", "meta", lambda root: (root / "meta.json").unlink()),
    "meta.json lists a frame that is not there": ("youtube-vos", "train", "meta", spoil_meta_frames),
    "meta.json lists other ids": ("youtube-vos", "train", "meta", spoil_meta_ids),
    "AOT stills: .jpg and .png mixed": ("aot", "static", "mixed-suffixes", spoil_mixed_static),
    "AOT stills: a photo too many": ("aot", "static", "pairing",
                                     lambda root: photo(root / "JPEGImages/COCO/009.jpg")),
    "AOT stills: a set in lower case": ("aot", "static", "set-name",
                                        lambda root: [(root / side / "ECSSD").rename(root / side / "ecssd")
                                                      for side in ("JPEGImages", "Annotations")]),
    "AOT stills: void of VOC": ("aot", "static", "void",
                                lambda root: every(root / "Annotations/ECSSD", second_object_void)),
    "AOT stills: coloured masks": ("aot", "static", "colour-mask",
                                   lambda root: every(root / "Annotations/ECSSD", coloured)),
    "stills: .jpeg": ("cutie", "static", "photo-suffix", lambda root: rename_all(root / "ecssd", ".jpg", ".jpeg")),
    "stills: masks of 0 and 1": ("xmem", "static", "faint-mask",
                                 lambda root: every(root / "ecssd", lambda path: resave(path, lambda p: p // 255))),
    "stills: x.jpg.png": ("cutie", "static", "mask-name",
                          lambda root: rename_all(root / "ecssd", ".png", ".jpg.png")),
    "stills: no mask": ("xmem", "static", "photo-without-mask", lambda root: (root / "fss/cat/1.png").unlink()),
    "stills: a file among classes": ("cutie", "static", "stray-file",
                                     lambda root: (root / "fss/.DS_Store").write_bytes(b"x")),
    "stills: an empty mask": ("cutie", "static", "empty-mask",
                              lambda root: resave(root / "ecssd/1.png", lambda plane: plane * 0)),
}  # fmt: skip
