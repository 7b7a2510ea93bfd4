"""Settings: dataclass fields with a type and a range, and their one way in from text, `KEY=VALUE`.

A setting is a dataclass field made by `setting`; its default value fixes its type, unless that is None, which leaves
the value to others. What a setting means is said in the `Attributes` of its class, where `help_text` finds it.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from .errors import UsageError

Owner = TypeVar("Owner", bound=Any)
LONGEST = 24  # characters of a list in `help_text`


def setting(
    default: Any,
    low: float = -math.inf,
    high: float = math.inf,
    choices: tuple[str, ...] = (),
    *,
    kind: type | None = None,
    allows_range: bool = False,
    is_optional: bool = False,
) -> Any:
    """A dataclass field with a default, a closed range for its numbers or the words it may be.

    Args:
        default: fixes the type. What the setting means is its line under `Attributes` in the class's docstring.
        low, high: least and largest number.
        choices: words.
        kind: the type, which must be given where the default is None.
        allows_range: also two numbers, the least and the largest of what is drawn.
        is_optional: left out of stored recipes at its default, as one that older versions do not know.
    """
    more = {"allows_range": allows_range, "is_optional": is_optional}
    return field(
        default=default, metadata={"low": low, "high": high, "choices": choices, "kind": kind or type(default)} | more
    )


def same_setting(owner: Any, name: str) -> Any:
    """A dataclass field with the default and the range of another dataclass's setting."""
    each = settings_of(owner)[name]
    return field(default=each.default, metadata=each.metadata)


def settings_of(owner: Any) -> dict[str, Field[Any]]:
    """Name -> field of every setting of a dataclass or an instance of one."""
    return {f.name: f for f in fields(owner) if "low" in f.metadata}


def validate(owner: Any, place: str) -> None:
    """Check every setting of a frozen dataclass under construction, turning 1 into 1.0 and lists into tuples.

    Args:
        owner: the instance.
        place: what messages call it.

    Raises:
        UsageError: a value of the wrong type or outside its range; names the setting.
    """
    for name, each in settings_of(owner).items():
        object.__setattr__(owner, name, checked(each, getattr(owner, name), f"{place}.{name}"))


def from_mapping(kind: type[Owner], values: Mapping[str, Any], place: str) -> Owner:
    """An instance of a dataclass of settings from a mapping.

    Raises:
        UsageError: an unknown key, a wrong type or a value outside its range.
    """
    refuse_unknown(values, settings_of(kind), place)
    made: Owner = kind(**values)
    return made


def refuse_unknown(keys: Iterable[str], known: Iterable[str], place: str) -> None:
    """Raise UsageError, naming the nearest and listing what is known, when a key is not among it."""
    known = list(known)
    for key in keys:
        if key not in known:
            raise unknown_key(key, known, place)


def unknown_key(key: str, known: Collection[str], place: str, what: str = "", more: str = "") -> UsageError:
    """The error that a key is not one of those known.

    Args:
        key: as the user wrote it.
        known: all keys there are.
        place: opens the message.
        what: what is said of the key; `unknown key 'KEY'` if nothing is.
        more: follows the list.
    """
    near = nearest(key, known)
    hint = f" (did you mean {near}?)" if near else ""
    return UsageError(f"{place}: {what or f'unknown key {key!r}'}{hint}; known are {', '.join(known)}{more}")


def nearest(key: str, known: Collection[str]) -> str:
    """The key that was probably meant: of that last part, of those initials, or spelt nearly so; empty where none is.

    `learning_rate`, `lr`, `optimizer.lr` and `optimzer.learning_rate` all mean `optimizer.learning_rate`.
    """
    last = key.rpartition(".")[2]
    for fits in (_last_part, _initials):
        found = [each for each in known if fits(each) == last]
        if len(found) == 1:
            return found[0]
        found = [each for each in found if each.rpartition(".")[0] == key.rpartition(".")[0]]
        if found:
            return found[0]
    group = key.rpartition(".")[0]
    found = [each for each in known if group and each.rpartition(".")[0] == group and _abbreviates(last, each)]
    if len(found) == 1:
        return found[0]
    by_last = {_last_part(each): each for each in reversed(list(known))}
    close = difflib.get_close_matches(key, known, 1) or [
        by_last[each] for each in difflib.get_close_matches(last, by_last, 1)
    ]
    return close[0] if close else ""


