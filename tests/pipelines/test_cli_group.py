"""Wrong names are answered with the right ones, and an error of the disk with a sentence."""

import errno
import os

import pytest

from pipelines.cli_group import disk_error

ONE_WORD = {"build": "build-shards", "shards": "build-shards", "preview": "preview-clips' or 'preview-deformations"}


@pytest.mark.parametrize(("word", "meant"), ONE_WORD.items())
def test_one_word_of_a_command_suggests_it(datakit, word, meant):
    """Exit 2, as for a slip of the pen."""
    result = datakit(word, "x")
    assert result.exit_code == 2
    assert f"No such command '{word}'. Did you mean '{meant}'?" in result.stderr


def test_a_word_of_no_command_suggests_nothing(datakit):
    """Rather than anything at all."""
    result = datakit("zzz")
    assert result.exit_code == 2 and "No such command 'zzz'.\n" in result.stderr


@pytest.mark.parametrize(("number", "way_out"), [(errno.EROFS, "another disk"), (errno.ENOSPC, "free some space"),
                                                 (errno.EACCES, "permissions")])  # fmt: skip
def test_an_error_of_the_disk_is_a_sentence(number, way_out):
    """With the folder the user named, not a name of ours below it."""
    error = OSError(number, os.strerror(number), "runs/a/.part-3yixxa14/manifest.json")
    found = disk_error(error)
    assert found.startswith(f"runs/a: {os.strerror(number)}; ") and way_out in found


def test_an_error_of_the_disk_keeps_a_name_the_user_gave():
    """And one that has no name is left as it is."""
    assert disk_error(FileNotFoundError(errno.ENOENT, "No such file or directory", "a/b.png")) == (
        "a/b.png: No such file or directory"
    )
    assert disk_error(OSError("the server hung up")) == "the server hung up"
