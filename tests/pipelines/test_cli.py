"""The command line turns errors into exit codes and nothing else into silence."""

import pytest

from datakit import errors
from pipelines.cli import cli


@pytest.mark.parametrize(
    "error", [errors.UsageError, errors.ShardError, errors.TooManyFailed, errors.SettingsDiffer, errors.Locked]
)
def test_our_errors_leave_with_their_code_and_one_line(datakit, source, tmp_path, monkeypatch, error):
    """No traceback for what we raise on purpose."""

    def fail(*_):
        raise error("what happened; what to do")

    monkeypatch.setattr("pipelines.build_shards.build_shards", fail)
    result = datakit("build-shards", source, "--out", tmp_path / "out")
    assert result.exit_code == error.exit_code
    assert result.stderr.splitlines()[-1] == "Error: what happened; what to do"


def test_a_bug_keeps_its_traceback(datakit, source, tmp_path, monkeypatch):
    """What is not ours is not hidden."""
    monkeypatch.setattr("pipelines.build_shards.build_shards", lambda *_: 1 / 0)
    assert isinstance(datakit("build-shards", source, "--out", tmp_path / "out").exception, ZeroDivisionError)


def test_an_interrupt_shows_how_to_go_on(datakit, source, tmp_path, monkeypatch):
    """Exit 130 and the command."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.build_shards.build_shards", stop)
    result = datakit("build-shards", source, "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert "run again" in result.stderr


def test_the_command_to_go_on_keeps_what_was_finished(datakit, source, tmp_path, monkeypatch):
    """An interrupted --overwrite goes on without it: it would begin anew."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.build_shards.build_shards", stop)
    monkeypatch.setattr("sys.argv", ["datakit", "build-shards", "a", "--overwrite", "--out", "b"])
    result = datakit("build-shards", source, "--out", tmp_path / "out")
    assert result.stderr.splitlines()[-1].strip() == "datakit build-shards a --out b"


@pytest.mark.parametrize("name", ["verify", "inspect"])
def test_a_folder_that_is_no_shards_is_refused(datakit, tmp_path, name):
    """A message with the way out, not a traceback."""
    result = datakit(name, tmp_path)
    assert result.exit_code in (1, 4)
    assert "build-shards" in result.output


def test_every_reporting_command_speaks_json():
    """Scripts can read what people read."""
    for name in ("build-shards", "verify", "inspect"):
        assert "--json" in [option for parameter in cli.commands[name].params for option in parameter.opts]


def test_sample_data_says_what_it_drew(datakit, tmp_path):
    """Three layouts, three lines."""
    result = datakit("sample-data", tmp_path / "data", "--photos", 2)
    assert result.exit_code == 0
    assert [line.rpartition("as ")[2] for line in result.output.splitlines()] == [
        "ECSSD lays them out",
        "COCO instances",
        "DAVIS lays it out",
    ]
