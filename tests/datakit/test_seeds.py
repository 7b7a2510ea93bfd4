"""Draws depend on seed, key and variant, and on nothing else."""

import json
import os
import subprocess
import sys

from datakit.seeds import generator, key_hash


def test_the_hash_of_a_key_never_changes():
    """A golden value: a change would redraw every data set ever built."""
    assert key_hash("ecssd/0001") == 16988957783503131464


def test_the_stream_never_changes():
    """Golden draws, equal in another process with another hash seed."""
    draws = generator(0, "ecssd/0001", 1).random(3).tolist()
    code = "from datakit.seeds import generator; print(generator(0, 'ecssd/0001', 1).random(3).tolist())"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(other.stdout) == draws
    assert draws == GOLDEN


def test_seed_key_and_variant_each_change_the_stream():
    """No two of them share a stream."""
    streams = [generator(*arguments).random() for arguments in ((0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1))]
    assert len(set(streams)) == 4


GOLDEN = [0.17804221431226275, 0.32629546252783803, 0.7115841523844538]
