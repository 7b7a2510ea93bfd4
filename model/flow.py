"""Optical flow as a grey picture of its magnitude, the input of the flow variant.

Flow comes from OpenCV's DIS, or from `.flo` files that were computed elsewhere. The network was never trained on
such pictures; that it understands them is the paper's finding, and what they bring is a matter of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Image
from datakit.errors import DatakitError

Flow = NDArray[np.float32]
"""(H, W, 2) float32: where each pixel of one frame lies in another, as (x, y) movement in pixels."""

UNKNOWN = 1e9  # a movement beyond marks a pixel without one
PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class FlowError(DatakitError):
    """A file holds no flow for the frame it belongs to."""


def dis_optical_flow(preset: str = "fast") -> Callable[[Image, Image], Flow]:
    """A function that finds the flow from one frame to another of the same size.

    Args:
        preset: of `PRESETS`, from quick to careful.

    Source: arXiv 1603.03590 (DIS).
    """
    method = cv2.DISOpticalFlow.create(PRESETS[preset])

    def flow(frame: Image, other: Image) -> Flow:
        grey = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (frame, other))
        return method.calc(*grey, None)  # type: ignore[call-overload, no-any-return]

    return flow


def speed_image(flows: Iterable[Flow]) -> Image:
    """The picture that the network looks at: the speed of every pixel against the frame's own.

    Each flow loses its median, which is mostly the camera's; their magnitudes are averaged and scaled so that the
    fastest pixel is white. Where nothing moves the picture is black.

    Args:
        flows: one or both of those to the next and to the previous frame.

    Returns:
        (H, W, 3) uint8, three equal channels.

    Source: three channels: arXiv 1612.02646 §3.3; median, averaging and scaling are no part of it and ours.
    """
    speeds = [_speed(flow) for flow in flows]
    speed = sum(speeds[1:], speeds[0]) / len(speeds)
    fastest = float(speed.max())
    grey = np.rint(speed * (255 / fastest)).astype(np.uint8) if fastest > 0 else np.zeros(speed.shape, np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _speed(flow: Flow) -> NDArray[np.float32]:
    """(H, W) float32: pixels moved, against the median of the frame."""
    moved = flow - np.median(flow.reshape(-1, 2), axis=0)
    return cv2.magnitude(moved[..., 0], moved[..., 1])  # type: ignore[return-value]


def dis_pictures(frames: Sequence[Image], preset: str = "fast") -> Callable[[int], Image | None]:
    """A function from a frame's place to its picture of movement, from the flow to both neighbours.

    Args:
        frames: of the video, (H, W, 3) uint8 RGB each, of one size; at most three are asked for at a time.
        preset: of `PRESETS`.

    Returns:
        A function that gives `speed_image`, or None in a video of a single frame.
    """
    flow = dis_optical_flow(preset)

    def picture(place: int) -> Image | None:
        neighbours = [frames[other] for other in (place - 1, place + 1) if 0 <= other < len(frames)]
        return speed_image(flow(frames[place], other) for other in neighbours) if neighbours else None

    return picture


def flow_of_files(folder: Path, name: str, frame_size: tuple[int, int]) -> Image | None:
    """A frame's picture of movement from `.flo` files: `NAME.flo` to the next frame, `NAME.back.flo` to the previous.

    Args:
        folder: where they lie.
        name: of the frame, without suffix.
        frame_size: (H, W).

    Returns:
        As `speed_image`, from one of the two where there is only one; None where there is neither.

    Raises:
        FlowError: a file that is no flow, or of another size.
    """
    paths = [path for path in (folder / f"{name}.flo", folder / f"{name}.back.flo") if path.exists()]
    return speed_image(read_flo(path, frame_size) for path in paths) if paths else None


def read_flo(path: Path, frame_size: tuple[int, int]) -> Flow:
    """Flow as the Middlebury benchmark stores it; pixels that it marks as unknown (beyond 1e9) do not move.

    Args:
        path: the file.
        frame_size: expected (H, W).

    Raises:
        FlowError: not such a file, or of another size.

    Source: Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011.
    """
    H, W = frame_size
    try:
        flow = cv2.readOpticalFlow(str(path))
    except cv2.error:  # a size that fits no memory
        flow = None
    found = "is not a whole flow" if flow is None else f"holds {flow.shape[1]}x{flow.shape[0]} pixels"
    if flow is None or flow.shape[:2] != (H, W):
        raise FlowError(f"{path}: {found}; expected a Middlebury .flo file of {W}x{H} pixels")
    return np.where(np.abs(flow) < UNKNOWN, flow, np.float32(0))
