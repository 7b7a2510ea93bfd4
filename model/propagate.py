"""`Propagator`: carries masks through a video, one frame at a time; the caller holds the loop over frames.

The network gets each frame with the mask of the frame before, made coarser. All that is remembered follows from the
label maps that were given and made, so a run that was killed goes on by replaying those it had written (with a
`postprocess`, which changes what is written, it begins anew).
Pixels and windows are left to `crop` and `refine`, the meeting of several objects to `objects`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Box, Image, Labels, Mask, check_image
from datakit.config import setting, validate
from datakit.errors import UsageError
from datakit.masks import plain_labels
from datakit.transforms.crop import Window, frame_window, object_window
from datakit.transforms.dilate import Dilate
from datakit.transforms.object_crop import ObjectCrop

from .checkpoint import load_network
from .compute import Compute
from .inference import prepared
from .object_state import ObjectState
from .objects import join, mask_of, mean_margins, object_ids
from .recollection import Recollection
from .refine import RefineConfig, forward_pass, resolve_defaults
from .segmenter import Segmenter

Postprocess = Callable[[Image, NDArray[np.float32], Sequence[int]], Labels]
"""From a frame, (K, H, W) scores and K ids to a label map; `objects.join` is one without looking at the frame."""

FOUND_AGAIN = 0.1  # by which the network must be surer of an object that was lost


@dataclass(frozen=True)
class PropagateConfig:
    """How a mask is carried from frame to frame; by default in a window around the object.

    Attributes:
        size: side in pixels of the square cut the network runs on.
        margin: room left around the guide mask on every side, as a multiple of its longer side; None for the network's
            own, 0.3 of `lite-memory` and 0.4 of others.
        box_margin: the same where only a box is known; two looks make a mask of it.
        full_frame: look at the whole frame instead, its longer side at `size`.
        dilation: radius in pixels by which the previous mask is grown; the paper's is 5.
        mirrored: look at each frame a second time, mirrored, and take the mean of both scores; None where the network
            does so by itself, as `lite` and `lite-memory`. One with a memory does so only while it follows one object.
        looks: passes over each frame, every one from the mask that the one before found.
        motion: share of the object's last movement by which its mask is moved on; 0 leaves it in place.
        keep_lost: an object that is not found is looked for with its last good mask as guide; else it is given up.
        collapse: an object counts as lost below this share of the area it was last found with.
        doubtful: an object of which the network is less sure than this (its margin) counts as lost, one that was lost
            until it is surer by 0.1; None for the network's own, 0.65 of `lite-memory` and 0 of others, which is
            however sure.
        show_lost: what is left of an object that counts as lost is given out; else it has no pixel there.
        widen: the window of a lost object grows by this factor with every frame, up to the whole frame.
        touching: parts of an object that do not touch its guide are dropped.
        memories: frames of its own that a network with a memory keeps beside those whose masks were given.
        remember_every: frames from one of them to the next.
        sure: least IoU of a mask with what the network makes of it as a guide, for its frame to be kept.
    """

    size: int = setting(RefineConfig.size, 32, 2048)
    margin: float | None = setting(RefineConfig.margin, 0.01, 10, kind=float)
    box_margin: float = setting(0.25, 0.01, 10)
    full_frame: bool = setting(False)
    dilation: int = setting(8, 0, 255)
    mirrored: bool | None = setting(RefineConfig.mirrored, kind=bool)
    looks: int = setting(1, 1, 10)
    motion: float = setting(0.5, 0, 1)
    keep_lost: bool = setting(True)
    collapse: float = setting(0.15, 0, 1)
    doubtful: float | None = setting(None, 0, 1, kind=float)
    show_lost: bool = setting(False)
    widen: float = setting(1.5, 1, 10)
    touching: bool = setting(False)
    memories: int = setting(3, 0, 64)
    remember_every: int = setting(5, 1, 10_000)
    sure: float = setting(0.9, 0, 1)

    def __post_init__(self) -> None:
        validate(self, "propagate")


def surer(config: PropagateConfig, by: float) -> PropagateConfig:
    """By which an object counts as lost unless the network is surer by so much; the same where none counts so.

    Args:
        config: one that went through `resolve_defaults`.
        by: how much.
    """
    return replace(config, doubtful=min(1.0, config.doubtful + by)) if config.doubtful else config


class Propagator:
    """Segments a video from masks of single frames; one object or many.

    Args:
        net: in eval mode, placed by `compute`.
        compute: where it runs.
        config: how masks are carried on.
        postprocess: makes the label maps that are given out, as `crf.Crf` does. They are not carried on: what it gets
            wrong in one frame would grow from frame to frame (docs/decisions.md).

    Attributes:
        margins: id -> how sure the network was of the object in the last `step`, see `objects.mean_margins`; none of
            objects that were given there.
    """

    def __init__(
        self,
        net: Segmenter,
        compute: Compute,
        config: PropagateConfig | None = None,
        postprocess: Postprocess | None = None,
    ):
        self.config = resolve_defaults(config or PropagateConfig(), net)
        self._net, self._compute, self._postprocess = net, compute, postprocess
        self._states: dict[int, ObjectState] = {}
        self._recollection = Recollection(net, compute, self.config) if net.remembers else None
        self._place = 0  # frames so far
        self.margins: dict[int, float] = {}

    @classmethod
    def from_pretrained(
        cls,
        weights: str | Path = "lite-memory",
        config: PropagateConfig | None = None,
        device: str = "auto",
        backend: str = "torch",
    ) -> Propagator:
        """A propagator with trained weights, ready for the first frame.

        Args:
            weights: `lite-memory`; `bundled`, the network without a memory; or a checkpoint that `datakit train` wrote.
            config: how masks are carried on.
            device: `auto`, `cpu`, `cuda` or `cuda:N`.
            backend: `torch`, or `openvino`, see `inference.prepared`.

        Raises:
            CheckpointError: the weights cannot be read.
            UsageError: the device is not there.
        """
        net, _ = load_network(weights)
        compute = Compute.chosen(net, device)
        return cls(prepared(compute.place(net), compute, backend), compute, config)

    def __repr__(self) -> str:
        """One line: network, device, and the ids of the objects it follows."""
        objects = f"objects {', '.join(map(str, sorted(self._states)))}" if self._states else "no objects yet"
        return f"Propagator({type(self._net).__name__}, {self._compute.device}, {objects})"

    @property
    def lost(self) -> frozenset[int]:
        """Ids of the objects that were not found in the last frame, or are a remnant too small to be trusted."""
        return frozenset(number for number, state in self._states.items() if state.missing)

    def fresh(self) -> Propagator:
        """One with the same network and settings that knows no object yet."""
        other = Propagator(self._net, self._compute, self.config, self._postprocess)
        other._recollection = self._recollection and self._recollection.fresh()
        return other

    def step(self, frame: Image, mask: Labels | None = None, flow: Image | None = None) -> Labels:
        """Segment the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB, all of a video of one size.
            mask: (H, W) uint8 ids of objects given in this frame, needed in the first: new ones, or such that
                are to go on from here. All others are carried on as always. 255 is void, or object 1 where alone.
            flow: (H, W, 3) uint8 picture of the movement in this frame, `flow.speed_image`, to be looked at as well.

        Returns:
            (H, W) uint8 label map, with the given objects as they were given; one that counts as `lost` has no pixel
            in it, unless `show_lost`.

        Raises:
            UsageError: no mask for the first frame, an empty one, or one of another size than the frame.
        """
        check_image(frame, "frame")
        given = self._given(frame, mask)
        known, keep_lost = object_ids(given), self.config.keep_lost
        ids = [n for n, state in self._states.items() if n not in known and (keep_lost or not state.missing)]
        self.margins = {}
        labels, polished = self._segmented(frame, flow, ids) if ids else (given, given)
        if not self.config.show_lost:
            labels, polished = self._without_lost(ids, labels, polished)
        if mask is not None:
            labels, polished = (np.where(given > 0, given, each) for each in (labels, polished))
        self.replay(labels, mask, lambda: frame)
        return polished

    def replay(self, labels: Labels, mask: Labels | None = None, frame: Callable[[], Image] | None = None) -> None:
        """Take over a frame's label map, made earlier, as if `step` had just made it.

        Args:
            labels: (H, W) uint8, what `step` returned; with a `postprocess`, what it returns without.
            mask: what `step` was given.
            frame: gives what `step` was given; asked only by a network with a memory, for frames that it keeps.
        """
        given = () if mask is None else object_ids(plain_labels(mask))
        for number in {**self._states, **dict.fromkeys(given)}:
            figure = ObjectCrop.of(mask_of(labels, number))
            if number in given:
                self._states[number] = ObjectState.of(figure)
            else:
                self._states[number] = self._states[number].followed(figure, self.config.collapse)
        self._remember(labels, given, frame)

    def _remember(self, labels: Labels, given: Sequence[int], frame: Callable[[], Image] | None) -> None:
        """Keep a frame in memory, where the network has one: always if masks were given, else now and then."""
        self._place += 1
        if self._recollection is None:
            return
        if frame is None:
            raise UsageError("replay: a network with a memory has to see the frame again; give `frame`")
        if given:
            self._recollection.give(frame(), labels, given)
        elif self.config.memories and self._place % self.config.remember_every == 0:
            sure = [number for number, state in self._states.items() if not state.missing]
            if sure:
                self._recollection.add(frame(), labels, sure)

    def box_mask(self, frame: Image, boxes: Mapping[int, Box]) -> Labels:
        """The masks of objects of which only a box is known, to go on from.

        Args:
            frame: (H, W, 3) uint8 RGB.
            boxes: object id -> (x0, y0, x1, y1) in pixels, half-open.

        Returns:
            (H, W) uint8 label map; an object the network does not find fills its box.

        Raises:
            UsageError: a box that has no pixel or does not lie in the frame.

        Source: arXiv 1612.02646 §3.3: a box becomes a segment first, then masks are carried on.
        """
        check_image(frame, "frame")
        guides = [filled_box(box, frame.shape[:2]) for box in boxes.values()]
        close = replace(self.config, margin=self.config.box_margin, doubtful=0.0)
        viewer = Propagator(self._net, self._compute, close)
        labels = join(viewer._scores(frame, None, guides, [0] * len(guides)), list(boxes))
        labels = _filled(labels, guides, list(boxes))
        viewer.replay(labels, labels, lambda: frame)
        return _filled(viewer.step(frame), guides, list(boxes))

    def _given(self, frame: Image, mask: Labels | None) -> Labels:
        """The label map of a given mask, empty where none is; raises what `step` does."""
        if mask is None:
            if not self._states:
                raise UsageError("first frame: comes without a mask, expected (H, W) uint8 with at least one object id")
            return np.zeros(frame.shape[:2], np.uint8)
        if mask.dtype != np.uint8 or mask.shape != frame.shape[:2]:
            raise UsageError(f"mask is {mask.shape} {mask.dtype}, expected {frame.shape[:2]} uint8, the frame's size")
        given = plain_labels(mask)
        if not given.any():
            raise UsageError("mask: holds no object, expected at least one pixel with an id from 1 to 254")
        return given

    def _segmented(self, frame: Image, flow: Image | None, ids: Sequence[int]) -> tuple[Labels, Labels]:
        """Label maps of objects that are carried on: the one to go on from, and the polished one."""
        tracks = [self._states[number] for number in ids]
        guides = [self._guide(state.good, state.movement) for state in tracks]
        missing = [state.missing for state in tracks]
        for left in reversed(range(self.config.looks)):
            scores = self._scores(frame, flow, guides, missing, ids)
            labels = self._drop_untouched(join(scores, ids), guides, ids)
            if left:
                figures = [ObjectCrop.of(mask_of(labels, number)) for number in ids]
                guides = [self._guide(f) if f.width else g for f, g in zip(figures, guides, strict=True)]
        self.margins = mean_margins(scores, labels, ids)
        if self._postprocess is None:
            return labels, labels
        return labels, self._drop_untouched(self._postprocess(frame, scores, ids), guides, ids)

    def _without_lost(self, ids: Sequence[int], *maps: Labels) -> list[Labels]:
        """Label maps without objects of which too little is left in the first of them, or that are not sure enough."""
        areas = {number: int(np.count_nonzero(maps[0] == number)) for number in ids}
        gone = [n for n in ids if areas[n] and (self._is_remnant(n, areas[n]) or self._is_doubtful(n))]
        self.margins |= dict.fromkeys(gone, 0.0)
        return [np.where(np.isin(each, gone), np.uint8(0), each) for each in maps] if gone else list(maps)

    def _is_remnant(self, number: int, area: int) -> bool:
        return self._states[number].is_lost(area, self.config.collapse)

    def _is_doubtful(self, number: int) -> bool:
        least = self.config.doubtful
        assert least is not None
        return self.margins[number] < least + (FOUND_AGAIN if least and self._states[number].missing else 0)

    def _drop_untouched(self, labels: Labels, guides: Sequence[Mask], ids: Sequence[int]) -> Labels:
        return _connected_to_guide(labels, guides, ids) if self.config.touching else labels

    def _guide(self, figure: ObjectCrop, movement: tuple[float, float] = (0.0, 0.0)) -> Mask:
        """(H, W) uint8 0/1: what the network gets to see of a mask: moved on and grown."""
        share, radius = self.config.motion, self.config.dilation
        figure = moved(figure, round(share * movement[0]), round(share * movement[1]))
        return Dilate(radius).apply(figure, np.array([radius])).mask()

    def _scores(
        self, frame: Image, flow: Image | None, guides: Sequence[Mask], missing: Sequence[int], ids: Sequence[int] = ()
    ) -> NDArray[np.float32]:
        """(K, H, W) logits, those of frame and flow averaged."""
        windows = [self._window(guide, count) for guide, count in zip(guides, missing, strict=True)]
        pictures = [frame] if flow is None else [frame, flow]
        memory = self._recollection.of(ids) if self._recollection and ids else None
        mirrored = self.config.mirrored and (memory is None or len(ids) == 1)
        looks = [
            forward_pass(self._net, picture, guides, windows, self._compute, mirrored, memory) for picture in pictures
        ]
        return sum(looks[1:], looks[0]) / np.float32(len(looks))

    def _window(self, guide: Mask, missing: int) -> Window:
        config, frame_size = self.config, (guide.shape[0], guide.shape[1])
        if config.full_frame:
            return frame_window(frame_size, config.size)
        assert config.margin is not None
        margin = (0.5 + config.margin) * config.widen ** min(missing, 100) - 0.5
        return object_window(guide, frame_size, margin, config.size)


def filled_box(box: Box, frame_size: tuple[int, ...]) -> Mask:
    """(H, W) uint8 0/1: a box (x0, y0, x1, y1), half-open, filled.

    Raises:
        UsageError: it has no pixel or does not lie in the frame.
    """
    x0, y0, x1, y1 = box
    H, W = frame_size
    if not (0 <= x0 < x1 <= W and 0 <= y0 < y1 <= H):
        raise UsageError(
            f"box {x0},{y0},{x1},{y1}: is not a box of the frame, expected 0 <= x0 < x1 <= {W} and 0 <= y0 < y1 <= {H}"
        )
    mask = np.zeros((H, W), np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def _filled(labels: Labels, guides: Sequence[Mask], ids: Sequence[int]) -> Labels:
    """A label map in which objects that are nowhere fill their guides, as far as no other is there.

    One whose guide lies wholly under others takes it from them, as far as something is left of each.
    """
    for number, guide in zip(ids, guides, strict=True):
        if (labels == number).any():
            continue
        inside = guide > 0
        free = inside & (labels == 0)
        covering = [other for other in object_ids(labels * inside) if (labels[~inside] == other).any()]
        labels[free if free.any() else inside & np.isin(labels, covering)] = number
    return labels


def moved(figure: ObjectCrop, x: int, y: int) -> ObjectCrop:
    """A mask moved by whole pixels; where it is when nothing of it would stay in the frame."""
    found = figure.shifted(x, y)
    return found if found.width else figure


def _connected_to_guide(labels: Labels, guides: Sequence[Mask], ids: Sequence[int]) -> Labels:
    """A label map without the parts of objects that share no pixel with the object's guide."""
    for number, guide in zip(ids, guides, strict=True):
        mask = mask_of(labels, number)
        _, parts = cv2.connectedComponents(mask)
        reached = np.unique(parts[(guide & mask) > 0])
        if reached.size:
            labels[(mask > 0) & ~np.isin(parts, reached)] = 0
    return labels
