"""Optional parts of the installation: which packages each extra brings, and one sentence where they lack."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from .errors import UsageError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "network": ("torch", "safetensors"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("openvino",),
    "film": ("av",),
    "dedup": ("imagehash",),
    "parquet": ("pyarrow",),
    "heif": ("pillow_heif",),
    "crf": ("pydensecrf",),
    "tensorboard": ("tensorboard",),
    "report": ("bokeh",),
    "jobqueue": ("dask_jobqueue",),
    "stores": ("upath",),
    "s3": ("s3fs",),
    "gcs": ("gcsfs",),
    "azure": ("adlfs",),
    "http": ("aiohttp",),
    "annotate": ("starlette", "uvicorn", "websockets"),
}
"""Extra of setup.py -> the modules that must be importable."""


class MissingExtra(UsageError, ImportError):
    """A part of the package was asked for whose extra is not installed."""


def require(extra: str, what: str) -> None:
    """Refuse to go on where the packages of an extra are not installed.

    Args:
        extra: a key of `EXTRAS`.
        what: what needs it, as the sentence's subject: `the command "train"`.

    Raises:
        MissingExtra: a module cannot be found; it is a `UsageError` (exit code 2) and an ImportError.
    """
    missing = [name for name in EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"{what} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            f"pip install 'masktrack-datakit[{extra}]'"
        )
