"""From a plan to pictures: every layer of a frame read once along one map, photo and objects by the same.

What is drawn is left to motions. A frame's ids go by frame 0: an object that is not seen there is ground in all frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Labels, Mask
from ..images import decode_picture, encode_jpeg
from ..transforms.sampling import Matrix, SamplingMap, moved, reduced
from ..transforms.tps import Spline
from ..transforms.warp import Points
from .colour import shaded
from .ground import without_objects
from .plan import GROUND, OBJECTS, Bend, ClipPlan, Finish, Layer, Pose
from .still import FACTORS, Still, at_factor


class ClipObject(NamedTuple):
    """One object of a clip.

    Attributes:
        number: its id in the label maps, from 1.
        photo: key of the photo it is from.
        object_ids: what the source calls it; several where a recipe takes all objects of a photo as one.
    """

    number: int
    photo: str
    object_ids: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """Pictures of a plan.

    Attributes:
        frames: (T, S, S, 3) uint8 RGB.
        labels: (T, S, S) uint8, ids from 1, 0 for ground.
        ignored: (T, S, S) uint8, 1 where a source knows nothing; None where all is known.
        objects: of the ids.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    ignored: NDArray[np.uint8] | None
    objects: tuple[ClipObject, ...]


def render(plan: ClipPlan, stills: Sequence[Still]) -> Rendered:
    """The pictures of a plan.

    Args:
        plan: as drawn.
        stills: the photos it names, in its order.
    """
    maps = _maps(plan)
    found, objects = _ids(plan, stills, maps)
    frames = np.empty((plan.frames, plan.size, plan.size, 3), np.uint8)
    frames[:] = plan.fill
    voids = None
    for layer, ways in zip(plan.layers, maps, strict=True):
        _lay(frames, plan, layer, ways, stills[layer.still])
        voids = _ignored(voids, layer, ways, stills[layer.still], found)
    for frame, finish in enumerate(plan.finish):
        frames[frame] = finished(frames[frame], finish)
    return Rendered(frames, found, voids, objects)


def labels_of(plan: ClipPlan, stills: Sequence[Still], frames: Sequence[int]) -> list[Labels]:
    """(S, S) uint8 of some frames: number of the candidate at each pixel, from 1, before any is dropped."""
    return _candidates(plan, stills, _maps(plan, frames), frames)


def counts_in_first(plan: ClipPlan, stills: Sequence[Still]) -> list[int]:
    """Pixels of each candidate in frame 0."""
    (first,) = labels_of(plan, stills, [0])
    return np.bincount(first.ravel(), minlength=len(plan.candidates) + 1)[1:].tolist()


def kept_candidates(plan: ClipPlan, pixels: Sequence[int]) -> list[int]:
    """Numbers, from 0, of those that get an id, in the order of ids.

    Args:
        plan: whose candidates.
        pixels: of each in frame 0.
    """
    seen = [n for n, count in enumerate(pixels) if count >= plan.least_pixels]
    chosen = sorted(seen, key=lambda n: plan.candidates[n].rank)[: plan.most_objects]
    return sorted(chosen)


def _ids(plan: ClipPlan, stills: Sequence[Still], maps: _Maps) -> tuple[NDArray[np.uint8], tuple[ClipObject, ...]]:
    """(T, S, S) uint8 label maps, and whose ids they are."""
    found = np.stack(_candidates(plan, stills, maps, range(plan.frames)))
    pixels = np.bincount(found[0].ravel(), minlength=len(plan.candidates) + 1)[1:].tolist()
    kept = kept_candidates(plan, pixels)
    table = np.zeros(256, np.uint8)
    objects = []
    for number, n in enumerate(kept, 1):
        table[n + 1] = number
        candidate = plan.candidates[n]
        still = stills[plan.layers[candidate.layer].still]
        objects.append(ClipObject(number, still.key, tuple(still.object_ids[each - 1] for each in candidate.objects)))
    if kept != list(range(len(plan.candidates))):
        found = cv2.LUT(found, table)  # type: ignore[assignment]
    return found.reshape(plan.frames, plan.size, plan.size), tuple(objects)


_Maps = Sequence[Sequence["_Way | None"]]  # of every layer, of every frame


class _Way(NamedTuple):
    """How one layer is read in one frame.

    Attributes:
        pose: as planned.
        factor: at which the photo is read.
        full: map into the photo at its full size, for masks.
        small: map into the photo at that factor.
    """

    pose: Pose
    factor: int
    full: SamplingMap
    small: SamplingMap


def _maps(plan: ClipPlan, frames: Sequence[int] | None = None) -> _Maps:
    wanted = range(plan.frames) if frames is None else frames
    return [[_way(plan, layer, layer.poses[frame]) for frame in wanted] for layer in plan.layers]


