"""A folder and a loader in, every fault out: what is there is recognised, checked by folder, and put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError
from ..wording import counted, shorten
from .faults import NO_VOID, Fault, aside, in_folder
from .lists import empty_masks_faults, image_sets_faults, meta_faults, subset_faults, subset_notes
from .loaders import LOADERS, Loader, Task, VideoRules
from .names import Video
from .static import StillFindings, StillFolder, aot_folders, check_stills, flat_folders, set_faults, set_notes
from .trees import (
    AOT_SETS,
    FLAT_SETS,
    Tree,
    files_of,
    find_trees,
    is_aot_static,
    is_flat,
    is_picture,
    listing,
    no_tree,
)
from .values import VOID, VideoFindings, check_video

Findings = VideoFindings | StillFindings
Work = Video | StillFolder


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        root: folder someone is about to train from, or to run inference on.
        loader: a name of `LOADERS`.
        task: None to take what fits.
        fewest: frames a video must have, if not what the loader's published settings say.
        subset: file of names that training is given.
        empty_masks: Cutie's JSON of frames without an object.
    """

    root: Path
    loader: str
    task: Task | None = None
    fewest: int | None = None
    subset: Path | None = None
    empty_masks: Path | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be looked at.

    Attributes:
        question: as asked.
        loader, task, why: for what, and why that.
        trees: of videos, or of AOT's stills; none of flat stills.
        work: what `check_one` takes.
    """

    question: Question
    loader: Loader
    task: Task
    why: str
    trees: tuple[Tree, ...]
    work: tuple[Work, ...]

    @property
    def rules(self) -> VideoRules | None:
        """Rules of videos."""
        return (
            self.loader.train if self.task == "train" else self.loader.inference if self.task == "inference" else None
        )


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        plan: what was looked at.
        faults: every one; none where the loader sees all that is there.
        notes: what to know beside them.
        folders, frames, masks: how many the loader sees; of stills `frames` counts photos.
    """

    plan: Plan
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    folders: int
    frames: int
    masks: int


def plan_check(question: Question) -> Plan:
    """Recognise a folder, without reading a picture.

    Raises:
        UsageError: nothing here is what the loader reads, or it has no such task.
    """
    loader, root = LOADERS.find(question.loader, "--for"), question.root
    if not root.is_dir():
        raise no_tree(root)
    trees = find_trees(root)
    task, why = (question.task, "as asked for") if question.task else _task(root, loader, trees)
    if task not in loader.tasks():
        raise UsageError(f"--task {task}: {loader.title} is checked for {', '.join(loader.tasks())}")
    if task == "static":
        work: list[Work] = [*_still_work(root, loader, trees)]
    else:
        rules = loader.train if task == "train" else loader.inference
        if rules is None or not trees:
            raise no_tree(root)
        rules = replace(rules, fewest=question.fewest or rules.fewest)
        work = [Video(root, listing(tree, name), task, rules) for tree in trees for name in tree.videos()]
    if not work:
        raise no_tree(root)
    return Plan(question, loader, task, why, tuple(trees), tuple(work))


def _still_work(root: Path, loader: Loader, trees: Sequence[Tree]) -> list[StillFolder]:
    if loader.static == "flat":
        return flat_folders(root)
    found = [folder for tree in trees for folder in aot_folders(root, tree)]
    known = {name.casefold() for name in AOT_SETS}
    others = [name for tree in trees for name in tree.videos() if name.casefold() in known]
    if trees and not found and not others:
        names = shorten([name for tree in trees for name in tree.videos()])
        raise UsageError(
            f"{root}: AOT looks for stills in {', '.join(AOT_SETS)}, found {names}; rename a folder on both sides"
        )
    return found or [
        StillFolder(root, tree.photos / name, tree.masks / name, "aot") for tree in trees for name in others
    ]


def _task(root: Path, loader: Loader, trees: Sequence[Tree]) -> tuple[Task, str]:
    """What a folder is for, and why that is thought."""
    if loader.static == "aot" and any(map(is_aot_static, trees)):
        return "static", "as folders are named as AOT's sets of stills"
    if not trees:
        if loader.static == "flat" and is_flat(root):
            return "static", "as photos and masks lie beside each other"
        raise no_tree(root)
    frames = masks = 0
    for tree in trees:
        for name in tree.videos():
            found = listing(tree, name)
            frames += len([each for each in found.frames if is_picture(each)])
            masks += len([each for each in found.mask_names if is_picture(each)])
    said = f"as there are {counted(masks, 'mask')} of {counted(frames, 'frame')}; --task says otherwise"
    if loader.train is not None and (masks * 2 >= frames or loader.inference is None):
        return "train", said
    return "inference", said


def check_one(work: Work) -> Findings:
    """Check one video or one folder of stills; runs on any process."""
    return check_video(work) if isinstance(work, Video) else check_stills(work)


