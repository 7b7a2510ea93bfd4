"""Settings with ranges, and their way in from KEY=VALUE."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from datakit.config import (
    allowed,
    assign,
    from_mapping,
    help_text,
    keys_of,
    meaning_of,
    nearest,
    parsed,
    refuse_unknown,
    same_setting,
    setting,
    settings_of,
    split_assignment,
    validate,
)
from datakit.errors import UsageError


@dataclass(frozen=True)
class Optimizer:
    """How weights move.

    Attributes:
        learning_rate: of the first step; the others follow
            from it.
        weight_decay, momentum: of weights (all of them).
    """

    learning_rate: float = setting(0.1, 0)
    weight_decay: float = setting(0.0, 0, 1)
    momentum: float = setting(0.9, 0, 1)

    def __post_init__(self) -> None:
        validate(self, "optimizer")


@dataclass(frozen=True)
class Config:
    """All of it.

    Attributes:
        steps: how many.
        mode: `fast` or `slow`. Slow is better.
        angles: degrees.
        flip: whether.
        size: of the input; None leaves it to the network.
    """

    steps: int = setting(10, 1)
    mode: str = setting("fast", choices=("fast", "slow"))
    angles: tuple[float, ...] = setting((0.0,), -180, 180)
    flip: bool = setting(True)
    size: int | None = setting(None, 32, 64, kind=int)
    optimizer: Optimizer = field(default_factory=Optimizer)

    def __post_init__(self) -> None:
        validate(self, "config")


KEYS = ("steps", "mode", "optimizer.learning_rate", "optimizer.weight_decay", "optimizer.momentum", "view.size")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("steps", "3", 3),
        ("mode", " slow ", "slow"),
        ("angles", "1, -2.5", (1.0, -2.5)),
        ("angles", "", ()),
        ("flip", "False", False),
        ("size", "48", 48),
        ("optimizer.momentum", "1", 1.0),
    ],
)
def test_text_becomes_a_value_of_the_settings_type(key: str, text: str, value: object) -> None:
    """A part's setting changes the part alone."""
    changed = assign(keys_of(Config(), ["optimizer"]), key, text, "here")
    part, _, name = key.rpartition(".")
    found = getattr(changed.optimizer if part else changed, name)
    assert found == value and type(found) is type(value)
    assert changed.optimizer.learning_rate == 0.1


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("steps", "0", "here: 0 is outside 1..inf"),
        ("steps", "2.5", "here: 2.5 is not a whole number"),
        ("steps", "true", "here: 'true' is not a whole number"),
        ("mode", "quick", "here: 'quick' is not one of fast, slow"),
        ("angles", "1,x", "here: 'x' is not a number"),
        ("flip", "1", "here: '1' is neither true nor false"),
        ("optimizer.momentum", "nan", "here: nan is outside 0..1"),
        ("lr", "1", r"here: unknown key 'lr' \(did you mean optimizer.learning_rate\?\); known are steps, mode"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(key: str, text: str, told: str) -> None:
    """The message holds the value and what was expected."""
    with pytest.raises(UsageError, match=told):
        assign(keys_of(Config(), ["optimizer"]), key, text, "here")


def test_a_prefix_stands_before_every_key_of_a_message() -> None:
    """As users write them."""
    with pytest.raises(UsageError, match=r"'online\.step' \(did you mean online\.steps\?\); known are online\.steps"):
        assign(keys_of(Config()), "step", "1", "here", "online.")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("optimizer.lr", "optimizer.learning_rate"),
        ("lr", "optimizer.learning_rate"),
        ("optimizer.lrr", "optimizer.learning_rate"),
        ("optimizer.mom", "optimizer.momentum"),
        ("learning_rate", "optimizer.learning_rate"),
        ("optimizer.learnign_rate", "optimizer.learning_rate"),
        ("optimiser.learning_rate", "optimizer.learning_rate"),
        ("momentun", "optimizer.momentum"),
        ("step", "steps"),
        ("wd", "optimizer.weight_decay"),
        ("size", "view.size"),
        ("xyzzy", ""),
    ],
)
def test_the_nearest_key_is_the_one_that_was_meant(key: str, meant: str) -> None:
    """By its last part, its initials, its letters; a key that is like none has no neighbour."""
    assert nearest(key, KEYS) == meant


