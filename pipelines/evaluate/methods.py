"""Several methods at once: what each is called, and the frames on which all of them can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from datakit.errors import Mismatch, UsageError
from datakit.wording import shorten

from .match import SequencePair
from .part import cut

Result = TypeVar("Result")


def named_methods(texts: Sequence[str]) -> dict[str, Path]:
    """Name -> folder of every method, out of `PATH` or `NAME=PATH`; a folder's own name where none is given.

    Of folders that are called alike as much of the path is taken as tells them apart.

    Raises:
        UsageError: two methods have one name, a name is empty, or a folder is given twice without names.
    """
    given = [_split(text) for text in texts]
    taken = [name for name, _ in given if name]
    if twice := sorted({name for name in taken if taken.count(name) > 1}):
        raise UsageError(f"{twice[0]}=: two methods of that name; give each a name of its own")
    own = _told_apart([path for name, path in given if not name])
    names = [name or own[path] for name, path in given]
    for name, path in zip(names, (path for _, path in given), strict=True):
        if names.count(name) > 1:
            raise UsageError(f"{path}: a second method called {name!r}; give it a name of its own: NAME={path}")
    return dict(zip(names, (path for _, path in given), strict=True))


def _split(text: str) -> tuple[str, Path]:
    """The name and the folder of `NAME=PATH`; no name where a folder is called so, or none is given."""
    name, equals, path = text.partition("=")
    if not equals or "/" in name or Path(text).exists():
        return "", Path(text)
    if not name.strip() or not path:
        raise UsageError(f"{text!r}: expected NAME=PATH, as in lite=results")
    return name.strip(), Path(path)


def _told_apart(paths: Sequence[Path]) -> dict[Path, str]:
    """Path -> the fewest of its last names that no other of them ends in."""
    parts = {path: path.resolve().parts for path in paths}
    names = {}
    for path in paths:
        others = [each for other, each in parts.items() if other != path]
        length = next(
            (k for k in range(1, len(parts[path])) if all(each[-k:] != parts[path][-k:] for each in others)), 1
        )
        names[path] = "/".join(parts[path][-length:])
    return names


def for_each(methods: Iterable[str], do: Callable[[str], Result]) -> dict[str, Result]:
    """What `do` gives for every method; what does not fit is told of all of them at once.

    Raises:
        Mismatch: of one method as it was raised, of several with their names.
    """
    found, faults, names = {}, [], list(methods)
    for method in names:
        try:
            found[method] = do(method)
        except Mismatch as error:
            if len(names) == 1:
                raise
            faults.append(f"{method}: {error}")
    if faults:
        raise Mismatch("\n".join(faults))
    return found


def on_common_frames(
    methods: Mapping[str, Sequence[SequencePair]], only_predicted: bool
) -> dict[str, list[SequencePair]]:
    """The sequences of every method, cut to what all of them have: a comparison on different frames would be none.

    Args:
        methods: name -> its sequences; where a run is of a part of a clip, its part.
        only_predicted: score no frame that one of them has no prediction of.

    Raises:
        Mismatch: they have no sequence or, of a sequence, no frame in common.
    """
    tables = {method: {clip.name: clip for clip in clips} for method, clips in methods.items()}
    first = next(iter(tables.values()))
    names = [name for name in first if all(name in table for table in tables.values())]
    if not names:
        held = "; ".join(f"{method} has {shorten(list(table))}" for method, table in tables.items())
        raise Mismatch(f"no sequence that all methods have predictions of: {held}")
    for name in names:
        together = [table[name] for table in tables.values()]
        frames, predicted = _in_all([c.target for c in together]), _in_all([c.predicted for c in together])
        if not frames:
            spans = [f"{method} {_span(table[name])}" for method, table in tables.items()]
            raise Mismatch(f"{name}: no frame that all methods have: {', '.join(spans)}")
        for table in tables.values():
            clip = cut(table[name], frames, "all methods have")
            if only_predicted:
                clip = replace(clip, predicted={each: clip.predicted[each] for each in predicted})
            table[name] = clip
    return {method: [table[name] for name in names] for method, table in tables.items()}


def _span(clip: SequencePair) -> str:
    frames = list(clip.target)
    return frames[0] if len(frames) == 1 else f"{frames[0]} to {frames[-1]}"


def _in_all(several: Sequence[Mapping[str, Path]]) -> list[str]:
    """Names that all of them hold, in the order of the first."""
    return [name for name in several[0] if all(name in each for each in several)]
