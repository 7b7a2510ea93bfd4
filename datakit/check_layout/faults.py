"""What a check finds, and the shell commands that mend it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

_EACH = "import sys\nimport numpy as np\nfrom PIL import Image\nfor f in sys.argv[1:]:\n "
BINARY = _EACH + "Image.fromarray((np.array(Image.open(f).convert('L')) > 127).astype('uint8')).save(f)"
WHITE = _EACH + "Image.fromarray(((np.array(Image.open(f)) > 0) * 255).astype('uint8')).save(f)"
NO_VOID = _EACH + "a = np.array(Image.open(f).convert('P'))\n a[a == 255] = 0\n Image.fromarray(a).save(f)"
RENUMBER = (
    "import sys\nimport numpy as np\nfrom PIL import Image\nids = {0: 0}\nfor f in sys.argv[1:]:\n"
    " i = Image.open(f)\n i = i if i.mode in ('P', 'L') or i.mode[0] == 'I' else i.convert('RGBA')\n"
    " a = np.array(i).astype(int)\n"
    " a = a if a.ndim == 2 else (a[..., 0] * 65536 + a[..., 1] * 256 + a[..., 2]) * (a[..., 3] > 127)\n"
    " v, n = np.unique(a, return_inverse=True)\n n = np.array([ids.setdefault(int(k), len(ids)) for k in v])[n]\n"
    " assert len(ids) < 256, f + ': too many colours, edges are smoothed'\n"
    " Image.fromarray(n.reshape(a.shape).astype('uint8')).save(f)"
)
TO_JPG = _EACH + "Image.open(f).convert('RGB').save(f.rsplit('.', 1)[0] + '.jpg', quality=95)"
RESIZE = (
    "import sys\nfrom PIL import Image\nf, like = sys.argv[1:]\n"
    "i = Image.open(f).resize(Image.open(like).size, Image.NEAREST)\ni.save(f)"
)


@dataclass(frozen=True)
class Fault:
    """Something that keeps a loader from seeing what is there.

    Attributes:
        kind: a few words with hyphens, the same for equal faults.
        place: file or folder, relative to the folder that was checked.
        text: what was found, what was expected, and what the loader does.
        mend: a shell command, to be run anywhere; it changes files and throws none away but those of a file browser.
    """

    kind: str
    place: str
    text: str
    mend: str


def shell(*words: str | Path) -> str:
    """A command with every word quoted as a shell needs it."""
    return shlex.join(map(str, words))


def rename(old: Path, new: Path) -> str:
    """Give a file another name, where none has it."""
    return shell("mv", "-n", old, new)


def python(code: str, *files: Path) -> str:
    """Run a few lines of Python with Pillow and NumPy on files."""
    return shell("python3", "-c", code, *files)


def in_folder(code: str, folder: Path, suffix: str = ".png") -> str:
    """The same on all files of a folder with a suffix, in order of their names."""
    return f"{shell('python3', '-c', code)} {shell(folder)}/*{suffix}"


def aside(root: Path, *paths: Path) -> str:
    """Move what is not wanted out of the tree, into a folder beside it that keeps where it was."""
    resolved = root.resolve()
    away = resolved.parent / f"{resolved.name}.left-out"
    moves = []
    for path in paths:
        there = away / path.resolve().relative_to(resolved)
        moves.append(f"{shell('mkdir', '-p', there.parent)} && {shell('mv', '-n', path, there)}")
    return " && ".join(moves)
