"""Follow objects through a folder of frames by an ONNX file, without torch; this is all of it.

datakit export-network bundled --out masktrack.onnx
python examples/segment_by_onnx.py masktrack.onnx FRAMES FIRST-MASK.png OUT

FRAMES and FIRST-MASK are read, and OUT is written, as `datakit propagate` does it: label pictures with DAVIS's palette.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from datakit.errors import DatakitError
from datakit.images import encode_palette_png
from datakit.transforms.crop import cut_image, cut_mask, object_window, paste_back
from datakit.video.annotations import read_annotation
from datakit.video.frames import open_frames
from datakit.video.palette import palette

DILATION = 8  # pixels that the mask of the frame before is grown by


class Network:
    """The file that segments and, of a network with a memory, the one beside it that remembers."""

    def __init__(self, path: Path):
        if not path.is_file():
            raise SystemExit(f"{path}: no such file")
        self.segments = onnxruntime.InferenceSession(str(path))
        if "guide" not in {each.name for each in self.segments.get_inputs()}:
            raise SystemExit(f"{path}: remembers frames; give the file beside it that segments")
        self.about = json.loads(self.segments.get_modelmeta().custom_metadata_map["datakit"])
        beside = self.about["remember"] and path.with_name(self.about["remember"])
        self.remembers = onnxruntime.InferenceSession(str(beside)) if beside else None
        self.memory = {}

    def remember(self, frame, masks):
        """Keep the first frame, in which the objects are known."""
        if self.remembers:
            _, images, cuts = self._cut(frame, masks)
            found = self.remembers.run(None, {"image": images, "mask": cuts})
            self.memory = {each.name: value for each, value in zip(self.remembers.get_outputs(), found, strict=True)}

    def scores(self, frame, guides):
        """(K, H, W) scores of K objects, above 0 where each of them is."""
        windows, images, cuts = self._cut(frame, guides)
        (scores,) = self.segments.run(None, {"image": images, "guide": cuts, **self.memory})
        pasted = zip(scores, windows, strict=True)
        return np.stack([paste_back(each, window, frame.shape[:2], self.about["outside"]) for each, window in pasted])

    def _cut(self, frame, masks):
        size, about = frame.shape[:2], self.about
        windows = [object_window(mask, size, about["margin"], about["size"]) for mask in masks]
        images = np.stack([cut_image(frame, window, tuple(about["fill"])) for window in windows])
        return windows, images, np.stack([cut_mask(mask, window) for mask, window in zip(masks, windows, strict=True)])


def main(network: Path, video: Path, first: Path, out: Path) -> None:
    """Segment all frames."""
    net, frames = Network(network), open_frames(video)
    try:
        labels = read_annotation(first)
    except DatakitError as error:
        raise SystemExit(str(error)) from None
    if labels.max() > 254:
        raise SystemExit(f"{first}: holds object id {labels.max()}, expected 1 to 254")
    if labels.shape != frames.size:
        raise SystemExit(f"{first}: is (rows, columns) {labels.shape}, the frames are {frames.size}")
    ids = np.array([0, *(number for number in np.unique(labels) if number)], np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * DILATION + 1,) * 2)
    out.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        masks = [(labels == each).astype(np.uint8) for each in ids[1:]]
        if number:
            scores = net.scores(frame, [cv2.dilate(mask, disc) for mask in masks])
            labels = ids[np.where(scores.max(0) > 0, scores.argmax(0) + 1, 0)]
        else:
            net.remember(frame, masks)
        (out / f"{frames.names[number]}.png").write_bytes(encode_palette_png(labels, palette()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for word in ("network", "video", "first", "out"):
        parser.add_argument(word, type=Path)
    main(**vars(parser.parse_args()))
