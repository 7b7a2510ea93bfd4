"""How many of the project's functions one photo enters on its way into a shard, and one training item into a batch.

    python tools/count_calls.py FOLDER [--names]

FOLDER is a set in ECSSD's layout. A photo's way begins where the photos of a shard are read and ends where the shard
is published; an item's way is what a data loader calls for a batch of one. A function is counted once, however often
it is entered; comprehensions and what dataclasses write are none. `--names` lists them by their first call.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOORS = tuple(f"{ROOT / floor}/" for floor in ("datakit", "model", "pipelines"))


@contextmanager
def entered(start: CodeType | None = None) -> Iterator[dict[CodeType, None]]:
    """The functions of the project that are entered inside, in order.

    Args:
        start: count only while this function runs; everything where it is None.
    """
    codes: dict[CodeType, None] = {}
    running = start is None

    def look(frame: FrameType, event: str, _: Any) -> None:
        nonlocal running
        code = frame.f_code
        if code is start and event in ("call", "return"):
            running = event == "call"
        if running and event == "call" and code.co_filename.startswith(FLOORS) and code.co_name[0] != "<":
            codes[code] = None

    sys.setprofile(look)
    try:
        yield codes
    finally:
        sys.setprofile(None)


def photo(source: Path, shards: Path) -> dict[CodeType, None]:
    """What one photo of `source` enters in a build of one process."""
    from pipelines import shard_task
    from pipelines.cli import cli

    arguments = ["build-shards", str(source), "--limit", "1", "-j", "1", "--out", str(shards)]
    with entered(shard_task.fill_shard.__code__) as codes:
        cli(arguments, standalone_mode=False)
    return codes


def item(shards: Path) -> dict[CodeType, None]:
    """What the first item of a folder of shards enters on its way into a batch; the shard is open by then."""
    from torch.utils.data import DataLoader

    from model.dataset import TripleDataset
    from model.networks import coding_of

    dataset = TripleDataset(str(shards), coding_of("lite"), split="all", redraw=True)
    next(iter(DataLoader(dataset, batch_size=1)))
    with entered() as codes:
        next(iter(DataLoader(dataset, batch_size=1)))
    return codes


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path, help="folder of a set in ECSSD's layout")
    parser.add_argument("--names", action="store_true", help="list the functions, too")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        shards = Path(folder) / "shards"
        ways: dict[str, Callable[[], dict[CodeType, None]]] = {
            "one photo into a shard": lambda: photo(options.source, shards),
            "one training item into a batch": lambda: item(shards),
        }
        for name, way in ways.items():
            codes = way()
            files = {code.co_filename for code in codes}
            print(f"{name}: {len(codes)} functions in {len(files)} modules")
            for code in codes if options.names else ():
                print(f"  {Path(code.co_filename).relative_to(ROOT)}:{code.co_firstlineno} {code.co_qualname}")


if __name__ == "__main__":
    main()
