"""Plain arrays out of an HDF5 file that is no shard, such as network weights from elsewhere."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from .errors import DatakitError


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
        with h5py.File(path, "r") as file:
            file.visititems(take)
    except (OSError, RuntimeError, ValueError) as error:
        raise DatakitError(f"{path}: cannot be read as HDF5 ({error}); give a whole .h5 file") from error
    return arrays
