"""The order of items, and the processes that load them: equal whoever loads, and clear when one dies."""

import multiprocessing
import os
import signal
import time
from itertools import islice

import numpy as np
import pytest
import torch

from datakit.errors import DatakitError, ShardError, UsageError
from datakit.transforms.views import ViewConfig
from model.dataset import Draw, TripleDataset
from model.networks import coding_of
from model.sampler import NICE, EpochSampler, make_loader, opened
from tests.small_shards import write_shards

EVEN = np.ones(10)


def stream(sampler, batches):
    return list(islice(sampler, batches))


def drawn(sampler, batches):
    return [draw for batch in stream(sampler, batches) for draw in batch]


def test_every_item_comes_once_in_every_epoch():
    """In another order each time; a batch that one epoch does not fill is filled from the next."""
    draws = drawn(EpochSampler(EVEN, 4), 5)
    first, second = draws[:10], draws[10:]
    assert sorted(draw.item for draw in first) == sorted(draw.item for draw in second) == list(range(10))
    assert [draw.item for draw in first] != [draw.item for draw in second]
    assert {draw.epoch for draw in first} == {0} and {draw.epoch for draw in second} == {1}
    assert all(len(batch) == 4 for batch in stream(EpochSampler(EVEN, 4), 9))


def test_the_order_is_a_function_of_seed_and_epoch():
    """Equal for equal numbers; another seed, another order."""
    assert drawn(EpochSampler(EVEN, 3, seed=1), 9) == drawn(EpochSampler(EVEN, 3, seed=1), 9)
    assert drawn(EpochSampler(EVEN, 3, seed=1), 9) != drawn(EpochSampler(EVEN, 3, seed=2), 9)


def test_the_batch_does_not_change_the_order():
    """Batches only cut the stream."""
    assert drawn(EpochSampler(EVEN, 3), 10) == drawn(EpochSampler(EVEN, 10), 3)


def test_an_item_comes_by_its_share_rounded_down_or_up():
    """In every epoch; a repeated item is numbered."""
    weights = np.array([3.0, 1.0, 0.5, 0.0, 1.0, 0.7, 2.0, 1.0])
    sampler = EpochSampler(weights, 1, seed=5, size=20)
    shares = weights / weights.sum() * 20
    for epoch in range(30):
        items, repeats = sampler.order(epoch)
        counts = np.bincount(items, minlength=8)
        assert len(items) == 20
        assert (counts >= np.floor(shares)).all() and (counts <= np.ceil(shares)).all()
        assert all(sorted(repeats[items == item]) == list(range(count)) for item, count in enumerate(counts))


def test_over_the_epochs_every_item_gets_its_due():
    """An item of half an appearance comes every other time or so, never long in a row or not at all."""
    weights = np.concatenate([np.full(50, 0.5), np.full(50, 1.5)])
    sampler = EpochSampler(weights, 1)
    counts = np.array([np.bincount(sampler.order(epoch)[0], minlength=100) for epoch in range(34)])
    assert np.abs(counts.sum(0) - 34 * weights).max() <= 2
    assert all(counts[n : n + 4, :50].any(0).all() for n in range(30))


def test_a_short_epoch_comes_to_every_item():
    """Epochs of a tenth of the items have seen nearly all after some more than ten."""
    sampler = EpochSampler(np.ones(1000), 1, size=100)
    seen = {int(item) for epoch in range(25) for item in sampler.order(epoch)[0]}
    assert len(seen) == 1000