def _last_part(key: str) -> str:
    return key.rpartition(".")[2]


def _initials(key: str) -> str:
    words = _last_part(key).split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""


def _abbreviates(short: str, key: str) -> bool:
    """Whether the letters of `short` stand in the key's last part in this order, the first at its beginning."""
    letters = iter(_last_part(key))
    return _last_part(key)[:1] == short[:1] and all(letter in letters for letter in short)


def checked(each: Field[Any], value: Any, place: str) -> Any:
    """`value` in the setting's type, or None where that is its default; `place` opens the message.

    Raises:
        UsageError: wrong type, or outside the range.
    """
    if value is None and each.default is None:
        return None
    kind = each.metadata["kind"]
    if each.metadata["allows_range"] and isinstance(value, list | tuple):
        ends = tuple(_number(each, item, kind, place) for item in value)
        if len(ends) != 2 or ends[0] > ends[1]:
            raise UsageError(f"{place}: {list(value)} is not a range; give one number, or the least and the largest")
        return ends
    if kind is tuple:
        if not isinstance(value, list | tuple):
            raise UsageError(f"{place}: {value!r} is not a list of numbers")
        return tuple(_number(each, item, float, place) for item in value)
    if kind is bool:
        if not isinstance(value, bool):
            raise UsageError(f"{place}: {value!r} is neither true nor false")
        return value
    if kind is str:
        if value not in each.metadata["choices"]:
            raise UsageError(f"{place}: {value!r} is not one of {', '.join(each.metadata['choices'])}")
        return value
    return _number(each, value, kind, place)


def _number(each: Field[Any], value: Any, kind: type, place: str) -> Any:
    whole = kind is int
    fits = isinstance(value, int) if whole else isinstance(value, int | float)
    if not fits or isinstance(value, bool):
        raise UsageError(f"{place}: {value!r} is not a {'whole number' if whole else 'number'}")
    low, high = each.metadata["low"], each.metadata["high"]
    if not (low <= value <= high and math.isfinite(value)):
        raise UsageError(f"{place}: {value} is outside {low}..{high}")
    return kind(value)


def parsed(each: Field[Any], text: str, place: str) -> Any:
    """The value written as `text` on a command line: a number, true/false, a word, or numbers joined by commas.

    Raises:
        UsageError: not readable as the setting's type, or outside its range.
    """
    kind = each.metadata["kind"]
    if kind is tuple or (each.metadata["allows_range"] and "," in text):
        value: Any = [_literal(part) for part in text.split(",") if part.strip()]
    elif kind is bool:
        value = {"true": True, "false": False}.get(text.strip().lower(), text)
    elif kind is str:
        value = text.strip()
    else:
        value = _literal(text)
    return checked(each, value, place)


