"""Versions of everything that may shape the bytes of a shard, as recorded in it."""

from __future__ import annotations

from importlib.metadata import version

import cv2
import h5py
import numpy as np
import PIL

from . import __version__


def tool_versions() -> dict[str, str]:
    """Name -> version of this package and of the libraries that decode, warp, encode and store."""
    return {
        "datakit": __version__,
        "h5py": h5py.__version__,
        "hdf5": h5py.version.hdf5_version,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
        "pycocotools": version("pycocotools"),
    }