def _way(plan: ClipPlan, layer: Layer, pose: Pose | None) -> _Way | None:
    if pose is None:
        return None
    matrix = pose.as_matrix()
    shrink = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    factor = next((each for each in FACTORS if each <= shrink), 1)
    x0, y0 = _corner(layer)
    full = _map(plan, moved(matrix, x0, y0), pose.bend)
    if factor == 1:
        return _Way(pose, 1, full, full)
    return _Way(pose, factor, full, _map(plan, moved(reduced(matrix, factor), x0 // factor, y0 // factor), pose.bend))


def _corner(layer: Layer) -> tuple[int, int]:
    """x and y of the first pixel of the photo that is shown; a multiple of the largest factor."""
    return (0, 0) if layer.visible is None else (max(round(layer.visible[0]), 0), max(round(layer.visible[1]), 0))


def _map(plan: ClipPlan, matrix: Matrix, bend: Bend | None) -> SamplingMap:
    size = plan.size, plan.size
    return SamplingMap.linear(matrix, size) if bend is None else SamplingMap.bent(matrix, size, _bending(plan, bend))


def _bending(plan: ClipPlan, bend: Bend):  # type: ignore[no-untyped-def]
    """What x and y of a frame's pixels are read from, in pixels of the frame."""
    spline, side = Spline(bend.end, bend.start, smoothing=False), plan.size
    step = side - 1 if plan.stretch else side

    def read_from(x: Points, y: Points) -> tuple[Points, Points]:
        if plan.stretch:
            u, v = spline(x / step, y / step)
            return u * side, v * side
        u, v = spline((x + 0.5) / side, (y + 0.5) / side)
        return u * side - 0.5, v * side - 0.5

    return read_from


def _part(plane: NDArray[np.uint8], layer: Layer, factor: int = 1) -> NDArray[np.uint8]:
    """What of a photo or mask is shown."""
    if layer.visible is None:
        return plane
    (left, top), (_, _, right, bottom) = _corner(layer), layer.visible
    return plane[
        top // factor : max(round(bottom / factor), top // factor + 1),
        left // factor : max(round(right / factor), left // factor + 1),
    ]


def _candidates(plan: ClipPlan, stills: Sequence[Still], maps: _Maps, frames: Sequence[int]) -> list[Labels]:
    """Label maps of candidates, of several the one on the upper layer."""
    made = [np.zeros((plan.size, plan.size), np.uint8) for _ in frames]
    for number, (layer, ways) in enumerate(zip(plan.layers, maps, strict=True)):
        table = np.zeros(256, np.uint8)
        for n, candidate in enumerate(plan.candidates, 1):
            if candidate.layer == number:
                table[list(candidate.objects)] = n
        shown = _shown(layer)
        own = _part(stills[layer.still].labels, layer)
        for labels, way in zip(made, ways, strict=True):
            if way is None or (layer.part == GROUND and not table.any()):
                continue
            read = way.full.mask(own)
            if layer.part == OBJECTS:
                labels[:] = np.where(shown[read], table[read], labels)
            else:
                labels[:] = table[read]
    return made


def _shown(layer: Layer) -> NDArray[np.bool_]:
    """(256,) bool: which numbers of a still's label map the layer shows."""
    shown = np.zeros(256, bool)
    shown[list(layer.objects)] = True
    return shown


def _lay(frames: NDArray[np.uint8], plan: ClipPlan, layer: Layer, ways: Sequence[_Way | None], still: Still) -> None:
    """Lay one layer on all frames."""
    factors = [way.factor for way in ways if way]
    if not factors:
        return
    photos = {factor: _source(photo, layer, still, factor) for factor, photo in at_factor(still, factors).items()}
    for frame, way in enumerate(ways):
        if way is None:
            continue
        image = _read(plan, layer, way, photos[way.factor])
        if layer.part == OBJECTS:
            shown = _shown(layer)[way.full.mask(_part(still.labels, layer))].view(np.uint8)
            _paste(frames[frame], image, shown, layer, way)
        else:
            frames[frame] = image


def _source(photo: Image, layer: Layer, still: Still, factor: int) -> Image:
    if layer.part == GROUND:
        photo = without_objects(photo, still.labels, layer.objects, factor)
    return shaded(np.ascontiguousarray(_part(photo, layer, factor)), layer.shades)


def _read(plan: ClipPlan, layer: Layer, way: _Way, photo: Image) -> Image:
    """One layer in one frame, with what lies beyond its photo filled."""
    border = cv2.BORDER_REFLECT_101 if layer.part == GROUND else cv2.BORDER_CONSTANT
    image = way.small.image(photo, plan.fill, border)
    if plan.bend_fill is not None and way.small.hidden is not None:
        image[way.small.hidden] = np.array(plan.bend_fill, np.uint8)
    return shaded(image, way.pose.shades)


def _paste(frame: Image, image: Image, shown: Mask, layer: Layer, way: _Way) -> None:
    """Lay objects on a frame: hard, or with a soft rim, or smeared along their way."""
    blur = way.pose.blur
    if not layer.edge and blur is None:
        cv2.copyTo(image, shown, frame)
        return
    share = shown * np.float32(1)
    if layer.edge:
        share = cv2.GaussianBlur(share, (0, 0), layer.edge)
    frame[:] = cv2.blendLinear(image, frame, share, 1 - share)


def _ignored(
    voids: NDArray[np.uint8] | None, layer: Layer, ways: Sequence[_Way | None], still: Still, labels: NDArray[np.uint8]
) -> NDArray[np.uint8] | None:
    """Where a source knows nothing, of the layers so far."""
    if still.ignored is None or layer.part == OBJECTS:
        return voids
    voids = np.zeros(labels.shape, np.uint8) if voids is None else voids
    own = _part(still.ignored, layer)
    for frame, way in enumerate(ways):
        if way is not None:
            voids[frame] = way.full.mask(own) & (labels[frame] == 0)
    return voids


def finished(frame: Image, finish: Finish) -> Image:
    """A frame as a camera and its codec give it."""
    if finish.gain != 1:
        frame = cv2.LUT(frame, np.clip(np.arange(256) * finish.gain, 0, 255).astype(np.uint8))  # type: ignore[assignment]
    return decode_picture(encode_jpeg(frame, finish.quality)) if finish.quality else frame
