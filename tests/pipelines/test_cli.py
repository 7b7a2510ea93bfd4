"""The command line turns errors into exit codes and nothing else into silence."""

import json
import logging
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from datakit import errors
from pipelines.cli import cli
from tests.runs import draw_source


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


def test_help_at_eighty_columns_says_every_command_whole():
    """Each begins with a sentence short enough for its line."""
    lines = CliRunner().invoke(cli, ["--help"], terminal_width=80).output.partition("Commands:")[2].splitlines()
    told = dict(line.split(maxsplit=1) for line in lines if line)
    assert told.keys() == cli.commands.keys()
    for name, command in cli.commands.items():
        assert told[name] == (command.help or "").splitlines()[0]


def test_sample_data_says_what_it_drew(datakit, tmp_path):
    """Three layouts, three lines."""
    result = datakit("sample-data", tmp_path / "data", "--photos", 2)
    assert result.exit_code == 0
    assert [line.rpartition("as ")[2] for line in result.output.splitlines()] == [
        "ECSSD lays them out",
        "COCO instances",
        "DAVIS lays it out",
    ]


ADDRESSES = [
    "build-shards {root} --out=ftp://bucket/x",
    "build-shards hdfs://bucket/x --out out",
    "build-shards a:coco=ftp://host/a.json --out out",
    "build-shards a={root} --images a=hdfs://bucket/x --out out",
    "build-shards {root} --performance-report=s3://bucket/x --out out",
    "validate-source {root} --preview ftp://bucket/a.png",
    "verify hdfs://bucket/x",
    "inspect {root} --csv FTP://bucket/x",
    "preview-deformations {root} --out hdfs://bucket/a.png",
    "list {root} --out hdfs://bucket/a.csv",
    "merge {root} --out hdfs://bucket/x",
    "export {root} --to coco --out out --video s3://bucket/y",
    "evaluate a https://host/a",
    "evaluate a b --csv s3://bucket/a.csv",
    "annotate s3://bucket/a.mp4",
    "check-layout s3://bucket/a --for cutie",
    "propagate a.mp4 --mask s3://bucket/a.png@3 --out out",
    "propagate --davis s3://bucket/x --out out",
    "train {root} --out hdfs://bucket/x",
    "score {root} --weights ftp://host/a.safetensors",
    "sample-data s3://bucket/x",
]


@pytest.mark.parametrize("command", ADDRESSES)
def test_addresses_are_refused_where_paths_are_expected(datakit, source, tmp_path, monkeypatch, command):
    """Exit 2 with the way out, before a folder called `s3:` is made."""
    monkeypatch.chdir(tmp_path)
    result = datakit(*command.format(root=source).split())
    assert result.exit_code == 2
    assert "takes a path of this machine, no " in result.stderr and "give the path" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_an_address_in_a_file_of_options_is_refused(datakit, source, tmp_path):
    """As on the command line."""
    (tmp_path / "build.toml").write_text('performance-report = "s3://bucket/x"\n')
    result = datakit("build-shards", source, "--config", tmp_path / "build.toml")
    assert result.exit_code == 2 and "takes a path of this machine" in result.stderr


