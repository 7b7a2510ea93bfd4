"""`datakit export-network`: what it says and refuses; what its files say stands in tests/model/test_onnx_export.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clips import draw_folder, labels, write_labels

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra `onnx`)")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The bundled network with a memory, small cuts; what the command said."""
    from click.testing import CliRunner

    from pipelines.cli import cli

    out = tmp_path_factory.mktemp("onnx") / "net.onnx"
    words = ["export-network", "lite-memory", "--out", str(out), "--size", "96", "--json"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return out, json.loads(done.stdout)


def test_it_says_what_it_wrote(written):
    """Both files, what goes in and comes out, and how near to torch they are."""
    out, said = written
    assert [each["path"] for each in said["files"]] == [str(out), str(out.with_name("net-remember.onnx"))]
    assert said["files"][0]["inputs"]["image"] == "[objects, 96, 96, 3] uint8"
    assert said["files"][1]["outputs"]["keys"].startswith("[frames, 64, ")
    for each in said["files"]:
        assert 0 < each["difference"] < 1e-3 and each["bytes"] == Path(each["path"]).stat().st_size


def run_example(network, tmp_path, plane):
    """The example on three frames, where there is no torch."""
    video, mask = draw_folder(tmp_path / "clip", 3), write_labels(tmp_path / "mask.png", plane)
    words = ["segment_by_onnx.py", *map(str, (network, video, mask, tmp_path / "out"))]
    program = f"""
import runpy, sys
sys.modules["torch"] = None
sys.argv = {words!r}
runpy.run_path({str(ROOT / "examples/segment_by_onnx.py")!r}, run_name="__main__")
"""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)


def test_the_example_follows_objects_without_torch(written, tmp_path):
    """Into label pictures of every frame, in which both objects are."""
    ran = run_example(written[0], tmp_path, labels())
    assert ran.returncode == 0, ran.stderr
    from datakit.video.labels import read_labels

    found = {path.name: set(read_labels(path, path.name).labels.flat) for path in sorted((tmp_path / "out").iterdir())}
    assert list(found) == ["00000.png", "00001.png", "00002.png"]
    assert found["00000.png"] == {0, 1, 2}


@pytest.mark.parametrize(
    ("name", "plane", "words"),
    [
        pytest.param("net.onnx", labels()[:24, :32], "is (rows, columns) (24, 32)", id="another size"),
        pytest.param("net.onnx", labels() * 0, "the mask is empty", id="no object"),
        pytest.param("net-remember.onnx", labels(), "remembers frames; give the file beside it", id="the other file"),
    ],
)
def test_the_example_refuses_what_it_cannot_follow(written, tmp_path, name, plane, words):
    """Before it writes a picture."""
    ran = run_example(written[0].with_name(name), tmp_path, plane)
    assert ran.returncode != 0 and words in ran.stderr
    assert not (tmp_path / "out").exists()


def test_another_suffix_is_refused(datakit, tmp_path):
    """With the name it should have."""
    refused = datakit("export-network", "bundled", "--out", tmp_path / "net.pt")
    assert refused.exit_code == 2 and f"such as {tmp_path / 'net.onnx'}" in refused.output


def test_weights_that_are_none_are_refused(datakit, tmp_path):
    """As by every command that takes weights."""
    refused = datakit("export-network", tmp_path / "none.safetensors", "--out", tmp_path / "net.onnx")
    assert refused.exit_code == 2 and "no such file" in refused.output
