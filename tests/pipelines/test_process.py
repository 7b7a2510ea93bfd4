"""`pipelines.process`: what a process is set to."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Pages that have to be got where 64 MB are taken and given back for the third time; in huge pages they are 32.
PROGRAM = """
import resource, sys
from pipelines.process import keep_freed_memory

keep_freed_memory(trains=sys.argv[1] == "trains")
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = b"x" * (64 << 20)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
@pytest.mark.parametrize(("how", "kept"), [("trains", True), ("usual", False)])
def test_large_blocks_are_kept_in_training_alone(how, kept):
    """What a step frees the next one finds."""
    found = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    assert (int(found.stdout) < 16) == kept
