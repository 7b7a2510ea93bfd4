"""What of clips a network with a memory is shown: shares and ranges, drawn in `memory_dataset`."""

from __future__ import annotations

from dataclasses import dataclass

from datakit.config import setting, validate


@dataclass(frozen=True)
class ClipView:
    """What of clips a network with a memory is shown.

    Attributes:
        smooth: share of clips of the `smooth` recipe; the others are of `aot`, whose frames have nothing in common
            but their photos.
        frames: of a `smooth` clip, of which few are made.
        deformed: share of guide masks made of the target by the `masktrack` recipe.
        stale: share of guide masks that are those of any earlier frame, as of an object that was lost.
        none: share of guide masks that are empty.
        mistaken: share of guide masks that hold another object of the clip, beside their own or instead. What is left
            of all is the mask of the frame before.
        memories: frames remembered, the first among them. A network that learns from one reads several as well.
        turned: share of remembered frames that are turned and stretched, as `view.turn` and `view.stretch` say.
        relit: share of remembered frames in another light, as the colours of `view` say.
    """

    smooth: float = setting(0.5, 0, 1)
    frames: int = setting(24, 3, 256)
    deformed: float = setting(0.4, 0, 1)
    stale: float = setting(0.12, 0, 1)
    none: float = setting(0.05, 0, 1)
    mistaken: float = setting(0.13, 0, 1)
    memories: int = setting(1, 1, 8)
    turned: float = setting(0.7, 0, 1)
    relit: float = setting(0.5, 0, 1)

    def __post_init__(self) -> None:
        validate(self, "clips")