def test_the_address_of_a_file_here_names_its_path(datakit, tmp_path):
    """file:///data/x is /data/x."""
    result = datakit("build-shards", "file:///data/x", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "give the path itself: /data/x" in result.stderr


def test_the_address_of_a_scheduler_is_none_of_them(datakit, source, tmp_path):
    """Nor is a colon within a path."""
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1", "--dry-run")
    assert result.exit_code == 0
    assert datakit("build-shards", source, "--out", tmp_path / "s3:", "--dry-run").exit_code == 0


def test_quiet_leaves_the_result(datakit, source, tmp_path):
    """What a command came to is on standard output as without -q; nothing is said beside it."""
    usual = datakit("build-shards", source, "--out", tmp_path / "usual")
    quiet = datakit("-q", "build-shards", source, "--out", tmp_path / "quiet")
    assert quiet.exit_code == usual.exit_code == 0
    assert "24 triples" in quiet.stdout and len(quiet.stdout.splitlines()) == len(usual.stdout.splitlines())
    assert quiet.stderr == "" and usual.stderr != ""


def test_quiet_leaves_json_as_it_is(datakit, source):
    """A program reads the very same."""
    words = ("validate-source", source, "--json")
    assert datakit("-q", *words).stdout == datakit(*words).stdout != ""


def test_quiet_leaves_warnings(datakit, source, tmp_path, monkeypatch):
    """And no news below them."""

    def warn(*_):
        log = logging.getLogger("pipelines.build_shards")
        log.info("a piece of news")
        log.warning("WARNING: something is odd")
        raise errors.UsageError("what happened; what to do")

    monkeypatch.setattr("pipelines.build_shards.build_shards", warn)
    told = datakit("--quiet", "build-shards", source, "--out", tmp_path / "out").stderr
    assert told.splitlines() == ["WARNING: something is odd", "Error: what happened; what to do"]


@pytest.mark.parametrize("flag", ["-v", "--verbose"])
def test_verbose_tells_all_settings_of_a_build(datakit, source, tmp_path, flag):
    """A line per recipe and one for the rest, on standard error; never without it."""
    words = ("build-shards", source, "--out", tmp_path / "out", "--dry-run", "--recipe", "masktrack-box")
    verbose, usual = datakit(flag, *words), datakit(*words)
    starts = [line.split(":")[0] for line in verbose.stderr.splitlines() if line.startswith(("recipe", "settings"))]
    assert starts == ["recipe masktrack-box", "settings"]
    assert not {"recipe", "settings:"} & {line.split(" ")[0] for line in usual.stderr.splitlines()}


@pytest.mark.parametrize(("free", "code", "said"), [(1000, 1, "does NOT fit"), (10**12, 0, "fits")])
@pytest.mark.parametrize("how", [(), ("--json",)])
def test_a_dry_run_exits_1_where_the_build_does_not_fit(datakit, source, tmp_path, monkeypatch, free, code, said, how):
    """So that a script sees it; the estimate is printed all the same, and nothing is written."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--dry-run", *how)
    assert result.exit_code == code
    assert json.loads(result.stdout)["fits"] == (code == 0) if how else f"free: {said}." in result.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("how", "code", "said"), [
    ((), 3, "the build would be refused: 3 of 12 items fail (3 missing mask), more than --max-error-rate 0.01 allows"),
    (("--max-error-rate", 1), 0, None),
    (("--on-error", "fail"), 1, "the build would stop at the first of 3 failures (3 missing mask)"),
])  # fmt: skip
def test_a_dry_run_foresees_what_fails(datakit, source, tmp_path, how, code, said):
    """And ends with the build's own exit code."""
    for number in range(3):
        (source / f"ground_truth_mask/{number:04d}.png").unlink()
    words = ("build-shards", source, "--out", tmp_path / "out", *how)
    foreseen = datakit(*words, "--dry-run")
    assert foreseen.exit_code == code and (said or "free: fits") in foreseen.stdout
    assert ("the build " in foreseen.stdout) == bool(said)
    assert datakit(*words).exit_code == code


def test_what_few_of_the_probe_tell_is_only_likely(datakit, tmp_path):
    """One unreadable photo of 24 probed, of 96: too few for certain, so a word and exit 0."""
    source = draw_source(tmp_path / "ecssd", 96)
    (source / "images/0000.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    words = ("build-shards", source, "--out", tmp_path / "out", "--max-error-rate", 0.02, "--dry-run")
    result = datakit(*words)
    assert result.exit_code == 0 and "the build may be refused: about 4 of 96 items fail (1 " in result.stdout
    assert json.loads(datakit(*words, "--json").stdout)["refused"] == "likely"


@pytest.mark.parametrize("command", ["inspect", "verify", "score", "train --out {run}"])
def test_shards_that_are_not_there_are_told_alike(datakit, tmp_path, command):
    """One sentence and exit 2, whichever command asks for them."""
    gone = tmp_path / "gone"
    name, *options = command.format(run=tmp_path / "run").split()
    result = datakit(name, gone, *options)
    assert result.exit_code == 2
    told = f"Error: {gone}: no such file or folder; expected a folder of shards, as `datakit build-shards` makes it"
    assert result.stderr.splitlines()[-1].removesuffix(", or a shard") == told
