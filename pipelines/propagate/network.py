"""The network's part of a propagation: weights, boxes, online stage, and a label map for every frame.

What happens in a frame is left to `model.propagate`, the order of the frames to `passes`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from datakit.arrays import Image, Labels
from datakit.errors import UsageError
from datakit.files import write_json
from datakit.places import sha256_at
from datakit.video.frames import Frames
from datakit.wording import counted, shorten

from .output import ONLINE_REPORT, TUNED
from .passes import FlowOf, Step, Written, plan_passes, run_passes
from .prompts import Prompts

if TYPE_CHECKING:
    from model.propagate import PropagateConfig, Propagator
    from model.segmenter import Segmenter

FLO_NAMES = (".flo", ".back.flo")
WEIGHTS = "lite-memory"  # better than `bundled` on every set of the validation (docs/decisions.md)
REMEMBERED = 4  # frames: flow looks at both neighbours of one

ONLINE_KEYS = "online."  # stands before the keys of the online stage's settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NetworkChoice:
    """What segments the frames.

    Attributes:
        weights: `lite-memory`, `bundled` or a checkpoint file.
        given: settings of `model.propagate.PropagateConfig` that are not its defaults.
        online: fine-tune on the annotated frames first.
        online_preset: of `model.online.ONLINE`.
        online_set: what is changed in it, as `online.KEY=VALUE`.
        flow: `none`, `dis`, or a folder of .flo files.
        crf: sharpen every frame by a dense CRF.
        seed: root of all chance in the online stage.
        device, precision: see `model.compute.Compute.chosen`.
        backend: what runs the network, see `model.inference.prepared`.
        threads: of torch; 0 for all cores, but for those that the network spares where it follows one object.
    """

    weights: str = WEIGHTS
    given: Mapping[str, Any] = field(default_factory=dict)
    online: bool = False
    online_preset: str = "default"
    online_set: Sequence[str] = ()
    flow: str = "none"
    crf: bool = False
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    backend: str = "torch"
    threads: int = 0


class Engine(Protocol):
    """What makes label maps; tests have one that needs no weights."""

    def settings(self) -> dict[str, Any]:
        """What label maps depend on, as plain values."""

    def run(self, frames: Frames, start: Prompts, written: Written, scratch: Path) -> Iterator[Step]:
        """Every frame once.

        Args:
            frames: the video.
            start: what is given of its objects.
            written: gives what an earlier run has made of a frame; asked in order, until it gives None.
            scratch: folder for what a resumed run must not make again.
        """


def open_engine(choice: NetworkChoice) -> Engine:
    """The network as chosen.

    Raises:
        DatakitError: weights that cannot be read, an extra that is not installed.
    """
    return NetworkEngine(choice)


class NetworkEngine:
    """A network of ours and its settings; see `Engine`."""

    def __init__(self, choice: NetworkChoice):

        from model.checkpoint import load_network
        from model.compute import Compute
        from model.crf import Crf
        from model.inference import prepared
        from model.online import ONLINE
        from model.propagate import PropagateConfig
        from model.refine import resolve_defaults
        from model.settings import configure

        if choice.flow not in ("none", "dis") and not Path(choice.flow).is_dir():
            raise UsageError(f"--flow {choice.flow}: expected none, dis, or a folder of .flo files")
        self.choice = choice
        config = PropagateConfig(**choice.given)
        self.online = configure(ONLINE[choice.online_preset], choice.online_set, ONLINE_KEYS)
        self.postprocess = Crf() if choice.crf else None
        self.net, _ = load_network(choice.weights)
        self.config = resolve_defaults(config, self.net)
        self.compute = Compute.chosen(self.net, choice.device, choice.precision)
        self.net = self.compute.place(self.net)
        self.quick = prepared(self.net, self.compute, choice.backend)  # once for all videos: it may take seconds

    def settings(self) -> dict[str, Any]:
        """As `Engine.settings`."""
        import torch

        from datakit import __version__
        from model.checkpoint import checkpoint_path

        compute = {"device": self.compute.device.partition(":")[0], "precision": self.compute.precision}
        if self.choice.backend != "torch":
            compute["backend"] = self.choice.backend
        return {
            "weights": sha256_at(checkpoint_path(self.choice.weights)),
            "propagate": asdict(self.config),
            "online": {"seed": self.choice.seed, **self.online.to_dict()} if self.choice.online else None,
            "flow": self.choice.flow,
            "crf": asdict(self.postprocess.config) if self.postprocess else None,
            "compute": compute,
            "tools": {"datakit": __version__, "torch": torch.__version__},
        }

    def run(self, frames: Frames, start: Prompts, written: Written, scratch: Path) -> Iterator[Step]:
        """As `Engine.run`."""
        import torch

        from model.compute import limited_threads

        frames, count = FrameCache(frames), self.choice.threads or torch.get_num_threads()
        propagator = self._propagator(self.net, self.config)
        with limited_threads(count):
            masks = prompt_masks(propagator, frames, start)
            if self.choice.online and not is_all_given(masks, start.begins, len(frames)):
                propagator = self._fitted(frames, masks, start.begins, scratch)
            elif self.choice.online:
                logger.info("online stage: left out, since every object is given in every frame")
        passes = plan_passes(len(frames), masks, start.begins, start.complete)
        if self.postprocess is not None:
            written = whole_or_nothing(written, len(frames))
        # One object leaves the cores idle that the network spares for what goes on beside it; several fill all.
        spared = self.quick.spare_cores if not self.choice.threads and len(objects_in(masks)) == 1 else 0
        with limited_threads(max(1, count - spared)):
            logger.info(
                f"{counted(len(frames), 'frame')} of {frames.size[1]}x{frames.size[0]}; {self.compute.describe()}"
            )
            flow, others = self._flow(frames, scratch.name), masks if self.net.remembers else None
            yield from run_passes(passes, propagator.fresh, frames, written, flow, others)

    def _propagator(self, net: Segmenter, config: PropagateConfig) -> Propagator:
        from model.inference import prepared
        from model.propagate import Propagator

        quick = self.quick if net is self.net else prepared(net, self.compute, self.choice.backend)
        return Propagator(quick, self.compute, config, self.postprocess)

    def _fitted(self, frames: Frames, masks: Mapping[int, Labels], begins: int, scratch: Path) -> Propagator:
        """With the network to use: fitted to the annotated frames, by this run or an earlier, as far as that is better.

        What was learnt and what was found lie in `scratch`, each as soon as it is there.
        """
        from model.checkpoint import load_network
        from model.judge import judge, mixed_network
        from model.propagate import surer

        path, report = scratch / TUNED, scratch / ONLINE_REPORT
        if not path.is_file():
            self._learn([(frames[place], mask) for place, mask in masks.items()], path, report)
        fitted = self.compute.place(load_network(path)[0])
        if not self.online.judge.asked:
            return self._propagator(fitted, self.config)
        about = json.loads(report.read_text(encoding="utf-8"))
        if "judge" not in about:
            places = neighbours(min(masks), len(frames), self.online.judge.frames, begins)
            verdict = judge(
                self.net, fitted, SomeFrames(frames, places), masks[places[0]], self.config, self.online.judge,
                self.compute, self.choice.seed,
            )  # fmt: skip
            about |= {"share": round(verdict.part * self.online.share, 4), "judge": verdict.to_dict()}
            write_json(report, about)
        logger.info(online_verdict(about))
        part = about["judge"]["part"]
        config = surer(self.config, self.online.judge.surer) if part else self.config
        return self._propagator(mixed_network(self.net, fitted, part), config)

    def _learn(self, annotated: Sequence[tuple[Image, Labels]], path: Path, report: Path) -> None:
        """Fit the network to annotated frames; write what it was like, then the weights."""
        from model.checkpoint import Checkpoint, checkpoint_path, read_checkpoint, write_checkpoint
        from model.online import fine_tune

        steps = self.online.iterations
        logger.info(f"online stage: {counted(steps, 'step')} on {counted(len(annotated), 'annotated frame')}")
        tuned = fine_tune(self.net, annotated, self.online, self.choice.seed, self.compute)
        first, last = round(tuned.losses[0], 4), round(tuned.losses[-1], 4)
        about = {"seconds": round(tuned.seconds, 1), "loss": [first, last], "share": self.online.share}
        logger.info(f"online stage: {tuned.seconds:.0f} s, loss {first:.3f} -> {last:.3f}")
        write_json(report, about)
        network = read_checkpoint(checkpoint_path(self.choice.weights)).network
        write_checkpoint(path, Checkpoint(network, {"online": about}, tuned.net.state_dict()))

    def _flow(self, frames: Frames, sequence: str) -> FlowOf:
        from model.flow import dis_pictures, flow_of_files

        if self.choice.flow == "none":
            return no_flow
        if self.choice.flow == "dis":
            return dis_pictures(frames)  # type: ignore[arg-type]
        folder = Path(self.choice.flow)
        folder = folder / sequence if (folder / sequence).is_dir() else folder
        if not any((folder / f"{name}{end}").exists() for name in frames.names for end in FLO_NAMES):
            raise UsageError(
                f"--flow {folder}: holds no flow of these frames; expected {frames.names[0]}.flo and so on"
            )
        told = frames.names[:-1]  # nothing moves on from the last
        lacking = [name for name in told if not any((folder / f"{name}{end}").exists() for end in FLO_NAMES)]
        if lacking:
            count = counted(len(lacking), "frame")
            logger.warning(f"{folder}: {count} without flow, seen by the photo alone: {shorten(lacking)}")
        return lambda place: flow_of_files(folder, frames.names[place], frames.size)


class FrameCache:
    """Frames that remember the last few, for those who look at neighbours too; see `datakit.video.frames.Frames`."""

    def __init__(self, frames: Frames):
        self.names, self.numbers, self.size = frames.names, frames.numbers, frames.size
        self.fps, self.remarks, self._count = frames.fps, frames.remarks, len(frames)
        self._get = lru_cache(REMEMBERED)(frames.__getitem__)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Image:
        return self._get(index)


class SomeFrames(Sequence[Image]):
    """Frames of a video by their places; each is read when it is asked for."""

    def __init__(self, frames: Frames, places: Sequence[int]):
        self._frames, self._places = frames, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        return self._frames[self._places[index]]


def neighbours(place: int, count: int, most: int, first: int = 0) -> list[int]:
    """An annotated frame of `count`, and at most so many after it, or before it where there are more.

    Frames before `first` are known to hold no object.
    """
    if place - first <= count - 1 - place:
        return list(range(place, min(place + most + 1, count)))
    return list(range(place, max(place - most, first) - 1, -1))


def online_verdict(about: Mapping[str, Any]) -> str:
    """What became of a fine-tuned network, in a sentence."""
    share = about["share"]
    if about["judge"]["declined"]:
        return "online stage: declined; the network is used as it came, since fine-tuning did not prove better"
    way = "" if share == 1 else f", {share:.0%} of the way from the network as it came"
    return f"online stage: used; the network is the fine-tuned one{way}"


def online_words(about: Mapping[str, Any]) -> str:
    """What became of it, and what it was judged by."""
    given, *others = about["judge"]["trials"]
    used = next((each for each in others if each["part"] == about["judge"]["part"]), max(others, key=_came_back))
    figures = (
        f"carried through the video and back, given masks return with IoU {used['returned']:.2f} fine-tuned, "
        f"{given['returned']:.2f} as it came; on clips made of the given frame {used['clips']:.2f} and "
        f"{given['clips']:.2f}; masks of both agree by {used['agreement']:.2f}"
    )
    if used.get("least", 1) < used["agreement"]:
        figures += f", of one object by {used['least']:.2f}"
    return f"{online_verdict(about)}: {figures}"


def _came_back(trial: Mapping[str, float]) -> float:
    return trial["returned"]


def prompt_masks(propagator: Any, frames: Frames, start: Prompts) -> dict[int, Labels]:
    """Frame index -> label map of all that is given; the network makes masks of the boxes.

    Raises:
        UsageError: an object of a box has no pixel beside the others.
    """
    masks = dict(start.masks)
    for place, boxes in start.boxes.items():
        boxed = propagator.box_mask(frames[place], boxes)
        masks[place] = np.where(masks[place] > 0, masks[place], boxed) if place in masks else boxed
        if hidden := [number for number in boxes if not (masks[place] == number).any()]:
            box = ",".join(map(str, boxes[hidden[0]]))
            raise UsageError(
                f"--box {box}: object {hidden[0]} lies wholly under other objects of frame {frames.names[place]!r}; "
                "give it by a mask, or another box"
            )
    return masks


def is_all_given(masks: Mapping[int, Labels], begins: int, count: int) -> bool:
    """Whether every object is given in every frame from the first annotated one on, so that none is followed."""
    known = objects_in(masks)
    return all(place in masks and objects_in({place: masks[place]}) == known for place in range(begins, count))


def objects_in(masks: Mapping[int, Labels]) -> set[int]:
    """Ids of all objects of some label maps."""
    return {int(number) for mask in masks.values() for number in np.unique(mask) if number}


def whole_or_nothing(written: Written, count: int) -> Written:
    """What an earlier run has written, if that is all `count` frames: polished masks are none to go on from."""
    return written if all(written(place) is not None for place in range(count)) else lambda _place: None


def no_flow(_place: int) -> Image | None:
    """Of a propagation that looks at no movement."""
    return None