def _literal(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def split_assignment(text: str, form: str = "KEY=VALUE") -> tuple[str, str]:
    """Key and value of `KEY=VALUE`; the value may hold further '='.

    Raises:
        UsageError: there is no '='.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise UsageError(f"--set {text}: expected {form}")
    return key, value


@dataclass(frozen=True)
class Key(Generic[Owner]):
    """A setting that a `KEY=VALUE` changes.

    Attributes:
        field: its type, range and default.
        holder: the instance that holds it: gives the value it has now and what it means.
        change: puts a new value in; gives the changed owner.
    """

    field: Field[Any]
    holder: Any
    change: Callable[[Any], Owner]


def keys_of(owner: Owner, parts: Sequence[str] = ()) -> dict[str, Key[Owner]]:
    """Every setting of a dataclass by its key, and those of its parts behind their name and a dot.

    Args:
        owner: an instance.
        parts: attributes of it that hold settings themselves.
    """

    def own(name: str) -> Callable[[Any], Owner]:
        return lambda value: replace(owner, **{name: value})

    def of_part(part: str, name: str) -> Callable[[Any], Owner]:
        return lambda value: replace(owner, **{part: replace(getattr(owner, part), **{name: value})})

    keys = {name: Key(each, owner, own(name)) for name, each in settings_of(owner).items()}
    for part in parts:
        held = getattr(owner, part)
        keys |= {f"{part}.{name}": Key(each, held, of_part(part, name)) for name, each in settings_of(held).items()}
    return keys


def assign(keys: Mapping[str, Key[Owner]], key: str, text: str, place: str, prefix: str = "", more: str = "") -> Owner:
    """The owner of some keys with one of them changed.

    Args:
        keys: what there is, as `keys_of` gives it.
        key: the one to change.
        text: its new value.
        place: opens messages.
        prefix: what users write before every key.
        more: follows the list of known keys in messages.

    Raises:
        UsageError: an unknown key, or a value that does not fit.
    """
    if key not in keys:
        raise unknown_key(prefix + key, [prefix + each for each in keys], place, more=more)
    return keys[key].change(parsed(keys[key].field, text, place))


def preset_or_file(
    spec: str, presets: Mapping[str, Owner], make: Callable[[dict[str, Any]], Owner], what: str
) -> Owner:
    """What `--recipe` names: a preset, or what a TOML file says.

    Args:
        spec: name of a preset, or path of a `.toml` file; a file without `name` is named after itself.
        presets: by name.
        make: from the values of a file; raises UsageError.
        what: what a preset is called in messages.

    Raises:
        UsageError: neither, or the file cannot be used.
    """
    if spec in presets:
        return presets[spec]
    path, known = Path(spec), ", ".join(presets)
    if path.suffix.lower() != ".toml":
        near = nearest(spec, presets)
        hint = f" (did you mean {near}?)" if near else ""
        raise UsageError(f"--recipe {spec}: neither a {what} nor a .toml file{hint}; presets are {known}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--recipe {spec}: {error.strerror}; presets are {known}") from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise UsageError(f"--recipe {spec}: no valid TOML: {error}") from error
    try:
        return make({"name": path.stem} | values)
    except UsageError as error:
        raise UsageError(f"{spec}: {error}") from None


def help_text(keys: Mapping[str, Key[Any]], prefix: str = "") -> str:
    """A line for every key: its value now, what it may be, and what it means."""
    rows = []
    for name, key in keys.items():
        value = _shown(getattr(key.holder, key.field.name))
        rows.append((prefix + name, value, allowed(key.field), meaning_of(type(key.holder), key.field.name)))
    key_width, value_width, range_width = (max((len(row[column]) for row in rows), default=0) for column in range(3))
    lines = (f"{row[0]:{key_width}}  {row[1]:{value_width}}  {row[2]:{range_width}}  {row[3]}" for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        text = ",".join(f"{each:g}" for each in value) or "none"
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def allowed(each: Field[Any]) -> str:
    """What a setting may be, in words: `0..1`, `whole, 1 or more`, `sgd or adam`."""
    kind, low, high = (each.metadata[name] for name in ("kind", "low", "high"))
    if kind is bool:
        return "true or false"
    if kind is str:
        return " or ".join(each.metadata["choices"])
    names = {int: "whole", tuple: "numbers, commas between"}
    bounds = ""
    if math.isfinite(low) and math.isfinite(high):
        bounds = f"{low}..{high}"
    elif math.isfinite(low):
        bounds = f"{low} or more"
    elif math.isfinite(high):
        bounds = f"{high} at most"
    both = "or two, the least and the largest" if each.metadata["allows_range"] else ""
    return ", ".join(filter(None, (names.get(kind, ""), bounds, both))) or "any number"


def meaning_of(owner: type, name: str) -> str:
    """What the `Attributes` of a class or its bases say of one, up to the end of its first sentence; or nothing."""
    for each in owner.__mro__:
        text = inspect.getdoc(each) or ""
        found = re.search(rf"^ +(?:\w+, )*{name}(?:, \w+)*: (.+(?:\n      +.+)*)", text, re.MULTILINE)
        if found:
            return re.split(r"(?<=[a-z)`\d])[.;] ", " ".join(found[1].split()))[0].rstrip(".")
    return ""
