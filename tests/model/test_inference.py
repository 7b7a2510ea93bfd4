import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from datakit.extras import MissingExtra
from model import inference
from model.compute import Compute
from model.inference import OpenVinoModule, fold_norms, prepared
from model.networks import build_network
from model.segmenter import Segmenter

SIZE = 64


@pytest.fixture(params=["lite", "lite-memory", "deeplab-vgg16"])
def net(request: pytest.FixtureRequest) -> Segmenter:
    """A network whose normalisation does something."""
    torch.manual_seed(0)
    made = build_network(request.param).eval()
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.2)
    return made


COMPUTE = Compute("cpu", "fp32", channels_last=True)


def inputs(count: int = 2, size: int = SIZE) -> torch.Tensor:
    return torch.rand(count, 4, size, size, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def logits(net: Segmenter, x: torch.Tensor) -> torch.Tensor:
    return net(x, net.remember(x)) if net.remembers else net(x)


def test_folding_changes_logits_by_rounding_alone(net: Segmenter) -> None:
    torch.testing.assert_close(logits(fold_norms(net), inputs()), logits(net, inputs()), atol=1e-3, rtol=1e-3)


def test_no_batch_normalisation_is_left(net: Segmenter) -> None:
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in fold_norms(net).modules())


def test_the_network_itself_stays_as_it_was(net: Segmenter) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    prepared(net, COMPUTE)
    after = net.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def test_openvino_says_the_same(net: Segmenter) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
    quick = prepared(net, COMPUTE, "openvino")
    for x in (inputs(), inputs(3), inputs(1, SIZE + 32)):  # each of another shape
        expected = logits(net, x)
        spread = float(expected.std())
        torch.testing.assert_close(logits(quick, x), expected, atol=1e-3 * max(1, spread), rtol=1e-3)


def test_openvino_keeps_what_a_propagation_asks_of_a_network(net: Segmenter) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
    quick = prepared(net, COMPUTE, "openvino")
    for name in ("coding", "stride", "spare_cores", "mirrored", "remembers"):
        assert getattr(quick, name) == getattr(net, name)


def test_so_many_shapes_are_kept_compiled(monkeypatch) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
    monkeypatch.setattr(inference, "MOST_SHAPES", 2)
    module = OpenVinoModule(nn.Conv2d(4, 2, 3).eval(), "f32")
    for size in (8, 9, 10, 8):
        assert module(torch.zeros(1, 4, size, size)).shape == (1, 2, size - 2, size - 2)
    assert len(module._compiled) == 2


def test_an_unknown_backend_is_refused(net: Segmenter) -> None:
    with pytest.raises(UsageError, match="torch or openvino"):
        prepared(net, COMPUTE, "tensorrt")


def test_a_gpu_is_not_openvinos(net: Segmenter) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
    with pytest.raises(UsageError, match="--device cpu"):
        prepared(net, Compute("cuda", "fp32", channels_last=True), "openvino")


def test_a_missing_extra_is_named(net: Segmenter, monkeypatch) -> None:
    monkeypatch.setattr("datakit.extras.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"masktrack-datakit\[openvino\]"):
        prepared(net, COMPUTE, "openvino")
