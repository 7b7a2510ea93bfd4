"""ONNX files: what they say is what torch says, with coding, mirrored look and enlargement inside."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from datakit.transforms.crop import object_window
from model.compute import Compute
from model.memory import Memory
from model.networks import build_network
from model.refine import RefineConfig, forward_pass, remember

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra `onnx`)")

from model import onnx_export  # noqa: E402
from model.onnx_export import METADATA, export_onnx  # noqa: E402

SIZE = 64


@pytest.fixture(scope="module", params=["lite", "lite-memory"])
def exported(request, tmp_path_factory):
    """A network that was never trained, and its files."""
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    net = build_network(request.param).eval()
    if net.remembers:
        torch.nn.init.normal_(net.head.tell[-1].weight, std=0.05)  # what the memory adds would be nothing
    return net, export_onnx(net, path, RefineConfig(SIZE), weights="some")


def session(path: Path):
    return onnxruntime.InferenceSession(str(path))


@pytest.fixture
def scene():
    """A frame as large as the cut, and three masks."""
    rng = np.random.default_rng(0)
    masks = np.zeros((3, SIZE, SIZE), np.uint8)
    for n, mask in enumerate(masks):
        mask[8 + 4 * n : 40, 16 : 30 + 8 * n] = 1
    return rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8), masks


def test_scores_are_those_of_propagation(exported, scene):
    """Of any number of objects, also with what is remembered of several frames."""
    net, files = exported
    frame, masks = scene
    compute = Compute.chosen(net, "cpu", "fp32")
    placed = compute.place(net)
    for count in (1, 3):
        images, guides = np.stack([frame] * count), masks[:count]
        feed, memory = {"image": images, "guide": guides}, None
        if net.remembers:
            found = session(files[1].path).run(None, {"image": images, "mask": guides})
            twice = [np.concatenate([part, part[::-1]], -1) for part in found]
            feed |= dict(zip(("keys", "values", "share"), twice, strict=True))
            memory = Memory(*map(torch.from_numpy, twice))
        windows = [object_window((0, 0, SIZE, SIZE), (SIZE, SIZE), 0, SIZE)] * count
        wanted = forward_pass(placed, frame, list(guides), windows, compute, net.mirrored, memory)
        np.testing.assert_allclose(session(files[0].path).run(None, feed)[0], wanted, atol=1e-3)


def test_what_is_remembered_is_what_torch_remembers(exported, scene):
    """Keys, values and the share of object, frame by frame."""
    net, files = exported
    if not net.remembers:
        assert len(files) == 1
        return
    frame, masks = scene
    found = session(files[1].path).run(None, {"image": np.stack([frame] * 3), "mask": masks})
    compute = Compute.chosen(net, "cpu", "fp32")
    coded = onnx_export._Coded(net).packed(torch.from_numpy(np.stack([frame] * 3)), torch.from_numpy(masks))
    for mine, theirs in zip(remember(compute.place(net), coded[:, None], compute), found, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-3)


def test_axes_are_named_and_what_the_caller_must_do_is_told(exported):
    """Number of objects and of places are free; the file says how to cut."""
    net, files = exported
    inputs = {each.name: each.shape for each in session(files[0].path).get_inputs()}
    assert inputs["image"] == ["objects", SIZE, SIZE, 3] and inputs["guide"] == ["objects", SIZE, SIZE]
    if net.remembers:
        assert inputs["keys"] == ["objects", 64, "places"] and inputs["share"] == ["objects", "places"]
        assert files[1].path.name == "net-remember.onnx"
    partner = "net-remember.onnx" if net.remembers else None
    about = json.loads(session(files[0].path).get_modelmeta().custom_metadata_map[METADATA])
    own = {"margin": net.margin, "mirrored": net.mirrored, "network": type(net).__name__}
    told = {"fill": [127, 127, 127], "outside": -20.0, "remember": partner, "size": SIZE, "weights": "some"}
    assert about == own | told


def test_a_file_that_says_something_else_does_not_appear(tmp_path, monkeypatch):
    """It is compared with torch before it has its name."""
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(onnx_export.DatakitError, match=r"differs from torch by .*, more than -1"):
        export_onnx(build_network("lite").eval(), tmp_path / "net.onnx", RefineConfig(SIZE))
    assert list(tmp_path.iterdir()) == []
