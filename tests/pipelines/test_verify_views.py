"""A view is verified with the folders behind it, and its triples are compared with their sources."""

import json
from dataclasses import replace

import pytest

from datakit.shards import ShardReader
from datakit.shards.manifest import NAME
from datakit.shards.view import read_view, write_view
from tests.runs import draw_source


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two small builds of two sources, and a view of some triples of both."""
    from click.testing import CliRunner

    from pipelines.cli import cli

    place = tmp_path_factory.mktemp("built")

    def run(*words):
        done = CliRunner().invoke(cli, [str(word) for word in words])
        assert done.exit_code == 0, done.output

    for label, count in (("one", 4), ("two", 3)):
        run("build-shards", draw_source(place / label, count), "--out", place / f"shards-{label}")
    run("merge", place / "shards-one", place / "shards-two", "--out", place / "all")
    run("select", place / "all", "--where", "variant == 0", "--out", place / "some")
    return place


@pytest.fixture
def spoilt(built, tmp_path):
    """A copy of the above, to be spoilt."""
    import shutil

    return shutil.copytree(built, tmp_path / "built")


def findings(result):
    return [(found["shard"], found["place"]) for found in json.loads(result.stdout)["findings"]]


@pytest.mark.parametrize("deep", [[], ["--deep"]])
def test_a_sound_view_is_verified(built, datakit, deep):
    """The shards behind it, each once, and its own triples are counted."""
    result = datakit("verify", built / "some", *deep)
    count = len(ShardReader(built / "some"))
    assert (result.exit_code, f"some: sound: 2 shards, {count} triples (" in result.output) == (0, True), result.output


def test_damage_behind_a_view_is_found_where_it_is(spoilt, datakit):
    """With the folder, and the command that repairs it."""
    path = spoilt / "shards-two" / "two-00000.h5"
    content = bytearray(path.read_bytes())
    content[-2000] ^= 4
    path.write_bytes(content)
    result = datakit("verify", spoilt / "some", "--json")
    assert result.exit_code == 4
    assert (str(path), "file") in findings(result)
    told = datakit("verify", spoilt / "some").stdout
    assert "mend the folders behind the view, each by itself: `datakit verify FOLDER --repair`" in told


def test_folders_that_are_gone_or_built_anew_are_all_named(spoilt, datakit):
    """Not the first alone."""
    (spoilt / "shards-one").rename(spoilt / "elsewhere")
    datakit("build-shards", spoilt / "two", "--out", spoilt / "shards-two", "--seed", 1, "--overwrite")
    result = datakit("verify", spoilt / "some", "--json")
    assert result.exit_code == 4
    assert findings(result) == [("../shards-one", "view"), ("../shards-two", "view")]


def test_a_changed_view_is_found(spoilt, datakit):
    """By its own digest, or by bytes that are written otherwise."""
    path = spoilt / "all" / NAME
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert findings(datakit("verify", spoilt / "all", "--json")) == [(NAME, "file")]
    path.write_text(path.read_text().replace('"triples": ', '"triples": 1'))
    result = datakit("verify", spoilt / "all")
    assert result.exit_code == 4
    assert "its digest does not fit its content; make the view again" in result.stdout


def test_rows_that_are_not_there_are_found(spoilt, datakit):
    """Of a view that somebody else has made."""
    view = read_view(spoilt / "all")
    write_view(spoilt / "all", replace(view, folders=(replace(view.folders[0], rows={"one-00000.h5": "0-99999"}),)))
    result = datakit("verify", spoilt / "all", "--json")
    assert findings(result) == [("../shards-one", "view")]


def test_a_view_is_not_repaired(built, datakit):
    """The folders behind it are."""
    result = datakit("verify", built / "some", "--repair")
    assert result.exit_code == 2
    assert "is a view and holds no shards; repair the folders behind it" in result.stderr


def test_triples_of_a_view_are_compared_with_their_sources(built, datakit):
    """Each with the settings and the source of its own build."""
    result = datakit("inspect", built / "some", "--random", 6)
    assert result.exit_code == 0, result.output
    assert "6 of 6 identical" in result.stdout


def test_a_source_that_moved_is_named_for_a_view(spoilt, datakit):
    """By its label, as for a folder; a label that none was built from is refused."""
    (spoilt / "two").rename(spoilt / "moved")
    words = ("inspect", spoilt / "some", "--sample", "two/0001")
    assert datakit(*words, "--source", f"two={spoilt / 'moved'}").exit_code == 0
    result = datakit(*words, "--source", f"three={spoilt / 'moved'}")
    assert result.exit_code == 2
    assert "none of these folders was built from a source 'three'" in result.stderr
