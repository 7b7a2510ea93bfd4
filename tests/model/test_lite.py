"""The light network."""

import torch

from model.lite import PyramidHead
from model.networks import build_network, freeze_norm


def test_fits_the_package():
    """In half precision the weights stay well under ten megabytes."""
    values = sum(tensor.numel() for tensor in build_network("lite").state_dict().values())
    assert 3e6 < values < 4.6e6


def test_item_does_not_depend_on_its_batch():
    """With the trunk's statistics frozen, training sees each item as if it were alone: the head has group norms."""
    net = freeze_norm(build_network("lite")).train()
    x = torch.randn(3, 4, 40, 56)
    torch.testing.assert_close(net(x)[1:2], net(x[1:2]), atol=1e-4, rtol=1e-4)


def test_head_uses_every_feature():
    """Each level of the pyramid moves the logits."""
    torch.manual_seed(0)
    head = PyramidHead((8, 16, 24), width=16)
    features = [torch.randn(1, c, s, s, requires_grad=True) for c, s in ((8, 9), (16, 5), (24, 3))]
    logits = head(features)
    assert logits.shape == (1, 1, 9, 9)
    (logits * torch.randn(logits.shape)).sum().backward()
    assert all(feature.grad.abs().max() > 0 for feature in features)


def test_dropped_residuals_are_a_matter_of_training():
    """In training a share of the samples skips them, by torch's generator; in use nothing is left out."""
    dropping, plain = (build_network("lite", width=16, drop=drop) for drop in (0.5, 0.0))
    x = torch.randn(2, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(dropping.eval()(x), plain.eval()(x))
        freeze_norm(dropping).train()
        torch.manual_seed(1)
        one = dropping(x)
        torch.manual_seed(1)
        assert torch.equal(one, dropping(x))
        assert not torch.equal(one, dropping(x))
