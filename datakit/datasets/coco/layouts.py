"""How COCO instances lie on disk: a file and its folder of photos, or a folder of splits as Roboflow exports them."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ... import looking
from ...errors import Problem, UsageError
from ..json_files import uncollected
from ..layout import Layout, Match, Sureness
from ..listing import is_folder
from ..pairs import find_folder
from ..reader import Reader, ReadOptions
from ..records import Record
from ..sniff import coco_files
from .file import load_instances
from .listing import Listing
from .photos import PhotoFolder, find_images
from .reader import CocoReader

ROBOFLOW_FILE = "_annotations.coco.json"
LABEL_STUDIO_FILES = ("result.json", "result_coco.json")  # names that others may give to anything
MOST_SOURCES = 4  # that a message writes down


@dataclass(frozen=True)
class CocoLayout(Layout):
    """An instances file with its folder of photos; the root is the file, or a folder that holds one."""

    @property
    def reader_type(self) -> type[CocoReader]:
        """See the base class."""
        return CocoReader

    def match(self, root: Path) -> Match | None:
        """For its instances file by name, else by what it holds, or any JSON file."""
        if looking.is_file(root):
            is_json = root.suffix.lower() == ".json"
            return Match(Sureness.COMMON, "a JSON file of instances") if is_json else None
        files = _named_files(root)
        if not files:
            found = ", ".join(str(path.relative_to(root)) for path, _ in coco_files(root))
            return Match(Sureness.LAST, f"for what {found} holds") if found else None
        file = only_file(root, files)
        is_sure = file.name not in LABEL_STUDIO_FILES or {each.name for each in looking.each_entry(root)} <= {
            file.name,
            "images",
        }
        return Match(Sureness.FILE if is_sure else Sureness.LAST, f"for its {file.relative_to(root)}")

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """Read an instances file and look which of its photos are there.

        Raises:
            UsageError: it is no instances file, or its photos' folder is not found.
        """
        file = (
            root
            if looking.is_file(root)
            else only_file(root, _named_files(root) or [path for path, _ in coco_files(root)])
        )
        with uncollected():
            document = load_instances(file)
            folder = (
                PhotoFolder(images)
                if images
                else find_images(file, document["images"], root if looking.is_folder(root) else None)
            )
            listing = Listing(label, file, folder)
            records = listing.pair(document)
            reader = CocoReader(label, file.parent, folder.path, records, listing.problems, options)
            del document, records  # before cycles are looked for again
        reader.doubts = listing.doubts
        return reader


@dataclass(frozen=True)
class SplitsLayout(Layout):
    """A folder of splits, each with an instances file beside its photos; keys begin with the split's name."""

    @property
    def reader_type(self) -> type[CocoReader]:
        """See the base class."""
        return CocoReader

    def match(self, root: Path) -> Match | None:
        """For the file of one of its splits."""
        splits = _splits(root)
        return Match(Sureness.FILE, f"for its {splits[0].name}/{ROBOFLOW_FILE}") if splits else None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """Read the instances files of all splits.

        Raises:
            UsageError: there is none, or one is no instances file.
        """
        splits, home = _splits(root), images or root
        if not splits:
            raise UsageError(f"{root}: expected folders such as train, each with a {ROBOFLOW_FILE}, found none")
        records: list[Record] = []
        problems: list[Problem] = []
        doubts: dict[str, str] = {}
        for split in splits:
            file = split / ROBOFLOW_FILE
            listing = Listing(label, file, PhotoFolder(home / split.name), within=f"{split.name}/")
            records += listing.pair(load_instances(file))
            problems += listing.problems
            doubts |= listing.doubts
        records.sort(key=lambda record: record.key)
        problems.sort(key=lambda problem: problem.key)
        reader = CocoReader(label, root, home, records, problems, options)
        reader.doubts = doubts
        return reader


COCO = CocoLayout(
    "coco",
    "annotations_trainval2017.zip and val2017.zip unpack to annotations/instances_val2017.json and val2017/*.jpg; tools"
    " export the same JSON as _annotations.coco.json or result.json (Lin et al., Microsoft COCO, ECCV 2014), LVIS has"
    " lvis_v1_val.json beside train2017/ and val2017/.",
    ("annotations/instances_*.json", "*2017/*.jpg"),
    min_area=400,  # 20x20 pixels; objects below are mostly annotation noise
)
ROBOFLOW = SplitsLayout(
    "roboflow",
    "Roboflow's export `COCO` unpacks to train/, valid/ and test/, each with _annotations.coco.json beside its photos.",
    ("*/_annotations.coco.json", "*/*.jpg"),
    min_area=400,
)


def _named_files(root: Path) -> list[Path]:
    """The instances files of a folder: COCO's own, else LVIS's, else as annotation tools export them."""
    folder = find_folder(root, "annotations")
    places = [root / folder, root] if folder else [root]
    own = looking.files_in(places[0], "instances_", ".json") if folder else []
    lvis = [
        file for place in places for file in looking.files_in(place, "lvis_", ".json") if "image_info" not in file.name
    ]
    exported = [root / name for name in (ROBOFLOW_FILE, *LABEL_STUDIO_FILES) if looking.is_file(root / name)]
    return own or lvis or exported


def _splits(root: Path) -> list[Path]:
    """Folders of a root that hold an instances file as Roboflow calls it, and are no links out of the root."""
    try:
        names = sorted(each.name for each in looking.each_entry(root) if is_folder(each) and not each.is_symlink())
    except OSError:
        return []
    return [root / name for name in names if looking.is_file(root / name / ROBOFLOW_FILE)]


def only_file(root: Path, files: list[Path]) -> Path:
    """The one annotation file of a folder.

    Raises:
        UsageError: there are several, or none.
    """
    if not files:
        raise UsageError(
            f"{root}: expected a COCO file, such as annotations/instances_*.json, found none; give the file itself"
        )
    if len(files) > 1:
        names = ", ".join(str(file.relative_to(root)) for file in files)
        raise UsageError(
            f"{root}: holds {len(files)} annotation files, {names}, expected one, so that photos for tests do not slip "
            f"into training; give the file itself, or each as a source of its own: {_sources_of(files)}"
        )
    return files[0]


def _sources_of(files: list[Path]) -> str:
    """The sources to write for files of one folder, each by a label of its own."""
    names = [file.stem.rpartition("_")[2].lower() for file in files]
    often = Counter(names)
    labels = [name if often[name] == 1 else f"{name}{number}" for number, name in enumerate(names, 1)]
    shown = [f"{label}={shlex.quote(str(file))}" for label, file in zip(labels, files, strict=True)][:MOST_SOURCES]
    return " ".join(shown) + " …" * (len(files) > MOST_SOURCES)
