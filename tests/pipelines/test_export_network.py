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


def test_the_example_follows_objects_without_torch(written, tmp_path):
    """Into label pictures of every frame, in which both objects are."""
    video = draw_folder(tmp_path / "clip", 3)
    mask = write_labels(tmp_path / "mask.png", labels())
    program = f"""
import runpy, sys
sys.modules["torch"] = None
sys.argv = ["segment_by_onnx.py", {str(written[0])!r}, {str(video)!r}, {str(mask)!r}, {str(tmp_path / "out")!r}]
runpy.run_path({str(ROOT / "examples/segment_by_onnx.py")!r}, run_name="__main__")
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    from datakit.video.labels import read_labels

    found = {path.name: set(read_labels(path, path.name).labels.flat) for path in sorted((tmp_path / "out").iterdir())}
    assert list(found) == ["00000.png", "00001.png", "00002.png"]
    assert found["00000.png"] == {0, 1, 2}


def test_another_suffix_is_refused(datakit, tmp_path):
    """With the name it should have."""
    refused = datakit("export-network", "bundled", "--out", tmp_path / "net.pt")
    assert refused.exit_code == 2 and f"such as {tmp_path / 'net.onnx'}" in refused.output


def test_weights_that_are_none_are_refused(datakit, tmp_path):
    """As by every command that takes weights."""
    refused = datakit("export-network", tmp_path / "none.safetensors", "--out", tmp_path / "net.onnx")
    assert refused.exit_code == 2 and "no such file" in refused.output