def conclude(plan: Plan, found: Sequence[Findings]) -> Checked:
    """Put together what was found in the folders of a plan, in their order, and what only all of them show."""
    faults: list[Fault] = []
    notes: list[str] = []
    videos = [each for each in found if isinstance(each, VideoFindings)]
    for tree in plan.trees if plan.rules else ():
        here = [each for work, each in zip(plan.work, found, strict=True)
                if isinstance(work, Video) and isinstance(each, VideoFindings)
                and tree.photos == work.files.photos.parent]  # fmt: skip
        faults += _tree_faults(plan, tree)
        faults += _list_faults(plan, tree, here)
        faults += _two_kinds(plan.question.root, tree, here)
        notes += _tree_notes(plan, tree, here)
    if plan.task == "static":
        faults += _set_faults(plan)
        notes += _set_notes(plan)
    faults += [fault for each in found for fault in each.faults]
    photos = sum(each.photos for each in found if isinstance(each, StillFindings))
    frames = sum(each.frames for each in videos)
    return Checked(plan, tuple(faults), tuple(notes), len(found), frames + photos,
                   sum(each.masks for each in videos) + photos)  # fmt: skip


def _tree_faults(plan: Plan, tree: Tree) -> list[Fault]:
    """Files where only folders of videos are expected."""
    rules, root, faults = plan.rules, plan.question.root, []
    side = tree.photos if rules and rules.videos_in == "photos" else tree.masks
    listed_as_dirs = plan.task == "inference" and rules is not None and not rules.every_file
    if rules is None or rules.videos_in == "lists" or listed_as_dirs:
        return []
    if stray := files_of(side):
        usual = "os.listdir takes it for a video, and stops with NotADirectoryError"
        text = f"{shorten(stray)} among the folders of videos; {rules.effects.get('stray-video', usual)}"
        place = str((side / stray[0]).relative_to(root))
        faults.append(Fault("stray-video", place, text, aside(root, *(side / name for name in stray))))
    return faults


def _list_faults(plan: Plan, tree: Tree, found: Sequence[VideoFindings]) -> list[Fault]:
    """Lists of names that training or inference goes by."""
    question, rules = plan.question, plan.rules
    faults: list[Fault] = []
    if rules is None:
        return faults
    has_meta = (tree.base / "meta.json").is_file()
    if rules.list_kind == "meta" or (rules.list_kind == "davis" and has_meta):
        faults += meta_faults(question.root, tree, plan.task, found)
    elif rules.list_kind == "davis":
        faults += image_sets_faults(question.root, tree, plan.task)
    if question.subset is not None:
        faults += subset_faults(question.subset, tree)
    if question.empty_masks is not None:
        faults += empty_masks_faults(question.empty_masks, tree, found)
    return faults


def _two_kinds(root: Path, tree: Tree, found: Sequence[VideoFindings]) -> list[Fault]:
    """Videos of 0 and 255 among videos of ids: 255 is white in the one, and void or white in the other."""
    white = [each.name for each in found if each.ids == (VOID,)]
    numbered = [each.name for each in found if each.ids and each.ids != (VOID,)]
    if not white or not numbered or any(listing(tree, name).objects for name in white):
        return []
    code = NO_VOID.replace("a[a == 255] = 0", "a[a == 255] = 1")
    text = (f"{counted(len(white), 'video')} of 0 and 255 ({shorten(white)}) among videos of ids "
            f"({shorten(numbered)}): the object has number 255 in the one, 1 in the other")  # fmt: skip
    mend = " && ".join(in_folder(code, tree.masks / name) for name in white)
    return [Fault("white-masks", str((tree.masks / white[0]).relative_to(root)), text, mend)]


def _tree_notes(plan: Plan, tree: Tree, found: Sequence[VideoFindings]) -> list[str]:
    notes = list(subset_notes(plan.question.subset, tree, plan.rules)) if plan.rules and plan.task == "train" else []
    has_folders = any(listing(tree, each.name).objects for each in found)  # one an object, where 255 is its mask
    if found and not has_folders and all(each.ids == (VOID,) for each in found):
        notes.append(
            "all masks are 0 and 255: one object a video, whose number is 255; where a video has several, they are one"
        )
    dotted = [each.name for each in found if "." in each.name]
    if dotted and plan.rules and plan.rules.pairs_by == "number":
        notes.append(f"{shorten(dotted)}: in a file_list_txt, names lose all after their last dot")
    return notes


def _set_faults(plan: Plan) -> list[Fault]:
    root = plan.question.root
    if plan.loader.static == "flat":
        return list(set_faults(root, root, FLAT_SETS, [root]))
    return [fault for tree in plan.trees
            for fault in set_faults(root, tree.photos, AOT_SETS, [tree.photos, tree.masks])]  # fmt: skip


def _set_notes(plan: Plan) -> list[str]:
    if plan.loader.static == "flat":
        return list(set_notes(plan.question.root, FLAT_SETS))
    return [note for tree in plan.trees for note in set_notes(tree.photos, AOT_SETS)]
