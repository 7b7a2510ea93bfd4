"""The loaders that a folder can be checked for: what each one reads, looks for and passes over, read in its source.

Where a rule says "in silence", the loader neither stops nor warns. A loader of another package joins by
`LOADERS.add(name, Loader(…))` or by an entry point of the group `masktrack_datakit.loaders`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..errors import UsageError
from ..registry import Registry

Task = Literal["train", "inference", "static"]
TASKS: tuple[Task, ...] = ("train", "inference", "static")
GROUP = "masktrack_datakit.loaders"


@dataclass(frozen=True)
class VideoRules:
    """How a loader reads a tree of videos, `JPEGImages/VIDEO/NAME.jpg` beside `Annotations/VIDEO/NAME.png`.

    Attributes:
        frame_suffixes: of frames, as written.
        every_file: whatever lies in a folder of frames is taken for a frame; else only names of these suffixes are.
        videos_in: side whose listing gives the videos; "lists" where a file does.
        integer_names: names of frames and masks must be whole numbers.
        fewest: frames a video must have.
        every_mask: whether every frame needs a mask; else the first mask is enough.
        pairs_by: how a frame finds its mask: by `stem`, by `number` or by `position` in the sorted listings.
        reads: a mask by Pillow's convert("P"), by NumPy as its file stores it ("array"), or by its mode ("mode").
        object_folders: whether a folder for each object, `Annotations/VIDEO/OBJECT/00000.png`, can be read.
        list_kind: which file of names the loader insists on.
        effects: kind of fault -> what the loader does, where it is not the usual.
    """

    frame_suffixes: tuple[str, ...] = (".jpg",)
    every_file: bool = True
    videos_in: Literal["photos", "masks", "lists"] = "photos"
    integer_names: bool = False
    fewest: int = 1
    every_mask: bool = False
    pairs_by: Literal["stem", "number", "position"] = "stem"
    reads: Literal["P", "array", "mode"] = "P"
    object_folders: bool = False
    list_kind: Literal["none", "subset", "davis", "meta"] = "none"
    effects: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Loader:
    """What reads the folder.

    Attributes:
        title: as its authors write it.
        repository, commit: what was read.
        files: in it, that the rules come from.
        train, inference: rules for videos; None where it has no such part.
        static: how it reads stills: photo and mask side by side (`flat`), or two trees of five sets (`aot`).
    """

    title: str
    repository: str
    commit: str
    files: tuple[str, ...]
    train: VideoRules | None = None
    inference: VideoRules | None = None
    static: Literal["flat", "aot"] | None = None

    def tasks(self) -> tuple[Task, ...]:
        """What it can be checked for."""
        return tuple(task for task in TASKS if getattr(self, task) is not None)


def _check(name: str, loader: Loader) -> None:
    if not loader.tasks():
        raise UsageError(f"loader {name!r}: has no rules; give train, inference or static")


LOADERS: Registry[Loader] = Registry("loader", GROUP, _check)

_STOPS = "training stops at it with FileNotFoundError"
_STM_TRAIN = {
    "stray-video": "os.listdir takes it for a video, and stops with NotADirectoryError",
    "frame-without-mask": _STOPS,
    "frame-suffix": f"it looks for NAME[:-4] + .jpg, and {_STOPS}",
    "too-few-frames": "such videos are passed over in silence",
    "mask-size": "photo and mask are cropped at different places, in silence",
}
LOADERS.add(
    "cutie",
    Loader(
        "Cutie",
        "github.com/hkchengrex/Cutie",
        "ec5cdd4",
        (
            "cutie/dataset/vos_dataset.py",
            "cutie/dataset/static_dataset.py",
            "cutie/inference/data/video_reader.py",
            "cutie/inference/data/vos_test_dataset.py",
            "cutie/config/data/datasets.yaml",
        ),
        train=VideoRules(fewest=8, every_mask=True, effects=_STM_TRAIN),
        inference=VideoRules(
            frame_suffixes=(".jpg", ".JPG", ".png", ".PNG", ".bmp"),
            videos_in="masks",
            reads="mode",
            effects={
                "mask-mode": "it raises NotImplementedError: of the first mask P, L and RGB are read",
                "colour-mask": "it reads RGB as one number, red + 256 green + 65536 blue: each colour is an object of "
                "such a number, soft edges too",
                "no-masks": "the video is not looked at, in silence",
            },
        ),
        static="flat",
    ),
)
LOADERS.add(
    "xmem",
    Loader(
        "XMem",
        "github.com/hkchengrex/XMem",
        "f3b841d",
        (
            "dataset/vos_dataset.py",
            "dataset/static_dataset.py",
            "inference/data/video_reader.py",
            "inference/data/test_datasets.py",
            "train.py",
            "util/load_subset.py",
        ),
        train=VideoRules(fewest=8, every_mask=True, list_kind="subset", effects=_STM_TRAIN),
        inference=VideoRules(
            frame_suffixes=(".jpg", ".JPG", ".png", ".PNG", ".bmp"),
            effects={"no-masks": "it stops with FileNotFoundError"},
        ),
        static="flat",
    ),
)
_AOT_MASKS = {
    "frame-without-mask": "it takes the mask of another frame instead, in silence",
    "mask-16-bit": "numbers over 255 wrap round",
    "colour-mask": "it keeps three channels, and stops",
}
LOADERS.add(
    "aot",
    Loader(
        "AOT/DeAOT",
        "github.com/yoxu515/aot-benchmark",
        "601c138",
        ("dataloaders/train_datasets.py", "dataloaders/eval_datasets.py", "dataloaders/image_transforms.py"),
        train=VideoRules(
            (".jpg", ".jpeg", ".JPG", ".png"),
            videos_in="lists",
            fewest=2,
            every_mask=True,
            pairs_by="position",
            reads="array",
            list_kind="davis",
            effects=_AOT_MASKS,
        ),
        inference=VideoRules(videos_in="lists", fewest=2, reads="array", list_kind="davis", effects=_AOT_MASKS),
        static="aot",
    ),
)
_SAM2_TRAIN = {
    "stray-video": "it is a video without frames; another is drawn instead",
    "frame-without-mask": "where it is the first frame drawn, another video is taken; where it is a later one, "
    "training stops with KeyError",
    "frame-name": "int() fails; another video is drawn in its place, with a warning",
    "mask-name": "int() fails; another video is drawn in its place, with a warning",
    "frame-suffix": "glob sees *.jpg alone: the frame is not there, in silence",
    "too-few-frames": "another video is drawn in its place, with a warning; where all are too short, training stops",
    "empty-video": "another video is drawn in its place",
    "no-masks": "another video is drawn in its place, with a warning",
}
_SAM2_INFERENCE = VideoRules(
    frame_suffixes=(".jpg", ".jpeg", ".JPG", ".JPEG"),
    every_file=False,
    integer_names=True,
    reads="array",
    object_folders=True,
    effects={
        "frame-name": "int() of it fails, and the command stops",
        "mask-16-bit": "numbers over 255 wrap round",
        "colour-mask": "each value of each channel is taken for an object, and adding it fails",
    },
)
LOADERS.add(
    "sam2",
    Loader(
        "SAM 2",
        "github.com/facebookresearch/sam2",
        "2b90b9f",
        (
            "training/dataset/vos_raw_dataset.py",
            "training/dataset/vos_segment_loader.py",
            "training/dataset/vos_sampler.py",
            "tools/vos_inference.py",
            "sam2/utils/misc.py",
        ),
        train=VideoRules(
            every_file=False,
            integer_names=True,
            fewest=8,
            every_mask=True,
            pairs_by="number",
            object_folders=True,
            effects=_SAM2_TRAIN,
        ),
        inference=_SAM2_INFERENCE,
    ),
)
LOADERS.add(
    "mose",
    Loader(
        "MOSEv2's baseline (SAM 2 with RCMS)",
        "github.com/henghuiding/MOSE-api",
        "241977a",
        (
            "MOSEv2/sam2_rcms/training/dataset/vos_raw_dataset.py",
            "MOSEv2/sam2_rcms/training/dataset/vos_sampler.py",
            "MOSEv2/sam2_rcms/sam2/configs/sam2.1_training/sam2.1_hiera_l_MOSEv2_mss_lvt_16frames_stage2.yaml",
        ),
        train=VideoRules(
            every_file=False, integer_names=True, fewest=16, every_mask=True, pairs_by="number", effects=_SAM2_TRAIN
        ),
        inference=_SAM2_INFERENCE,
    ),
)
LOADERS.add(
    "youtube-vos",
    Loader(
        "YouTube-VOS as AOT, XMem and Cutie read it",
        "github.com/yoxu515/aot-benchmark",
        "601c138",
        ("dataloaders/train_datasets.py", "dataloaders/eval_datasets.py"),
        train=VideoRules(
            videos_in="lists",
            every_file=False,
            fewest=2,
            every_mask=True,
            reads="array",
            list_kind="meta",
            effects=_AOT_MASKS,
        ),
        inference=VideoRules(
            videos_in="lists", every_file=False, fewest=2, reads="array", list_kind="meta", effects=_AOT_MASKS
        ),
    ),
)
