"""`pipelines.process`: what a process is set to."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Peak growth of the heap where 64 MB are taken and given back: kept ones lie in the heap, others are mapped by themselves.
PROGRAM = """
import sys
from pipelines.process import keep_freed_memory
import numpy as np
keep_freed_memory(trains=sys.argv[1] == "trains")
heap = lambda: sum(
    int(end, 16) - int(start, 16)
    for start, end in (line.split()[0].split("-") for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]"))
)
before = heap()
del [np.ones(64 << 20, np.uint8)][:]
print(heap() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
@pytest.mark.parametrize(("how", "kept"), [("trains", True), ("usual", False)])
def test_large_blocks_are_kept_in_training_alone(how, kept):
    """What a step frees the next one finds."""
    found = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    assert (int(found.stdout) > 32 << 20) == kept