@pytest.mark.parametrize("world", [2, 3])
def test_the_ranks_share_the_batches_of_one_process(world):
    """Batch by batch, the ranks together draw what one process draws, each a part of equal size."""
    alone = stream(EpochSampler(EVEN, 6, seed=2), 12)
    parts = [stream(EpochSampler(EVEN, 6, seed=2, rank=rank, world=world), 12) for rank in range(world)]
    for whole, *shares in zip(alone, *parts, strict=True):
        assert {len(share) for share in shares} == {6 // world}
        assert sorted(draw for share in shares for draw in share) == sorted(whole)


def test_a_stream_goes_on_where_it_stood():
    """From any batch, by its number or by the four integers of its state."""
    whole = drawn(EpochSampler(EVEN, 4, seed=7), 20)
    for done in (0, 1, 2, 5, 13):
        started, loaded = (EpochSampler(EVEN, 4, seed=7) for _ in range(2))
        started.start(done)
        state = EpochSampler(EVEN, 4, seed=7).state_dict(done)
        assert len(state) == 4 and all(type(value) is int for value in state.values())
        loaded.load_state_dict(state)
        assert drawn(started, 20 - done) == drawn(loaded, 20 - done) == whole[4 * done :]


def test_a_state_serves_other_batches_and_ranks():
    """It is a place in the stream, however the stream is cut."""
    whole = drawn(EpochSampler(EVEN, 4), 12)
    other = EpochSampler(EVEN, 8, rank=1, world=2)
    other.load_state_dict(EpochSampler(EVEN, 4).state_dict(4))
    assert drawn(other, 4) == whole[16:][1::2]


def test_the_state_of_another_stream_is_refused():
    """Another seed or other data would go on with something else."""
    with pytest.raises(DatakitError, match=r"seed 1 .* expected 0 and 10"):
        EpochSampler(EVEN, 4).load_state_dict(EpochSampler(EVEN, 4, seed=1).state_dict(3))


@pytest.mark.parametrize("arguments", [{"batch": 5, "world": 2}, {"batch": 0}, {"batch": 2, "size": 0}])
def test_what_cannot_be_shared_or_drawn_is_refused(arguments):
    """Instead of short batches or none."""
    with pytest.raises(UsageError, match=r"shared among|nothing to draw"):
        EpochSampler(EVEN, **arguments)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Items that are drawn anew each time."""
    folder = write_shards(tmp_path_factory.mktemp("shards") / "made", photos=5)
    return TripleDataset(folder, coding_of("deeplab-vgg16"), ViewConfig(size=32), split="all", redraw=True)


def batches_of(dataset, count, workers, method=None):
    with opened(make_loader(dataset, EpochSampler(dataset.weights, 4, seed=1), workers, method)) as batches:
        return list(islice(batches, count))


@pytest.mark.parametrize(("workers", "method"), [(1, "fork"), (2, "fork"), (1, "spawn")])
def test_any_number_of_workers_gives_the_same_batches(dataset, workers, method):
    """Forked after the parent read from the same shards, or started anew."""
    expected = batches_of(dataset, 5, 0)
    for alone, theirs in zip(expected, batches_of(dataset, 5, workers, method), strict=True):
        assert alone["key"] == theirs["key"]
        assert all(torch.equal(alone[name], theirs[name]) for name in ("input", "target", "valid"))


def test_a_loader_leaves_torchs_own_chance_alone(dataset):
    """Whoever seeds torch before a run gets the run of that seed, loader or none."""
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    batches_of(dataset, 1, 0)
    assert torch.equal(torch.rand(1), expected)


class Niceness(torch.utils.data.Dataset):
    """Tells how far the process that loads gives way to others."""

    def __getitem__(self, _):
        return os.nice(0)


@pytest.mark.parametrize(("on_gpu", "gives_way"), [(False, NICE), (True, 0)])
@pytest.mark.filterwarnings("ignore:.*pin_memory")
def test_a_worker_gives_way_to_a_network_on_the_same_cores(on_gpu, gives_way):
    """It has a lower priority than the process that trains, which keeps its own."""
    own = os.nice(0)
    with opened(make_loader(Niceness(), EpochSampler(EVEN, 2), 1, on_gpu=on_gpu)) as batches:
        assert next(batches).tolist() == [min(own + gives_way, 19)] * 2
    assert os.nice(0) == own


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_worker_is_told_as_such(dataset, workers):
    """The run ends with the cause and a way out instead of waiting for ever, and leaves no process behind."""
    loader = make_loader(dataset, EpochSampler(dataset.weights, 2), workers)
    with (
        pytest.raises(DatakitError, match=r"loader process \d+ was killed by SIGKILL.*fewer workers"),
        opened(loader) as batches,
    ):
        next(batches)
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
        for _ in range(1000):
            next(batches)
    assert not multiprocessing.active_children()


def test_a_death_is_told_wherever_the_main_thread_is(dataset):
    """Also in the midst of a training step, where torch's signal finds it."""
    loader = make_loader(dataset, EpochSampler(dataset.weights, 2), 1)
    with pytest.raises(DatakitError, match="SIGKILL"), opened(loader):
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
        time.sleep(60)


def test_another_error_in_the_block_is_left_alone(dataset):
    """Only a death is a death."""
    with pytest.raises(RuntimeError, match="mine"), opened(make_loader(dataset, EpochSampler(dataset.weights, 2), 1)):
        raise RuntimeError("mine")


def test_what_a_worker_raises_is_told_without_its_traceback(tmp_path):
    """The message is the error's own, of the error's own kind."""
    folder = write_shards(tmp_path / "gone", photos=2)
    dataset = TripleDataset(folder, coding_of("deeplab-vgg16"), ViewConfig(size=32), split="all")
    (folder / "made-00000.h5").unlink()
    with pytest.raises(ShardError) as caught:
        batches_of(dataset, 1, 1)
    assert str(caught.value).startswith(str(folder)) and "Traceback" not in str(caught.value)


def test_workers_end_with_the_block(dataset):
    """No process is left behind, also when the block is left early."""
    with opened(make_loader(dataset, EpochSampler(dataset.weights, 2), 2)) as batches:
        next(batches)
        assert len(multiprocessing.active_children()) == 2
    assert not multiprocessing.active_children()


def test_a_draw_is_three_numbers():
    """And travels to a worker as such."""
    assert Draw(3) == (3, 0, 0)
