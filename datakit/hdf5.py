"""HDF5 files opened for reading, also while somebody else has them open, and plain arrays out of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .errors import DatakitError


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[h5py.File]:
    """A file for reading, without a lock, whoever else has it open.

    HDF5 gives one process no second handle of a file with another locking flag than the first ("file locking flag
    values don't match"), and with HDF5_USE_FILE_LOCKING=TRUE none of a file that is open for writing elsewhere. Such a
    file is read through Python, which is slower: HDF5 then takes it for another one and locks nothing.

    Args:
        path: the file; what another handle has not yet written to it is not seen.
        options: of `h5py.File`.

    Raises:
        OSError: not readable as HDF5.

    Source: measured with h5py 3.16 on HDF5 2.0.
    """
    try:
        file = h5py.File(path, "r", locking=False, **options)
    except OSError as error:
        if "lock" not in str(error):
            raise
        with path.open("rb") as source, h5py.File(source, "r", **options) as file:
            yield file
        return
    with file:
        yield file


def read_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every floating-point dataset of a file, by its path inside; links out of the file are not followed.

    Args:
        path: HDF5 file.

    Returns:
        float32 arrays, whatever the precision in the file.

    Raises:
        DatakitError: no such file, or not readable as HDF5.
    """
    arrays: dict[str, NDArray[np.float32]] = {}

    def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not item.external:
            arrays[name] = np.asarray(item[()], dtype=np.float32)

    try:
        with opened(path) as file:
            file.visititems(take)
    except (OSError, RuntimeError, ValueError) as error:
        raise DatakitError(f"{path}: cannot be read as HDF5 ({error}); give a whole .h5 file") from error
    return arrays
