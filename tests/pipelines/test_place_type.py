"""Addresses on the command line, and options of stores that are shown nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from datakit import places, stores
from datakit.errors import UsageError
from datakit.places import Place, is_stored
from pipelines import cli_group
from pipelines.cli import cli
from pipelines.place_type import PlaceText, PlaceType, takes_addresses, without_secrets
from tests import tiny
from tests.s3 import KEYS, Bucket
from tests.stores import copied

SECRET = "never-to-be-seen"
WITH_STORES = [
    "build-shards", "validate-source", "verify", "inspect", "preview-deformations", "list", "merge", "select", "split",
    "train", "score", "propagate", "export", "export-clips", "export-network", "preview-clips",
]  # fmt: skip


def test_a_path_is_taken_as_click_takes_it(tmp_path: Path) -> None:
    """With its refusals; an address is a place in a store."""
    kind = PlaceType(path_type=Path, file_okay=False, exists=True)
    assert kind.convert(str(tmp_path), None, None) == tmp_path
    (tmp_path / "a").write_text("")
    with pytest.raises(click.BadParameter, match="is a file"):
        kind.convert(str(tmp_path / "a"), None, None)
    place = kind.convert("memory://a/b", None, None)
    assert is_stored(place) and str(place) == "memory://a/b"
    assert kind.convert(place, None, None) is place


@pytest.mark.parametrize("text", ["s3://b/x", "a=s3://b/x", "a:coco=https://h/x.json", "S3://b/x"])
def test_what_takes_addresses(text: str) -> None:
    """By the type of the parameter; other schemes are none of ours."""
    assert takes_addresses(click.Option(["--source"], type=PlaceText()), text)
    assert takes_addresses(click.Option(["--source"], type=PlaceType()), text)
    assert not takes_addresses(click.Option(["--source"]), text)
    assert not takes_addresses(click.Option(["--source"], type=PlaceText()), text.replace("://", "x://"))


@pytest.mark.parametrize("name", WITH_STORES)
def test_commands_that_take_addresses_take_options_of_stores(name: str) -> None:
    """Both or neither."""
    parameters = cli.commands[name].params
    assert any(isinstance(each.type, PlaceType | PlaceText) for each in parameters)
    assert any("--storage-option" in each.opts for each in parameters)


def test_no_other_command_takes_addresses() -> None:
    """As the list above says."""
    others = [command for name, command in cli.commands.items() if name not in WITH_STORES]
    kinds = [type(each.type) for command in others for each in command.params]
    assert others and not {PlaceType, PlaceText} & set(kinds)


def test_options_are_set_before_a_place_is_made(datakit, tmp_path, monkeypatch, storage_options) -> None:
    """Wherever they stand on the line."""
    seen = []
    monkeypatch.setattr("pipelines.verify_shards.verify_shards", lambda place, **_: seen.append(place) or 1 / 0)
    result = datakit("verify", "memory://x/shards", "--storage-option", f"secret={SECRET}", "--storage-option", "n=3")
    assert isinstance(result.exception, ZeroDivisionError)
    assert seen[0].storage_options["secret"] == SECRET and seen[0].storage_options["n"] == 3
    assert SECRET not in f"{seen[0]} {seen[0]!r} {result.output}"


def test_a_broken_option_of_a_store_is_not_repeated(datakit, tmp_path) -> None:
    """It may be a secret."""
    result = datakit("build-shards", tmp_path, "--out", tmp_path / "o", "--storage-option", SECRET)
    assert result.exit_code == 2 and "expected KEY=VALUE" in result.stderr and SECRET not in result.output


def test_an_interrupted_command_is_shown_without_its_secrets(datakit, tmp_path, monkeypatch, storage_options) -> None:
    """The line to run again names the key alone."""
    words = ["list", str(tmp_path), "--out", str(tmp_path / "a.csv"), "--storage-option", f"secret={SECRET}"]
    monkeypatch.setattr(sys, "argv", ["datakit", *words])
    monkeypatch.setattr("pipelines.listed_sources.write_list", _interrupted)
    result = datakit(*words)
    assert result.exit_code == cli_group.EXIT_INTERRUPTED
    assert "secret=" in result.stderr and SECRET not in result.output


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_values_of_options_are_hidden_however_they_are_written() -> None:
    """As one word or as two."""
    words = ["a", "--storage-option", "key=x=y", "--storage-option=b=c", "--storage-option", "bare", "d=e"]
    assert without_secrets(words) == ["a", "--storage-option", "key=…", "--storage-option=b=…", "--storage-option",
                                      "bare=…", "d=e"]  # fmt: skip


def test_shards_of_a_bucket_are_those_of_a_disk(datakit, tmp_path, bucket: Bucket) -> None:
    """Byte for byte, from photos and masks that lie apart."""
    root = tiny.LAYOUTS["ecssd"](tmp_path / "set")
    place = copied(root, bucket.place("sets"))
    for source, out in ((root, "here"), (place, "there")):
        assert datakit("build-shards", f"e={source}", "--out", tmp_path / out).exit_code == 0
    here, there = (sorted((tmp_path / out).glob("*.h5")) for out in ("here", "there"))
    assert [path.read_bytes() for path in here] == [path.read_bytes() for path in there]
    assert place.name in (tmp_path / "there" / "sources.json").read_text()
    compared = datakit("inspect", tmp_path / "there", "--random", 2)
    assert compared.exit_code == 0 and "2 of 2 identical" in compared.output


def test_workers_open_stores_with_the_options_that_were_given(
    start, tmp_path, bucket: Bucket, s3_endpoint, monkeypatch, storage_options
) -> None:
    """They travel with the tasks, and stand in no file, no line and no message."""
    root = tiny.LAYOUTS["ecssd"](tmp_path / "set")
    place = copied(root, bucket.place("sets"))
    for name in (*KEYS, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    options = {"key": "testing", "secret": SECRET, "endpoint_url": s3_endpoint}
    words = [word for name, value in options.items() for word in ("--storage-option", f"{name}={value}")]
    running = start("build-shards", f"e={place}", "--out", tmp_path / "out", "-j", 2, "--samples-per-shard", 2, *words)
    output, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".h5"]) == 2
    assert SECRET not in output + errors
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert not [path for path in files if s3_endpoint.encode() in path.read_bytes()]


def test_a_place_is_shown_without_its_options(memory: Place, storage_options) -> None:
    """In messages and where it is looked at."""
    stores.use_storage_options({"secret": SECRET})
    place = places.place_of("memory://a/b")
    assert SECRET not in f"{place} {place!r} {place / 'c'} {place.parent!r}"
    with pytest.raises(UsageError) as caught:
        stores.parse_storage_options([SECRET])
    assert SECRET not in str(caught.value)


@pytest.mark.usefixtures("storage_options")
def test_options_that_nothing_used_are_told(datakit, tmp_path):
    """Without their values, which may be secrets; also where the command fails."""
    result = datakit("inspect", tmp_path / "none", "--storage-option", f"secret={SECRET}")
    assert "--storage-option secret: was not used, since nothing here is an address" in result.stderr
    assert SECRET not in result.output
    used = datakit("inspect", "memory://none/at-all", "--storage-option", "auto_mkdir=true")
    assert "was not used" not in used.stderr