def test_an_assignment_is_cut_at_the_first_equals_sign() -> None:
    """Values may hold further ones."""
    assert split_assignment(" a.b = c=d ") == ("a.b", "c=d")
    with pytest.raises(UsageError, match="--set a: expected KEY=VALUE"):
        split_assignment("a")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps", "whole, 1 or more"),
        ("mode", "fast or slow"),
        ("angles", "numbers, commas between, -180..180"),
        ("flip", "true or false"),
        ("size", "whole, 32..64"),
    ],
)
def test_what_a_setting_may_be_is_said_in_words(name: str, text: str) -> None:
    """Infinity is not told."""
    assert allowed(settings_of(Config)[name]) == text


@pytest.mark.parametrize(
    ("owner", "name", "text"),
    [
        (Config, "mode", "`fast` or `slow`"),
        (Config, "size", "of the input"),
        (Optimizer, "learning_rate", "of the first step"),
        (Optimizer, "weight_decay", "of weights (all of them)"),
        (Optimizer, "momentum", "of weights (all of them)"),
        (Config, "ghost", ""),
    ],
)
def test_the_meaning_is_the_first_sentence_of_the_attribute(owner: type, name: str, text: str) -> None:
    """Attributes that share a line share what it says."""
    assert meaning_of(owner, name) == text


def test_the_meaning_may_be_said_by_a_base() -> None:
    class Other(Optimizer):
        """Another one.

        Attributes:
            learning_rate: of all steps.
        """

    assert meaning_of(Other, "momentum") == "of weights (all of them)"
    assert meaning_of(Other, "learning_rate") == "of all steps"


def test_help_has_a_line_for_every_key() -> None:
    """Key, value now, range, meaning."""
    lines = help_text(keys_of(Config(), ["optimizer"])).splitlines()
    assert len(lines) == 8
    assert lines[0].split() == ["steps", "10", "whole,", "1", "or", "more", "how", "many"]
    assert lines[4].split()[:2] == ["size", "none"]


def test_help_cuts_a_long_list() -> None:
    """A recipe of 42 views stays a line."""
    text = help_text(keys_of(Config(angles=tuple(map(float, range(40))))))
    assert "0,1,2,3,4,5,6,7,8,9,10,…" in text


def test_mappings_are_refused_by_key_and_range() -> None:
    """As from a TOML file."""
    assert from_mapping(Optimizer, {"momentum": 1}, "o").momentum == 1.0
    with pytest.raises(UsageError, match=r"o: unknown key 'momentm' \(did you mean momentum\?\)"):
        from_mapping(Optimizer, {"momentm": 1}, "o")
    with pytest.raises(UsageError, match=r"optimizer\.momentum: 2 is outside 0\.\.1"):
        from_mapping(Optimizer, {"momentum": 2}, "o")
    refuse_unknown(["a"], ["a"], "o")


def test_a_setting_without_a_value_stays_so() -> None:
    """Where None is the default, and nowhere else."""
    assert Config(size=None).size is None
    with pytest.raises(UsageError, match="None is not a whole number"):
        Config(steps=None)  # type: ignore[arg-type]
    assert parsed(settings_of(Config)["size"], "32", "here") == 32


def test_a_setting_can_be_that_of_another_class():
    """Its default and its range are, and its messages name the place it is asked for."""

    @dataclass(frozen=True)
    class Short:
        momentum: float = same_setting(Optimizer, "momentum")

        def __post_init__(self) -> None:
            validate(self, "short")

    assert Short().momentum == Optimizer().momentum
    with pytest.raises(UsageError, match=r"short\.momentum"):
        Short(momentum=1.5)


def test_what_a_setting_may_be_is_given_by_name() -> None:
    """Beside its default, range and choices; `setting(1, 0, 2, (), int)` would be read by nobody."""
    with pytest.raises(TypeError, match="positional"):
        setting(1, 0, 2, (), int)  # type: ignore[misc]
