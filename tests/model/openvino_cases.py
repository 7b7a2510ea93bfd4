"""OpenVINO beside torch; run by `test_inference` in a process of its own."""

import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from model import inference
from model.compute import Compute
from model.inference import OpenVinoModule, prepared
from model.memory import Memory
from model.segmenter import Segmenter
from tests.model import test_inference
from tests.model.test_inference import COMPUTE, SIZE, inputs, logits

net = test_inference.net  # a fixture


def test_openvino_says_the_same(net: Segmenter) -> None:
    quick = prepared(net, COMPUTE, "openvino")
    for x in (inputs(), inputs(3), inputs(1, SIZE + 32)):  # each of another shape
        expected = logits(net, x)
        spread = float(expected.std())
        torch.testing.assert_close(logits(quick, x), expected, atol=1e-3 * max(1, spread), rtol=1e-3)


def test_openvino_keeps_what_a_propagation_asks_of_a_network(net: Segmenter) -> None:
    quick = prepared(net, COMPUTE, "openvino")
    for name in ("coding", "stride", "mirrored", "margin", "doubtful", "remembers"):
        assert getattr(quick, name) == getattr(net, name)


@torch.inference_mode()
def test_a_memory_may_grow_without_a_new_conversion(net: Segmenter, monkeypatch) -> None:
    """And another number of objects; only another size of the frame is converted anew."""
    if not net.remembers:
        pytest.skip("has no memory")
    converted, convert = [], OpenVinoModule._convert
    monkeypatch.setattr(OpenVinoModule, "_convert", lambda self, xs: converted.append(len(xs)) or convert(self, xs))
    quick = prepared(net, COMPUTE, "openvino")
    for count, frames in ((1, 1), (1, 3), (2, 2)):
        x = inputs(count)
        memory, known = Memory.joined([net.remember(x)] * frames), Memory.joined([quick.remember(x)] * frames)
        torch.testing.assert_close(quick(x, known), net(x, memory), atol=1e-3, rtol=1e-3)
    assert converted == [4]


def test_so_many_shapes_are_kept_compiled(monkeypatch) -> None:
    monkeypatch.setattr(inference, "MOST_SHAPES", 2)
    module = OpenVinoModule(nn.Conv2d(4, 2, 3).eval(), "f32")
    for size in (8, 9, 10, 8):
        assert module(torch.zeros(1, 4, size, size)).shape == (1, 2, size - 2, size - 2)
    assert len(module._compiled) == len(module._converted) == 2


def test_a_gpu_is_not_openvinos(net: Segmenter) -> None:
    with pytest.raises(UsageError, match="--device cpu"):
        prepared(net, Compute("cuda", "fp32", channels_last=True), "openvino")
