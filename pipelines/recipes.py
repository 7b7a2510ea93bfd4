"""`datakit recipes`: the presets as recipe files, and every step that a recipe can name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import Field
from typing import Any

from datakit.config import Key, allowed, help_text, meaning_of, settings_of
from datakit.transforms import PRESETS, TRANSFORMS, Augment, Recipe
from datakit.transforms.base import package_of


def recipes_text() -> str:
    """Presets as TOML, then the steps and their keys, for people."""
    parts = ["# Presets. Write one to a file, change it, and build with --recipe FILE.toml.", ""]
    parts += [f"# {name}.toml\n{to_toml(recipe)}" for name, recipe in PRESETS.items()]
    parts.append("# Steps, each with its keys: default, range, meaning.")
    for kind, step in TRANSFORMS.items():
        package = f" (of {package_of(step)})" if package_of(step) else ""
        parts += ["", f"{kind}{package}: {_summary(step)}", _indented(_keys_text(step))]
    parts += ["", f"[augment]: {_summary(Augment)}", _indented(_keys_text(Augment))]
    return "\n".join(parts)


def recipes_json() -> str:
    """The same as JSON: `presets` as in manifests, and `steps`, kind -> what it does, keys, defaults and ranges."""
    steps = {
        kind: {
            "summary": _summary(step),
            "package": package_of(step),
            "is_geometric": step.is_geometric,
            "keys": {name: _key_json(step, each) for name, each in settings_of(step).items()},
        }
        for kind, step in TRANSFORMS.items()
    }
    return json.dumps(
        {"presets": {name: recipe.to_dict() for name, recipe in PRESETS.items()}, "steps": steps}, indent=2
    )


def to_toml(recipe: Recipe) -> str:
    """A recipe as a file that `--recipe` reads; reading it gives the same recipe."""
    plain = recipe.to_dict()
    steps, augment = plain.pop("steps"), plain.pop("augment", None)
    lines = _toml_lines(plain)
    if augment:
        lines += ["", "[augment]", *_toml_lines(augment)]
    for step in steps:
        lines += ["", "[[steps]]", *_toml_lines(step)]
    return "\n".join(lines) + "\n"


def _toml_lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]  # plain values are the same in both


def _key_json(step: type, each: Field[Any]) -> dict[str, Any]:
    default = list(each.default) if isinstance(each.default, tuple) else each.default
    return {"default": default, "range": allowed(each), "meaning": meaning_of(step, each.name)}


def _summary(owner: type) -> str:
    """The first sentence of a docstring."""
    return " ".join((inspect.getdoc(owner) or "").partition("\n\n")[0].split())


def _keys_text(owner: type) -> str:
    holder = owner()
    return help_text({name: Key(each, holder, lambda value: value) for name, each in settings_of(owner).items()})


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
