import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from datakit.extras import MissingExtra
from model.compute import Compute
from model.inference import fold_norms, prepared
from model.networks import build_network
from model.segmenter import Segmenter

SIZE = 64
CASES = Path(__file__).with_name("openvino_cases.py")


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


def test_an_unknown_backend_is_refused(net: Segmenter) -> None:
    with pytest.raises(UsageError, match="torch or openvino"):
        prepared(net, COMPUTE, "tensorrt")


def test_a_missing_extra_is_named(net: Segmenter, monkeypatch) -> None:
    monkeypatch.setattr("datakit.extras.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"masktrack-datakit\[openvino\]"):
        prepared(net, COMPUTE, "openvino")


def test_openvino_does_as_torch() -> None:
    """In a process of its own: OpenVINO's threads are no company for tests that kill a loader's processes."""
    pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CASES.parents[2], check=False)
    assert done.returncode == 0, done.stdout[-4000:]
