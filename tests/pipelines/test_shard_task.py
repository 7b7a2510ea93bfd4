"""How the work of one shard is cut into turns; what it makes is tested with the whole build."""

from pipelines.shard_task import BATCH_PIXELS, batches


def test_batches_keep_order_and_stop_when_they_are_full():
    """Small items share a batch, the last one may be short, nothing is lost."""
    third = BATCH_PIXELS // 3 + 1
    assert list(batches((n, third) for n in range(7))) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([])) == []


def test_a_large_item_ends_its_batch_at_once():
    """So that no more than one photo of many megapixels is held."""
    assert list(batches((pixels, pixels) for pixels in (1, 2 * BATCH_PIXELS, 3 * BATCH_PIXELS, 1))) == [
        [1, 2 * BATCH_PIXELS],
        [3 * BATCH_PIXELS],
        [1],
    ]


def test_batches_take_no_more_than_they_hold():
    """What follows is not read before the batch was used."""
    taken = []
    full = batches((taken.append(n) or n, BATCH_PIXELS) for n in range(9))
    assert next(full) == [0] and taken == [0]
